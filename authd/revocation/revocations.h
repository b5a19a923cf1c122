/* The revocations that stand: kept in Redis (the hash cs:revoked) and, so that a check costs no
 * read, all of them in memory. Who follows the installation's events tells when to look again
 * (authd/revocation/revoker.h). */
#ifndef CS_AUTHD_REVOCATION_REVOCATIONS_H
#define CS_AUTHD_REVOCATION_REVOCATIONS_H

#include "authd/revocation/revocation.h"
#include "redis/redis.h"

struct revocations;

/* redis is borrowed. */
CS_CHECK int revocations_new(struct loop *l, struct redis *redis, struct revocations **out);
/* What is under way is forgotten. */
void revocations_free(struct revocations **r);

/* Reads all of them anew, until it succeeds; then fn is called. */
void revocations_load(struct revocations *r, void (*fn)(void *arg), void *arg);
/* All of them are here. */
bool revocations_are_known(const struct revocations *r);

/* Looks at the one with this id once more, and keeps what Redis holds. fn gets it, NULL where it
 * stands no longer; err is CS_ECLOSED when Redis did not answer, CS_EPROTO when what it holds is no
 * Revocation of a schema known here. NULL when memory is exhausted. */
struct revocation_look;
typedef void revocation_look_fn(void *arg, int err, const struct revocation *r);
struct revocation_look *revocations_look(struct revocations *r, struct span id,
                                         revocation_look_fn *fn, void *arg);
void revocation_look_cancel(struct revocation_look *look);

/* One by which this has fallen, or NULL. Borrowed until the next turn. */
const struct revocation *revocations_find(const struct revocations *r, const struct rests *on);
const struct revocation *revocations_by_id(const struct revocations *r, struct span id);
size_t revocations_count(const struct revocations *r);
/* The n smallest ids behind `after` (absent: from the first); how many there are. */
size_t revocations_page(const struct revocations *r, struct span after,
                        const struct revocation **page, size_t n);
void revocations_each(const struct revocations *r,
                      void (*fn)(void *arg, const struct revocation *r), void *arg);

/* In Redis alone: everybody, we included, hears of it by an event. The reply is that of HSET or
 * HDEL. */
struct redis_call *revocations_put(struct revocations *s, const struct revocation *r, redis_fn *fn,
                                   void *arg);
struct redis_call *revocations_lift(struct revocations *s, struct span id, redis_fn *fn, void *arg);

#endif
