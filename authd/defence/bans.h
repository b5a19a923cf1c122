/* The bans that stand in the installation. They live in Redis (proto/store.proto) and expire there
 * by themselves; each authd holds all of them in memory, hears of each change at once
 * (redis_watch), and reads all of them anew when it was not connected. While Redis is away those
 * that are known stand until they end.
 *
 * Bounded: beyond max none is added, which is said, so that who can fill the table with addresses
 * of his own cannot drive out what stands. */
#ifndef CS_AUTHD_DEFENCE_BANS_H
#define CS_AUTHD_DEFENCE_BANS_H

#include "authd/defence/ban.h"
#include "redis/redis.h"

struct bans;

/* redis is borrowed; watch is of the same server, for the watcher. */
CS_CHECK int bans_new(struct loop *l, struct redis *redis, const struct redis_conf *watch,
                      size_t max, struct bans **out);
void bans_free(struct bans **b);

/* b stands from now on (or longer, or for another reason), or was lifted; of one that ends by
 * itself nothing is said. Borrowed for the call. One listener at a time, NULL for none. */
typedef void bans_fn(void *arg, const struct ban *b, bool stands);
void bans_listen(struct bans *s, bans_fn *fn, void *arg);

/* One that covers the source and, where user is not absent, that user; NULL if none does. Borrowed
 * until the loop turns. */
const struct ban *bans_find(const struct bans *s, const struct addr *source, struct span user);
const struct ban *bans_by_id(const struct bans *s, struct span id);
bool bans_are_full(const struct bans *s);
size_t bans_count(const struct bans *s);
/* All of them, in no order; fn may not change them. */
void bans_each(const struct bans *s, void (*fn)(void *arg, const struct ban *b), void *arg);
/* Up to n whose ids are behind `after` (absent: from the first), in their order; how many. */
size_t bans_page(const struct bans *s, struct span after, const struct ban **page, size_t n);

/* Stands at once here, and everywhere when Redis has it, which fn is told of as of any command. One
 * of the same source, port and user is replaced. b->until is ahead. NULL, and nothing is done, when
 * it is full or memory is exhausted. */
struct redis_call *bans_put(struct bans *s, const struct ban *b, redis_fn *fn, void *arg);
/* Lifts it at once here, and everywhere. NULL when memory is exhausted. */
struct redis_call *bans_lift(struct bans *s, struct span id, redis_fn *fn, void *arg);

#endif
