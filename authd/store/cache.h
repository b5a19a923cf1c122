/* Records of users that were asked for lately, and whose addresses of record are, so that a hot
 * user costs no read of Redis. Redis tells of each change (redis_watch); while that connection is
 * down, or was not heard of for a second and a half, nothing kept is used. Records stay sealed. An
 * entry lives a minute at most, whatever is said.
 *
 * Where there is a grace, a second copy of each lives two hours, is forgotten whenever the first
 * one is, and serves nobody but who recalls it while Redis is away: as it was when Redis was lost.
 */
#ifndef CS_AUTHD_STORE_CACHE_H
#define CS_AUTHD_STORE_CACHE_H

#include "authd/store/user.h"
#include "redis/redis.h"

struct cache;

/* max: entries of each kind; the one that was used longest ago makes room. 0 keeps nothing. grace:
 * for so long after Redis was lost entries can be recalled; 0: never. */
CS_CHECK int cache_open(struct loop *l, const struct redis_conf *conf, size_t max,
                        struct duration grace, struct cache **out);
void cache_close(struct cache **c);

/* The record (message User), or absent. Borrowed until the next call. */
struct span cache_get(struct cache *c, struct span name, struct span realm);
/* Before a record is read: what cache_put() wants to know. */
uint64_t cache_generation(const struct cache *c);
/* Keeps a copy, unless anything changed since generation: the record may be from before. */
void cache_put(struct cache *c, struct span name, struct span realm, struct span record,
               uint64_t generation);
/* The same of the user that alone has this AOR. */
struct span cache_get_owner(struct cache *c, struct span aor);
void cache_put_owner(struct cache *c, struct span aor, const struct user *u, uint64_t generation);
/* For who knows better that they changed. */
void cache_forget(struct cache *c, struct span name, struct span realm);
void cache_forget_all(struct cache *c);

/* ---- while Redis is away ---- */
/* Redis was lost: nothing kept is used any more, but recalled. cache_forget_all() when it is back.
 */
void cache_lose(struct cache *c);
/* Since when Redis is away, while entries can be recalled; ns == 0: they cannot. */
struct mono cache_lost(const struct cache *c);
/* As cache_get() and cache_get_owner(). */
struct span cache_recall(struct cache *c, struct span name, struct span realm);
struct span cache_recall_owner(struct cache *c, struct span aor);
/* u, who was recalled, has proven to be this AOR: from now on it can be recalled by that. */
void cache_keep_owner(struct cache *c, struct span aor, const struct user *u);

#endif
