/* Messages with something in each field, made from the table. */
#ifndef CS_TESTS_SCCP_FILL_H
#define CS_TESTS_SCCP_FILL_H

#include "b2bua/sccp/table.h"

/* A value of the set that is not zero; of none: one that tells bytes apart. */
static inline uint32_t fill_value(const struct sccp_field *f, size_t i)
{
    for (uint32_t v = 1; f->words && v < 300; v++) {
        if (sccp_word(f->words, v))
            return v;
    }
    return f->size == 1 ? (uint32_t)(1 + i) : (uint32_t)(0x0201 + i);
}

static inline void fill_field(const struct sccp_field *f, char *to, unsigned version);

static inline void fill_one(const struct sccp_field *f, char *to, size_t i, unsigned version)
{
    int err = 0;
    switch (f->kind) {
    case SCCP_FIELD_NUMBER:
        if (f->size == 1)
            *(uint8_t *)to = (uint8_t)fill_value(f, i);
        else if (f->size == 2)
            *(uint16_t *)to = (uint16_t)fill_value(f, i);
        else
            *(uint32_t *)to = f->width == 1 ? 1 : fill_value(f, i);
        break;
    case SCCP_FIELD_LOOSE:
        *(uint32_t *)to = 7;
        break;
    case SCCP_FIELD_COUNT:
        *(uint32_t *)to = f->count;
        break;
    case SCCP_FIELD_TEXT:
    case SCCP_FIELD_PACKED:
    case SCCP_FIELD_DATA:
    case SCCP_FIELD_REST:
        *(struct span *)to = f->width > 5 || f->width == 0 ? SPAN("2001") : SPAN("M/D");
        break;
    case SCCP_FIELD_LABEL:
    case SCCP_FIELD_PACKED_LABEL:
        *(struct span *)to = SPAN("\x80\x17 2001");
        break;
    case SCCP_FIELD_ADDRESS:
        err = addr_parse_host(f->width == 16 ? SPAN("2001:db8::1") : SPAN("192.0.2.10"), 0,
                              (struct addr *)to);
        break;
    case SCCP_FIELD_BYTES:
    case SCCP_FIELD_SECRET:
        memset(to, 0x5a, f->width);
        break;
    case SCCP_FIELD_RECORD:
        for (const struct sccp_field *in = f->fields(); in->name; in++)
            fill_field(in, to + in->place, version);
        break;
    case SCCP_FIELD_LENGTH:
    case SCCP_FIELD_ZERO:
    case SCCP_FIELD_FROM:
        break;
    }
    assert_int_equal(err, 0);
}

static inline void fill_field(const struct sccp_field *f, char *to, unsigned version)
{
    size_t n = f->kind == SCCP_FIELD_COUNT ? 1 : f->count;
    for (size_t i = 0; i < n && sccp_field_is_in(f, version); i++)
        fill_one(f, to + i * f->size, i, version);
}

/* One field alone, or, when name is NULL, all of a message of that row. */
static inline void fill(const struct sccp_row *row, unsigned version, const char *name,
                        struct sccp_message *out)
{
    *out = (struct sccp_message){ .id = row->id, .kind = row->kind };
    for (const struct sccp_field *f = row->fields(); f->name; f++) {
        if (!name || strcmp(name, f->name) == 0)
            fill_field(f, (char *)&out->keep_alive + f->place, version);
    }
}

#endif
