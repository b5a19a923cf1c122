/* A hash map whose links are inside its members. Keys are hashed by SipHash under a random key of
 * the process, since strangers choose them. */
#ifndef CS_BASE_MAP_H
#define CS_BASE_MAP_H

#include "base/span.h"
#include "base/util.h"

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

struct map {
    struct map_node **slots;
    size_t n_slots, n;
};

/* SipHash-1-3 under the process's key. */
uint64_t map_hash(struct span key);
/* The same of two parts, as if joined, without joining them. */
uint64_t map_hash2(struct span a, struct span b);
/* 128 bits of the two: enough to stand for them. */
void map_hash_wide(struct span a, struct span b, uint64_t out[2]);

void map_init(struct map *m);
/* Frees the slots. Members are the caller's and may still be linked. */
void map_fini(struct map *m);
/* n must not be in a map. CS_ENOMEM only when the first slots cannot be had. */
CS_CHECK int map_insert(struct map *m, struct map_node *n, uint64_t hash);
void map_remove(struct map *m, struct map_node *n);
/* First member with this hash for which eq(member, key) holds, or NULL. */
struct map_node *map_find(const struct map *m, uint64_t hash,
                          bool (*eq)(const struct map_node *n, const void *key), const void *key);

/* Any order; the body may remove the current member, and no other. */
#define map_for_each(it, m)                                                                   \
    for (size_t it##_i = 0; it##_i < (m)->n_slots; it##_i++)                                  \
        for (struct map_node *it = (m)->slots[it##_i], *it##_next = it ? it->next : NULL; it; \
             it = it##_next, it##_next = it ? it->next : NULL)

#endif
