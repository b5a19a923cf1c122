#include "authd/defence/penalty.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"

/* Known by its hash alone: SipHash under a secret key, so nobody aims at another's counter. */
struct counter {
    struct map_node node;
    struct list age; /* in ages, oldest first; in spare */
    struct mono last;
    unsigned n;
};

struct penalty {
    struct map map;
    struct list ages, spare;
    size_t used, max; /* of all; those behind were never touched and cost no memory */
    struct counter *all;
};

int penalty_new(size_t max, struct penalty **out)
{
    struct penalty *p = calloc(1, sizeof(*p));
    *out = p;
    if (!p)
        return CS_ENOMEM;
    map_init(&p->map);
    list_init(&p->ages);
    list_init(&p->spare);
    p->all = calloc(max, sizeof(*p->all));
    if (!p->all) {
        penalty_free(out);
        return CS_ENOMEM;
    }
    p->max = max;
    return 0;
}

void penalty_free(struct penalty **pp)
{
    struct penalty *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    map_fini(&p->map);
    free(p->all);
    free(p);
}

static bool any(const struct map_node *n, const void *key)
{
    (void)n;
    (void)key;
    return true;
}

static struct counter *find(const struct penalty *p, uint64_t hash)
{
    struct map_node *n = map_find(&p->map, hash, any, NULL);
    return n ? container_of(n, struct counter, node) : NULL;
}

/* The kind keeps a Call-ID from counting as a user. */
static uint64_t hash_of_pair(const struct addr *source, char kind, struct span what)
{
    char space[9];
    struct buf b = BUF_INIT(space);
    buf_put(&b, addr_net_bytes(source)); /* nothing, where no source was said */
    buf_putc(&b, kind);
    return map_hash2(buf_span(&b), what);
}

static uint64_t hash_of_call(const struct suspect *s)
{
    return hash_of_pair(s->source, 'c', s->call_id);
}

static uint64_t hash_of_user(const struct suspect *s)
{
    uint64_t user = map_hash2(s->realm, s->user);
    return hash_of_pair(s->source, 'u', span_of(&user, sizeof(user)));
}

static void drop(struct penalty *p, struct counter *c)
{
    map_remove(&p->map, &c->node);
    list_remove(&c->age);
    list_push_front(&p->spare, &c->age);
}

static struct counter *take(struct penalty *p)
{
    if (list_empty(&p->spare) && p->used < p->max) {
        struct counter *c = &p->all[p->used++];
        list_init(&c->age);
        return c;
    }
    if (list_empty(&p->spare))
        drop(p, container_of(p->ages.next, struct counter, age));
    return container_of(list_pop(&p->spare), struct counter, age);
}

static unsigned count(struct penalty *p, uint64_t hash, struct mono now, struct duration window)
{
    struct counter *c = find(p, hash);
    if (!c) {
        c = take(p);
        if (map_insert(&p->map, &c->node, hash)) {
            list_push_front(&p->spare, &c->age);
            return 1; /* without memory nothing is remembered */
        }
        c->n = 0;
    } else if (mono_before(mono_add(c->last, window), now)) {
        c->n = 0;
    }
    list_remove(&c->age);
    list_push_back(&p->ages, &c->age);
    c->last = now;
    return ++c->n;
}

unsigned penalty_fail(struct penalty *p, const struct suspect *s, struct mono now,
                      struct duration window)
{
    unsigned by_call = s->call_id.p ? count(p, hash_of_call(s), now, window) : 1;
    unsigned by_user = s->user.p ? count(p, hash_of_user(s), now, window) : 1;
    return CS_MAX(by_call, by_user);
}

static uint64_t hash_of_doubt(const struct addr *source)
{
    return hash_of_pair(source, 'd', SPAN_NULL);
}

void penalty_doubt(struct penalty *p, const struct addr *source, struct mono now,
                   struct duration window)
{
    count(p, hash_of_doubt(source), now, window);
}

unsigned penalty_doubts(const struct penalty *p, const struct addr *source, struct mono now,
                        struct duration window)
{
    const struct counter *c = p->map.n ? find(p, hash_of_doubt(source)) : NULL;
    return c && !mono_before(mono_add(c->last, window), now) ? c->n : 0;
}

bool penalty_clear(struct penalty *p, const struct suspect *s)
{
    if (p->map.n == 0)
        return false;
    struct counter *call = find(p, hash_of_call(s));
    if (call)
        drop(p, call);
    struct counter *user = find(p, hash_of_user(s));
    if (user)
        drop(p, user);
    return call || user;
}

size_t penalty_count(const struct penalty *p)
{
    return p->map.n;
}
