#include "authd/defence/ruling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;
static struct defence_conf conf;

static void load(const char *yaml)
{
    arena_init(&arena, NULL, 0, 0);
    assert_int_equal(
        conf_parse(span_str(yaml), "test.yaml", &defence_section, &arena, &conf, NULL, NULL), 0);
}

static void unload(void)
{
    arena_fini(&arena);
}

enum { NOTHING = 0, COOL = 1, ADDRESS = 2, USERS = 4, PORT = 8, ALARM = 16 };

static unsigned bits(struct ruling r)
{
    return (r.cool_off ? COOL : 0) | (r.ban_address ? ADDRESS : 0) | (r.by_users ? USERS : 0) |
           (r.ban_port ? PORT : 0) | (r.alarm ? ALARM : 0);
}

#define T(...) ((struct tally){ .added = 1, __VA_ARGS__ })

static void test_what_follows_from_wrong_credentials(void **state)
{
    (void)state;
    static const struct {
        struct tally t;
        unsigned attempts, want;
    } rows[] = {
        { { .pair = 2, .address = 2, .users = 1 }, 3, NOTHING },
        { { .pair = 3, .address = 3, .users = 1 }, 3, COOL },
        { { .pair = 3, .address = 3, .users = 1 }, 0, NOTHING },
        { { .pair = 300, .address = 3, .known = true }, 3, NOTHING }, /* never locked from there */
        { { .pair = 1, .address = 19, .users = 4 }, 3, NOTHING },
        { { .pair = 1, .address = 20, .users = 4 }, 3, ADDRESS },
        { { .pair = 1, .address = 5, .users = 5 }, 3, ADDRESS | USERS },
        { { .pair = 1, .address = 199, .users = 49, .live = true }, 3, NOTHING },
        { { .pair = 1, .address = 200, .users = 4, .live = true }, 3, ADDRESS },
        { { .pair = 1, .address = 50, .users = 50, .live = true }, 3, ADDRESS | USERS },
        { { .pair = 1, .address = 50, .users = 50, .known = true }, 3, ADDRESS | USERS },
        { { .pair = 1, .address = 49, .users = 49, .known = true }, 3, NOTHING },
        { { .pair = 1, .address = 30, .port = 20, .live = true }, 3, PORT }, /* one bad phone */
        { { .pair = 1, .address = 30, .port = 19, .live = true }, 3, NOTHING },
        { { .pair = 1, .address = 20, .port = 20 }, 3, ADDRESS },
    };
    load("{}");
    for (size_t i = 0; i < CS_LEN(rows); i++)
        assert_int_equal(
            bits(ruling_of(&conf, NULL, ABUSE_AUTHENTICATION, rows[i].attempts, &rows[i].t)),
            rows[i].want);
    struct tally first = T(.pair = 3), again = T(.pair = 3, .strikes = 1);
    assert_int_equal(ruling_of(&conf, NULL, ABUSE_AUTHENTICATION, 3, &first).cool_off_for.ms,
                     600000);
    assert_int_equal(ruling_of(&conf, NULL, ABUSE_AUTHENTICATION, 3, &again).cool_off_for.ms,
                     2700000);
    unload();
}

/* */
static void test_each_class_has_its_thresholds_and_0_is_none(void **state)
{
    (void)state;
    load("{ malformed: { address: 10, port: 0 }, flow: { address: 0, port: 3 }, live_factor: 2 }");
    static const struct {
        enum abuse a;
        struct tally t;
        unsigned want;
    } rows[] = {
        { ABUSE_MALFORMED, { .address = 9, .port = 9 }, NOTHING },
        { ABUSE_MALFORMED, { .address = 10, .port = 9 }, ADDRESS },
        { ABUSE_MALFORMED, { .address = 19, .port = 900, .live = true }, NOTHING },
        { ABUSE_MALFORMED, { .address = 20, .live = true }, ADDRESS },
        { ABUSE_FLOW, { .address = 100000, .port = 2 }, NOTHING },
        { ABUSE_FLOW, { .address = 100000, .port = 3 }, PORT },
        { ABUSE_CONNECTION, { .address = 199 }, NOTHING },
        { ABUSE_CONNECTION, { .address = 200 }, ADDRESS },
        { ABUSE_DIALOG, { .address = 100, .users = 90, .pair = 90 }, ADDRESS },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++)
        assert_int_equal(bits(ruling_of(&conf, NULL, rows[i].a, 3, &rows[i].t)), rows[i].want);
    unload();
}

static void test_the_installation_alarms_once_when_its_threshold_is_passed(void **state)
{
    (void)state;
    load("{ authentication: { installation: 100 } }");
    static const struct {
        unsigned before, added;
        bool alarm;
    } rows[] = { { 98, 1, false }, { 99, 1, true }, { 100, 1, false }, { 0, 500, true } };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct tally t = { .installation = rows[i].before + rows[i].added, .added = rows[i].added };
        assert_int_equal(ruling_of(&conf, NULL, ABUSE_AUTHENTICATION, 3, &t).alarm, rows[i].alarm);
    }
    unload();
}

static void test_exempt_networks_are_spared_and_so_is_what_holds_them(void **state)
{
    (void)state;
    static const struct {
        const char *net;
        bool all, some;
    } rows[] = {
        { "10.1.2.3", true, true },    { "10.1.0.0/16", true, true },
        { "11.0.0.1", false, false },  { "2001:db8::5", true, true },
        { "0.0.0.0/0", false, true },  { "192.0.2.0/24", false, true },
        { "192.0.2.1", false, false }, { "192.0.2.7", true, true },
        { "127.0.0.1", false, false },
    };
    load("{ exempt: [10.0.0.0/8, 192.0.2.7, '2001:db8::/32'] }");
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct cidr c;
        assert_int_equal(cidr_parse(span_str(rows[i].net), &c), 0);
        assert_int_equal(ruling_spares(&conf, &c.net), rows[i].all);
        assert_int_equal(ruling_spares_some(&conf, &c), rows[i].some);
    }
    unload();
    load("{}");
    struct addr a;
    assert_int_equal(addr_parse(SPAN("127.1.2.3:5060"), 0, &a), 0);
    assert_true(ruling_spares(&conf, &a)); /* this machine, unless it is configured otherwise */
    a = (struct addr){ 0 };
    assert_true(ruling_spares(&conf, &a)); /* nobody can be held to it */
    unload();
}

static void test_classes_are_those_of_the_contract(void **state)
{
    (void)state;
    enum abuse a;
    assert_int_equal(abuse_of(COUNTERSIGN__AUTH__ABUSE__ABUSE_UNKNOWN, &a), CS_EPROTO);
    assert_int_equal(abuse_of((Countersign__Auth__Abuse)6, &a), CS_EPROTO);
    assert_int_equal(abuse_of(COUNTERSIGN__AUTH__ABUSE__ABUSE_CONNECTION, &a), 0);
    assert_int_equal(a, ABUSE_CONNECTION);
    assert_int_equal(abuse_of(COUNTERSIGN__AUTH__ABUSE__ABUSE_FLOW, &a), 0);
    assert_true(span_eq(abuse_name(a), SPAN("flow")));
}

static void test_a_group_may_have_thresholds_of_its_own(void **state)
{
    struct defence_rule strict = { .address = 2, .users = 2 };
    const struct group_defence g = { .authentication = &strict };
    const struct tally t = { .address = 2, .users = 1 };
    (void)state;
    load("{}");
    assert_false(ruling_of(&conf, NULL, ABUSE_AUTHENTICATION, 3, &t).ban_address);
    assert_true(ruling_of(&conf, &g, ABUSE_AUTHENTICATION, 3, &t).ban_address);
    assert_false(ruling_of(&conf, &g, ABUSE_DIALOG, 3, &t).ban_address);
    assert_ptr_equal(ruling_rule(&conf, &g, ABUSE_FLOW), &conf.rules[ABUSE_FLOW]);
    unload();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_group_may_have_thresholds_of_its_own),
        cmocka_unit_test(test_what_follows_from_wrong_credentials),
        cmocka_unit_test(test_each_class_has_its_thresholds_and_0_is_none),
        cmocka_unit_test(test_the_installation_alarms_once_when_its_threshold_is_passed),
        cmocka_unit_test(test_exempt_networks_are_spared_and_so_is_what_holds_them),
        cmocka_unit_test(test_classes_are_those_of_the_contract),
    };
    return cmocka_run_group_tests_name("ruling", tests, NULL, NULL);
}
