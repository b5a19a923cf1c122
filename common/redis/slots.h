/* Which node of a cluster has which key: the 16384 slots of Redis Cluster. Pure functions. */
#ifndef CS_REDIS_SLOTS_H
#define CS_REDIS_SLOTS_H

#include "redis/redis.h"

enum { SLOTS = 16384, SLOTS_MASTERS_MAX = 64 };

/* Of its hash tag, if it has one: what stands in the first braces, when that is not empty. */
unsigned slot_of(struct span key);

struct slot_map {
    struct addr master[SLOTS_MASTERS_MAX]; /* in the order of their first slots */
    unsigned first[SLOTS_MASTERS_MAX];
    size_t n;
    unsigned char of[SLOTS]; /* index of its master, or SLOTS_MASTERS_MAX: nobody's */
};

/* Reads the answer to CLUSTER SLOTS that came from this address. What is wrong with it, for the
 * log, or NULL; *out is good only then: each slot has a master. */
const char *slots_read(const struct redis_reply *reply, const struct addr *from,
                       struct slot_map *out);

/* "MOVED 3999 127.0.0.1:6381", or "ASK ...": where it leads. An empty host is who said so. */
CS_CHECK int slots_read_redirect(struct span error, const struct addr *from, unsigned *slot,
                                 struct addr *out);

#endif
