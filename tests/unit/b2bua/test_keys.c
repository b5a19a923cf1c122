/* SDES keys of one stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "b2bua/session/keys.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct sdp_attrs offer(struct keys *k)
{
    struct sdp_attrs lines = { 0 };
    assert_int_equal(keys_offer(k, &arena, &lines), 0);
    return lines;
}

/* The same line back is an answer, too. */
static int answer(struct keys *k, struct sdp_attr line)
{
    return keys_answered(k, &(struct sdp_media){ .attrs = { &line, 1 } });
}

static void test_an_offer_that_is_repeated_says_the_same(void **state)
{
    (void)state;
    struct keys k = { 0 };
    const struct sdp_attrs first = offer(&k);
    keys_settled(&k); /* nothing was agreed on: they are still what would be offered */
    const struct sdp_attrs again = offer(&k);
    assert_int_equal(first.n, KEYS_OFFERED);
    assert_int_equal(again.n, KEYS_OFFERED);
    for (size_t i = 0; i < first.n; i++)
        assert_true(span_eq(first.a[i].value, again.a[i].value));
    keys_fini(&k);
}

static void test_another_answer_counts_until_it_is_settled(void **state)
{
    (void)state;
    struct keys k = { 0 };
    const struct sdp_attrs lines = offer(&k);
    assert_int_equal(answer(&k, lines.a[1]), 0);
    assert_int_equal(k.out.suite, CRYPT_AEAD_AES_128_GCM);
    assert_int_equal(answer(&k, lines.a[3]), 0);
    assert_int_equal(k.out.suite, CRYPT_AES_CM_128_HMAC_SHA1_80);
    keys_settled(&k);
    assert_null(k.offered);
    assert_int_equal(answer(&k, lines.a[1]), CS_EPROTO);
    assert_int_equal(answer(&k, lines.a[3]), 0); /* what stands */
    keys_fini(&k);
}

static void test_what_was_agreed_on_is_offered_alone(void **state)
{
    (void)state;
    struct keys k = { 0 };
    const struct sdp_attrs lines = offer(&k);
    assert_int_equal(answer(&k, lines.a[2]), 0);
    keys_settled(&k);
    const struct sdp_attrs again = offer(&k);
    assert_int_equal(again.n, 1);
    assert_true(span_eq(again.a[0].value, lines.a[2].value));
    keys_fini(&k);
}

static void test_other_keys_are_made_behind_those_that_were_given_up(void **state)
{
    (void)state;
    struct keys k = { 0 };
    const struct sdp_attrs lines = offer(&k);
    assert_int_equal(answer(&k, lines.a[0]), 0);
    keys_settled(&k);
    keys_clear(&k);
    const struct sdp_attrs again = offer(&k);
    assert_int_equal(again.n, KEYS_OFFERED);
    for (size_t i = 0; i < again.n; i++)
        assert_false(span_eq(again.a[i].value, lines.a[i].value));
    keys_fini(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_offer_that_is_repeated_says_the_same),
        cmocka_unit_test(test_another_answer_counts_until_it_is_settled),
        cmocka_unit_test(test_what_was_agreed_on_is_offered_alone),
        cmocka_unit_test(test_other_keys_are_made_behind_those_that_were_given_up),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
