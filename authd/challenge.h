/* Writing challenges (RFC 7616, 3.3; RFC 8760, 2.4). */
#ifndef CS_AUTHD_CHALLENGE_H
#define CS_AUTHD_CHALLENGE_H

#include "authd/config.h"
#include "authd/nonce.h"
#include "base/arena.h"

enum { CHALLENGE_MAX = 2 * ALG_COUNT + 1 }; /* and one for tokens */

/* Which of the group's algorithms every user of the realm can answer; lacking has a bit for each
 * that some enabled user has no verifier for. Where none is left all are offered: a 401 without a
 * challenge would help nobody. single leaves the weakest. */
unsigned challenge_offer(const struct digest_conf *d, unsigned lacking, bool single);

/* One challenge for each algorithm in offer, in the group's order, all with this nonce. list gets C
 * strings of the arena. */
CS_CHECK int challenge_write(struct span nonce, const struct digest_conf *d, unsigned offer,
                             bool single, bool stale, struct arena *a, char *list[CHALLENGE_MAX],
                             size_t *n);

#endif
