/* Which rule fits a call: a table of calls over one configuration. */
#include "authd/calls/destination.h"

#include "conf/conf.h"
#include "lib/guard.h"
#include "lib/test.h"

static struct e164 germany = { .country = SPAN_INIT("49"),
                               .international = SPAN_INIT("00"),
                               .national = SPAN_INIT("0"),
                               .shortest = 7 };
static struct arena arena;
static struct calls_conf conf;

static const char yaml[] =
    "schedules:\n"
    "  - { name: night, time_zone: UTC, open: [\"22:00-06:00\"] }\n"
    "destinations:\n"
    "  - { name: gold, prefixes: [\"+881\"], callers: [boss@example.com], action: allow }\n"
    "  - { name: prefix, prefixes: [\"+49900\", \"118\"] }\n"
    "  - { name: world, countries: [\"001\", JM] }\n"
    "  - { name: dark, not_countries: [DE], during: night, callers: [\"@example.com\"] }\n"
    "  - { name: day, trunks: [cheap], outside: night }\n"
    "  - { name: new, countries: [FR], first_time: true }\n";

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return conf_parse(span_str(yaml), "calls.yaml", &calls_section, &arena, &conf, NULL, NULL);
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    guard_release();
    return 0;
}

static struct wall at(const char *text)
{
    struct wall t;
    assert_int_equal(wall_parse(span_str(text), &t), 0);
    return t;
}

#define DAY   "2026-11-21T12:00:00Z"
#define NIGHT "2026-11-21T23:00:00Z"

static void test_the_first_rule_that_fits_decides(void **state)
{
    static const struct {
        const char *number, *caller, *trunk, *time;
        bool first;
        const char *rule; /* NULL: none */
    } rows[] = {
        { "0049900123", "a@example.com", "t", DAY, false, "prefix" },
        { "+49-900.123(45)", "a@example.com", "t", DAY, false, "prefix" },
        { "0900123456;phone-context=x", "a@example.com", "t", DAY, false, "prefix" },
        { "11833", "a@example.com", "t", DAY, false, "prefix" },
        { "030118118", "a@example.com", "t", DAY, false, NULL },
        { "008812345678", "a@example.com", "t", DAY, false, "world" },
        { "+8812345678", "boss@example.com", "t", DAY, false, "gold" },
        { "+18765551234", "boss@example.com", "t", DAY, false, "world" },
        { "+12125551234", "a@example.com", "t", DAY, false, NULL },
        { "+12125551234", "a@example.com", "t", NIGHT, false, "dark" },
        { "12345", "a@example.com", "t", NIGHT, false, "dark" }, /* of no known country */
        { "+12125551234", "a@other.example", "t", NIGHT, false, NULL },
        { "+12125551234", NULL, "t", NIGHT, false, NULL },
        { "+4930123456", "a@example.com", "t", NIGHT, false, NULL },
        { "+4930123456", "a@example.com", "cheap", DAY, false, "day" },
        { "+4930123456", "a@example.com", "cheap", NIGHT, false, NULL },
        { "+33123456789", "a@example.com", "t", DAY, true, "new" },
        { "+33123456789", "a@example.com", "t", DAY, false, NULL },
        { "", "a@example.com", "t", DAY, false, NULL },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct destination to;
        destination_read(&germany, span_str(rows[i].number), &to);
        const struct destination_call call = { .to = &to,
                                               .caller = span_str(rows[i].caller),
                                               .trunk = span_str(rows[i].trunk),
                                               .now = at(rows[i].time),
                                               .first_time = rows[i].first };
        const struct destination_rule *r = destination_rule(&conf, &call);
        const struct span got = r ? r->name : SPAN("none");
        if (!span_eq(got, span_str(rows[i].rule ? rows[i].rule : "none")))
            fail_msg("%s from %s: " SPAN_FMT, rows[i].number,
                     rows[i].caller ? rows[i].caller : "nobody", SPAN_ARG(got));
    }
}

static void test_numbers_are_read_as_they_are_meant(void **state)
{
    struct destination to;
    (void)state;
    destination_read(&germany, guard_span(SPAN("030 12 34 56")), &to);
    assert_span(to.number, "030123456");
    assert_span(to.form, "+4930123456");
    assert_span(to.country, "DE");
    destination_read(NULL, SPAN("030123456"), &to);
    assert_null(to.form.p);
    assert_null(to.country.p);
    destination_read(NULL, SPAN_NULL, &to);
    assert_int_equal(to.number.n, 0);
    destination_read(NULL, SPAN("+49301234567890123456"), &to); /* longer than E.164 knows */
    assert_null(to.form.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_rule_that_fits_decides),
        cmocka_unit_test(test_numbers_are_read_as_they_are_meant),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
