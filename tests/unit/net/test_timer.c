#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rand.h"
#include "net/loop.h"

struct probe {
    struct timer timer;
    struct mono due, fired;
    unsigned count;
};

static struct loop loop;

static void on_probe(struct timer *t)
{
    struct probe *p = container_of(t, struct probe, timer);
    p->fired = loop_now(&loop);
    p->count++;
}

static void start(struct probe *p, int64_t ms)
{
    timer_init(&p->timer, on_probe);
    p->due = mono_add(loop_now(&loop), DURATION_MS(ms));
    p->count = 0;
    timer_start(&loop, &p->timer, DURATION_MS(ms));
}

static void test_timer_fires_once_and_never_early(void **state)
{
    static const int64_t delays[] = {
        0, 1, 63, 64, 65, 4095, 4096, 4097, 262143, 262144, 86400000
    };
    struct probe p[CS_LEN(delays)];
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    for (size_t i = 0; i < CS_LEN(p); i++)
        start(&p[i], delays[i]);
    for (size_t i = 0; i < CS_LEN(p); i++) {
        int64_t left = mono_since(loop_now(&loop), p[i].due).ms;
        if (left > 1)
            loop_skip(&loop, DURATION_MS(left - 1));
        if (left > 3)
            assert_int_equal(p[i].count, 0);
        loop_skip(&loop, DURATION_MS(3));
        assert_int_equal(p[i].count, 1);
        assert_true(p[i].fired.ns >= p[i].due.ns);
    }
    loop_run(&loop); /* nothing is left to wait for */
    assert_int_equal(loop_fini(&loop), 0);
}

static void test_stopped_timer_does_not_fire(void **state)
{
    struct probe a, b;
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    start(&a, 100);
    start(&b, 100);
    timer_stop(&loop, &a.timer);
    timer_stop(&loop, &a.timer);
    loop_skip(&loop, DURATION_MS(200));
    assert_int_equal(a.count, 0);
    assert_int_equal(b.count, 1);
    assert_int_equal(loop_fini(&loop), 0);
}

static void test_random_timers_fire_in_their_millisecond(void **state)
{
    enum { N = 5000 };
    struct probe *p = calloc(N, sizeof(*p));
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    for (int i = 0; i < N; i++)
        start(&p[i], (int64_t)rand_below(400000));
    for (int i = 0; i < N; i += 3)
        timer_stop(&loop, &p[i].timer);
    for (int step = 0; step < 4200; step++) {
        loop_skip(&loop, DURATION_MS(100));
        struct mono now = loop_now(&loop);
        for (int i = 0; i < N; i++) {
            if (i % 3 && p[i].count == 0)
                assert_true(p[i].due.ns > now.ns - 1000000);
        }
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(p[i].count, i % 3 ? 1 : 0);
    free(p);
    assert_int_equal(loop_fini(&loop), 0);
}

static void on_again(struct timer *t)
{
    struct probe *p = container_of(t, struct probe, timer);
    if (++p->count < 3)
        timer_start(&loop, t, DURATION_MS(5));
}

static void test_timer_restarts_itself_in_real_time(void **state)
{
    struct probe p;
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    struct mono begin = clock_mono();
    p.count = 0;
    timer_init(&p.timer, on_again);
    timer_start(&loop, &p.timer, DURATION_MS(5));
    loop_run(&loop);
    assert_int_equal(p.count, 3);
    assert_true(mono_since(begin, clock_mono()).ms >= 15);
    assert_int_equal(loop_fini(&loop), 0);
}

/* How often the loop woke while so much time went by. */
static unsigned woken;

static void on_woken(uv_check_t *h)
{
    (void)h;
    woken++;
}

static unsigned wakes_in(int64_t ms)
{
    struct probe end;
    uv_check_t check;
    uv_check_init(&loop.uv, &check);
    uv_unref((uv_handle_t *)&check);
    uv_check_start(&check, on_woken);
    woken = 0;
    start(&end, ms);
    while (!end.count)
        uv_run(&loop.uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&check, NULL);
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    return woken;
}

static void test_what_was_stopped_wakes_nobody(void **state)
{
    enum { N = 40 };
    struct probe p[N];
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    for (int i = 0; i < N; i++)
        start(&p[i], 20 + 3 * i);
    for (int i = 0; i < N; i++)
        timer_stop(&loop, &p[i].timer);
    assert_true(wakes_in(200) <= 3);
    assert_int_equal(loop_fini(&loop), 0);
}

/* A wheel's levels are at 64 ms and at four seconds. */
static void test_a_lone_timer_wakes_once(void **state)
{
    struct probe p;
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    start(&p, 5000);
    loop_skip(&loop, DURATION_MS(4700));
    assert_int_equal(p.count, 0);
    assert_true(wakes_in(400) <= 4); /* its own, and the end's */
    assert_int_equal(p.count, 1);
    assert_true(mono_since(p.due, p.fired).ms < 100);
    assert_int_equal(loop_fini(&loop), 0);
}

static void test_what_may_come_later_comes_together(void **state)
{
    enum { N = 100 };
    struct probe p[N];
    unsigned at_once = 0;
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    for (int i = 0; i < N; i++) {
        timer_init(&p[i].timer, on_probe);
        p[i].count = 0;
        p[i].due = mono_add(loop_now(&loop), DURATION_MS(1000 + i));
        timer_start_about(&loop, &p[i].timer, DURATION_MS(1000 + i));
    }
    for (int ms = 0; ms < 1000 + N + TIMER_ABOUT_MS; ms++)
        loop_skip(&loop, DURATION_MS(1));
    for (int i = 0; i < N; i++) {
        assert_int_equal(p[i].count, 1);
        assert_true(p[i].fired.ns >= p[i].due.ns);
        assert_true(mono_since(p[i].due, p[i].fired).ms <= TIMER_ABOUT_MS + 1);
        at_once += i > 0 && mono_since(p[i - 1].fired, p[i].fired).ms == 0;
    }
    assert_true(at_once >= N - 2);
    assert_int_equal(loop_fini(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timer_fires_once_and_never_early),
        cmocka_unit_test(test_stopped_timer_does_not_fire),
        cmocka_unit_test(test_random_timers_fire_in_their_millisecond),
        cmocka_unit_test(test_timer_restarts_itself_in_real_time),
        cmocka_unit_test(test_what_was_stopped_wakes_nobody),
        cmocka_unit_test(test_a_lone_timer_wakes_once),
        cmocka_unit_test(test_what_may_come_later_comes_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
