/* Bearer tokens: whether one is good, by its issuer's keys, by its issuer's word, or both; and what
 * it says. What was good is remembered by the token's hash for as long as its key stands, and is
 * held against the clock each time.
 *
 * Signatures are verified in the loop: handing one to a thread and back costs more than an RS256.
 * So that a flood of new tokens holds up nobody else, a turn spends half a millisecond on them, and
 * the rest waits for later turns. */
#ifndef CS_AUTHD_TOKEN_TOKENS_H
#define CS_AUTHD_TOKEN_TOKENS_H

#include "authd/config.h"
#include "authd/token/claims.h"
#include "authd/token/waiter.h"
#include "net/loop.h"

struct tokens;

/* Reads key files and secrets, and begins to fetch; what fails was logged. The configuration is
 * borrowed. */
CS_CHECK int tokens_new(struct loop *l, const struct authd_conf *conf, struct tokens **out);
/* Who waits is forgotten. */
void tokens_free(struct tokens **t);

struct token_proof {
    const struct issuer_conf *issuer; /* NULL where the token does not lead to one */
    struct claims claims;             /* of OK; its texts are the arena's */
};

/* OK; why the token is refused; ISSUER_UNAVAILABLE or OVERLOADED: it cannot be judged now; or
 * CAUSE_NONE: w is called in a later turn, and then this should be asked again. Neither the
 * request's method nor its certificate is looked at. */
Countersign__Auth__Cause tokens_judge(struct tokens *t, struct span token,
                                      const struct token_conf *group, struct waiter *w,
                                      struct arena *a, struct token_proof *out);

#endif
