/* A hierarchical wheel: five levels of 64 slots, one millisecond a tick, twelve days in all. A word
 * for each level says which slots are in use, so an idle wheel costs nothing and the next event is
 * found by counting bits. Where only a few timers are in the slot that comes next, they are looked
 * at, so that a lone one does not wake the loop once for each level that it moves down. */
#include "net/timer.h"

#include <stdlib.h>

#include "net/loop.h"

enum { LEVELS = 5, BITS = 6, SLOTS = 1 << BITS, MASK = SLOTS - 1, FEW = 8 };
#define HORIZON (INT64_C(1) << (BITS * LEVELS))

struct timer_wheel {
    uv_timer_t uv;
    int64_t tick;  /* everything due up to here has fired */
    int64_t armed; /* tick the uv timer is set for; 0: not set */
    bool vain;     /* what it is set for was stopped */
    struct list slot[LEVELS][SLOTS];
    uint64_t used[LEVELS];
    struct list due;
};

static int64_t tick_of(struct mono t)
{
    return t.ns / 1000000;
}

/* Rounded up: never early. */
static int64_t tick_due(const struct timer *t)
{
    return (t->due.ns + 999999) / 1000000;
}

static void place(struct timer_wheel *w, struct timer *t)
{
    int64_t at = tick_due(t);
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

/* When the next slot of a level fires or moves down; INT64_MAX if there is none. */
static int64_t next_of(const struct timer_wheel *w, int level)
{
    if (!w->used[level])
        return INT64_MAX;
    int64_t pos = w->tick >> (BITS * level);
    unsigned turn = (unsigned)(pos + 1) & MASK;
    uint64_t ahead =
        turn ? w->used[level] >> turn | w->used[level] << (SLOTS - turn) : w->used[level];
    return (pos + 1 + __builtin_ctzll(ahead)) << (BITS * level);
}

static int64_t next_event(const struct timer_wheel *w)
{
    int64_t next = INT64_MAX;
    for (int level = 0; level < LEVELS; level++)
        next = CS_MIN(next, next_of(w, level));
    return next;
}

/* The first that is due of those that move down then. */
static int64_t first_of(const struct timer_wheel *w, int level, int64_t moves)
{
    const struct list *slot = &w->slot[level][(moves >> (BITS * level)) & MASK];
    int64_t first = moves + (INT64_C(1) << (BITS * level)) - 1;
    unsigned n = 0;
    list_for_each (it, slot) {
        if (n++ == FEW)
            return moves;
        first = CS_MIN(first, tick_due(container_of(it, struct timer, link)));
    }
    return CS_MAX(first, moves);
}

/* When there may be something to do. */
static int64_t next_wake(const struct timer_wheel *w)
{
    int64_t next = list_empty(&w->due) ? INT64_MAX : w->tick;
    for (int level = 0; level < LEVELS; level++) {
        const int64_t at = next_of(w, level);
        if (at < next)
            next = level ? CS_MIN(next, first_of(w, level, at)) : at;
    }
    return next;
}

static void on_uv_timer(uv_timer_t *h);

static void arm(struct loop *l)
{
    struct timer_wheel *w = l->timers;
    int64_t next = next_wake(w);
    w->vain = false;
    if (next == INT64_MAX) {
        uv_timer_stop(&w->uv);
        w->armed = 0;
        return;
    }
    if (w->armed == next)
        return;
    int64_t now = tick_of(mono_add(clock_mono(), l->skew)); /* the turn may have been long */
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
    w->armed = 0; /* it has fired, or time was moved */
    arm(l);
}

void timer_wheel_settle(struct loop *l)
{
    if (l->timers && l->timers->vain)
        arm(l);
}

static void on_uv_timer(uv_timer_t *h)
{
    struct loop *l = h->data;
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

static void start(struct loop *l, struct timer *t, struct mono due)
{
    struct timer_wheel *w = l->timers;
    struct mono now = loop_now(l);
    timer_stop(l, t);
    if (!w->used[0] && !w->used[1] && !w->used[2] && !w->used[3] && !w->used[4] &&
        list_empty(&w->due))
        w->tick = CS_MAX(w->tick, tick_of(now)); /* an idle wheel stands still: catch up */
    t->due = due;
    place(w, t);
    if (!w->armed || tick_due(t) < w->armed)
        arm(l);
}

void timer_start(struct loop *l, struct timer *t, struct duration after)
{
    start(l, t, mono_add(loop_now(l), after));
}

void timer_start_about(struct loop *l, struct timer *t, struct duration after)
{
    const int64_t about = TIMER_ABOUT_MS * INT64_C(1000000);
    const int64_t due = mono_add(loop_now(l), after).ns;
    start(l, t, (struct mono){ (due + about - 1) / about * about });
}

void timer_stop(struct loop *l, struct timer *t)
{
    struct timer_wheel *w = l->timers;
    if (!timer_is_running(t))
        return;
    w->vain |= tick_due(t) <= w->armed;
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
