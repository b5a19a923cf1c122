#include "net/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/util.h"

enum {
    BUSY_NS = 1000000, /* less than that between turns */
    SHORT_NS = 20000,  /* not worth a system call */
    SLACK_NS = 1000,   /* by which the kernel may be late */
    FAST_NS = 50000,   /* from one event to the next */
    EVENTS_UNIT = 256,
};

struct loop_signal {
    struct list link;
    uv_signal_t uv;
    void (*fn)(void *arg, int signum);
    void *arg;
};

void loop_touch(struct loop *l)
{
    l->now = mono_add(clock_mono(), l->skew);
    l->wall = wall_add(clock_wall(), l->skew);
    l->stale = false;
    l->events++;
}

static void run_turn(struct loop *l)
{
    struct list *it;
    while ((it = list_pop(&l->turn))) {
        struct turn *t = container_of(it, struct turn, link);
        t->fn(t);
    }
}

/* Whether events come so fast that they gather by themselves. It is their rate that is looked at,
 * which waiting does not change, and not how many a turn finds, which it does. */
static bool are_many(const struct loop *l)
{
    return l->events_lately * FAST_NS > l->between_ns * EVENTS_UNIT;
}

static void coalesce(struct loop *l)
{
    l->events_lately += (l->events * EVENTS_UNIT - l->events_lately) / 16;
    l->events = 0;
    const int64_t left = l->woke_ns + l->pause_ns - clock_mono().ns;
    if (l->between_ns < BUSY_NS && !are_many(l) && left > SHORT_NS)
        nanosleep(&(struct timespec){ .tv_nsec = left }, NULL); /* a signal ends it */
}

static void woken(struct loop *l)
{
    const int64_t now = clock_mono().ns;
    l->between_ns += (CS_MIN(now - l->woke_ns, 16 * BUSY_NS) - l->between_ns) / 16;
    l->woke_ns = now;
}

static void on_prepare(uv_prepare_t *h)
{
    struct loop *l = h->data;
    run_turn(l); /* what timers and closing handles left */
    timer_wheel_settle(l);
    l->stale = true;
    if (l->pause_ns)
        coalesce(l);
}

static void on_check(uv_check_t *h)
{
    struct loop *l = h->data;
    if (l->pause_ns)
        woken(l);
    run_turn(l); /* what was read */
}

int loop_init(struct loop *l)
{
    *l = (struct loop){ .stale = true };
    signal(SIGPIPE, SIG_IGN); /* a peer that left is an error code, not a death */
    list_init(&l->turn);
    list_init(&l->signals);
    int err = uv_loop_init(&l->uv);
    if (err)
        return err;
    uv_prepare_init(&l->uv, &l->prepare);
    uv_check_init(&l->uv, &l->check);
    l->prepare.data = l->check.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    uv_check_start(&l->check, on_check);
    uv_unref((uv_handle_t *)&l->prepare);
    uv_unref((uv_handle_t *)&l->check);
    return timer_wheel_open(l);
}

void loop_coalesce(struct loop *l, unsigned us)
{
    l->pause_ns = (int64_t)us * 1000;
    l->between_ns = 16 * BUSY_NS;
    if (us)
        prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0);
}

void loop_run(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_run_once(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_NOWAIT);
    run_turn(l);
    l->stale = true;
}

static void on_signal_closed(uv_handle_t *h)
{
    free(h->data);
}

void loop_stop(struct loop *l)
{
    struct list *it;
    while ((it = list_pop(&l->signals))) {
        struct loop_signal *s = container_of(it, struct loop_signal, link);
        uv_close((uv_handle_t *)&s->uv, on_signal_closed);
    }
}

int loop_fini(struct loop *l)
{
    loop_stop(l);
    timer_wheel_close(l);
    uv_close((uv_handle_t *)&l->prepare, NULL);
    uv_close((uv_handle_t *)&l->check, NULL);
    uv_run(&l->uv, UV_RUN_NOWAIT);
    return uv_loop_close(&l->uv);
}

void loop_skip(struct loop *l, struct duration d)
{
    l->skew.ms += d.ms;
    loop_touch(l);
    timer_wheel_advance(l);
    run_turn(l);
}

void turn_init(struct turn *t, void (*fn)(struct turn *t))
{
    list_init(&t->link);
    t->fn = fn;
}

void turn_queue(struct loop *l, struct turn *t)
{
    if (list_empty(&t->link))
        list_push_back(&l->turn, &t->link);
}

void turn_queue_first(struct loop *l, struct turn *t)
{
    if (list_empty(&t->link))
        list_push_front(&l->turn, &t->link);
}

void turn_cancel(struct turn *t)
{
    list_remove(&t->link);
}

static void on_signal(uv_signal_t *h, int signum)
{
    struct loop_signal *s = h->data;
    s->fn(s->arg, signum);
}

int loop_signal(struct loop *l, int signum, void (*fn)(void *arg, int signum), void *arg)
{
    struct loop_signal *s = malloc(sizeof(*s));
    if (!s)
        return CS_ENOMEM;
    *s = (struct loop_signal){ .fn = fn, .arg = arg };
    uv_signal_init(&l->uv, &s->uv);
    s->uv.data = s;
    list_push_back(&l->signals, &s->link);
    return uv_signal_start(&s->uv, on_signal, signum);
}
