#include "b2bua/sccp/print.h"

#include "b2bua/sccp/table.h"
#include "b2bua/sccp/text.h"

static uint32_t number(const char *at, size_t size)
{
    return size == 1   ? *(const uint8_t *)at
           : size == 2 ? *(const uint16_t *)at
                       : *(const uint32_t *)at;
}

/* name= or, of several, name[2]= */
static void print_name(struct buf *b, const struct sccp_field *f, size_t i)
{
    if (f->count > 1 && f->kind != SCCP_FIELD_COUNT)
        buf_printf(b, " %s[%zu]=", f->name, i);
    else
        buf_printf(b, " %s=", f->name);
}

static void print_word(struct buf *b, const char *word)
{
    buf_printf(b, strchr(word, ' ') ? "\"%s\"" : "%s", word);
}

static void print_text(struct buf *b, struct span s, bool labels)
{
    char text[3 * SCCP_LENGTH_MOST];
    struct buf t = BUF_INIT(text);
    sccp_text_read(&t, s, labels);
    buf_putc(b, '"');
    buf_json(b, buf_span(&t));
    buf_putc(b, '"');
}

static void print_fields(struct buf *b, const struct sccp_field *f, const char *from,
                         unsigned version, bool zeros);

static void print_record(struct buf *b, const struct sccp_field *f, size_t i, const char *at,
                         unsigned version)
{
    size_t start = b->n, inside;
    print_name(b, f, i);
    buf_putc(b, '{');
    inside = b->n;
    print_fields(b, f->fields(), at, version, false);
    if (b->n == inside)
        b->n = start; /* nothing to say */
    else
        buf_lit(b, " }");
}

static void print_one(struct buf *b, const struct sccp_field *f, size_t i, const char *at,
                      unsigned version, bool zeros)
{
    const struct span *s = (const struct span *)at;
    const struct addr *a = (const struct addr *)at;
    uint32_t v;
    switch (f->kind) {
    case SCCP_FIELD_NUMBER:
    case SCCP_FIELD_LOOSE:
    case SCCP_FIELD_COUNT:
        v = number(at, f->size);
        const char *word = sccp_word(f->words, v);
        if (!v && !(word && zeros))
            break;
        print_name(b, f, i);
        if (word)
            print_word(b, word);
        else
            buf_u64(b, v);
        break;
    case SCCP_FIELD_TEXT:
    case SCCP_FIELD_LABEL:
    case SCCP_FIELD_PACKED:
    case SCCP_FIELD_PACKED_LABEL:
        if (!s->n)
            break;
        print_name(b, f, i);
        print_text(b, *s, f->kind == SCCP_FIELD_LABEL || f->kind == SCCP_FIELD_PACKED_LABEL);
        break;
    case SCCP_FIELD_ADDRESS:
        if (a->sa.sa_family == AF_UNSPEC || addr_is_any(a))
            break;
        print_name(b, f, i);
        addr_write_host(b, a);
        break;
    case SCCP_FIELD_BYTES:
        if (!at[0] && !memcmp(at, at + 1, f->width - 1U))
            break;
        print_name(b, f, i);
        buf_hex(b, at, f->width);
        break;
    case SCCP_FIELD_SECRET:
        if (!at[0] && !memcmp(at, at + 1, f->width - 1U))
            break;
        print_name(b, f, i);
        buf_printf(b, "<%u bytes>", f->width);
        break;
    case SCCP_FIELD_DATA:
    case SCCP_FIELD_REST:
        if (!s->n)
            break;
        print_name(b, f, i);
        print_text(b, *s, false);
        break;
    case SCCP_FIELD_RECORD:
        print_record(b, f, i, at, version);
        break;
    case SCCP_FIELD_LENGTH:
    case SCCP_FIELD_ZERO:
    case SCCP_FIELD_FROM:
        break;
    }
}

static void print_fields(struct buf *b, const struct sccp_field *f, const char *from,
                         unsigned version, bool zeros)
{
    size_t used = SIZE_MAX; /* of what follows a count; behind it is garbage */
    for (; f->name; f++) {
        size_t n = f->kind == SCCP_FIELD_COUNT    ? 1
                   : f->kind == SCCP_FIELD_RECORD ? CS_MIN(used, (size_t)f->count)
                                                  : f->count;
        if (f->kind == SCCP_FIELD_COUNT)
            used = number(from + f->place, f->size);
        for (size_t i = 0; i < n && sccp_field_is_in(f, version); i++)
            print_one(b, f, i, from + f->place + i * f->size, version, zeros);
    }
}

void sccp_print(struct buf *b, const struct sccp_frame *f, unsigned version)
{
    const struct sccp_row *row = sccp_row_of_id(f->id);
    struct sccp_message m;
    int err = sccp_decode(f, version, &m);
    if (row)
        buf_printf(b, "%s", row->name);
    else
        buf_printf(b, "message 0x%04x", f->id);
    if (err == CS_EPROTO)
        buf_printf(b, ", which is too short: %zu bytes", f->body.n);
    else if (err)
        buf_printf(b, ", %zu bytes", f->body.n);
    else if (row)
        print_fields(b, row->fields(), (const char *)&m.keep_alive, version, true);
}

/* ---- the table ---- */

static const char *const kinds[] = {
    [SCCP_FIELD_NUMBER] = "number",
    [SCCP_FIELD_LOOSE] = "number",
    [SCCP_FIELD_COUNT] = "how many",
    [SCCP_FIELD_TEXT] = "text",
    [SCCP_FIELD_LABEL] = "text, with labels",
    [SCCP_FIELD_PACKED] = "text up to its NUL",
    [SCCP_FIELD_PACKED_LABEL] = "text up to its NUL, with labels",
    [SCCP_FIELD_ADDRESS] = "address",
    [SCCP_FIELD_BYTES] = "bytes",
    [SCCP_FIELD_SECRET] = "secret",
    [SCCP_FIELD_DATA] = "a length and as many bytes",
    [SCCP_FIELD_LENGTH] = "length",
    [SCCP_FIELD_REST] = "all that is left",
    [SCCP_FIELD_ZERO] = "zeros",
};

/* So much of the body as has a place; what has none comes last. */
static size_t describe_fields(FILE *out, const struct sccp_field *f, unsigned version, size_t at,
                              bool *placed, unsigned depth)
{
    for (; f->name; f++) {
        size_t n = f->kind == SCCP_FIELD_COUNT ? 1 : f->count;
        size_t width = f->kind == SCCP_FIELD_LENGTH ? 4 : f->width;
        if (!sccp_field_is_in(f, version) || f->kind == SCCP_FIELD_FROM)
            continue;
        bool fits = f->kind != SCCP_FIELD_PACKED && f->kind != SCCP_FIELD_PACKED_LABEL &&
                    f->kind != SCCP_FIELD_DATA && f->kind != SCCP_FIELD_REST;
        fprintf(out, *placed ? "  %*s%4zu" : "  %*s   -", (int)depth * 2, "", at);
        if (f->kind == SCCP_FIELD_RECORD) {
            fprintf(out, "       %s", f->name);
            fprintf(out, n > 1 ? ", %zu of these:\n" : ":\n", n);
            width = describe_fields(out, f->fields(), version, at, placed, depth + 1) - at;
        } else {
            fprintf(out, "  %4zu  %s%s%s", width, f->name, f->name[0] ? ": " : "", kinds[f->kind]);
            fprintf(out, n > 1 ? ", %zu in a row\n" : "\n", n);
        }
        *placed &= fits;
        at += width * n;
    }
    return at;
}

void sccp_describe(FILE *f, unsigned version)
{
    for (size_t i = 0; i < sccp_n_rows; i++) {
        const struct sccp_row *r = &sccp_rows[i];
        bool placed = true;
        if (r->direction == SCCP_FROM_SERVER && r->fields &&
            (version < r->since || version > r->until))
            continue; /* it is said by another message then */
        fprintf(f, "%04x  %s, from the %s\n", r->id, r->name,
                r->direction == SCCP_FROM_PHONE ? "phone" : "server");
        if (r->fields)
            describe_fields(f, r->fields(), version, 0, &placed, 1);
    }
}
