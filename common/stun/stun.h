/* STUN messages on the wire (RFC 8489): what they say, and how answers are written. Grammar and
 * proofs; who may ask what is the reader's affair. Pure functions. */
#ifndef CS_STUN_STUN_H
#define CS_STUN_STUN_H

#include "base/addr.h"
#include "base/buf.h"

enum { STUN_HEAD = 20, STUN_ID_AT = 4, STUN_ID = 16, STUN_INTEGRITY = 20 };

enum stun_type {
    STUN_BINDING_REQUEST = 0x0001,
    STUN_BINDING_RESPONSE = 0x0101,
    STUN_BINDING_ERROR = 0x0111,
};

enum stun_name { /* of attributes */
                 STUN_USERNAME = 0x0006,
                 STUN_MESSAGE_INTEGRITY = 0x0008,
                 STUN_ERROR_CODE = 0x0009,
                 STUN_UNKNOWN_ATTRIBUTES = 0x000a,
                 STUN_REALM = 0x0014,
                 STUN_NONCE = 0x0015,
                 STUN_XOR_MAPPED_ADDRESS = 0x0020,
                 STUN_PRIORITY = 0x0024,
                 STUN_USE_CANDIDATE = 0x0025,
                 STUN_FIRST_OPTIONAL = 0x8000, /* from here on need not be understood */
                 STUN_FINGERPRINT = 0x8028,
                 STUN_ICE_CONTROLLED = 0x8029,
                 STUN_ICE_CONTROLLING = 0x802a,
};

/* Whether a datagram is STUN, and so nothing else (RFC 8489, 5). */
bool stun_is(struct span in);

struct stun {
    struct span in; /* all of it */
    unsigned type;
    bool fingerprint;
};
/* CS_EPROTO: lengths that do not fit, a FINGERPRINT that is wrong or not the last. */
CS_CHECK int stun_parse(struct span in, struct stun *out);

struct stun_attr {
    unsigned name;
    struct span value; /* without its padding */
    size_t at;         /* where it begins in the message */
};
/* The attributes one after the other: *at counts bytes, from 0. false: no more. */
bool stun_next(const struct stun *s, size_t *at, struct stun_attr *out);
/* Whether MESSAGE-INTEGRITY, which this is, was made with this password (short-term credentials,
 * RFC 8489, 9.1.3, 14.5). */
bool stun_is_proved(const struct stun *s, const struct stun_attr *integrity, struct span password);

/* ---- answers; overflow shows in the buffer, which holds nothing else ---- */
void stun_begin(struct buf *b, enum stun_type type, struct span id);
void stun_put(struct buf *b, enum stun_name name, struct span value);
void stun_put_address(struct buf *b, const struct addr *a); /* XOR-MAPPED-ADDRESS */
void stun_put_error(struct buf *b, unsigned code);          /* without a word */
/* 420, and which ones were not known. */
void stun_put_unknown(struct buf *b, const uint16_t *names, size_t n);
void stun_put_integrity(struct buf *b, struct span password);
void stun_put_fingerprint(struct buf *b);

#endif
