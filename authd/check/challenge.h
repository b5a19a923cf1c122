/* Writing challenges (RFC 7616, 3.3; RFC 8760, 2.4). */
#ifndef CS_AUTHD_CHECK_CHALLENGE_H
#define CS_AUTHD_CHECK_CHALLENGE_H

#include "authd/check/nonce.h"
#include "authd/config.h"
#include "base/arena.h"

enum { CHALLENGE_MAX = 4 * ALG_COUNT + 1 }; /* of two realms, and one for tokens */

/* Which of the group's algorithms every user of the realm can answer; lacking has a bit for each
 * that some enabled user has no verifier for. Where none is left all are offered: a 401 without a
 * challenge would help nobody. single leaves the weakest. */
unsigned challenge_offer(const struct digest_conf *d, unsigned lacking, bool single);

/* What is offered. The realm's former name, where it has one, stands first: most phones answer what
 * stands on top, whatever its realm, and every user has a verifier for that one. */
struct offer {
    unsigned algorithms;        /* ALG_BITs, of the group's realm */
    struct span former;         /* absent: there is none */
    unsigned former_algorithms; /* of that */
    bool single;                /* one challenge alone, the first */
};

/* One challenge for each realm and algorithm in offer, in the group's order, all with this nonce.
 * list gets C strings of the arena. */
CS_CHECK int challenge_write(struct span nonce, const struct digest_conf *d,
                             const struct offer *offer, bool stale, struct arena *a,
                             char *list[CHALLENGE_MAX], size_t *n);

#endif
