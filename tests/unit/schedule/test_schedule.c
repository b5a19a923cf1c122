/* Periods on the clock of a zone: days, dates, nights, and clocks that are changed. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/guard.h"
#include "lib/test.h"
#include "schedule/schedule.h"

static struct arena arena;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_fini(&arena);
    guard_release();
    return 0;
}

static struct wall at(const char *text)
{
    struct wall t;
    if (wall_parse(span_str(text), &t))
        fail_msg("%s is no time", text);
    return t;
}

/* Under UTC, a Saturday is 2026-11-21. */
static const struct {
    const char *open, *closed, *time;
    bool is_open;
} table[] = {
    { "Mon-Fri 08:00-18:00", NULL, "2026-11-20T07:59:59Z", false },
    { "Mon-Fri 08:00-18:00", NULL, "2026-11-20T08:00:00Z", true },
    { "Mon-Fri 08:00-18:00", NULL, "2026-11-20T17:59:59Z", true },
    { "Mon-Fri 08:00-18:00", NULL, "2026-11-20T18:00:00Z", false },
    { "Mon-Fri 08:00-18:00", NULL, "2026-11-21T12:00:00Z", false },
    { "mon,WED-thu", NULL, "2026-11-18T00:00:00Z", true },
    { "mon,WED-thu", NULL, "2026-11-17T00:00:00Z", false },
    { "Sat-Mon", NULL, "2026-11-22T23:59:00Z", true },
    { "Sat-Mon", NULL, "2026-11-24T00:00:00Z", false },
    { "08:00-18:00", NULL, "2026-11-21T12:00:00Z", true },
    { "22:00-06:00", NULL, "2026-11-21T05:59:00Z", true },
    { "22:00-06:00", NULL, "2026-11-21T06:00:00Z", false },
    { "Fri 22:00-06:00", NULL, "2026-11-20T23:00:00Z", true },
    { "Fri 22:00-06:00", NULL, "2026-11-21T05:00:00Z", true },
    { "Fri 22:00-06:00", NULL, "2026-11-20T05:00:00Z", false },
    { "Fri 22:00-06:00", NULL, "2026-11-21T22:30:00Z", false },
    { "Fri 22:00-24:00", NULL, "2026-11-20T23:59:59Z", true },
    { "Fri 22:00-24:00", NULL, "2026-11-21T00:00:00Z", false },
    { "2026-11-21", NULL, "2026-11-21T23:59:59Z", true },
    { "2026-11-21", NULL, "2025-11-21T12:00:00Z", false },
    { "2026-12-24..2027-01-02", NULL, "2027-01-02T12:00:00Z", true },
    { "2026-12-24..2027-01-02", NULL, "2027-01-03T00:00:00Z", false },
    { "12-24..01-02", NULL, "2031-12-31T12:00:00Z", true },
    { "12-24..01-02", NULL, "2031-01-02T12:00:00Z", true },
    { "12-24..01-02", NULL, "2031-01-03T12:00:00Z", false },
    { "02-29", NULL, "2028-02-29T12:00:00Z", true },
    { "02-29", NULL, "2027-03-01T12:00:00Z", false },
    { "12-31 22:00-02:00", NULL, "2027-01-01T01:00:00Z", true },
    { "Sat,Sun", "2026-11-21 12:00-13:00", "2026-11-21T12:30:00Z", false },
    { "Sat,Sun", "2026-11-21 12:00-13:00", "2026-11-21T13:00:00Z", true },
    { NULL, "12-25", "2026-12-25T12:00:00Z", false },
    { NULL, "12-25", "2026-12-26T12:00:00Z", true },
    { NULL, NULL, "2026-12-26T12:00:00Z", true },
};

static struct schedule schedule_of(const char *open, const char *closed, struct period periods[2])
{
    struct schedule s = { .n_open = open != NULL,
                          .n_closed = closed != NULL,
                          .open_periods = &periods[0],
                          .closed_periods = &periods[1] };
    if ((open && period_parse(guard_span(span_str(open)), &periods[0])) ||
        (closed && period_parse(guard_span(span_str(closed)), &periods[1])))
        fail_msg("%s or %s is no period", open, closed);
    return s;
}

static void test_when_it_is_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        struct period periods[2];
        struct schedule s = schedule_of(table[i].open, table[i].closed, periods);
        if (schedule_is_open(&s, at(table[i].time)) != table[i].is_open)
            fail_msg("%s without %s at %s", table[i].open, table[i].closed, table[i].time);
    }
}

static void test_what_is_no_period_is_refused(void **state)
{
    static const char *const bad[] = { "",
                                       " ",
                                       "Mo",
                                       "Mon-",
                                       "Monday",
                                       "25:00-26:00",
                                       "08:00",
                                       "08:00-08:00",
                                       "24:00-06:00",
                                       "08:60-09:00",
                                       "8:00-9:00",
                                       "Mon 08:00-",
                                       "2026-13-01",
                                       "2026-02-29",
                                       "02-30",
                                       "1-1",
                                       "2026-12-02..2026-12-01",
                                       "2026-12-02..12-03",
                                       "Mon 12-25",
                                       "24:01-02:00",
                                       "00:00-24:01",
                                       "Mon  08:00-18:00 x",
                                       "1969-12-31",
                                       "12-00" };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        struct period p;
        if (period_parse(guard_span(span_str(bad[i])), &p) != CS_EPROTO)
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

static void test_clocks_that_are_changed(void **state)
{
    static const struct {
        const char *zone, *time, *local; /* HH:MM, weekday */
    } clocks[] = {
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", "01:59 0" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", "03:00 0" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T00:59:59Z", "02:59 0" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", "02:00 0" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-12-31T23:30:00Z", "00:30 5" },
        { "EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", "03:00 0" },
        { "EST5EDT,M3.2.0,M11.1.0", "2026-11-01T05:59:00Z", "01:59 0" },
        { "EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00Z", "01:00 0" },
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01T00:00:00Z", "11:00 4" },
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01T00:00:00Z", "10:00 3" },
        { "<+0545>-5:45", "2026-07-01T00:00:00Z", "05:45 3" },
        { "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "2026-03-29T00:59:00Z", "21:59 6" },
        { "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "2026-03-29T01:00:00Z", "23:00 6" },
        { "AAA0BBB,J60,J61/24", "2028-03-01T02:00:00Z", "03:00 3" },
        { "AAA0BBB,59,61", "2028-02-29T02:00:00Z", "03:00 2" },
        { "AAA0BBB-2,J60,J61", "2028-03-01T02:00:00Z", "04:00 3" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(clocks); i++) {
        struct zone z = { 0 };
        char text[40];
        assert_int_equal(zone_rule_parse(guard_span(span_str(clocks[i].zone)), &z.rule), 0);
        const struct local_time t = zone_local(&z, at(clocks[i].time));
        snprintf(text, sizeof(text), "%02d:%02d %d", t.minute / 60, t.minute % 60, t.weekday);
        if (strcmp(text, clocks[i].local))
            fail_msg("%s at %s is %s, not %s", clocks[i].zone, clocks[i].time, text,
                     clocks[i].local);
    }
    static const char *const bad[] = { "",
                                       "CE-1",
                                       "CET",
                                       "CET-1CEST",
                                       "CET-1CEST,M3.5.0",
                                       "<+01",
                                       "CET-1CEST,M13.1.0,M1.1.0",
                                       "CET-25",
                                       "CET-1x",
                                       "CET-1CEST,M3.6.0,M10.5.0",
                                       "CET-1CEST,J0,J5" };
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        struct zone_rule r;
        if (zone_rule_parse(guard_span(span_str(bad[i])), &r) != CS_EPROTO)
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

static void compare(const struct zone *z, const char *name, int64_t t)
{
    const time_t second = (time_t)t;
    struct tm tm;
    localtime_r(&second, &tm);
    const struct local_time l = zone_local(z, (struct wall){ t * 1000 });
    if (l.year != tm.tm_year + 1900 || l.month != tm.tm_mon + 1 || l.day != tm.tm_mday ||
        l.weekday != tm.tm_wday || l.minute != tm.tm_hour * 60 + tm.tm_min)
        fail_msg("%s at %lld", name, (long long)t);
}

/* The system's own reading of the same files, two centuries long. */
static void test_files_are_read_as_the_system_reads_them(void **state)
{
    static const char *const names[] = {
        "Europe/Berlin",       "America/New_York", "Africa/Casablanca",
        "Australia/Lord_Howe", "Asia/Kathmandu",   "Europe/Dublin",
        "America/Nuuk",        "Pacific/Apia",     "UTC"
    };
    static char file[65536];
    (void)state;
    for (size_t i = 0; i < CS_LEN(names); i++) {
        char path[128];
        struct zone z;
        snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", names[i]);
        FILE *f = fopen(path, "rb");
        if (!f)
            skip(); /* without tzdata there is nothing to compare with */
        const size_t n = fread(file, 1, sizeof(file), f);
        fclose(f);
        assert_int_equal(zone_parse(guard_span(span_of(file, n)), &arena, &z), 0);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t t = -2208988800; t < 4102444800; t += 36000 + 1009)
            compare(&z, names[i], t);
        for (size_t k = 0; k < z.n; k++) { /* the moments at which clocks are changed */
            compare(&z, names[i], z.at[k]);
            compare(&z, names[i], z.at[k] - 1);
        }
        for (size_t cut = 0; cut < n; cut += 7) {
            struct zone part;
            assert_int_equal(zone_parse(guard_span(span_of(file, cut)), &arena, &part), CS_EPROTO);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_when_it_is_open, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_no_period_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_clocks_that_are_changed, begin, end),
        cmocka_unit_test_setup_teardown(test_files_are_read_as_the_system_reads_them, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
