#include "base/addr.h"
#include "lib/test.h"

static const char *shown(const struct addr *a)
{
    static char text[ADDR_STRLEN];
    return addr_format(a, text);
}

static void test_addresses_with_and_without_port_are_read(void **state)
{
    (void)state;
    static const struct {
        struct span in;
        const char *out; /* NULL: refused */
    } cases[] = {
        { SPAN_INIT("192.0.2.1"), "192.0.2.1:99" },
        { SPAN_INIT("192.0.2.1:5060"), "192.0.2.1:5060" },
        { SPAN_INIT("192.0.2.1:0"), "192.0.2.1:0" },
        { SPAN_INIT("[2001:db8::1]:5060"), "[2001:db8::1]:5060" },
        { SPAN_INIT("[2001:db8::1]"), "[2001:db8::1]:99" },
        { SPAN_INIT("2001:DB8::1"), "[2001:db8::1]:99" },
        { SPAN_INIT("::"), "[::]:99" },
        { SPAN_INIT("::ffff:192.0.2.1"), "192.0.2.1:99" }, /* one rule for both forms */
        { SPAN_INIT("[::ffff:192.0.2.1]:1"), "192.0.2.1:1" },
        { SPAN_INIT("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
          "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
        { SPAN_INIT(""), NULL },
        { SPAN_INIT(":5060"), NULL },
        { SPAN_INIT("192.0.2.1:"), NULL },
        { SPAN_INIT("192.0.2.1:65536"), NULL },
        { SPAN_INIT("192.0.2.1:-1"), NULL },
        { SPAN_INIT("192.0.2.1 "), NULL },
        { SPAN_INIT("192.0.2"), NULL },
        { SPAN_INIT("192.0.2.256"), NULL },
        { SPAN_INIT("192.0.2.1\0"), NULL },
        { SPAN_INIT("localhost"), NULL },
        { SPAN_INIT("[192.0.2.1]:5060"), NULL },
        { SPAN_INIT("[::1"), NULL },
        { SPAN_INIT("::1]"), NULL },
        { SPAN_INIT("[]"), NULL },
        { SPAN_INIT("[::1]x:1"), NULL },
        { SPAN_INIT("fe80::1%eth0"), NULL },
        { SPAN_INIT("1:2:3:4:5:6:7:8:9"), NULL },
        { SPAN_INIT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"), NULL },
    };
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct addr a;
        int err = addr_parse(cases[i].in, 99, &a);
        assert_int_equal(err, cases[i].out ? 0 : CS_EPROTO);
        assert_string_equal(shown(&a), cases[i].out ? cases[i].out : "none");
    }
}

static struct addr addr(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(span_str(text), 0, &a), 0);
    return a;
}

static void test_equality_is_of_host_and_port(void **state)
{
    (void)state;
    struct addr a = addr("192.0.2.1:1"), b = addr("192.0.2.1:2"), c = addr("[::1]:1");
    assert_true(addr_same_host(&a, &b));
    assert_false(addr_eq(&a, &b));
    addr_set_port(&b, 1);
    assert_true(addr_eq(&a, &b));
    assert_false(addr_same_host(&a, &c));
    assert_int_equal(addr_host_bytes(&a).n, 4);
    assert_int_equal(addr_host_bytes(&c).n, 16);
    a = addr("127.9.9.9");
    assert_true(addr_is_loopback(&a));
    assert_true(addr_is_loopback(&c));
    assert_false(addr_is_loopback(&b));
    a = addr("0.0.0.0");
    assert_true(addr_is_any(&a));
    assert_false(addr_is_any(&c));
}

static void test_networks_contain_what_their_prefix_says(void **state)
{
    (void)state;
    static const struct {
        const char *net, *in, *out;
    } cases[] = {
        { "10.0.0.0/8", "10.255.255.255", "11.0.0.0" },
        { "192.0.2.128/25", "192.0.2.255", "192.0.2.127" },
        { "192.0.2.1", "192.0.2.1", "192.0.2.2" },
        { "0.0.0.0/0", "255.1.2.3", "::1" },
        { "::/0", "2001:db8::1", "10.0.0.1" },
        { "2001:db8:8000::/33", "2001:db8:ffff::1", "2001:db8:7fff::1" },
        { "::1", "::1", "::2" },
        { "10.0.0.0/8", "::ffff:10.1.1.1", "::ffff:11.1.1.1" },
    };
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct cidr c;
        struct addr in = addr(cases[i].in), out = addr(cases[i].out), none = { 0 };
        assert_int_equal(cidr_parse(span_str(cases[i].net), &c), 0);
        assert_true(cidr_contains(&c, &in));
        assert_false(cidr_contains(&c, &out));
        assert_false(cidr_contains(&c, &none));
    }
    static const char *const bad[] = { "10.0.0.1/8", "10.0.0.0/33",  "10.0.0.0/", "10.0.0.0/-1",
                                       "/8",         "2001:db8::/1", "::/129",    "" };
    struct cidr c;
    struct addr none = { 0 };
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        assert_int_equal(cidr_parse(span_str(bad[i]), &c), CS_EPROTO);
        assert_false(cidr_contains(&c, &none)); /* no network holds nobody */
    }
}

static void test_a_host_is_written_with_brackets_and_without(void **state)
{
    static const struct {
        const char *in, *host, *bare;
    } cases[] = { { "192.0.2.1", "192.0.2.1", "192.0.2.1" },
                  { "2001:db8::1", "[2001:db8::1]", "2001:db8::1" } };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        const struct addr a = addr(cases[i].in), none = { 0 };
        char text[3][ADDR_STRLEN];
        struct buf host = BUF_INIT(text[0]), bare = BUF_INIT(text[1]), no = BUF_INIT(text[2]);
        addr_write_host(&host, &a);
        addr_write_bare(&bare, &a);
        addr_write_bare(&no, &none);
        assert_span(buf_span(&host), cases[i].host);
        assert_span(buf_span(&bare), cases[i].bare);
        assert_span(buf_span(&no), "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_with_and_without_port_are_read),
        cmocka_unit_test(test_equality_is_of_host_and_port),
        cmocka_unit_test(test_networks_contain_what_their_prefix_says),
        cmocka_unit_test(test_a_host_is_written_with_brackets_and_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
