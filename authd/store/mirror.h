/* All records of one kind (authd/store/records.h) in memory: read when Redis is there, and again
 * one by one as they change (redis_watch), so that who judges by them asks nobody. What they mean
 * is their owner's matter.
 *
 * Bounded: where Redis holds more than max, nothing is known, which is said, rather than that what
 * is left out would have no say. */
#ifndef CS_AUTHD_STORE_MIRROR_H
#define CS_AUTHD_STORE_MIRROR_H

#include "redis/redis.h"

struct mirror;

/* The record of this name as it is now; bytes absent: it is gone. Borrowed for the call. */
typedef void mirror_fn(void *arg, struct span name, struct span bytes);

struct mirror_conf { /* what it points to outlives the mirror */
    struct loop *loop;
    struct redis *redis;
    const struct redis_conf *watch; /* of the same server */
    const char *prefix, *index;     /* "cs:dev:", "cs:devs" */
    size_t max;
    const char *limit; /* the key of the configuration that says so */
    mirror_fn *fn;
    void *arg;
};

CS_CHECK int mirror_new(const struct mirror_conf *conf, struct mirror **out);
/* fn is not called. */
void mirror_free(struct mirror **m);
/* fn was told of every record, and hears of every change. */
bool mirror_is_known(const struct mirror *m);
/* There is no room for another one. */
bool mirror_is_full(const struct mirror *m);

#endif
