/* Copies of things that were looked up lately, by key: bounded in number and in age, so that
 * memory does not grow with how many there are. The one used longest ago makes room. */
#ifndef CS_BASE_LRU_H
#define CS_BASE_LRU_H

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"

enum { LRU_VALUE_MAX = 8192 }; /* bytes; larger ones are not kept */

struct lru {
    struct map entries;
    struct list used; /* the one used last is last */
    size_t max;
    struct duration lifetime;
};

/* max: entries; 0 keeps nothing. */
void lru_init(struct lru *l, size_t max, struct duration lifetime);
void lru_fini(struct lru *l);
/* The copy, or absent. Borrowed until the next call. */
struct span lru_get(struct lru *l, struct span key, struct mono now);
/* Replaces what was kept of key. Where there is no memory, nothing is. */
void lru_put(struct lru *l, struct span key, struct span value, struct mono now);
void lru_remove(struct lru *l, struct span key);
void lru_clear(struct lru *l);

#endif
