#include "authd/check/nonce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "authd/check/window.h"

#define K1 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define K2 "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct noncer *of(const char *text)
{
    struct noncer *n;
    assert_int_equal(noncer_new(span_str(text), &n), 0);
    return n;
}

/* R-01, I-18 */
static void test_any_node_with_the_key_verifies(void **state)
{
    (void)state;
    struct noncer *a = of(K1), *b = of("# ours\n1:" K1 "\n");
    char text[NONCE_LEN];
    struct nonce n;
    assert_int_equal(nonce_mint(a, SPAN("r"), (struct wall){ 1700000000123 }, NULL, text), 0);
    assert_int_equal(nonce_verify(b, SPAN("r"), span_of(text, NONCE_LEN), &n), 0);
    assert_int_equal(n.issued.ms, 1700000000123);
    assert_int_equal(n.tag.n, NONCE_TAG_LEN);
    noncer_free(&a);
    noncer_free(&b);
}

static struct nonce minted(struct noncer *a, int64_t at)
{
    static char text[NONCE_LEN];
    struct nonce n;
    assert_int_equal(nonce_mint(a, SPAN("r"), (struct wall){ at }, NULL, text), 0);
    assert_int_equal(nonce_verify(a, SPAN("r"), span_of(text, NONCE_LEN), &n), 0);
    return n;
}

static void test_nonces_of_a_batch_have_places_of_their_own(void **state)
{
    (void)state;
    struct noncer *a = of(K1);
    char batch[NONCE_BATCH_LEN];
    for (int64_t at = 1000, i = 0; i < 3 * NONCE_SLOTS; i++, at += 10) {
        struct nonce n = minted(a, at);
        assert_int_equal(n.slot, i % NONCE_SLOTS);
        assert_int_equal(memcmp(n.tag.p, batch, NONCE_BATCH_LEN) == 0, i % NONCE_SLOTS != 0);
        memcpy(batch, n.tag.p, NONCE_BATCH_LEN);
    }
    assert_int_equal(minted(a, 50000).slot, 0); /* the last batch began too long ago */
    assert_int_equal(minted(a, 60000).slot, 1);
    assert_int_equal(minted(a, 60001).slot, 0);
    assert_int_equal(minted(a, 50000).slot, 0); /* a clock that was set back */
    noncer_free(&a);
}

static void test_every_changed_bit_realm_and_length_is_refused(void **state)
{
    (void)state;
    struct noncer *a = of(K1);
    char text[NONCE_LEN + 1];
    struct nonce n;
    assert_int_equal(nonce_mint(a, SPAN("r"), (struct wall){ 1700000000123 }, NULL, text), 0);
    for (size_t i = 0; i < NONCE_LEN; i++) {
        for (int bit = 0; bit < 8; bit++) {
            text[i] ^= (char)(1 << bit);
            assert_int_equal(nonce_verify(a, SPAN("r"), span_of(text, NONCE_LEN), &n), CS_EPROTO);
            assert_null(n.tag.p);
            text[i] ^= (char)(1 << bit);
        }
    }
    text[NONCE_LEN] = 'A';
    assert_int_equal(nonce_verify(a, SPAN("s"), span_of(text, NONCE_LEN), &n), CS_EPROTO);
    assert_int_equal(nonce_verify(a, SPAN("r"), span_of(text, NONCE_LEN + 1), &n), CS_EPROTO);
    assert_int_equal(nonce_verify(a, SPAN("r"), span_of(text, NONCE_LEN - 4), &n), CS_EPROTO);
    assert_int_equal(nonce_verify(a, SPAN("r"), SPAN_NULL, &n), CS_EPROTO);
    noncer_free(&a);
}

static void test_rotated_key_still_verifies_and_a_withdrawn_one_does_not(void **state)
{
    (void)state;
    struct noncer *old = of("1:" K1), *both = of("2:" K2 "\n1:" K1 "\n"), *new = of("2:" K2);
    char text[NONCE_LEN];
    struct nonce n;
    assert_int_equal(nonce_mint(old, SPAN("r"), (struct wall){ 5 }, NULL, text), 0);
    assert_int_equal(nonce_verify(both, SPAN("r"), span_of(text, NONCE_LEN), &n), 0);
    assert_int_equal(nonce_verify(new, SPAN("r"), span_of(text, NONCE_LEN), &n), CS_EPROTO);
    assert_int_equal(nonce_mint(both, SPAN("r"), (struct wall){ 5 }, NULL, text), 0);
    assert_int_equal(nonce_verify(new, SPAN("r"), span_of(text, NONCE_LEN), &n), 0);
    assert_int_equal(nonce_verify(old, SPAN("r"), span_of(text, NONCE_LEN), &n), CS_EPROTO);
    noncer_free(&old);
    noncer_free(&both);
    noncer_free(&new);
}

static void test_key_files_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",      "\n# nothing\n",   "1:" K1 "00", "0:" K1,    "256:" K1,
        "x:" K1, "1:" K1 "\n1:" K2, "1:AAAA",     K1 "\n" K2, "1:00010203 4050607",
    };
    struct noncer *n;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(noncer_new(span_str(rows[i]), &n), CS_EPROTO);
        assert_null(n);
    }
    /* 32 bytes in base64url, with a line end of another system */
    assert_int_equal(noncer_new(SPAN("9:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\r\n"), &n), 0);
    noncer_free(&n);
}

/* A-09, C-23 */
static void test_age_is_judged_to_the_millisecond(void **state)
{
    (void)state;
    const struct nonce n = { .issued = { 1000000 } };
    const struct duration ttl = DURATION_S(300);
    assert_false(nonce_is_stale(&n, (struct wall){ 1000000 }, ttl));
    assert_false(nonce_is_stale(&n, (struct wall){ 1300000 }, ttl));
    assert_true(nonce_is_stale(&n, (struct wall){ 1300001 }, ttl));
    assert_false(nonce_is_stale(&n, (struct wall){ 990000 }, ttl)); /* clocks differ a little */
    assert_true(nonce_is_stale(&n, (struct wall){ 989999 }, ttl));
}

static struct addr at(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(span_str(text), 5060, &a), 0);
    return a;
}

static void test_a_nonce_says_to_any_node_for_which_network_it_was_made(void **state)
{
    (void)state;
    static const struct {
        const char *minted, *shown; /* NULL: for no address */
        bool same;
    } rows[] = {
        { "192.0.2.1:5060", "192.0.2.1:6000", true },
        { "192.0.2.1", "192.0.2.2", false },
        { "2001:db8::1", "[2001:db8::ffff:1]:9", true },
        { "2001:db8::1", "2001:db8:0:1::1", false },
        { "2001:db8::1", "32.1.13.184", false }, /* the first bytes of it */
        { "::ffff:192.0.2.1", "192.0.2.1", true },
        { NULL, "192.0.2.1", false },
    };
    struct noncer *a = of(K1), *b = of("2:" K2 "\n1:" K1 "\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct addr from = rows[i].minted ? at(rows[i].minted) : (struct addr){ 0 };
        struct addr shown = at(rows[i].shown), none = { 0 };
        char text[NONCE_LEN];
        struct nonce n;
        assert_int_equal(nonce_mint(a, SPAN("r"), (struct wall){ 1700000000123 }, &from, text), 0);
        assert_int_equal(nonce_verify(b, SPAN("r"), span_of(text, NONCE_LEN), &n), 0);
        assert_int_equal(nonce_is_for(b, &n, &shown), rows[i].same);
        assert_false(nonce_is_for(b, &n, &none));
    }
    noncer_free(&a);
    noncer_free(&b);
}

static struct nonce numbered(char tag[NONCE_TAG_LEN + 1], unsigned i, int64_t issued)
{
    for (size_t k = 0; k < NONCE_TAG_LEN; k++, i /= 10)
        tag[k] = (char)('0' + i % 10);
    return (struct nonce){ .issued = { issued }, .tag = span_of(tag, NONCE_TAG_LEN) };
}

static void test_local_window_takes_each_count_once(void **state)
{
    (void)state;
    struct window *w;
    char tag[NONCE_TAG_LEN + 1];
    assert_int_equal(window_new(4, (struct wall){ 100 }, &w), 0);
    struct nonce n = numbered(tag, 1, 100);
    static const struct {
        unsigned nc;
        int err;
    } rows[] = { { 1, 0 },
                 { 1, CS_ECONFLICT },
                 { 3, 0 },
                 { 2, 0 },
                 { 2, CS_ECONFLICT },
                 { 100, 0 },
                 { 36, CS_ECONFLICT },
                 { 37, 0 },
                 { 37, CS_ECONFLICT },
                 { 0, CS_ECONFLICT } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(window_commit(w, &n, rows[i].nc), rows[i].err);
    n = numbered(tag, 2, 99); /* of before our start: somebody may have used it */
    assert_int_equal(window_commit(w, &n, 1), CS_ECONFLICT);
    window_free(&w);
}

static void test_forgetting_a_nonce_never_lets_it_be_replayed(void **state)
{
    (void)state;
    struct window *w;
    char tag[NONCE_TAG_LEN + 1];
    assert_int_equal(window_new(4, (struct wall){ 0 }, &w), 0);
    for (unsigned i = 0; i < 1000; i++) {
        struct nonce n = numbered(tag, i, 1000 + i);
        assert_int_equal(window_commit(w, &n, 1), 0);
    }
    for (unsigned i = 0; i < 1000; i++) {
        struct nonce n = numbered(tag, i, 1000 + i);
        assert_int_equal(window_commit(w, &n, 1), CS_ECONFLICT);
    }
    window_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_node_with_the_key_verifies),
        cmocka_unit_test(test_nonces_of_a_batch_have_places_of_their_own),
        cmocka_unit_test(test_every_changed_bit_realm_and_length_is_refused),
        cmocka_unit_test(test_rotated_key_still_verifies_and_a_withdrawn_one_does_not),
        cmocka_unit_test(test_key_files_that_are_none_are_refused),
        cmocka_unit_test(test_a_nonce_says_to_any_node_for_which_network_it_was_made),
        cmocka_unit_test(test_age_is_judged_to_the_millisecond),
        cmocka_unit_test(test_local_window_takes_each_count_once),
        cmocka_unit_test(test_forgetting_a_nonce_never_lets_it_be_replayed),
    };
    return cmocka_run_group_tests_name("nonce", tests, NULL, NULL);
}
