/* What a request of ours shows of who we are: credentials that authd signed, one for each realm
 * that asked. */
#ifndef CS_B2BUA_UA_PROOFS_H
#define CS_B2BUA_UA_PROOFS_H

#include "base/span.h"
#include "sip/msg.h"

enum { PROOFS_MAX = 4, PROOFS_TRIES = 3 };

struct proof {
    bool proxy;
    char *value; /* owned; holds no secret, but what proves one once: not for logs */
};

struct proofs {
    struct proof proof[PROOFS_MAX];
    size_t n;
    unsigned tries; /* how many challenges there were */
    bool stale;     /* the last one said that only the nonce was too old */
    char *lines;    /* of them all */
};

/* Another challenge comes. */
void proofs_next(struct proofs *p, const struct sip_msg *resp);
/* Takes the answer to it. False when it would lead nowhere: the realm was answered before, and has
 * not said that the nonce was stale; or there were too many. (RFC 3261, 22.2) */
bool proofs_add(struct proofs *p, bool proxy, struct span value);
/* Header lines; absent: none. Borrowed. */
struct span proofs_lines(const struct proofs *p);
void proofs_fini(struct proofs *p);

#endif
