#include "b2bua/media/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/util.h"

enum { EVENTS = 256, LATE_MS = 500 };

struct worker {
    pthread_t thread;
    int epoll, wake, late; /* wake and late are never read: they wake by edges */
    struct mono now;
    struct epoll_event events[EVENTS];
    int n_events;
    struct worker_command stop;
    bool stopping;
    pthread_mutex_t lock; /* posted, woken, waits */
    struct list posted;
    bool woken, waits;  /* for the thread wake was written to; late was set */
    struct list timers; /* few, and short-lived: in no order */
    struct mono next;   /* none is due before */
    _Alignas(16) char room[WORKER_ROOM];
};

static void on_stop(struct worker_command *c)
{
    container_of(c, struct worker, stop)->stopping = true;
}

static void run_posted(struct worker *w)
{
    struct list mine;
    list_init(&mine);
    pthread_mutex_lock(&w->lock);
    w->woken = w->waits = false;
    for (struct list *it; (it = list_pop(&w->posted));)
        list_push_back(&mine, it);
    pthread_mutex_unlock(&w->lock);
    for (struct list *it; (it = list_pop(&mine));) {
        struct worker_command *c = container_of(it, struct worker_command, link);
        c->run(c);
    }
}

/* Rounded up: what is woken too early would only be woken again. */
static int wait_ms(const struct worker *w)
{
    if (list_empty(&w->timers))
        return -1;
    const int64_t ms = (w->next.ns - clock_mono().ns + 999999) / 1000000;
    return (int)CS_MAX(0, CS_MIN(ms, 60000));
}

static void run_timers(struct worker *w)
{
    struct list due;
    if (list_empty(&w->timers) || mono_before(w->now, w->next))
        return;
    list_init(&due);
    w->next = (struct mono){ INT64_MAX };
    list_for_each (it, &w->timers) {
        struct worker_timer *t = container_of(it, struct worker_timer, link);
        if (!mono_before(w->now, t->due)) {
            list_remove(it);
            list_push_back(&due, it);
        } else if (mono_before(t->due, w->next)) {
            w->next = t->due;
        }
    }
    for (struct list *it; (it = list_pop(&due));) {
        struct worker_timer *t = container_of(it, struct worker_timer, link);
        t->run(t);
    }
}

/* With a thousand streams nothing of one is in a cache any more when its packet comes: memory is
 * asked for it some packets before. */
static void look_ahead(const struct worker *w, int i)
{
    enum { FAR = 6, MIDDLE = 4, NEAR = 2, LINES = 5, LINE = 64 };
    const char *far = i + FAR < w->n_events ? w->events[i + FAR].data.ptr : NULL;
    struct worker_socket *middle = i + MIDDLE < w->n_events ? w->events[i + MIDDLE].data.ptr : NULL;
    struct worker_socket *near = i + NEAR < w->n_events ? w->events[i + NEAR].data.ptr : NULL;
    for (size_t line = 0; far && line < LINES; line++)
        __builtin_prefetch(far + line * LINE);
    if (middle)
        middle->soon(middle, false);
    if (near)
        near->soon(near, true);
}

/* Commands come last: one may free what an event of this round is about. */
static void one_round(struct worker *w)
{
    bool posted = false;
    w->n_events = epoll_wait(w->epoll, w->events, EVENTS, wait_ms(w));
    w->now = clock_mono();
    for (int i = 0; i < w->n_events; i++) {
        struct worker_socket *s = w->events[i].data.ptr;
        look_ahead(w, i);
        if (s)
            s->readable(s, w);
        else
            posted = true;
    }
    run_timers(w);
    if (posted)
        run_posted(w);
}

static void *carry(void *arg)
{
    struct worker *w = arg;
    while (!w->stopping)
        one_round(w);
    return NULL;
}

static int open_descriptors(struct worker *w)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLET };
    w->wake = w->late = -1;
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0)
        return -errno;
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->wake < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->wake, &e))
        return -errno;
    w->late = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (w->late < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->late, &e))
        return -errno;
    return 0;
}

static void worker_free(struct worker *w)
{
    if (w->epoll >= 0)
        close(w->epoll);
    if (w->wake >= 0)
        close(w->wake);
    if (w->late >= 0)
        close(w->late);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* Signals are the main thread's. */
static int start_thread(struct worker *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&w->thread, NULL, carry, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -err;
}

int worker_start(struct worker **out)
{
    struct worker *w = aligned_alloc(64, (sizeof(*w) + 63) / 64 * 64);
    *out = NULL;
    if (!w)
        return CS_ENOMEM;
    *w = (struct worker){ .stop = { .run = on_stop } };
    list_init(&w->posted);
    list_init(&w->timers);
    pthread_mutex_init(&w->lock, NULL);
    int err = open_descriptors(w);
    if (!err)
        err = start_thread(w);
    if (err) {
        worker_free(w);
        return err;
    }
    *out = w;
    return 0;
}

void worker_stop(struct worker **wp)
{
    struct worker *w = *wp;
    *wp = NULL;
    if (!w)
        return;
    worker_post(w, &w->stop);
    pthread_join(w->thread, NULL);
    worker_free(w);
}

void worker_post(struct worker *w, struct worker_command *c)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&w->lock);
    const bool asleep = !w->woken;
    w->woken = true;
    list_push_back(&w->posted, &c->link);
    pthread_mutex_unlock(&w->lock);
    if (asleep)
        (void)!write(w->wake, &one, sizeof(one));
}

void worker_post_late(struct worker *w, struct worker_command *c)
{
    static const struct itimerspec after = { .it_value = { .tv_nsec = LATE_MS * 1000000L } };
    pthread_mutex_lock(&w->lock);
    const bool set = !w->woken && !w->waits;
    w->waits |= set;
    list_push_back(&w->posted, &c->link);
    pthread_mutex_unlock(&w->lock);
    if (set)
        (void)timerfd_settime(w->late, 0, &after, NULL);
}

/* By edges: with levels the kernel looks at each socket once more when the next round begins. */
static int watch(struct worker *w, int how, struct worker_socket *s)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.ptr = s };
    return epoll_ctl(w->epoll, how, s->fd, &e) ? -errno : 0;
}

int worker_watch(struct worker *w, struct worker_socket *s)
{
    return watch(w, EPOLL_CTL_ADD, s);
}

void worker_again(struct worker *w, struct worker_socket *s)
{
    (void)!watch(w, EPOLL_CTL_MOD, s);
}

void worker_unwatch(struct worker *w, struct worker_socket *s)
{
    (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, s->fd, NULL);
}

void worker_timer_start(struct worker *w, struct worker_timer *t, struct mono due)
{
    worker_timer_stop(t);
    if (list_empty(&w->timers) || mono_before(due, w->next))
        w->next = due;
    t->due = due;
    list_push_back(&w->timers, &t->link);
}

void worker_timer_stop(struct worker_timer *t)
{
    list_remove(&t->link);
}

struct mono worker_now(const struct worker *w)
{
    return w->now;
}

char *worker_room(struct worker *w)
{
    return w->room;
}
