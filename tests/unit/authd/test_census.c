/* Counting clients: bounded, and strangers add nothing but to the patterns. */
#include <stdio.h>

#include "authd/audit/census.h"
#include "unit/authd/bench.h"

static struct {
    struct census_row rows[600];
    size_t n;
} seen;

static void on_row(void *arg, const struct census_row *row)
{
    (void)arg;
    assert_true(seen.n < CS_LEN(seen.rows));
    seen.rows[seen.n++] = *row;
}

static void look(const struct census *c)
{
    seen.n = 0;
    census_each(c, on_row, NULL);
}

static const struct census_row *row_of(enum census_kind kind, const char *name)
{
    for (size_t i = 0; i < seen.n; i++) {
        if (seen.rows[i].kind == kind && strcmp(seen.rows[i].name, name) == 0)
            return &seen.rows[i];
    }
    return NULL;
}

static void accept_md5(struct census *c, const char *user_agent, int64_t ms)
{
    census_accepted(c, SPAN_NULL, span_str(user_agent), ALG_MD5, SPAN("alice"), SPAN("example.com"),
                    (struct wall){ ms });
}

static void test_accepted_digests_are_counted_by_pattern_and_product(void **state)
{
    struct census *c;
    (void)state;
    assert_int_equal(census_new(8, &c), 0);
    census_narrowed(c, SPAN("baresip*"), SPAN("baresip v1.0.0 (x86_64/linux)"), 3,
                    (struct wall){ 1000 });
    census_accepted(c, SPAN("baresip*"), SPAN("baresip v1.0.0 (x86_64/linux)"), ALG_MD5,
                    SPAN("alice"), SPAN("example.com"), (struct wall){ 2000 });
    census_accepted(c, SPAN_NULL, SPAN("Yealink/108.86"), ALG_SHA256, SPAN("bob"),
                    SPAN("example.com"), (struct wall){ 3000 });
    census_accepted(c, SPAN_NULL, SPAN_NULL, ALG_MD5, SPAN("carol"), SPAN("example.com"),
                    (struct wall){ 4000 });
    census_narrowed(c, SPAN("baresip*"), SPAN("baresip v1.0.0 (x86_64/linux)"), 1,
                    (struct wall){ 5000 });
    look(c);
    assert_int_equal(seen.n, 4);
    assert_int_equal(seen.rows[0].kind, CENSUS_PATTERN); /* patterns, then the last one first */
    assert_string_equal(seen.rows[1].name, "baresip");
    assert_string_equal(seen.rows[2].name, "");
    assert_string_equal(seen.rows[3].name, "Yealink");
    const struct census_row *p = row_of(CENSUS_PATTERN, "baresip*");
    assert_non_null(p);
    assert_int_equal(p->narrowed, 4);
    assert_int_equal(p->accepted[ALG_MD5], 1);
    assert_string_equal(p->user, "alice@example.com");
    assert_int_equal(p->seen.ms, 5000);
    assert_int_equal(seen.rows[1].narrowed, 1); /* since it was accepted first */
    assert_int_equal(seen.rows[1].accepted[ALG_MD5], 1);
    assert_int_equal(seen.rows[3].accepted[ALG_SHA256], 1);
    assert_int_equal(seen.rows[3].accepted[ALG_MD5], 0);
    census_free(&c);
    assert_null(c);
}

static void test_a_stranger_adds_no_product(void **state)
{
    struct census *c;
    char user_agent[32];
    (void)state;
    assert_int_equal(census_new(8, &c), 0);
    accept_md5(c, "Real/1", 1);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(user_agent, sizeof(user_agent), "Fake%u", i);
        census_narrowed(c, SPAN("*"), span_str(user_agent), 1, (struct wall){ 2 });
    }
    look(c);
    assert_int_equal(seen.n, 2);
    assert_int_equal(row_of(CENSUS_PATTERN, "*")->narrowed, 1000);
    assert_non_null(row_of(CENSUS_PRODUCT, "Real"));
    census_free(&c);
}

static void test_what_was_seen_longest_ago_makes_room(void **state)
{
    struct census *c;
    char user_agent[32];
    (void)state;
    assert_int_equal(census_new(4, &c), 0);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(user_agent, sizeof(user_agent), "Product%u/1", i);
        accept_md5(c, user_agent, i);
        accept_md5(c, "Busy/1", i);
    }
    look(c);
    assert_int_equal(seen.n, 4);
    assert_int_equal(row_of(CENSUS_PRODUCT, "Busy")->accepted[ALG_MD5], 100);
    assert_int_equal(row_of(CENSUS_PRODUCT, "Product99")->accepted[ALG_MD5], 1);
    assert_non_null(row_of(CENSUS_PRODUCT, "Product98"));
    assert_null(row_of(CENSUS_PRODUCT, "Product96"));
    census_free(&c);
}

static void test_names_of_any_length_are_cut_and_found_again(void **state)
{
    struct census *c;
    char user_agent[5000], user[300];
    (void)state;
    memset(user_agent, 'a', sizeof(user_agent));
    memset(user, 'u', sizeof(user));
    assert_int_equal(census_new(4, &c), 0);
    for (unsigned i = 0; i < 3; i++)
        census_accepted(c, SPAN_NULL, span_of(user_agent, sizeof(user_agent) - i), ALG_MD5,
                        span_of(user, sizeof(user)), SPAN("example.com"), (struct wall){ 1 });
    look(c);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.rows[0].accepted[ALG_MD5], 3);
    assert_int_equal(strlen(seen.rows[0].name), sizeof(seen.rows[0].name) - 1);
    assert_int_equal(strlen(seen.rows[0].user), sizeof(seen.rows[0].user) - 1);
    census_free(&c);
}

static void test_a_checker_counts_what_it_accepts_and_narrows(void **state)
{
    (void)state;
    bench_add("md5er", "md5er", "correct horse battery", ALG_ALL, true);
    struct ask a = ask_new("REGISTER", "phones");
    a.m.from_aor = a.m.to_aor = (char *)"sip:md5er@example.com";
    a.m.user_agent = (char *)"baresip v1.0.0 (x86_64/linux)";
    assert_verdict(ask_put(&a), CHALLENGE, NO_CREDENTIALS);
    ask_prepare(&a, "MD5");
    ask_answer(&a, "md5er", "wrong");
    assert_verdict(ask_put(&a), CHALLENGE, WRONG_RESPONSE);
    look(bench.k.census);
    assert_null(row_of(CENSUS_PRODUCT, "baresip"));
    ask_prepare(&a, "MD5");
    ask_answer(&a, "md5er", "correct horse battery");
    assert_verdict(ask_put(&a), ACCEPT, OK);
    look(bench.k.census);
    const struct census_row *product = row_of(CENSUS_PRODUCT, "baresip");
    assert_non_null(product);
    assert_int_equal(product->accepted[ALG_MD5], 1);
    assert_string_equal(product->user, "md5er@example.com");
    assert_int_equal(seen.rows[0].kind, CENSUS_PATTERN);
    assert_int_equal(seen.rows[0].narrowed, 2);
    assert_int_equal(seen.rows[0].accepted[ALG_MD5], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted_digests_are_counted_by_pattern_and_product),
        cmocka_unit_test(test_a_stranger_adds_no_product),
        cmocka_unit_test(test_what_was_seen_longest_ago_makes_room),
        cmocka_unit_test(test_names_of_any_length_are_cut_and_found_again),
        cmocka_unit_test(test_a_checker_counts_what_it_accepts_and_narrows),
    };
    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
