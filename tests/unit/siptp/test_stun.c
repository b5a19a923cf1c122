#include "siptp/stun.h"

#include "lib/test.h"

static struct span answer(struct span in, const char *from)
{
    static char text[STUN_ANSWER_MAX];
    struct buf b = BUF_INIT(text);
    struct addr a;
    assert_int_equal(addr_parse(span_str(from), 0, &a), 0);
    stun_answer(&b, in, &a);
    assert_true(buf_ok(&b));
    return buf_span(&b);
}

#define COOKIE "\x21\x12\xa4\x42"

/* The transaction id, the addresses and what they look like, as RFC 5769 shows them. */
#define ID "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"

static void test_addresses_are_xored_as_in_rfc_5769(void **state)
{
    (void)state;
    assert_true(span_eq(answer(SPAN("\0\1\0\0" COOKIE ID), "192.0.2.1:32853"),
                        SPAN("\1\1\0\x0c" COOKIE ID "\0\x20\0\x08\0\1\xa1\x47\xe1\x12\xa6\x43")));
    assert_true(
        span_eq(answer(SPAN("\0\1\0\0" COOKIE ID), "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
                SPAN("\1\1\0\x18" COOKIE ID "\0\x20\0\x14\0\2\xa1\x47"
                     "\x01\x13\xa9\xfa\xa5\xd3\xf1\x79"
                     "\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9")));
}

/* The sample request of RFC 5769, 2.1: made for ICE, whose attributes are none of ours. */
static const char ice[] = "\0\1\0\x58" COOKIE ID "\x80\x22\0\x10STUN test client"
                          "\0\x24\0\4\x6e\0\1\xff"
                          "\x80\x29\0\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
                          "\0\6\0\x09"
                          "evtj:h6vY   "
                          "\0\x08\0\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e"
                          "\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2"
                          "\x80\x28\0\4\xe5\x7a\x3b\xcf";

static void test_what_must_be_understood_and_is_not_is_named(void **state)
{
    (void)state;
    struct span got = answer(SPAN(ice), "192.0.2.1:32853");
    assert_int_equal(got.n, 20 + 8 + 8 + 8); /* its FINGERPRINT was right, so there is one back */
    assert_memory_equal(got.p, "\1\x11\0\x18", 4);
    assert_memory_equal(got.p + 20, "\0\x09\0\4\0\0\4\x14\0\x0a\0\2\0\x24\0\0\x80\x28\0\4", 20);
}

static void test_a_changed_byte_is_seen_by_the_fingerprint(void **state)
{
    char text[sizeof(ice) - 1];
    (void)state;
    for (size_t i = 0; i < sizeof(text); i++) {
        memcpy(text, ice, sizeof(text));
        text[i] ^= 1;
        struct span got = answer(span_of(text, sizeof(text)), "192.0.2.1:1");
        assert_true(!got.n || (i >= 100 && i < 104)); /* there it is no FINGERPRINT any more */
    }
}

static void test_no_answer_to_what_is_no_binding_request(void **state)
{
    static const struct span inputs[] = {
        SPAN_INIT("\0\1\0\4" COOKIE ID),                /* shorter than it says */
        SPAN_INIT("\0\1\0\0" COOKIE ID "\0\3\0\0"),     /* longer */
        SPAN_INIT("\0\1\0\3" COOKIE ID "\0\0\0"),       /* no multiple of four */
        SPAN_INIT("\0\1\0\4" COOKIE ID "\x80\x22\0\1"), /* an attribute beyond the end */
        SPAN_INIT("\0\x11\0\0" COOKIE ID),              /* an indication */
        SPAN_INIT("\1\1\0\0" COOKIE ID),                /* a response */
        SPAN_INIT("\0\3\0\0" COOKIE ID),                /* another method: TURN's */
        SPAN_INIT("\0\1\0\0" COOKIE "0123456789a"),
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(inputs); i++)
        assert_int_equal(answer(inputs[i], "192.0.2.1:1").n, 0);
    assert_false(stun_is(SPAN("OPTIONS sip:a@example.com")));
    assert_false(stun_is(SPAN("\0\1\0\0\x21\x12\xa4\x43" ID))); /* RFC 3489 knew no cookie */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_xored_as_in_rfc_5769),
        cmocka_unit_test(test_what_must_be_understood_and_is_not_is_named),
        cmocka_unit_test(test_a_changed_byte_is_seen_by_the_fingerprint),
        cmocka_unit_test(test_no_answer_to_what_is_no_binding_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
