/* What is said to those who may show a token, or showed one that is not good enough (RFC 8898, 4;
 * RFC 6750, 3). */
#ifndef CS_AUTHD_CHECK_BEARER_H
#define CS_AUTHD_CHECK_BEARER_H

#include "auth.pb-c.h"
#include "authd/audit/cause.h"
#include "authd/config.h"
#include "authd/token/claims.h"
#include "base/arena.h"

/* The challenge, a C string of the arena: bare for cause NO_CREDENTIALS, else with an error. method
 * absent: no scope is needed. NULL when memory is exhausted. */
char *bearer_challenge(const struct token_conf *t, struct span method,
                       Countersign__Auth__Cause cause, struct arena *a);

/* Whether a verified token lets this request pass: OK, SCOPE_MISSING, TOKEN_NOT_BOUND,
 * AOR_NOT_ALLOWED or FROM_NOT_ALLOWED. */
Countersign__Auth__Cause bearer_covers(const struct claims *k, const struct issuer_conf *c,
                                       struct span method, struct span claimed,
                                       struct span certificate_sha256);

/* The same of whom it goes to, outside REGISTER: OK or TOKEN_DESTINATION. */
Countersign__Auth__Cause bearer_reaches(const struct claims *k, struct span method, bool in_dialog,
                                        struct span target);

/* Bounds the grant by the token, to 0 s where leeway alone keeps it alive, and says in it what it
 * rests on. CS_ENOMEM. */
CS_CHECK int bearer_bound(const struct claims *k, struct wall now, struct arena *a,
                          Countersign__Auth__Grant *g);

#endif
