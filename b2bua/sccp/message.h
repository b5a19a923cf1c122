/* Messages of SCCP as plain structs: struct sccp_call_state is what CallState says, SCCP_CallState
 * its kind. All of them come from messages.def, and the words for their values from values.def.
 *
 * Texts are UTF-8 when they are to be sent, and as they came, up to the first NUL, when they were
 * read (text.h); an absent one is sent as an empty one. Addresses have no port; of none, zeros are
 * sent. */
#ifndef CS_B2BUA_SCCP_MESSAGE_H
#define CS_B2BUA_SCCP_MESSAGE_H

#include "base/addr.h"

enum {
    SCCP_OLDEST = 3,
    SCCP_NEWEST = 22,
    SCCP_HEADER = 12,
    SCCP_LENGTH_LEAST = 4, /* the length that a header tells: the id, and */
    SCCP_LENGTH_MOST = 4096,
    SCCP_FRAME_MAX = SCCP_LENGTH_MOST + 8,
};

enum {
#define WORD(set, name, value, text) SCCP_##name = (value),
#include "b2bua/sccp/values.def"
};

enum sccp_kind {
    SCCP_UNREAD, /* its id is not known, or its body is not looked into */
#define MESSAGE_IN(id, Name, ...) SCCP_##Name,
#include "b2bua/sccp/messages.def"
    SCCP_KINDS
};

#define MEMBER(...)                     __VA_ARGS__;
#define RECORD(name)                    struct sccp_##name {
#define MESSAGE_IN(id, Name, name, ...) struct sccp_##name {
#define END \
    }       \
    ;
#include "b2bua/sccp/messages.def"

struct sccp_message {
    uint32_t id;
    enum sccp_kind kind; /* which of these it is */
    union {
#define MESSAGE_IN(id, Name, name, ...) struct sccp_##name name;
#include "b2bua/sccp/messages.def"
    };
};

#endif
