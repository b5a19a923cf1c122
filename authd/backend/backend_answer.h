/* What a backend says of credentials (proto/backend.yaml), read strictly: what is not exactly an
 * answer to the question is none. */
#ifndef CS_AUTHD_BACKEND_BACKEND_ANSWER_H
#define CS_AUTHD_BACKEND_BACKEND_ANSWER_H

#include "authd/audit/cause.h"
#include "authd/check/algorithm.h"
#include "base/arena.h"

enum backend_says { BACKEND_LATER, BACKEND_ACCEPT, BACKEND_VERIFY, BACKEND_REJECT };

struct backend_answer {
    enum backend_says says;
    Countersign__Auth__Cause cause; /* of REJECT */
    struct span user;               /* absent: as it was asked for */
    struct span *aors;              /* of ACCEPT and VERIFY: canonical, at least one */
    size_t n_aors;
    unsigned max_contacts;          /* 0: the group's */
    unsigned char ha1[ALG_MAX_LEN]; /* of VERIFY; secret, to be wiped */
};

/* Texts live in the arena. CS_EPROTO: it is no answer, or to another question than id; CS_ENOMEM.
 * On error *out says LATER. */
CS_CHECK int backend_answer_read(struct span body, struct span id, enum algorithm alg,
                                 struct arena *a, struct backend_answer *out);

#endif
