/* The event loop of a process: one uv_loop_t, its timers, and work collected until a turn ends. */
#ifndef CS_NET_LOOP_H
#define CS_NET_LOOP_H

#include <uv.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/span.h"
#include "net/timer.h"

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_check_t check;
    struct list turn; /* struct turn, queued */
    struct timer_wheel *timers;
    struct mono now; /* kept for the turn; see loop_now() */
    struct wall wall;
    struct duration skew;  /* added to both clocks; tests move time with it */
    bool stale;            /* now and wall are of an earlier turn */
    int64_t pause_ns;      /* see loop_coalesce() */
    int64_t woke_ns;       /* when what this turn is about was there */
    int64_t between_ns;    /* two turns, lately */
    int64_t events;        /* read in this turn */
    int64_t events_lately; /* in a turn, in 256ths */
    struct list signals;
};

/* Work to be done once at the end of the current turn of the loop: a flush of what was collected.
 * Embedded in its owner; queueing it twice does it once. */
struct turn {
    struct list link;
    void (*fn)(struct turn *t);
};

CS_CHECK int loop_init(struct loop *l);
/* Runs until nothing is left to wait for: every handle closed, every timer stopped, signals given
 * up by loop_stop(). */
void loop_run(struct loop *l);
/* Runs one turn without waiting; for tests. */
void loop_run_once(struct loop *l);
/* Gives up the signals; the rest is closed by its owners, in reverse order of start. */
void loop_stop(struct loop *l);
/* 0, or UV_EBUSY when a handle was not closed: that is a leak. */
CS_CHECK int loop_fini(struct loop *l);

/* While turns follow each other in less than a millisecond they begin at least us microseconds (0
 * to 1000) apart, as a network card coalesces interrupts: what comes meanwhile is done together,
 * with fewer system calls and fewer processes woken. Whoever comes alone does not wait; nor does
 * anybody where turns are long, or more than 20,000 events come in a second, which gather by
 * themselves. 0, as it begins with: never. */
void loop_coalesce(struct loop *l, unsigned us);

/* Time at the first event of this turn. */
void loop_touch(struct loop *l);
static inline struct mono loop_now(struct loop *l)
{
    if (l->stale)
        loop_touch(l);
    return l->now;
}
static inline struct wall loop_wall(struct loop *l)
{
    if (l->stale)
        loop_touch(l);
    return l->wall;
}
/* Moves both clocks forward and fires the timers that are due by then, in order; for tests. */
void loop_skip(struct loop *l, struct duration d);

void turn_init(struct turn *t, void (*fn)(struct turn *t));
void turn_queue(struct loop *l, struct turn *t);
/* The same, before what is queued already: for work that still writes to what will be flushed. */
void turn_queue_first(struct loop *l, struct turn *t);
void turn_cancel(struct turn *t);

/* fn(arg) when the process gets signum, until loop_stop(). The handle belongs to the loop. */
CS_CHECK int loop_signal(struct loop *l, int signum, void (*fn)(void *arg, int signum), void *arg);

#endif
