/* Address sets' records, texts and dates. (G-28, G-42) */
#include "authd/store/address_set.h"

#include <stdlib.h>

#include "base/util.h"
#include "lib/test.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct cidr net_of(const char *text)
{
    struct cidr c;
    if (address_set_network_fault(span_str(text), &c))
        fail_msg("%s", text);
    return c;
}

static struct wall date_of(const char *text)
{
    struct wall w;
    if (date_parse(span_str(text), &w))
        fail_msg("%s", text);
    return w;
}

static struct address_set carrier(void)
{
    static struct cidr nets[3];
    nets[0] = net_of("203.0.113.0/24");
    nets[1] = net_of("2001:db8::/32");
    nets[2] = net_of("192.0.2.1");
    return (struct address_set){ .name = SPAN("carrier"),
                                 .owner = SPAN("Olga"),
                                 .note = SPAN("signalling"),
                                 .networks = nets,
                                 .n_networks = 3,
                                 .renewal = date_of("2027-03-01"),
                                 .created = { 1700000000000 },
                                 .changed = { 1700000000001 } };
}

static void test_a_record_comes_back_as_it_was(void **state)
{
    char space[4096];
    struct buf b = BUF_INIT(space);
    struct address_set s = carrier(), back;
    (void)state;
    assert_int_equal(address_set_encode(&s, &b), 0);
    assert_int_equal(address_set_decode(buf_span(&b), &arena, &back), 0);
    assert_span(back.name, "carrier");
    assert_span(back.owner, "Olga");
    assert_span(back.note, "signalling");
    assert_int_equal(back.n_networks, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(addr_eq(&back.networks[i].net, &s.networks[i].net));
        assert_int_equal(back.networks[i].bits, s.networks[i].bits);
    }
    assert_int_equal(back.renewal.ms, s.renewal.ms);
    assert_int_equal(back.created.ms, s.created.ms);
    assert_int_equal(back.changed.ms, s.changed.ms);
    assert_true(span_eq(back.record, buf_span(&b)));
}

static void test_what_lacks_an_owner_or_a_note_is_no_set(void **state)
{
    char space[4096];
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct buf b = BUF_INIT(space);
        struct address_set s = carrier();
        if (i == 0)
            s.name = SPAN_NULL;
        else if (i == 1)
            s.owner = SPAN("");
        else if (i == 2)
            s.note = SPAN(" ");
        else if (i == 3)
            s.n_networks = 0;
        else
            s.owner = SPAN("a\nb");
        assert_int_equal(address_set_encode(&s, &b), CS_ELIMIT);
    }
}

static void test_what_cannot_be_read_is_refused_and_cleared(void **state)
{
    char space[4096];
    struct buf b = BUF_INIT(space);
    struct address_set s = carrier(), back;
    (void)state;
    assert_int_equal(address_set_encode(&s, &b), 0);
    for (size_t n = 0; n < b.n; n++) {
        int err = address_set_decode(span_of(b.p, n), &arena, &back);
        if (err) {
            assert_int_equal(err, CS_EPROTO);
            assert_null(back.name.p);
        }
    }
    b.p[1] = 2; /* another schema */
    assert_int_equal(address_set_decode(buf_span(&b), &arena, &back), CS_EPROTO);
}

static void test_memory_may_be_short(void **state)
{
    char space[4096], first[1];
    struct buf b = BUF_INIT(space);
    struct address_set s = carrier(), back;
    (void)state;
    assert_int_equal(address_set_encode(&s, &b), 0);
    int err = CS_ENOMEM;
    for (size_t most = 0; err && most < 64 * 1024; most += 64) {
        struct arena a;
        arena_init(&a, first, sizeof(first), most + 1);
        err = address_set_decode(buf_span(&b), &a, &back);
        assert_true(err == 0 || err == CS_ENOMEM || err == CS_EPROTO);
        arena_fini(&a);
    }
    assert_int_equal(err, 0);
}

static void test_networks_that_are_none_or_too_large_are_refused(void **state)
{
    static const char *const bad[] = {
        "",           "carrier.test", "203.0.113.1/24", "0.0.0.0/0",    "::/0",
        "10.0.0.0/7", "2000::/15",    "203.0.113.0/33", "1.2.3.4:5060", "203.0.113.0/"
    };
    static const char *const good[] = { "10.0.0.0/8", "2001::/16", "203.0.113.7", "::1" };
    struct cidr many[ADDRESS_SET_MAX_NETWORKS + 1], c;
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        if (!address_set_network_fault(span_str(bad[i]), &c))
            fail_msg("%s", bad[i]);
    }
    for (size_t i = 0; i < CS_LEN(good); i++)
        assert_null(address_set_network_fault(span_str(good[i]), &c));
    for (size_t i = 0; i < CS_LEN(many); i++)
        many[i] = net_of("203.0.113.0/24");
    assert_null(address_set_networks_fault(many, ADDRESS_SET_MAX_NETWORKS));
    assert_non_null(address_set_networks_fault(many, CS_LEN(many)));
    assert_non_null(address_set_networks_fault(many, 0));
    const struct addr base = net_of("2001:db8::").net;
    for (unsigned i = 0; i < ADDRESS_SET_MAX_LENGTHS + 1; i++)
        many[i] = cidr_of(&base, 32 + i);
    assert_null(address_set_networks_fault(many, ADDRESS_SET_MAX_LENGTHS));
    assert_non_null(address_set_networks_fault(many, ADDRESS_SET_MAX_LENGTHS + 1));
}

static void test_a_date_is_a_day_of_the_calendar(void **state)
{
    static const char *const good[] = { "1970-01-01", "2024-02-29", "2026-12-31", "9999-12-31" };
    static const char *const bad[] = { "",
                                       "2027-02-29",
                                       "2027-00-01",
                                       "2027-13-01",
                                       "2027-01-00",
                                       "2027-01-32",
                                       "27-01-01",
                                       "2027-1-01",
                                       "2027-01-1",
                                       "1969-12-31",
                                       "2027-01-01T00:00:00Z",
                                       "2027-04-31",
                                       "+027-01-01",
                                       "2027/01/01",
                                       "2027-01-01-" };
    char text[DATE_STRLEN];
    struct wall w;
    (void)state;
    for (size_t i = 0; i < CS_LEN(good); i++) {
        date_format(date_of(good[i]), text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        if (date_parse(span_str(bad[i]), &w) != CS_EPROTO)
            fail_msg("%s", bad[i]);
        assert_int_equal(w.ms, 0);
    }
    assert_int_equal(date_of("2026-11-21").ms, INT64_C(1795219200000));
}

/* 14 days before the day it is due; when that day has passed it is overdue. */
static void test_its_state_follows_the_calendar(void **state)
{
    static const struct {
        const char *today;
        int64_t more_ms;
        enum set_state want;
    } rows[] = {
        { "2027-02-14", 86399999, SET_CURRENT },
        { "2027-02-15", 0, SET_DUE },
        { "2027-03-01", 0, SET_DUE },
        { "2027-03-01", 86399999, SET_DUE },
        { "2027-03-02", 0, SET_OVERDUE },
        { "2028-01-01", 0, SET_OVERDUE },
        { "1970-01-01", 0, SET_CURRENT },
    };
    const struct address_set s = carrier();
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        const struct wall now = { date_of(rows[i].today).ms + rows[i].more_ms };
        assert_int_equal(address_set_state(&s, now), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_comes_back_as_it_was),
        cmocka_unit_test(test_what_lacks_an_owner_or_a_note_is_no_set),
        cmocka_unit_test(test_what_cannot_be_read_is_refused_and_cleared),
        cmocka_unit_test(test_memory_may_be_short),
        cmocka_unit_test(test_networks_that_are_none_or_too_large_are_refused),
        cmocka_unit_test(test_a_date_is_a_day_of_the_calendar),
        cmocka_unit_test(test_its_state_follows_the_calendar),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
