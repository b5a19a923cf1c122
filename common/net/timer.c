/* A hierarchical wheel: five levels of 64 slots, one millisecond a tick, twelve days in all. A word
 * for each level says which slots are in use, so an idle wheel costs nothing and the next event is
 * found by counting bits. */
#include "net/timer.h"

#include <stdlib.h>

#include "net/loop.h"

enum { LEVELS = 5, BITS = 6, SLOTS = 1 << BITS, MASK = SLOTS - 1 };
#define HORIZON (INT64_C(1) << (BITS * LEVELS))

struct timer_wheel {
    uv_timer_t uv;
    int64_t tick;  /* everything due up to here has fired */
    int64_t armed; /* tick the uv timer is set for; 0: not set */
    struct list slot[LEVELS][SLOTS];
    uint64_t used[LEVELS];
    struct list due;
};

static int64_t tick_of(struct mono t)
{
    return t.ns / 1000000;
}

static void place(struct timer_wheel *w, struct timer *t)
{
    int64_t at = (t->due.ns + 999999) / 1000000; /* rounded up: never early */
    int64_t delta = at - w->tick;
    if (delta <= 0) {
        list_push_back(&w->due, &t->link);
        return;
    }
    if (delta >= HORIZON)
        at = w->tick + HORIZON - 1; /* looked at again then */
    int level = 0;
    for (int64_t d = CS_MIN(delta, HORIZON - 1) >> BITS; d; d >>= BITS)
        level++;
    int i = (int)(at >> (BITS * level)) & MASK;
    list_push_back(&w->slot[level][i], &t->link);
    w->used[level] |= UINT64_C(1) << i;
}

/* The next tick at which a slot fires or moves down a level; INT64_MAX if none. */
static int64_t next_event(const struct timer_wheel *w)
{
    int64_t next = INT64_MAX;
    for (int level = 0; level < LEVELS; level++) {
        if (!w->used[level])
            continue;
        int64_t pos = w->tick >> (BITS * level);
        unsigned turn = (unsigned)(pos + 1) & MASK;
        uint64_t ahead =
            turn ? w->used[level] >> turn | w->used[level] << (SLOTS - turn) : w->used[level];
        int64_t at = (pos + 1 + __builtin_ctzll(ahead)) << (BITS * level);
        next = CS_MIN(next, at);
    }
    return next;
}

static void on_uv_timer(uv_timer_t *h);

static void arm(struct loop *l)
{
    struct timer_wheel *w = l->timers;
    int64_t next = list_empty(&w->due) ? next_event(w) : w->tick;
    if (next == INT64_MAX) {
        if (w->armed)
            uv_timer_stop(&w->uv);
        w->armed = 0;
        return;
    }
    if (w->armed && w->armed <= next)
        return;
    int64_t now = tick_of(loop_now(l));
    uv_update_time(&l->uv);
    uv_timer_start(&w->uv, on_uv_timer, next > now ? (uint64_t)(next - now) : 0, 0);
    w->armed = next;
}

void timer_wheel_advance(struct loop *l)
{
    struct timer_wheel *w = l->timers;
    int64_t now = tick_of(loop_now(l));
    for (;;) {
        struct list *it;
        struct list firing;
        list_init(&firing);
        list_splice(&firing, &w->due); /* what the callbacks start waits for the next round */
        while ((it = list_pop(&firing))) {
            struct timer *t = container_of(it, struct timer, link);
            t->due.ns = 0;
            t->fn(t);
        }
        int64_t next = next_event(w);
        if (next > now)
            break;
        w->tick = next;
        for (int level = LEVELS - 1; level >= 0; level--) {
            if (next & ((INT64_C(1) << (BITS * level)) - 1))
                continue;
            int i = (int)(next >> (BITS * level)) & MASK;
            struct list moved;
            list_init(&moved);
            list_splice(&moved, &w->slot[level][i]);
            w->used[level] &= ~(UINT64_C(1) << i);
            while ((it = list_pop(&moved)))
                place(w, container_of(it, struct timer, link));
        }
    }
    w->tick = CS_MAX(w->tick, now);
    arm(l);
}

static void on_uv_timer(uv_timer_t *h)
{
    struct loop *l = h->data;
    l->timers->armed = 0;
    loop_touch(l);
    timer_wheel_advance(l);
}

int timer_wheel_open(struct loop *l)
{
    struct timer_wheel *w = calloc(1, sizeof(*w));
    if (!w)
        return CS_ENOMEM;
    for (int level = 0; level < LEVELS; level++) {
        for (int i = 0; i < SLOTS; i++)
            list_init(&w->slot[level][i]);
    }
    list_init(&w->due);
    l->timers = w;
    w->tick = tick_of(loop_now(l));
    uv_timer_init(&l->uv, &w->uv);
    w->uv.data = l;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    free(container_of(h, struct timer_wheel, uv));
}

void timer_wheel_close(struct loop *l)
{
    uv_close((uv_handle_t *)&l->timers->uv, on_closed);
    l->timers = NULL;
}

void timer_start(struct loop *l, struct timer *t, struct duration after)
{
    struct timer_wheel *w = l->timers;
    struct mono now = loop_now(l);
    timer_stop(l, t);
    if (!w->used[0] && !w->used[1] && !w->used[2] && !w->used[3] && !w->used[4] &&
        list_empty(&w->due))
        w->tick = CS_MAX(w->tick, tick_of(now)); /* an idle wheel stands still: catch up */
    t->due = mono_add(now, after);
    place(w, t);
    arm(l);
}

void timer_stop(struct loop *l, struct timer *t)
{
    struct timer_wheel *w = l->timers;
    if (!timer_is_running(t))
        return;
    t->due.ns = 0;
    struct list *alone = t->link.next == t->link.prev ? t->link.next : NULL;
    list_remove(&t->link);
    if (alone && alone >= &w->slot[0][0] && alone <= &w->slot[LEVELS - 1][SLOTS - 1]) {
        size_t i = (size_t)(alone - &w->slot[0][0]);
        w->used[i / SLOTS] &= ~(UINT64_C(1) << i % SLOTS);
    }
    if (!w->used[0] && !w->used[1] && !w->used[2] && !w->used[3] && !w->used[4])
        arm(l); /* the last one: let the loop end */
}
