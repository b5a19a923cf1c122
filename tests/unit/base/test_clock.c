#include "base/clock.h"
#include "base/rand.h"
#include "base/util.h"
#include "lib/test.h"

#include <sys/wait.h>
#include <unistd.h>

static void test_instants_are_written_as_the_rfcs_ask(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *rfc3339, *http;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
        { 1795242741123, "2026-11-21T06:32:21.123Z", "Sat, 21 Nov 2026 06:32:21 GMT" },
        { 951827696007, "2000-02-29T12:34:56.007Z", "Tue, 29 Feb 2000 12:34:56 GMT" },
        { 4102444799999, "2099-12-31T23:59:59.999Z", "Thu, 31 Dec 2099 23:59:59 GMT" },
    };
    char text[WALL_STRLEN], http[WALL_HTTP_STRLEN];
    for (int twice = 0; twice < 2; twice++) { /* the calendar is kept from one to the next */
        for (size_t i = 0; i < CS_LEN(cases); i++) {
            wall_format((struct wall){ cases[i].ms }, text);
            wall_format_http((struct wall){ cases[i].ms }, http);
            assert_string_equal(text, cases[i].rfc3339);
            assert_string_equal(http, cases[i].http);
        }
    }
}

static void test_dates_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } cases[] = {
        { "1970-01-01", 0 },
        { "2026-11-21T06:32:21Z", 1795242741000 },
        { "2026-11-21", 1795219200000 },
        { "2000-02-29", 951782400000 },
        { "2099-12-31T23:59:59Z", 4102444799000 },
        { "2026-02-29", -1 },
        { "2026-13-01", -1 },
        { "2026-00-10", -1 },
        { "2026-11-00", -1 },
        { "2026-11-31", -1 },
        { "1969-12-31", -1 },
        { "2026-11-21T24:00:00Z", -1 },
        { "2026-11-21T06:60:21Z", -1 },
        { "2026-11-21T06:32:60Z", -1 },
        { "2026-11-21T06:32:21", -1 },
        { "2026-11-21T06:32:21+01:00", -1 },
        { "2026-11-21T06:32:21.5Z", -1 },
        { "2026-11-2", -1 },
        { "2026/11/21", -1 },
        { "20261121", -1 },
        { "2026-11-21 ", -1 },
        { "tomorrow", -1 },
        { "", -1 },
    };
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct wall t = { 7 };
        int err = wall_parse(span_str(cases[i].text), &t);
        if ((err == 0) != (cases[i].ms >= 0) || t.ms != (err ? 0 : cases[i].ms))
            fail_msg("%s", cases[i].text);
    }
}

static void test_durations_add_and_subtract(void **state)
{
    (void)state;
    struct mono a = clock_mono(), b = mono_add(a, DURATION_S(3));
    assert_int_equal(mono_since(a, b).ms, 3000);
    assert_int_equal(mono_since(b, a).ms, -3000);
    assert_true(mono_before(a, b));
    assert_false(mono_before(b, a));
    assert_false(mono_before(a, a));
    assert_false(mono_before(clock_mono(), a));
    struct wall now = clock_wall();
    assert_int_equal(wall_add(now, DURATION_MS(-5)).ms, now.ms - 5);
}

static void test_random_numbers_differ_and_stay_in_range(void **state)
{
    (void)state;
    uint64_t seen[512];
    bool hit[7] = { 0 };
    for (size_t i = 0; i < CS_LEN(seen); i++) {
        seen[i] = rand_u64();
        for (size_t k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
    }
    for (int i = 0; i < 1000; i++) {
        uint64_t v = rand_below(7);
        assert_true(v < 7);
        hit[v] = true;
    }
    for (int i = 0; i < 7; i++)
        assert_true(hit[i]);
    assert_int_equal(rand_below(1), 0);
}

static void test_a_child_draws_other_numbers_than_its_parent(void **state)
{
    (void)state;
    int pipes[2];
    uint64_t mine, its;
    rand_u64(); /* there is something left of the page */
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        its = rand_u64();
        _exit(write(pipes[1], &its, sizeof(its)) != sizeof(its));
    }
    mine = rand_u64();
    assert_int_equal(read(pipes[0], &its, sizeof(its)), sizeof(its));
    waitpid(pid, NULL, 0);
    close(pipes[0]);
    close(pipes[1]);
    assert_true(mine != its);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instants_are_written_as_the_rfcs_ask),
        cmocka_unit_test(test_dates_are_read_or_refused),
        cmocka_unit_test(test_durations_add_and_subtract),
        cmocka_unit_test(test_random_numbers_differ_and_stay_in_range),
        cmocka_unit_test(test_a_child_draws_other_numbers_than_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
