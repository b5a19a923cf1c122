#include "b2bua/media/dtls.h"

#include <poll.h>
#include <stdlib.h>

#include "base/span.h"
#include "base/util.h"
#include "lib/test.h"

enum { QUEUE = 64, DATAGRAM = 1500 };

struct end { /* of an association, and what is on its way to it */
    struct dtls_identity *identity;
    struct dtls_conf conf;
    struct dtls *dtls;
    struct end *other;
    char queue[QUEUE][DATAGRAM];
    size_t lengths[QUEUE], n, sent;
    size_t lose; /* so many of what it sends next */
    enum dtls_state state;
};

static void on_send(void *arg, const char *datagram, size_t n)
{
    struct end *e = arg, *to = e->other;
    assert_true(n <= 1200 && to->n < QUEUE);
    e->sent++;
    if (e->lose) {
        e->lose--;
        return;
    }
    memcpy(to->queue[to->n], datagram, n);
    to->lengths[to->n++] = n;
}

static void deliver(struct end *e)
{
    for (size_t i = 0; i < e->n; i++)
        e->state = dtls_receive(e->dtls, e->queue[i], e->lengths[i]);
    e->n = 0;
}

/* Until nothing moves any more, or it has taken too long. */
static void converse(struct end *e)
{
    for (unsigned round = 0; round < 40; round++) {
        struct duration in = DURATION_MS(0);
        while (e[0].n || e[1].n) {
            deliver(&e[0]);
            deliver(&e[1]);
        }
        bool waits = false;
        for (unsigned i = 0; i < 2; i++) {
            if (dtls_waits(e[i].dtls, &in)) {
                waits = true;
                (void)poll(NULL, 0, (int)in.ms);
                e[i].state = dtls_timeout(e[i].dtls);
            }
        }
        if (!waits)
            return;
    }
    fail_msg("no end");
}

static void open_ends(struct end *e)
{
    for (unsigned i = 0; i < 2; i++) {
        e[i] = (struct end){ .conf = { .active = i == 0, .n = DTLS_SHA256 }, .other = &e[!i] };
        assert_int_equal(dtls_identity_new(&e[i].identity), 0);
    }
    for (unsigned i = 0; i < 2; i++)
        memcpy(e[i].conf.fingerprint, dtls_identity_fingerprint(e[!i].identity), DTLS_SHA256);
}

static void begin(struct end *e)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(dtls_new(e[i].identity, &e[i].conf, &e[i].dtls), 0);
        dtls_set_sender(e[i].dtls, on_send, &e[i]);
        e[i].state = dtls_start(e[i].dtls);
    }
}

static void close_ends(struct end *e)
{
    for (unsigned i = 0; i < 2; i++) {
        dtls_free(&e[i].dtls);
        dtls_identity_free(&e[i].identity);
    }
}

static void assert_keyed(struct end *e)
{
    struct crypt_key in[2] = { 0 }, out[2] = { 0 };
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(e[i].state, DTLS_DONE);
        assert_int_equal(dtls_keys(e[i].dtls, &in[i], &out[i]), 0);
        assert_int_equal(in[i].suite, CRYPT_AEAD_AES_256_GCM); /* the strongest that both have */
    }
    assert_true(crypt_key_eq(&in[0], &out[1]) && crypt_key_eq(&in[1], &out[0]));
    assert_false(crypt_key_eq(&in[0], &out[0]));
}

static void test_both_ends_get_the_same_keys(void **state)
{
    struct end *e = calloc(2, sizeof(*e));
    (void)state;
    open_ends(e);
    begin(e);
    converse(e);
    assert_keyed(e);
    close_ends(e);
    free(e);
}

/* Whoever is not who the SDP named has no keys, whichever end he is. */
static void test_another_fingerprint_ends_it(void **state)
{
    (void)state;
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        struct end *e = calloc(2, sizeof(*e));
        struct crypt_key in, out;
        open_ends(e);
        e[wrong].conf.fingerprint[DTLS_SHA256 - 1] ^= 1;
        begin(e);
        converse(e);
        assert_int_equal(e[wrong].state, DTLS_FAILED);
        assert_int_equal(dtls_keys(e[wrong].dtls, &in, &out), CS_EPROTO);
        assert_int_equal(e[!wrong].state, DTLS_FAILED); /* it was told so */
        close_ends(e);
        free(e);
    }
}

static void test_what_is_lost_comes_again(void **state)
{
    (void)state;
    for (size_t lose = 1; lose <= 3; lose++) {
        struct end *e = calloc(2, sizeof(*e));
        open_ends(e);
        e[0].lose = e[1].lose = lose;
        begin(e);
        converse(e);
        assert_keyed(e);
        assert_true(e[0].sent > lose && e[1].sent > lose);
        close_ends(e);
        free(e);
    }
}

/* The end of the handshake was lost, so that the other end says its last words again. */
static void test_the_last_words_are_repeated(void **state)
{
    struct end *e = calloc(2, sizeof(*e));
    (void)state;
    open_ends(e);
    begin(e);
    while (e[1].state != DTLS_DONE) { /* who accepts is done first, with his last flight */
        deliver(&e[1]);
        if (e[1].state == DTLS_DONE)
            e[0].n = 0;
        deliver(&e[0]);
    }
    assert_int_equal(e[0].state, DTLS_WAITING);
    converse(e);
    assert_keyed(e);
    close_ends(e);
    free(e);
}

static void test_junk_ends_nothing(void **state)
{
    static const char junk[] = "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\5hello";
    struct end *e = calloc(2, sizeof(*e));
    (void)state;
    open_ends(e);
    begin(e);
    for (size_t n = 1; n < sizeof(junk) - 1; n++) /* shorter than it says */
        assert_int_equal(dtls_receive(e[1].dtls, junk, n), DTLS_WAITING);
    converse(e);
    assert_keyed(e);
    for (size_t n = 1; n < sizeof(junk); n++)
        assert_int_equal(dtls_receive(e[1].dtls, junk, n), DTLS_DONE);
    close_ends(e);
    free(e);
}

static void test_associations_are_told_apart(void **state)
{
    const struct dtls_conf a = { .n = DTLS_SHA256, .association = 1 };
    struct dtls_conf b = a;
    (void)state;
    assert_true(dtls_conf_eq(&a, &b));
    b.association = 2;
    assert_false(dtls_conf_eq(&a, &b));
    b = a;
    b.active = true;
    assert_false(dtls_conf_eq(&a, &b));
    b = a;
    b.fingerprint[DTLS_SHA256 - 1] = 1;
    assert_false(dtls_conf_eq(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_get_the_same_keys),
        cmocka_unit_test(test_another_fingerprint_ends_it),
        cmocka_unit_test(test_what_is_lost_comes_again),
        cmocka_unit_test(test_the_last_words_are_repeated),
        cmocka_unit_test(test_junk_ends_nothing),
        cmocka_unit_test(test_associations_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
