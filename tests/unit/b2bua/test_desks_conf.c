#include <stdio.h>

#include "b2bua/desk/desks_conf.h"
#include "lib/test.h"

static char said[512];

static void report(void *arg, const char *line)
{
    (void)arg;
    snprintf(said, sizeof(said), "%s", line);
}

static int parse(const char *text, struct desks_conf *out)
{
    static struct arena a;
    arena_fini(&a);
    arena_init(&a, NULL, 0, 0);
    said[0] = 0;
    return conf_parse(span_str(text), "x", &desks_conf_section, &a, out, report, NULL);
}

static void test_what_is_not_said_is_usual(void **state)
{
    struct desks_conf c;
    (void)state;
    assert_int_equal(parse("listeners: [ { name: a, address: 192.0.2.1 } ]\n", &c), 0);
    assert_int_equal(addr_port(&c.listeners[0].address), 2000);
    assert_null(c.listeners[0].tls);
    assert_int_equal(c.keepalive.ms, 30000);
    assert_int_equal(c.unregistered, 1000);
    assert_span(c.date_format, "D.M.Y");
}

static void test_dates(void **state)
{
    static const struct {
        const char *format;
        bool good;
    } rows[] = { { "D.M.Y", true },  { "M/D/YA", true },  { "Y-M-D", true },  { "D.M.M", false },
                 { "DDMMY", false }, { "D.M.YB", false }, { "d.m.y", false }, { "D.M.X", false } };
    struct desks_conf c;
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char text[64];
        snprintf(text, sizeof(text), "date_format: \"%s\"\n", rows[i].format);
        assert_int_equal(parse(text, &c), rows[i].good ? 0 : CS_ECONF);
        assert_int_equal(!strstr(said, "x:1: date_format: "), rows[i].good);
    }
}

static void test_soft_keys(void **state)
{
    struct desks_conf c;
    (void)state;
    assert_int_equal(parse("softkeys: [ { name: a, connected: [park, end_call] } ]\n", &c), 0);
    const struct sccp_soft_keys *keys = &c.softkeys[0].keys;
    static const uint8_t connected[] = { SCCP_KEY_PARK, SCCP_KEY_END_CALL, 0 };
    assert_memory_equal(keys->sets[SCCP_KEYS_CONNECTED], connected, sizeof(connected));
    assert_memory_equal(keys->sets[SCCP_KEYS_RING_IN],
                        sccp_soft_keys_default.sets[SCCP_KEYS_RING_IN], SCCP_SET_KEYS);
    assert_int_equal(sccp_soft_keys_but(keys, SCCP_KEYS_CONNECTED, SCCP_KEY_END_CALL), ~2U);
    assert_int_equal(sccp_soft_keys_but(keys, SCCP_KEYS_CONNECTED, SCCP_KEY_HOLD), UINT32_MAX);
    assert_int_equal(parse("softkeys: [ { name: a, on_hook: [endcall] } ]\n", &c), CS_ECONF);
    assert_non_null(strstr(said, "there is no key \"endcall\""));
}

static void test_mistakes_are_named(void **state)
{
    struct desks_conf c;
    (void)state;
    assert_int_equal(parse("time_zone: Europe/Nowhere\n", &c), CS_ECONF);
    assert_non_null(strstr(said, "x:1: time_zone: \"Europe/Nowhere\""));
    assert_int_equal(
        parse("listeners: [ { name: a, address: 192.0.2.1, legacy_tls: true } ]\n", &c), CS_ECONF);
    assert_non_null(strstr(said, "listeners[0].legacy_tls: is for a listener with tls"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_said_is_usual),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_soft_keys),
        cmocka_unit_test(test_mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
