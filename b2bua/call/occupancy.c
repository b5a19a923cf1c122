#include "b2bua/call/occupancy.h"

#include <stdlib.h>

struct occupied {
    struct map_node node;
    size_t counts[OCCUPANCY_BUSY + 1]; /* sides of calls */
    struct list watches;
    size_t n;
    char aor[];
};

static bool is_of(const struct map_node *n, const void *key)
{
    const struct occupied *l = container_of(n, struct occupied, node);
    return span_eq(span_of(l->aor, l->n), *(const struct span *)key);
}

static struct occupied *take(struct map *lines, struct span aor)
{
    const uint64_t hash = map_hash(aor);
    struct map_node *n = map_find(lines, hash, is_of, &aor);
    if (n)
        return container_of(n, struct occupied, node);
    struct occupied *l = calloc(1, sizeof(*l) + aor.n);
    if (!l || map_insert(lines, &l->node, hash)) {
        free(l);
        return NULL;
    }
    list_init(&l->watches);
    l->n = aor.n;
    memcpy(l->aor, aor.p, aor.n);
    return l;
}

static void let_go(struct map *lines, struct occupied *l)
{
    if (l->counts[OCCUPANCY_RINGING] || l->counts[OCCUPANCY_BUSY] || !list_empty(&l->watches))
        return;
    map_remove(lines, &l->node);
    free(l);
}

/* Who speaks is not to be disturbed, whoever else calls. */
static enum occupancy state(const struct occupied *l)
{
    return l->counts[OCCUPANCY_BUSY]      ? OCCUPANCY_BUSY
           : l->counts[OCCUPANCY_RINGING] ? OCCUPANCY_RINGING
                                          : OCCUPANCY_IDLE;
}

static void count(struct occupied *l, enum occupancy how, int by)
{
    const enum occupancy before = state(l);
    l->counts[how] += (size_t)by;
    if (state(l) == before)
        return;
    list_for_each (it, &l->watches) {
        struct occupancy_watch *w = container_of(it, struct occupancy_watch, link);
        w->changed(w, state(l));
    }
}

void occupancy_set(struct map *lines, struct occupant *o, struct span aor, enum occupancy how)
{
    struct occupied *was = o->line, *is = how && aor.p ? take(lines, aor) : NULL;
    const enum occupancy how_before = o->how;
    if (was == is && how == how_before)
        return;
    *o = (struct occupant){ is, is ? how : OCCUPANCY_IDLE };
    if (is)
        count(is, how, 1);
    if (was) {
        count(was, how_before, -1);
        let_go(lines, was);
    }
}

int occupancy_watch(struct map *lines, struct span aor, struct occupancy_watch *w)
{
    w->lines = lines;
    w->line = take(lines, aor);
    if (!w->line)
        return CS_ENOMEM;
    list_push_back(&w->line->watches, &w->link);
    return 0;
}

void occupancy_unwatch(struct occupancy_watch *w)
{
    if (!w->line)
        return;
    list_remove(&w->link);
    let_go(w->lines, w->line);
    w->line = NULL;
}

enum occupancy occupancy_now(const struct occupancy_watch *w)
{
    return w->line ? state(w->line) : OCCUPANCY_IDLE;
}
