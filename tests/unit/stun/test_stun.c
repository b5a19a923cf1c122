#include "stun/stun.h"

#include "lib/guard.h"
#include "lib/test.h"

#define COOKIE "\x21\x12\xa4\x42"
#define ID     "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"

/* RFC 5769, 2.1 and 2.2, and the password of both. */
static const char request[] = "\0\1\0\x58" COOKIE ID "\x80\x22\0\x10STUN test client"
                              "\0\x24\0\4\x6e\0\1\xff"
                              "\x80\x29\0\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
                              "\0\6\0\x09"
                              "evtj:h6vY   "
                              "\0\x08\0\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e"
                              "\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2"
                              "\x80\x28\0\4\xe5\x7a\x3b\xcf";
static const char response[] = "\1\1\0\x3c" COOKIE ID "\x80\x22\0\x0btest vector "
                               "\0\x20\0\x08\0\1\xa1\x47\xe1\x12\xa6\x43"
                               "\0\x08\0\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9"
                               "\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7"
                               "\x80\x28\0\4\xc0\x7d\x4c\x96";
#define PASSWORD SPAN("VOkJxbRl1RmTxUk/WvJxBt")

static bool proves(struct span in, struct span password)
{
    struct stun s;
    struct stun_attr a;
    if (stun_parse(in, &s))
        return false;
    for (size_t at = 0; stun_next(&s, &at, &a);) {
        if (a.name == STUN_MESSAGE_INTEGRITY)
            return stun_is_proved(&s, &a, password);
    }
    return false;
}

static void test_the_samples_of_rfc_5769_are_proved(void **state)
{
    (void)state;
    assert_true(proves(guard_span(SPAN(request)), PASSWORD));
    assert_true(proves(guard_span(SPAN(response)), PASSWORD));
    assert_false(proves(SPAN(request), SPAN("VOkJxbRl1RmTxUk/WvJxBT")));
    assert_false(proves(SPAN(request), SPAN("")));
    guard_release();
}

static void test_a_changed_byte_proves_nothing(void **state)
{
    char text[sizeof(request) - 1];
    (void)state;
    for (size_t i = 0; i < sizeof(text) - 8; i++) {
        memcpy(text, request, sizeof(text));
        text[3] -= 8; /* without FINGERPRINT, which would tell by itself */
        text[i] ^= 1;
        assert_false(proves(span_of(text, sizeof(text) - 8), PASSWORD));
    }
}

static void test_attributes_are_given_in_order_without_padding(void **state)
{
    static const unsigned names[] = { 0x8022,        STUN_PRIORITY,          STUN_ICE_CONTROLLED,
                                      STUN_USERNAME, STUN_MESSAGE_INTEGRITY, STUN_FINGERPRINT };
    struct stun s;
    struct stun_attr a;
    size_t n = 0;
    (void)state;
    assert_int_equal(stun_parse(SPAN(request), &s), 0);
    assert_int_equal(s.type, STUN_BINDING_REQUEST);
    assert_true(s.fingerprint);
    for (size_t at = 0; stun_next(&s, &at, &a); n++) {
        assert_true(n < CS_LEN(names));
        assert_int_equal(a.name, names[n]);
        if (a.name == STUN_USERNAME)
            assert_span(a.value, "evtj:h6vY");
    }
    assert_int_equal(n, CS_LEN(names));
}

static void test_what_is_written_is_read_and_proved(void **state)
{
    char text[128];
    struct buf b = BUF_INIT(text);
    struct addr a;
    struct stun s;
    (void)state;
    assert_int_equal(addr_parse(SPAN("[2001:db8::1]:40000"), 0, &a), 0);
    stun_begin(&b, STUN_BINDING_RESPONSE, SPAN(COOKIE ID));
    stun_put_address(&b, &a);
    stun_put_integrity(&b, PASSWORD);
    stun_put_fingerprint(&b);
    assert_true(buf_ok(&b));
    assert_int_equal(stun_parse(guard_span(buf_span(&b)), &s), 0);
    assert_int_equal(s.type, STUN_BINDING_RESPONSE);
    assert_true(s.fingerprint && proves(buf_span(&b), PASSWORD));
    guard_release();
}

static void test_overflow_sticks(void **state)
{
    char text[200];
    (void)state;
    for (size_t n = 0; n < 72; n++) { /* 20, 8, 12, 24 and 8 are needed */
        struct buf b = buf_of(text, n);
        stun_begin(&b, STUN_BINDING_ERROR, SPAN(COOKIE ID));
        stun_put_unknown(&b, (const uint16_t[]){ 0x24, 0x25, 3 }, 3);
        stun_put_integrity(&b, PASSWORD);
        stun_put_fingerprint(&b);
        assert_false(buf_ok(&b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_samples_of_rfc_5769_are_proved),
        cmocka_unit_test(test_a_changed_byte_proves_nothing),
        cmocka_unit_test(test_attributes_are_given_in_order_without_padding),
        cmocka_unit_test(test_what_is_written_is_read_and_proved),
        cmocka_unit_test(test_overflow_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
