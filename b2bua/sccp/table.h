/* The table of messages as data: for the codec, and for who shows messages to people. */
#ifndef CS_B2BUA_SCCP_TABLE_H
#define CS_B2BUA_SCCP_TABLE_H

#include "b2bua/sccp/message.h"

enum sccp_words {
#define WORDS(set) SCCP_WORDS_##set,
#include "b2bua/sccp/values.def"
};

/* As messages.def explains them. */
enum sccp_field_kind {
    SCCP_FIELD_NUMBER,
    SCCP_FIELD_LOOSE,
    SCCP_FIELD_COUNT,
    SCCP_FIELD_TEXT,
    SCCP_FIELD_LABEL,
    SCCP_FIELD_PACKED,
    SCCP_FIELD_PACKED_LABEL,
    SCCP_FIELD_ADDRESS,
    SCCP_FIELD_BYTES,
    SCCP_FIELD_SECRET,
    SCCP_FIELD_DATA,
    SCCP_FIELD_LENGTH,
    SCCP_FIELD_REST,
    SCCP_FIELD_RECORD,
    SCCP_FIELD_ZERO,
    SCCP_FIELD_FROM,
};

struct sccp_field {
    const char *name; /* "": it has none; NULL ends a list */
    enum sccp_field_kind kind;
    uint16_t place; /* in the struct */
    uint16_t size;  /* of one there */
    uint16_t width; /* bytes on the wire; most, of packed texts and of data */
    uint16_t count; /* so many in a row; of a COUNT, the most */
    uint8_t since, until;
    enum sccp_words words;
    const struct sccp_field *(*fields)(void); /* of a record */
};

enum sccp_direction { SCCP_FROM_PHONE, SCCP_FROM_SERVER };

struct sccp_row {
    uint16_t id;
    enum sccp_kind kind;
    const char *name;
    enum sccp_direction direction;
    uint8_t since, until; /* is written in these; since > until: in none */
    bool basic;
    uint16_t size;                            /* of the struct */
    const struct sccp_field *(*fields)(void); /* NULL: not looked into */
};

/* All rows, of one kind together and in the order of messages.def. */
extern const struct sccp_row sccp_rows[];
extern const size_t sccp_n_rows;

/* NULL: no message has this id. */
const struct sccp_row *sccp_row_of_id(uint32_t id);
/* The row that a message of this kind is written by; NULL: that version has no such message. */
const struct sccp_row *sccp_row_of_kind(enum sccp_kind kind, unsigned version);
/* What a value of a set is called; NULL: nothing. */
const char *sccp_word(enum sccp_words set, uint32_t value);

static inline bool sccp_field_is_in(const struct sccp_field *f, unsigned version)
{
    return version >= f->since && version <= f->until;
}

#endif
