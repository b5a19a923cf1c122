#include "base/netset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static struct netset_member member(const char *net, uint16_t port, uint64_t tag)
{
    struct netset_member m = { .port = port, .tag = tag };
    assert_int_equal(cidr_parse(span_str(net), &m.net), 0);
    return m;
}

static struct addr at(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(span_str(text), 5060, &a), 0);
    return a;
}

static void test_an_address_is_found_in_every_network_that_holds_it(void **state)
{
    (void)state;
    struct netset_member members[] = {
        member("192.0.2.0/24", 0, 0),   member("198.51.100.7", 0, 0),
        member("203.0.113.9", 6000, 0), member("203.0.113.10", 0, 7),
        member("2001:db8::/64", 0, 0),  member("2001:db8:1::/48", 0, 0),
        member("10.0.0.0/8", 0, 0),
    };
    static const struct {
        const char *addr;
        uint64_t tag;
        int found; /* -1: none */
    } rows[] = {
        { "192.0.2.1", 0, 0 },        { "192.0.3.1", 0, -1 },         { "198.51.100.7:1", 0, 1 },
        { "198.51.100.8", 0, -1 },    { "203.0.113.9:6000", 0, 2 },   { "203.0.113.9:6001", 0, -1 },
        { "203.0.113.10", 7, 3 },     { "203.0.113.10", 0, -1 },      { "2001:db8::ffff", 0, 4 },
        { "2001:db8:0:1::1", 0, -1 }, { "2001:db8:1:ffff::1", 0, 5 }, { "10.255.255.255", 0, 6 },
        { "32.1.13.184", 0, -1 },
    };
    struct netset s;
    netset_init(&s);
    for (size_t i = 0; i < CS_LEN(members); i++)
        assert_int_equal(netset_add(&s, &members[i]), 0);
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct addr a = at(rows[i].addr);
        struct netset_member *m = netset_find(&s, &a, rows[i].tag);
        assert_ptr_equal(m, rows[i].found < 0 ? NULL : &members[rows[i].found]);
    }
    for (size_t i = 0; i < CS_LEN(members); i++) {
        assert_ptr_equal(netset_get(&s, &members[i].net, members[i].port, members[i].tag),
                         &members[i]);
        netset_remove(&s, &members[i]);
        assert_null(netset_get(&s, &members[i].net, members[i].port, members[i].tag));
    }
    assert_int_equal(s.n_lengths, 0);
    netset_fini(&s);
}

static void test_kinds_of_prefix_are_bounded(void **state)
{
    (void)state;
    struct netset_member members[33];
    char text[32];
    struct netset s;
    netset_init(&s);
    for (unsigned i = 0; i < 33; i++) {
        snprintf(text, sizeof(text), "::/%u", i + 1);
        members[i] = member(text, 0, 0);
        assert_int_equal(netset_add(&s, &members[i]), i < 32 ? 0 : CS_ELIMIT);
    }
    netset_remove(&s, &members[3]);
    assert_int_equal(netset_add(&s, &members[32]), 0);
    netset_fini(&s);
}

static void test_networks_are_cut_and_written_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *addr;
        unsigned bits;
        const char *net;
    } rows[] = {
        { "192.0.2.255", 24, "192.0.2.0/24" }, { "192.0.2.255", 31, "192.0.2.254/31" },
        { "192.0.2.255", 128, "192.0.2.255" }, { "2001:db8:ffff::1", 33, "2001:db8:8000::/33" },
        { "2001:db8::1", 128, "2001:db8::1" }, { "192.0.2.255", 0, "0.0.0.0/0" },
    };
    char text[64];
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct addr a = at(rows[i].addr);
        struct cidr c = cidr_of(&a, rows[i].bits), back;
        struct buf b = BUF_INIT(text);
        cidr_write(&b, &c);
        assert_true(span_eq(buf_span(&b), span_str(rows[i].net)));
        assert_int_equal(cidr_parse(buf_span(&b), &back), 0);
        assert_int_equal(back.bits, c.bits);
        assert_true(addr_same_host(&back.net, &c.net));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_address_is_found_in_every_network_that_holds_it),
        cmocka_unit_test(test_kinds_of_prefix_are_bounded),
        cmocka_unit_test(test_networks_are_cut_and_written_as_they_are_read),
    };
    return cmocka_run_group_tests_name("netset", tests, NULL, NULL);
}
