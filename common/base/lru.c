#include "base/lru.h"

#include <stdlib.h>

struct entry {
    struct map_node node;
    struct list link;
    struct mono until;
    size_t key_n, value_n, cap;
    char bytes[]; /* key, then value */
};

static bool is_key(const struct map_node *n, const void *key)
{
    const struct entry *e = container_of(n, struct entry, node);
    return span_eq(span_of(e->bytes, e->key_n), *(const struct span *)key);
}

static struct entry *find(const struct lru *l, struct span key, uint64_t hash)
{
    struct map_node *n = map_find(&l->entries, hash, is_key, &key);
    return n ? container_of(n, struct entry, node) : NULL;
}

static void remove_entry(struct lru *l, struct entry *e)
{
    map_remove(&l->entries, &e->node);
    list_remove(&e->link);
    free(e);
}

static void touch(struct lru *l, struct entry *e)
{
    list_remove(&e->link);
    list_push_back(&l->used, &e->link);
}

void lru_init(struct lru *l, size_t max, struct duration lifetime)
{
    *l = (struct lru){ .max = max, .lifetime = lifetime };
    map_init(&l->entries);
    list_init(&l->used);
}

void lru_clear(struct lru *l)
{
    list_for_each (it, &l->used)
        remove_entry(l, container_of(it, struct entry, link));
}

void lru_fini(struct lru *l)
{
    lru_clear(l);
    map_fini(&l->entries);
}

struct span lru_get(struct lru *l, struct span key, struct mono now)
{
    struct entry *e = find(l, key, map_hash(key));
    if (!e)
        return SPAN_NULL;
    if (mono_before(e->until, now)) {
        remove_entry(l, e);
        return SPAN_NULL;
    }
    touch(l, e);
    return span_of(e->bytes + e->key_n, e->value_n);
}

void lru_remove(struct lru *l, struct span key)
{
    struct entry *e = find(l, key, map_hash(key));
    if (e)
        remove_entry(l, e);
}

static struct entry *insert(struct lru *l, struct span key, size_t value_n, uint64_t hash)
{
    size_t cap = value_n + value_n / 8; /* the next value is about as long, and goes in place */
    if (l->entries.n >= l->max)
        remove_entry(l, container_of(l->used.next, struct entry, link));
    struct entry *e = malloc(sizeof(*e) + key.n + cap);
    if (!e)
        return NULL;
    list_init(&e->link);
    e->key_n = key.n;
    e->cap = cap;
    memcpy(e->bytes, key.p, key.n);
    if (map_insert(&l->entries, &e->node, hash)) {
        free(e);
        return NULL;
    }
    return e;
}

void lru_put(struct lru *l, struct span key, struct span value, struct mono now)
{
    uint64_t hash = map_hash(key);
    struct entry *e = find(l, key, hash);
    bool kept = l->max && value.n <= LRU_VALUE_MAX;
    if (e && (!kept || value.n > e->cap)) {
        remove_entry(l, e);
        e = NULL;
    }
    if (!e && kept)
        e = insert(l, key, value.n, hash);
    if (!e)
        return;
    memcpy(e->bytes + e->key_n, value.p, value.n);
    e->value_n = value.n;
    e->until = mono_add(now, l->lifetime);
    touch(l, e);
}
