#include "base/hmac.h"

#include "lib/test.h"

/* RFC 4231, 4.3 (test case 2) */
static void test_it_is_the_hmac_of_the_rfc_whatever_the_parts(void **state)
{
    static const unsigned char right[HMAC_LEN] = {
        0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
        0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
        0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
    };
    const struct span whole = SPAN("what do ya want for nothing?");
    const struct span parts[] = { SPAN("what do ya "), SPAN_NULL, SPAN("want for nothing?") };
    unsigned char out[HMAC_LEN];
    struct hmac *h;
    (void)state;
    assert_int_equal(hmac_new(SPAN("Jefe"), &h), 0);
    assert_int_equal(hmac_of(h, &whole, 1, out), 0);
    assert_memory_equal(out, right, sizeof(right));
    memset(out, 0, sizeof(out));
    assert_int_equal(hmac_of(h, parts, CS_LEN(parts), out), 0);
    assert_memory_equal(out, right, sizeof(right));
    hmac_free(&h);
    hmac_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_the_hmac_of_the_rfc_whatever_the_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
