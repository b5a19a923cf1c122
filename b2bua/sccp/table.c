#include "b2bua/sccp/table.h"

/* A function for each record and message, so that its rows can name its struct. */
#define ROW(kind_, member, type, width_, count_, since_, until_, words_, record_) \
    { .name = #member,                                                            \
      .kind = SCCP_FIELD_##kind_,                                                 \
      .place = offsetof(self, member),                                            \
      .size = sizeof(type),                                                       \
      .width = (width_),                                                          \
      .count = (count_),                                                          \
      .since = (since_),                                                          \
      .until = (until_),                                                          \
      .words = SCCP_WORDS_##words_,                                               \
      .fields = fields_of_##record_ },
#define BLANK(kind_, width_, since_, until_) \
    { .name = "",                            \
      .kind = SCCP_FIELD_##kind_,            \
      .width = (width_),                     \
      .count = 1,                            \
      .since = (since_),                     \
      .until = (until_) },
#define FIELDS(Name, name)                                       \
    static const struct sccp_field *fields_of_##Name(void)       \
    {                                                            \
        typedef struct sccp_##name self __attribute__((unused)); \
        static const struct sccp_field fields[] = {
#define END           \
    { .name = NULL }, \
    }                 \
    ;                 \
    return fields;    \
    }
#define END_FORM                               END
#define RECORD(name)                           FIELDS(name, name)
#define MESSAGE_IN(id, Name, name, ...)        FIELDS(Name, name)
#define FORM(id, Name, of, name, since, until) FIELDS(Name, name)
#define fields_of_none                         NULL
#include "b2bua/sccp/messages.def"

#define SCCP_PHONE  SCCP_FROM_PHONE
#define SCCP_SERVER SCCP_FROM_SERVER
#define BASIC       1

enum {
#define MESSAGE_IN(id, Name, ...) ROW_##Name,
#define FORM(id, Name, ...)       ROW_##Name,
#define END_FORM
#define ALIAS(id, Name, ...) ROW_##Name,
#define NAMED(id, Name, ...) ROW_##Name,
#include "b2bua/sccp/messages.def"
};

const struct sccp_row sccp_rows[] = {
#define MESSAGE_IN(id, Name, name, direction, since, until, flags) \
    { id,                                                          \
      SCCP_##Name,                                                 \
      #Name,                                                       \
      SCCP_##direction,                                            \
      since,                                                       \
      until,                                                       \
      flags,                                                       \
      sizeof(struct sccp_##name),                                  \
      fields_of_##Name },
#define FORM(id, Name, of, name, since, until) \
    { id,                                      \
      SCCP_##of,                               \
      #Name,                                   \
      SCCP_FROM_SERVER,                        \
      since,                                   \
      until,                                   \
      0,                                       \
      sizeof(struct sccp_##name),              \
      fields_of_##Name },
#define END_FORM
#define ALIAS(id, Name, of, name) \
    { id, SCCP_##of, #Name, SCCP_FROM_PHONE, 1, 0, 0, sizeof(struct sccp_##name), fields_of_##of },
#define NAMED(id, Name, direction) { id, SCCP_UNREAD, #Name, SCCP_##direction, 1, 0, 0, 0, NULL },
#include "b2bua/sccp/messages.def"
};

const size_t sccp_n_rows = CS_LEN(sccp_rows);

/* One more than its place in the table; an id that is written twice there does not compile. */
static const uint8_t rows_by_id[] = {
#define MESSAGE_IN(id, Name, ...) [id] = ROW_##Name + 1,
#define FORM(id, Name, ...)       [id] = ROW_##Name + 1,
#define END_FORM
#define ALIAS(id, Name, ...) [id] = ROW_##Name + 1,
#define NAMED(id, Name, ...) [id] = ROW_##Name + 1,
#include "b2bua/sccp/messages.def"
};

static const uint8_t rows_by_kind[SCCP_KINDS] = {
#define MESSAGE_IN(id, Name, ...) [SCCP_##Name] = ROW_##Name,
#include "b2bua/sccp/messages.def"
};

const struct sccp_row *sccp_row_of_id(uint32_t id)
{
    return id < CS_LEN(rows_by_id) && rows_by_id[id] ? &sccp_rows[rows_by_id[id] - 1] : NULL;
}

const struct sccp_row *sccp_row_of_kind(enum sccp_kind kind, unsigned version)
{
    for (size_t i = rows_by_kind[kind]; i < sccp_n_rows && sccp_rows[i].kind == kind; i++) {
        if (version >= sccp_rows[i].since && version <= sccp_rows[i].until)
            return &sccp_rows[i];
    }
    return NULL;
}

const char *sccp_word(enum sccp_words set, uint32_t value)
{
    static const struct {
        enum sccp_words set;
        uint32_t value;
        const char *text;
    } words[] = {
#define WORD(set, name, value, text) { SCCP_WORDS_##set, value, text },
#include "b2bua/sccp/values.def"
    };
    for (size_t i = 0; i < CS_LEN(words); i++) {
        if (words[i].set == set && words[i].value == value)
            return words[i].text;
    }
    return NULL;
}
