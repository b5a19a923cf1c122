#include "authd/check/window.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"

struct entry {
    struct map_node node; /* known by its hash: the tag is 64 random bits of ours */
    struct list age;
    struct wall issued;
    unsigned top;  /* the highest nc so far */
    uint64_t seen; /* bit i: top - i */
};

struct window {
    struct map map;
    struct list ages, spare;
    size_t used, max;  /* of all; those behind were never touched and cost no memory */
    struct wall floor; /* nonces issued up to here are not new */
    struct entry *all;
};

int window_new(size_t max, struct wall began, struct window **out)
{
    struct window *w = calloc(1, sizeof(*w));
    *out = w;
    if (!w)
        return CS_ENOMEM;
    map_init(&w->map);
    list_init(&w->ages);
    list_init(&w->spare);
    w->floor.ms = began.ms - 1;
    w->all = calloc(max, sizeof(*w->all));
    if (!w->all) {
        window_free(out);
        return CS_ENOMEM;
    }
    w->max = max;
    return 0;
}

void window_free(struct window **wp)
{
    struct window *w = *wp;
    *wp = NULL;
    if (!w)
        return;
    map_fini(&w->map);
    free(w->all);
    free(w);
}

static bool any(const struct map_node *n, const void *key)
{
    (void)n;
    (void)key;
    return true;
}

static void forget_oldest(struct window *w)
{
    struct entry *e = container_of(list_pop(&w->ages), struct entry, age);
    if (e->issued.ms > w->floor.ms)
        w->floor = e->issued;
    map_remove(&w->map, &e->node);
    list_push_front(&w->spare, &e->age);
}

static struct entry *take(struct window *w)
{
    if (list_empty(&w->spare) && w->used < w->max) {
        struct entry *e = &w->all[w->used++];
        list_init(&e->age);
        return e;
    }
    if (list_empty(&w->spare))
        forget_oldest(w);
    return container_of(list_pop(&w->spare), struct entry, age);
}

static int mark(struct entry *e, unsigned nc)
{
    if (nc > e->top) {
        unsigned by = nc - e->top;
        e->seen = by < 64 ? e->seen << by | 1 : 1;
        e->top = nc;
        return 0;
    }
    unsigned back = e->top - nc;
    if (back >= 64 || (e->seen >> back & 1))
        return CS_ECONFLICT;
    e->seen |= UINT64_C(1) << back;
    return 0;
}

int window_commit(struct window *w, const struct nonce *n, unsigned nc)
{
    uint64_t hash = map_hash(n->tag);
    struct map_node *found = map_find(&w->map, hash, any, NULL);
    if (found)
        return mark(container_of(found, struct entry, node), nc);
    if (n->issued.ms <= w->floor.ms)
        return CS_ECONFLICT;
    struct entry *e = take(w);
    int err = map_insert(&w->map, &e->node, hash);
    if (err) {
        list_push_front(&w->spare, &e->age);
        return err;
    }
    list_push_back(&w->ages, &e->age);
    e->issued = n->issued;
    e->top = nc;
    e->seen = 1;
    return 0;
}
