#include "capture/hep.h"

#include "lib/test.h"

static struct addr addr(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(span_str(text), 0, &a), 0);
    return a;
}

/* The example of "HEPv3/EEP, the Extensible Encapsulation Protocol", section 4. */
static const unsigned char example[] = {
    0x48, 0x45, 0x50, 0x33, 0x00, 0x71, 0x00, 0x00, 0x00, 0x01, 0x00, 0x07, 0x02, 0x00, 0x00,
    0x00, 0x02, 0x00, 0x07, 0x11, 0x00, 0x00, 0x00, 0x03, 0x00, 0x0a, 0xd4, 0xca, 0x00, 0x01,
    0x00, 0x00, 0x00, 0x04, 0x00, 0x0a, 0x52, 0x74, 0x00, 0xd3, 0x00, 0x00, 0x00, 0x07, 0x00,
    0x08, 0x2e, 0xea, 0x00, 0x00, 0x00, 0x08, 0x00, 0x08, 0x13, 0xc4, 0x00, 0x00, 0x00, 0x09,
    0x00, 0x0a, 0x4e, 0x49, 0x82, 0xcb, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x0a, 0x00, 0x01, 0xd4,
    0xc0, 0x00, 0x00, 0x00, 0x0b, 0x00, 0x07, 0x01, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x0a, 0x00,
    0x00, 0x00, 0xe4, 0x00, 0x00, 0x00, 0x0f, 0x00, 0x14, 0x49, 0x4e, 0x56, 0x49, 0x54, 0x45,
    0x20, 0x73, 0x69, 0x70, 0x3a, 0x62, 0x6f, 0x62,
};

static void test_the_example_of_the_specification(void **state)
{
    char text[200];
    struct buf b = BUF_INIT(text);
    const struct hep h = { .from = addr("212.202.0.1:12010"),
                           .to = addr("82.116.0.211:5060"),
                           .time_us = UINT64_C(0x4e4982cb) * 1000000 + 120000,
                           .type = HEP_SIP,
                           .agent = 228,
                           .payload = SPAN("INVITE sip:bob") };
    (void)state;
    hep_write(&b, &h);
    assert_true(buf_ok(&b));
    assert_int_equal(b.n, sizeof(example));
    assert_memory_equal(b.p, example, sizeof(example));
}

static void test_ipv6_and_texts(void **state)
{
    static const char family[] = "\0\0\0\1\0\7\12", tcp[] = "\0\0\0\2\0\7\6",
                      to[] = "\0\0\0\6\0\26\x20\1\15\xb8\0\0\0\0\0\0\0\0\0\0\0\2",
                      password[] = "\0\0\0\16\0\10pw", correlation[] = "\0\0\0\21\0\13c@one";
    char text[300];
    struct buf b = BUF_INIT(text);
    const struct hep h = { .from = addr("[2001:db8::1]:1"),
                           .to = addr("[2001:db8::2]:2"),
                           .stream = true,
                           .type = HEP_SIP,
                           .password = SPAN("pw"),
                           .correlation = SPAN("c@one"),
                           .payload = SPAN("x") };
    (void)state;
    hep_write(&b, &h);
    assert_true(buf_ok(&b));
    assert_memory_equal(b.p + 6, family, 7);
    assert_memory_equal(b.p + 13, tcp, 7);
    assert_non_null(memmem(b.p, b.n, to, 22));
    assert_non_null(memmem(b.p, b.n, password, 8));
    assert_non_null(memmem(b.p, b.n, correlation, 11));
    assert_int_equal((unsigned char)b.p[4] << 8 | (unsigned char)b.p[5], b.n);
}

static void test_what_is_too_long_is_an_error(void **state)
{
    static char text[70000], payload[65500];
    struct buf b = BUF_INIT(text);
    struct hep h = { .from = addr("192.0.2.1:1"),
                     .to = addr("192.0.2.2:2"),
                     .payload = span_of(payload, sizeof(payload)) };
    (void)state;
    hep_write(&b, &h);
    assert_false(buf_ok(&b)); /* its length has 16 bits */
    b = buf_of(text, 50);
    h.payload = SPAN("x");
    hep_write(&b, &h);
    assert_false(buf_ok(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_of_the_specification),
        cmocka_unit_test(test_ipv6_and_texts),
        cmocka_unit_test(test_what_is_too_long_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
