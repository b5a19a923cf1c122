#include "lib/test.h"
#include "net/loop.h"

enum { LASTS_MS = 200, PAUSE_US = 1000, FIRST = 64 /* turns, until it is known to be busy */ };

static struct loop loop;
static uv_idle_t idle; /* so there is always something to do */
static struct timer end;
static unsigned turns, found; /* events, in each turn */

static void on_idle(uv_idle_t *h)
{
    (void)h;
    turns++;
    loop.events += found;
}

static void on_end(struct timer *t)
{
    (void)t;
    uv_close((uv_handle_t *)&idle, NULL);
    loop_stop(&loop);
}

static unsigned turns_of(unsigned us, unsigned events)
{
    turns = 0;
    found = events;
    assert_int_equal(loop_init(&loop), 0);
    loop_coalesce(&loop, us);
    uv_idle_init(&loop.uv, &idle);
    uv_idle_start(&idle, on_idle);
    timer_init(&end, on_end);
    timer_start(&loop, &end, DURATION_MS(LASTS_MS));
    loop_run(&loop);
    assert_int_equal(loop_fini(&loop), 0);
    return turns;
}

static void test_a_busy_loop_begins_turns_apart(void **state)
{
    (void)state;
    assert_true(turns_of(PAUSE_US, 1) <= FIRST + 2 * LASTS_MS);
}

static void test_a_loop_does_not_wait_unless_told_to(void **state)
{
    (void)state;
    assert_true(turns_of(0, 1) > FIRST + 2 * LASTS_MS);
}

static void test_a_loop_does_not_wait_where_much_comes(void **state)
{
    (void)state;
    assert_true(turns_of(PAUSE_US, 64) > FIRST + 2 * LASTS_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_busy_loop_begins_turns_apart),
        cmocka_unit_test(test_a_loop_does_not_wait_unless_told_to),
        cmocka_unit_test(test_a_loop_does_not_wait_where_much_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
