#include "registrar/drain.h"

enum { TICK_MS = 20, TICKS_TO_CLOSE = 50 };

static const struct log dlog = { .module = "drain" };

/* Each step waits for the one before. */
static bool is_done(struct drain *d)
{
    struct front *f = d->front;
    if (siptx_unanswered(f->tx))
        return false;
    if (!d->share)
        d->share = 1 + siptp_close_some(f->tp, 0) / TICKS_TO_CLOSE;
    return !siptp_close_some(f->tp, d->share) && bound_is_idle(&f->bound);
}

static void on_tick(struct timer *t)
{
    struct drain *d = container_of(t, struct drain, tick);
    struct mono now = loop_now(d->front->loop);
    bool done = is_done(d);
    if (!done && mono_before(now, d->due)) {
        timer_start(d->front->loop, &d->tick, DURATION_MS(TICK_MS));
        return;
    }
    if (done)
        log_info(&dlog, "drained");
    else
        log_warn(&dlog, "time is up", kv_u("unanswered", siptx_unanswered(d->front->tx)),
                 kv_u("connections", siptp_close_some(d->front->tp, 0)));
    d->fn(d->arg);
}

void drain_start(struct drain *d, struct front *f, void (*fn)(void *arg), void *arg)
{
    *d = (struct drain){ .front = f, .fn = fn, .arg = arg };
    d->due = mono_add(loop_now(f->loop), f->conf->limits.drain);
    f->draining = true;
    siptp_stop_accepting(f->tp);
    timer_init(&d->tick, on_tick);
    timer_start(f->loop, &d->tick, DURATION_MS(TICK_MS));
}

void drain_stop(struct drain *d)
{
    if (d->front)
        timer_stop(d->front->loop, &d->tick);
}
