#include <stdlib.h>

#include "b2bua/media/g711.h"
#include "base/util.h"
#include "lib/test.h"

static const enum g711_law laws[] = { G711_PCMU, G711_PCMA };

/* G.711, tables 5 and 6: a period of 1000 Hz at 0 dBm0. */
static void test_the_digital_milliwatt(void **state)
{
    static const uint8_t ulaw[] = { 0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e };
    static const uint8_t alaw[] = { 0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4 };
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        const int u = g711_decode(G711_PCMU, ulaw[i]), a = g711_decode(G711_PCMA, alaw[i]);
        assert_true(abs(abs(u) - (i % 4 == 1 || i % 4 == 2 ? 20860 : 8828)) < 600);
        assert_true(abs(u - a) < 600);
    }
    assert_int_equal(g711_decode(G711_PCMU, 0xff), 0);
    assert_int_equal(g711_decode(G711_PCMU, 0x80), 32124);
    assert_int_equal(g711_decode(G711_PCMU, 0x00), -32124);
    assert_int_equal(g711_decode(G711_PCMA, 0xd5), 8);
    assert_int_equal(g711_decode(G711_PCMA, 0xaa), 32256);
    assert_int_equal(g711_decode(G711_PCMA, 0x2a), -32256);
}

static void test_each_byte_comes_back(void **state)
{
    (void)state;
    for (size_t l = 0; l < CS_LEN(laws); l++) {
        for (unsigned b = 0; b < 256; b++) {
            const bool zero = laws[l] == G711_PCMU && b == 0x7f; /* there are two of it */
            const uint8_t got = g711_encode(laws[l], g711_decode(laws[l], (uint8_t)b));
            assert_int_equal(got, zero ? 0xff : b);
        }
    }
}

/* Louder is never softer, and a level is off by half a step at most: of that at its loudness. */
static void test_each_sample_is_near_its_level(void **state)
{
    (void)state;
    for (size_t l = 0; l < CS_LEN(laws); l++) {
        int before = INT16_MIN - 1;
        for (int s = INT16_MIN; s <= INT16_MAX; s++) {
            const int16_t got = g711_decode(laws[l], g711_encode(laws[l], (int16_t)s));
            assert_true(got >= before);
            before = got;
            assert_true(abs(got - s) <= CS_MAX(abs(s) / 32 + 8, abs(s) - 32124));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_digital_milliwatt),
        cmocka_unit_test(test_each_byte_comes_back),
        cmocka_unit_test(test_each_sample_is_near_its_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
