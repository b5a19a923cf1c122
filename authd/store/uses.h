/* When each user was accepted last, by algorithm, and how often by what is being replaced: in
 * Redis, as cs:used:{name@realm}, for the whole installation; forgotten after 90 days. What is not
 * old is written at most every ten minutes for a user and algorithm, so that it costs nothing. */
#ifndef CS_AUTHD_STORE_USES_H
#define CS_AUTHD_STORE_USES_H

#include "authd/check/algorithm.h"
#include "net/loop.h"
#include "redis/redis.h"

struct uses;

CS_CHECK int uses_new(struct loop *l, struct redis *r, struct uses **out);
void uses_free(struct uses **u);

/* old: by a verifier that is being replaced, or of a realm's former name. Nobody waits for it, and
 * where Redis is away it is not known. */
void uses_note(struct uses *u, struct span name, struct span realm, enum algorithm alg, bool old);

struct use { /* zero: not known */
    struct wall last[ALG_COUNT];
    uint64_t old;
    struct wall old_last;
};
/* Asks for one: reply comes to fn with arg, to be read by uses_read(). NULL: no memory. */
struct redis_call *uses_ask(struct uses *u, struct span name, struct span realm, redis_fn *fn,
                            void *arg);
/* CS_ECLOSED or CS_EPROTO when Redis gave no answer, or none like this. */
CS_CHECK int uses_read(const struct redis_reply *r, struct use *out);

#endif
