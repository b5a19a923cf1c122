#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/rand.h"

#define ROTL(x, b) (uint64_t)(((x) << (b)) | ((x) >> (64 - (b))))

/* SipHash with one compression and three finalisation rounds (Aumasson and Bernstein). */
struct siphash {
    uint64_t v0, v1, v2, v3;
    uint64_t tail;
    size_t total;
};

static uint64_t key[2];
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void key_make(void)
{
    rand_bytes(key, sizeof(key));
}

static inline struct siphash round_(struct siphash h)
{
    h.v0 += h.v1;
    h.v1 = ROTL(h.v1, 13) ^ h.v0;
    h.v0 = ROTL(h.v0, 32);
    h.v2 += h.v3;
    h.v3 = ROTL(h.v3, 16) ^ h.v2;
    h.v0 += h.v3;
    h.v3 = ROTL(h.v3, 21) ^ h.v0;
    h.v2 += h.v1;
    h.v1 = ROTL(h.v1, 17) ^ h.v2;
    h.v2 = ROTL(h.v2, 32);
    return h;
}

static inline struct siphash mix(struct siphash h, uint64_t word)
{
    h.v3 ^= word;
    h = round_(h);
    h.v0 ^= word;
    return h;
}

/* By value, so that the state stays in registers. */
static inline struct siphash absorb(struct siphash h, struct span s)
{
    size_t i = 0;
    for (; i < s.n && h.total % 8; i++) {
        h.tail |= (uint64_t)(unsigned char)s.p[i] << (8 * (h.total % 8));
        if (++h.total % 8 == 0) {
            h = mix(h, h.tail);
            h.tail = 0;
        }
    }
    for (; s.n - i >= 8; i += 8) {
        uint64_t m;
        memcpy(&m, s.p + i, 8);
        h = mix(h, m);
        h.total += 8;
    }
    for (; i < s.n; i++, h.total++)
        h.tail |= (uint64_t)(unsigned char)s.p[i] << (8 * (h.total % 8));
    return h;
}

static inline struct siphash finish(struct siphash h, uint64_t mark)
{
    h.v2 ^= mark;
    return round_(round_(round_(h)));
}

static inline struct siphash hashed(struct span a, struct span b)
{
    pthread_once(&key_once, key_make);
    struct siphash h = { .v0 = key[0] ^ 0x736f6d6570736575ULL,
                         .v1 = key[1] ^ 0x646f72616e646f6dULL,
                         .v2 = key[0] ^ 0x6c7967656e657261ULL,
                         .v3 = key[1] ^ 0x7465646279746573ULL };
    h = absorb(absorb(h, a), b);
    return mix(h, h.tail | (uint64_t)h.total << 56);
}

static inline uint64_t sum(struct siphash h)
{
    return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}

uint64_t map_hash2(struct span a, struct span b)
{
    return sum(finish(hashed(a, b), 0xff));
}

void map_hash_wide(struct span a, struct span b, uint64_t out[2])
{
    struct siphash h = hashed(a, b);
    h = finish(h, 0xee);
    out[0] = sum(h);
    h.v1 ^= 0xdd;
    out[1] = sum(finish(h, 0));
}

uint64_t map_hash(struct span k)
{
    return map_hash2(k, SPAN_NULL);
}

void map_init(struct map *m)
{
    *m = (struct map){ 0 };
}

void map_fini(struct map *m)
{
    free(m->slots);
    *m = (struct map){ 0 };
}

static struct map_node **slot(const struct map *m, uint64_t hash)
{
    return &m->slots[hash & (m->n_slots - 1)];
}

static int grow(struct map *m)
{
    size_t n_slots = m->n_slots ? m->n_slots * 2 : 64;
    struct map_node **slots = calloc(n_slots, sizeof(*slots));
    if (!slots)
        return m->n_slots ? 0 : CS_ENOMEM; /* longer chains are better than a refusal */
    struct map old = *m;
    m->slots = slots;
    m->n_slots = n_slots;
    map_for_each (it, &old) {
        struct map_node **at = slot(m, it->hash);
        it->next = *at;
        *at = it;
    }
    free(old.slots);
    return 0;
}

int map_insert(struct map *m, struct map_node *n, uint64_t hash)
{
    if (m->n >= m->n_slots) {
        int err = grow(m);
        if (err)
            return err;
    }
    struct map_node **at = slot(m, hash);
    n->hash = hash;
    n->next = *at;
    *at = n;
    m->n++;
    return 0;
}

void map_remove(struct map *m, struct map_node *n)
{
    for (struct map_node **at = slot(m, n->hash); *at; at = &(*at)->next) {
        if (*at == n) {
            *at = n->next;
            n->next = NULL;
            m->n--;
            return;
        }
    }
}

struct map_node *map_find(const struct map *m, uint64_t hash,
                          bool (*eq)(const struct map_node *n, const void *key), const void *k)
{
    if (!m->n_slots)
        return NULL;
    for (struct map_node *n = *slot(m, hash); n; n = n->next) {
        if (n->hash == hash && eq(n, k))
            return n;
    }
    return NULL;
}
