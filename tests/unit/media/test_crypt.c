/* SRTP of one direction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
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

static size_t packet_of(char p[ROOM], uint32_t ssrc, unsigned seq)
{
    rtp_write(p, &(struct rtp){ .seq = (uint16_t)seq, .ssrc = ssrc });
    memset(p + RTP_HEADER, (int)(seq & 0x7f), PAYLOAD);
    return RTP_HEADER + PAYLOAD;
}

static size_t packet(char p[ROOM], unsigned seq)
{
    return packet_of(p, 7, seq);
}

struct pair {
    struct crypt *out, *in;
};

static struct pair pair_by(enum crypt_suite suite, unsigned char seed)
{
    const struct crypt_key k = key_of(suite, seed);
    struct pair p;
    assert_int_equal(crypt_new(&k, &p.out), 0);
    assert_int_equal(crypt_new(&k, &p.in), 0);
    return p;
}

static struct pair pair_of(enum crypt_suite suite)
{
    return pair_by(suite, 1);
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
        assert_int_equal(crypt_new(&other, &stranger), 0);
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

/* What a thread has of a cipher is one for all streams: each has its own key all the same, in
 * whatever order they come, in whatever thread, and while others end. */
enum { STREAMS = 3, TURNS = 20 };

static void *take_turns(void *arg)
{
    struct pair *p = arg;
    _Alignas(4) char here[STREAMS][ROOM];
    for (unsigned turn = 1; turn <= TURNS; turn++) {
        size_t n[STREAMS];
        for (unsigned i = 0; i < STREAMS; i++) {
            n[i] = packet(here[i], turn);
            assert_int_equal(crypt_protect(p[i].out, here[i], &n[i]), 0);
        }
        assert_memory_not_equal(here[0] + RTP_HEADER, here[1] + RTP_HEADER, PAYLOAD);
        for (unsigned i = STREAMS; i-- > 0;) {
            assert_int_equal(crypt_unprotect(p[i].in, here[i], &n[i]), 0);
            assert_int_equal(n[i], RTP_HEADER + PAYLOAD);
            assert_int_equal(here[i][RTP_HEADER], turn);
        }
        release(&p[turn % STREAMS]);
        p[turn % STREAMS] = pair_by(1 + turn % (CRYPT_SUITE_COUNT - 1), (unsigned char)turn);
    }
    return NULL;
}

static void test_streams_take_turns_in_any_thread(void **state)
{
    (void)state;
    for (enum crypt_suite suite = CRYPT_NONE + 1; suite < CRYPT_SUITE_COUNT; suite++) {
        struct pair mine[STREAMS], others[STREAMS];
        pthread_t other;
        for (unsigned i = 0; i < STREAMS; i++) {
            mine[i] = pair_by(suite, (unsigned char)(100 + i));
            others[i] = pair_by(suite, (unsigned char)(100 + i));
        }
        assert_int_equal(pthread_create(&other, NULL, take_turns, others), 0);
        take_turns(mine);
        pthread_join(other, NULL);
        for (unsigned i = 0; i < STREAMS; i++) {
            release(&mine[i]);
            release(&others[i]);
        }
    }
}

/* What is later than the window reaches cannot be told from what was seen before. */
static void test_what_comes_too_late_is_denied(void **state)
{
    enum { LATEST = 1000, WINDOW = 128 };
    _Alignas(4) static char late[2][ROOM];
    size_t n[2];
    (void)state;
    struct pair p = pair_of(CRYPT_AES_CM_128_HMAC_SHA1_80);
    for (unsigned i = 0; i <= LATEST; i++) {
        size_t m = packet(sealed, i);
        assert_int_equal(crypt_protect(p.out, sealed, &m), 0);
        if (i == LATEST - WINDOW || i == LATEST - WINDOW + 1) {
            memcpy(late[i - (LATEST - WINDOW)], sealed, m);
            n[i - (LATEST - WINDOW)] = m;
        } else if (i == LATEST) {
            assert_int_equal(crypt_unprotect(p.in, sealed, &m), 0);
        }
    }
    assert_int_equal(crypt_unprotect(p.in, late[0], &n[0]), CS_EDENIED);
    assert_int_equal(crypt_unprotect(p.in, late[1], &n[1]), 0);
    release(&p);
}

/* Sealed by p->out, opened by p->in. */
static int pass(struct pair *p, uint32_t ssrc, unsigned seq)
{
    size_t n = packet_of(sealed, ssrc, seq);
    int err = crypt_protect(p->out, sealed, &n);
    return err ? err : crypt_unprotect(p->in, sealed, &n);
}

/* A peer that changes its SSRC with each packet would fill memory, and the others' time. */
static void test_a_key_is_for_so_many_sources(void **state)
{
    (void)state;
    struct pair p = pair_of(CRYPT_AEAD_AES_128_GCM), q = pair_of(CRYPT_AEAD_AES_128_GCM);
    for (unsigned seq = 1; seq < 3; seq++) {
        for (uint32_t ssrc = 0; ssrc < CRYPT_SSRC_MAX; ssrc++)
            assert_int_equal(pass(&p, ssrc, seq), 0);
    }
    assert_int_equal(pass(&p, CRYPT_SSRC_MAX, 3), CS_ELIMIT);
    assert_int_equal(pass(&p, 0, 3), 0);
    /* The one that opens has no room for it either. */
    size_t n = packet_of(sealed, CRYPT_SSRC_MAX, 3);
    assert_int_equal(crypt_protect(q.out, sealed, &n), 0);
    assert_int_equal(crypt_unprotect(p.in, sealed, &n), CS_ELIMIT);
    release(&p);
    release(&q);
}

static void test_what_is_forged_takes_no_place(void **state)
{
    (void)state;
    struct pair p = pair_of(CRYPT_AES_CM_128_HMAC_SHA1_80);
    struct pair thief = pair_by(CRYPT_AES_CM_128_HMAC_SHA1_80, 99);
    assert_int_equal(pass(&p, 0, 1), 0);
    for (uint32_t ssrc = 1; ssrc < CRYPT_SSRC_MAX; ssrc++) {
        for (unsigned i = 0; i < 3; i++) {
            size_t n = packet_of(sealed, 1000 * i + ssrc, 1);
            assert_int_equal(crypt_protect(thief.out, sealed, &n), 0);
            assert_int_equal(crypt_unprotect(p.in, sealed, &n), CS_EDENIED);
        }
        release(&thief); /* whose own places run out, too */
        thief = pair_by(CRYPT_AES_CM_128_HMAC_SHA1_80, 99);
        assert_int_equal(pass(&p, 0, 1 + ssrc), 0);
    }
    for (uint32_t ssrc = 1; ssrc < CRYPT_SSRC_MAX; ssrc++)
        assert_int_equal(pass(&p, ssrc, 1), 0);
    release(&thief);
    release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sealed_opens_by_each_suite),
        cmocka_unit_test(test_what_was_changed_seen_or_of_another_key_is_denied),
        cmocka_unit_test(test_rtcp_is_sealed_too),
        cmocka_unit_test(test_streams_take_turns_in_any_thread),
        cmocka_unit_test(test_what_comes_too_late_is_denied),
        cmocka_unit_test(test_a_key_is_for_so_many_sources),
        cmocka_unit_test(test_what_is_forged_takes_no_place),
        cmocka_unit_test(test_keys_are_compared_as_far_as_they_go),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
