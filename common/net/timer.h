/* Timers by the hundred thousand: start and stop are O(1), accuracy is one millisecond (a timer
 * never fires early). Embedded in their owners. */
#ifndef CS_NET_TIMER_H
#define CS_NET_TIMER_H

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"

struct loop;
struct timer_wheel;

struct timer {
    struct list link;
    struct mono due; /* ns == 0: not running */
    void (*fn)(struct timer *t);
};

static inline void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    list_init(&t->link);
    t->due.ns = 0;
    t->fn = fn;
}
/* Starts or restarts; fires once, in the loop. A delay of 0 fires in the next turn. */
void timer_start(struct loop *l, struct timer *t, struct duration after);
/* The same for what may come later, by less than TIMER_ABOUT_MS: all of it that is due at about the
 * same time wakes the processor once. */
enum { TIMER_ABOUT_MS = 256 };
void timer_start_about(struct loop *l, struct timer *t, struct duration after);
void timer_stop(struct loop *l, struct timer *t);
/* For loop.c. */
CS_CHECK int timer_wheel_open(struct loop *l);
void timer_wheel_close(struct loop *l);
/* Fires what is due at loop_now(). */
void timer_wheel_advance(struct loop *l);
/* Before it waits: nothing that was stopped since shall wake it. */
void timer_wheel_settle(struct loop *l);

static inline bool timer_is_running(const struct timer *t)
{
    return t->due.ns != 0;
}

#endif
