/* What the place of a phone in a call rests on, told from registrar to b2bua on the trusted link: a
 * header line with the tags of a Grant or a binding (auth.proto, rests_on), so that a call ends
 * with the token, the certificate or the device that it was made by. It stands in the INVITE for
 * who calls, and in the 2xx for who took the call; nobody else is shown it, nor believed. */
#ifndef CS_GATE_RESTING_H
#define CS_GATE_RESTING_H

#include "auth.pb-c.h"
#include "base/buf.h"

enum { RESTING_TAG_LEN = 8, RESTING_TAGS_MAX = 8 };

struct resting {
    unsigned char tags[RESTING_TAG_LEN * RESTING_TAGS_MAX];
    size_t n;    /* of them; 0: on nothing that could be revoked by a tag */
    bool issued; /* its token says when: */
    uint64_t issued_s;
};

/* The line; nothing where there are no tags, or too many. */
void resting_write(struct buf *b, struct span tags, bool issued, uint64_t issued_s);
/* Its value. CS_EPROTO; *out has no tags then. */
CS_CHECK int resting_parse(struct span value, struct resting *out);
/* Whether that is what was revoked. */
bool resting_falls(const struct resting *r, const Countersign__Auth__Revoked *what);

#endif
