#include "b2bua/call/occupancy.h"
#include "lib/test.h"

#define A SPAN("sip:a@x")
#define B SPAN("sip:b@x")

static struct map lines;
static enum occupancy seen;
static unsigned changes;

static void on_changed(struct occupancy_watch *w, enum occupancy how)
{
    assert_int_equal(occupancy_now(w), how);
    seen = how;
    changes++;
}

static void test_who_watches_hears_of_each_change(void **state)
{
    struct occupancy_watch w = { .changed = on_changed };
    struct occupant one = { 0 }, two = { 0 };
    (void)state;
    map_init(&lines);
    occupancy_set(&lines, &one, A, OCCUPANCY_RINGING);
    assert_int_equal(occupancy_watch(&lines, A, &w), 0);
    assert_int_equal(occupancy_now(&w), OCCUPANCY_RINGING);
    occupancy_set(&lines, &one, A, OCCUPANCY_BUSY);
    assert_int_equal(seen, OCCUPANCY_BUSY);
    occupancy_set(&lines, &two, A, OCCUPANCY_RINGING); /* another call: it speaks all the same */
    assert_int_equal(changes, 1);
    occupancy_set(&lines, &one, B, OCCUPANCY_BUSY); /* it was transferred */
    assert_int_equal(seen, OCCUPANCY_RINGING);
    occupancy_set(&lines, &two, SPAN_NULL, OCCUPANCY_IDLE);
    assert_int_equal(seen, OCCUPANCY_IDLE);
    assert_int_equal(changes, 3);
    occupancy_unwatch(&w);
    occupancy_set(&lines, &one, SPAN_NULL, OCCUPANCY_BUSY); /* nobody is busy */
    assert_int_equal(lines.n, 0);
    map_fini(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_who_watches_hears_of_each_change) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
