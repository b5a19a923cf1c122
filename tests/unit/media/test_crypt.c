/* SRTP of one direction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "b2bua/media/crypt.h"
#include "b2bua/media/rtp.h"

enum { ROOM = 256, PAYLOAD = 160 };

static int setup(void **state)
{
    (void)state;
    return crypt_setup();
}

static struct crypt_key key_of(enum crypt_suite suite, unsigned char seed)
{
    struct crypt_key k = { .suite = suite };
    for (size_t i = 0; i < crypt_key_len(suite); i++)
        k.bytes[i] = (unsigned char)(seed + 7 * i);
    return k;
}

static size_t packet(char p[ROOM], unsigned seq)
{
    memcpy(p, "\x80\0\0\0\0\0\0\0\0\0\0\7", RTP_HEADER);
    p[2] = (char)(seq >> 8);
    p[3] = (char)seq;
    memset(p + RTP_HEADER, (int)(seq & 0x7f), PAYLOAD);
    return RTP_HEADER + PAYLOAD;
}

struct pair {
    struct crypt *out, *in;
};

static struct pair pair_of(enum crypt_suite suite)
{
    const struct crypt_key k = key_of(suite, 1);
    struct pair p;
    assert_int_equal(crypt_new(&k, true, &p.out), 0);
    assert_int_equal(crypt_new(&k, false, &p.in), 0);
    return p;
}

static void release(struct pair *p)
{
    crypt_free(&p->out);
    crypt_free(&p->in);
}

_Alignas(4) static char sealed[ROOM], plain[ROOM];

/* G-12: 128 and 256 bits, by counter mode and GCM. */
static void test_what_was_sealed_opens_by_each_suite(void **state)
{
    (void)state;
    for (enum crypt_suite suite = CRYPT_NONE + 1; suite < CRYPT_SUITE_COUNT; suite++) {
        struct pair p = pair_of(suite);
        /* Beyond 65536 packets, so that the index goes on (RFC 3711, 3.3.1). */
        for (unsigned i = 0; i < 70000; i += i < 100 || i > 65500 ? 1 : 100) {
            size_t n = packet(sealed, i);
            packet(plain, i);
            assert_int_equal(crypt_protect(p.out, sealed, &n), 0);
            assert_true(n > RTP_HEADER + PAYLOAD && n <= RTP_HEADER + PAYLOAD + CRYPT_GROWTH);
            assert_memory_not_equal(sealed + RTP_HEADER, plain + RTP_HEADER, PAYLOAD);
            assert_int_equal(crypt_unprotect(p.in, sealed, &n), 0);
            assert_int_equal(n, RTP_HEADER + PAYLOAD);
            assert_memory_equal(sealed, plain, n);
        }
        release(&p);
    }
}

static void test_what_was_changed_seen_or_of_another_key_is_denied(void **state)
{
    (void)state;
    for (enum crypt_suite suite = CRYPT_NONE + 1; suite < CRYPT_SUITE_COUNT; suite++) {
        struct pair p = pair_of(suite);
        const struct crypt_key other = key_of(suite, 99);
        struct crypt *stranger;
        char copy[ROOM];
        size_t n = packet(sealed, 1);
        assert_int_equal(crypt_new(&other, false, &stranger), 0);
        assert_int_equal(crypt_protect(p.out, sealed, &n), 0);
        for (size_t bit = 0; bit < 8 * n; bit += 37) {
            size_t length = n;
            memcpy(plain, sealed, n);
            plain[bit / 8] = (char)(plain[bit / 8] ^ 1 << bit % 8);
            assert_int_not_equal(crypt_unprotect(p.in, plain, &length), 0);
        }
        size_t length = n;
        memcpy(plain, sealed, n);
        assert_int_equal(crypt_unprotect(stranger, plain, &length), CS_EDENIED);
        length = n;
        memcpy(copy, sealed, n);
        assert_int_equal(crypt_unprotect(p.in, sealed, &length), 0);
        length = n;
        memcpy(plain, copy, n);
        assert_int_equal(crypt_unprotect(p.in, plain, &length), CS_EDENIED); /* a replay */
        for (length = 0; length < n; length++) {
            size_t cut = length;
            memcpy(plain, copy, n);
            assert_int_not_equal(crypt_unprotect(p.in, plain, &cut), 0);
        }
        crypt_free(&stranger);
        release(&p);
    }
}

static void test_rtcp_is_sealed_too(void **state)
{
    static const char report[] = "\x80\xc9\0\1\0\0\0\7";
    (void)state;
    for (enum crypt_suite suite = CRYPT_NONE + 1; suite < CRYPT_SUITE_COUNT; suite++) {
        struct pair p = pair_of(suite);
        size_t n = sizeof(report) - 1;
        memcpy(sealed, report, n);
        assert_int_equal(crypt_protect_rtcp(p.out, sealed, &n), 0);
        assert_true(n <= sizeof(report) - 1 + CRYPT_GROWTH);
        memcpy(plain, sealed, n);
        size_t length = n;
        assert_int_equal(crypt_unprotect_rtcp(p.in, sealed, &length), 0);
        assert_int_equal(length, sizeof(report) - 1);
        assert_memory_equal(sealed, report, length);
        assert_int_equal(crypt_unprotect_rtcp(p.in, plain, &n), CS_EDENIED);
        release(&p);
    }
}

static void test_keys_are_compared_as_far_as_they_go(void **state)
{
    struct crypt_key a = key_of(CRYPT_AEAD_AES_128_GCM, 1), b = a;
    (void)state;
    b.bytes[CRYPT_KEY_MAX - 1] ^= 1;
    assert_true(crypt_key_eq(&a, &b));
    b.bytes[27] ^= 1;
    assert_false(crypt_key_eq(&a, &b));
    b = a;
    b.suite = CRYPT_AEAD_AES_256_GCM;
    assert_false(crypt_key_eq(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sealed_opens_by_each_suite),
        cmocka_unit_test(test_what_was_changed_seen_or_of_another_key_is_denied),
        cmocka_unit_test(test_rtcp_is_sealed_too),
        cmocka_unit_test(test_keys_are_compared_as_far_as_they_go),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
