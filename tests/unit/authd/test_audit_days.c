/* Days of the audit log: set aside at midnight, forgotten when they are old (G-30). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authd/audit/audit.h"
#include "authd/audit/audit_days.h"
#include "lib/tmp.h"

enum { DAY = 24 * 60 * 60 };

static const struct wall NOON = { INT64_C(1795262400000) }; /* 2026-11-21T12:00:00Z */

static const char *file_of(const char *name)
{
    return tmp_file(name, "line\n", 5);
}

static bool is_there(const char *name)
{
    return access(tmp_path(name), F_OK) == 0;
}

static void test_a_day_that_ended_has_its_date_and_overwrites_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(audit_day_ended(file_of("a.log"), audit_day(NOON)), 0);
    assert_true(is_there("a.log.2026-11-21"));
    assert_true(is_there("a.log.2026-11-21.1"));
    assert_true(is_there("a.log.2026-11-21.2"));
    assert_false(is_there("a.log"));
    assert_int_equal(audit_day_ended(tmp_path("a.log"), audit_day(NOON)), UV_ENOENT);
}

static void test_old_days_go_and_what_has_another_name_stays(void **state)
{
    static const char *const old[] = { "b.log.2026-10-21", "b.log.2026-10-20.1",
                                       "b.log.1999-01-01" };
    static const char *const kept[] = {
        "b.log",           "b.log.2026-10-22",    "b.log.2026-11-20.7",  "b.log.2026-10-20.gz",
        "b.log.2026-10-2", "b.log.2026-10-20.1x", "c.log.2026-01-01",    "b.log.20261020",
        "b.log.1",         "b.log.2026-13-99",    "b.log.2026-01-01old",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
        file_of(old[i]);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        file_of(kept[i]);
    assert_int_equal(audit_days_forget(tmp_path("b.log"), NOON, DURATION_S(30 * DAY)), 0);
    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
        assert_false(is_there(old[i]));
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        assert_true(is_there(kept[i]));
    assert_int_equal(audit_days_forget("/no/such/folder/b.log", NOON, DURATION_S(DAY)), 1);
}

static off_t size_of(const char *name)
{
    struct stat st;
    return stat(tmp_path(name), &st) == 0 ? st.st_size : -1;
}

static void write_line(struct audit *a, struct loop *l)
{
    const struct deed deed = { .time = loop_wall(l),
                               .what = SPAN("user created"),
                               .by = SPAN("olga") };
    audit_deed(a, &deed);
}

/* Midnight comes twice while it runs; nothing that was written is lost. */
static void test_a_log_that_runs_is_set_aside_at_midnight(void **state)
{
    struct loop loop;
    struct audit *a;
    char yesterday[WALL_STRLEN], name[64], today[WALL_STRLEN];
    const struct timespec then[2] = { { .tv_sec = time(NULL) - DAY },
                                      { .tv_sec = time(NULL) - DAY } };
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    wall_format((struct wall){ then[0].tv_sec * INT64_C(1000) }, yesterday);
    wall_format(loop_wall(&loop), today);
    assert_int_equal(utimensat(AT_FDCWD, file_of("d.log"), then, 0), 0);
    file_of("d.log.1999-12-31");

    assert_int_equal(audit_open(&loop, tmp_path("d.log"), &a), 0);
    audit_keep(a, DURATION_S(30 * DAY));
    snprintf(name, sizeof(name), "d.log.%.10s", yesterday);
    assert_int_equal(size_of(name), 5);
    assert_int_equal(size_of("d.log"), 0);
    assert_false(is_there("d.log.1999-12-31"));

    write_line(a, &loop);
    loop_skip(&loop, DURATION_S(DAY));
    snprintf(name, sizeof(name), "d.log.%.10s", today);
    assert_true(size_of(name) > 50);
    assert_int_equal(size_of("d.log"), 0);
    loop_skip(&loop, DURATION_S(DAY)); /* nothing was written: there is nothing to set aside */
    write_line(a, &loop);
    audit_close(&a);
    assert_true(size_of("d.log") > 50);
    loop_run(&loop);
    assert_int_equal(loop_fini(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_day_that_ended_has_its_date_and_overwrites_nothing),
        cmocka_unit_test(test_old_days_go_and_what_has_another_name_stays),
        cmocka_unit_test(test_a_log_that_runs_is_set_aside_at_midnight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
