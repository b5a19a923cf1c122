/* Bytes of SCCP to messages, and back, by the table. Pure: no I/O, no memory of its own. */
#ifndef CS_B2BUA_SCCP_CODEC_H
#define CS_B2BUA_SCCP_CODEC_H

#include "b2bua/sccp/message.h"
#include "base/buf.h"

struct sccp_frame {
    uint32_t version; /* what the header says; the layout is by the agreed one */
    uint32_t id;
    struct span body; /* borrowed from the input */
};

/* The first message of in: returns the bytes used, 0 when it is not all there yet, CS_EPROTO when
 * its length is none that a message has: where the next one begins cannot be told then. */
CS_CHECK ptrdiff_t sccp_frame(struct span in, struct sccp_frame *out);

/* What a frame says, at the version agreed on (0: none is yet). Longer bodies than the layout are
 * read as far as it goes. Texts are borrowed from it. CS_ENOTSUP when the id is not known or its
 * body not looked into, CS_EPROTO when it is too short for what it must say; kind is SCCP_UNREAD
 * then, and id is told all the same. */
CS_CHECK int sccp_decode(const struct sccp_frame *f, unsigned version, struct sccp_message *out);

struct sccp_dialect {
    unsigned version; /* agreed; 0: none is yet */
    bool utf8;        /* the phone reads it */
};

/* Appends a whole message; fields is the struct of its kind. When there is no room, or the version
 * has no such message or cannot say one of its addresses, nothing is written and buf_ok() is false
 * from then on. Below are the same with the struct checked by the compiler. */
void sccp_encode(struct buf *b, const struct sccp_dialect *d, enum sccp_kind kind,
                 const void *fields);

#define MESSAGE_IN(id, Name, name, ...)                                             \
    static inline void sccp_put_##name(struct buf *b, const struct sccp_dialect *d, \
                                       const struct sccp_##name *m)                 \
    {                                                                               \
        sccp_encode(b, d, SCCP_##Name, m);                                          \
    }
#include "b2bua/sccp/messages.def"

#endif
