#include "lib/run.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICK_MS = 5, DOWN_MS = 5000 };

struct tick {
    uv_timer_t uv;
    bool closed;
};

static void on_tick(uv_timer_t *t)
{
    (void)t; /* it only wakes the loop, so that the condition is looked at */
}

static void on_tick_closed(uv_handle_t *h)
{
    container_of(h, struct tick, uv)->closed = true;
}

static void run(struct loop *l, bool (*done)(const void *arg), const void *arg, unsigned ms)
{
    struct tick tick = { .closed = false };
    struct mono end = mono_add(clock_mono(), DURATION_MS(ms));
    uv_timer_init(&l->uv, &tick.uv);
    uv_timer_start(&tick.uv, on_tick, TICK_MS, TICK_MS);
    while (!done(arg) && mono_before(clock_mono(), end))
        uv_run(&l->uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick.uv, on_tick_closed);
    while (!tick.closed)
        uv_run(&l->uv, UV_RUN_NOWAIT);
}

static bool is_set(const void *arg)
{
    return *(const bool *)arg;
}

bool run_until(struct loop *l, const bool *done, unsigned ms)
{
    run(l, is_set, done, ms);
    return *done;
}

struct count {
    const size_t *counter;
    size_t n;
};

static bool has_counted(const void *arg)
{
    const struct count *c = arg;
    return *c->counter >= c->n;
}

bool run_until_count(struct loop *l, const size_t *counter, size_t n, unsigned ms)
{
    run(l, has_counted, &(struct count){ counter, n }, ms);
    return *counter >= n;
}

void run_for(struct loop *l, unsigned ms)
{
    static const bool never = false;
    run(l, is_set, &never, ms);
}

bool run_down(struct loop *l)
{
    struct mono end = mono_add(clock_mono(), DURATION_MS(DOWN_MS));
    loop_stop(l);
    while (uv_run(&l->uv, UV_RUN_NOWAIT) && mono_before(clock_mono(), end))
        usleep(1000);
    return loop_fini(l) == 0;
}

unsigned free_port(void)
{
    for (int tries = 0; tries < 100; tries++) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        socklen_t len = sizeof(a);
        int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        bool ok = !bind(tcp, (struct sockaddr *)&a, len) &&
                  !getsockname(tcp, (struct sockaddr *)&a, &len) &&
                  !bind(udp, (struct sockaddr *)&a, len);
        close(tcp);
        close(udp);
        if (ok)
            return ntohs(a.sin_port);
    }
    abort();
}
