/* Challenges for a front to give by itself: where, how many, and what they are worth. */
#include "authd/check/lease.h"

#include "unit/authd/bench.h"

static void test_no_lease_where_any_group_looks_at_addresses(void **state)
{
    struct cidr source = { 0 };
    struct countries_conf countries = { 0 };
    struct span set = SPAN("carrier");
    struct group_conf groups[3] = { { .require = { .all_of = PROOF_DIGEST } },
                                    { .require = { .any_of = PROOF_DIGEST } },
                                    { .require = { .all_of = PROOF_DIGEST } } };
    (void)state;
    assert_true(lease_is_safe(groups, 3));
    groups[2].match.sources = &source;
    groups[2].match.n_sources = 1;
    assert_false(lease_is_safe(groups, 3));
    assert_true(lease_is_safe(groups, 2));
    groups[1].match.sets = &set;
    groups[1].match.n_sets = 1;
    assert_false(lease_is_safe(groups, 2));
    groups[1].match.n_sets = 0;
    groups[1].countries = &countries;
    assert_false(lease_is_safe(groups, 2));
    groups[1].countries = NULL;
    groups[1].require.any_of |= PROOF_ADDRESS;
    assert_false(lease_is_safe(groups, 2));
    groups[1].require.any_of = PROOF_DIGEST;
    groups[0].require.all_of |= PROOF_ADDRESS;
    assert_false(lease_is_safe(groups, 2));
    groups[0].require.all_of = PROOF_DIGEST;
    groups[0].mode = MODE_PASS_THROUGH;
    assert_false(lease_is_safe(groups, 2));
}

static Countersign__Auth__Lease *make(uint32_t want, struct arena *a)
{
    const struct digest_conf *d = &bench.conf.peer_groups[0].digest;
    Countersign__Auth__Lease *l = arena_alloc(a, sizeof(*l));
    const struct offer offer = { .algorithms = d->algorithm_mask };
    assert_int_equal(lease_make(bench.k.nonces, d, &offer, want, clock_wall(), a, l), 0);
    return l;
}

static void test_each_nonce_is_one_of_ours_and_of_this_realm(void **state)
{
    struct arena a;
    struct nonce nonce;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    const Countersign__Auth__Lease *l = make(20, &a);
    assert_int_equal(l->n_nonce_secret, 20);
    for (size_t i = 0; i < l->n_nonce_secret; i++) {
        struct span text = span_str(l->nonce_secret[i]);
        assert_int_equal(nonce_verify(bench.k.nonces, SPAN("example.com"), text, &nonce), 0);
        assert_int_not_equal(nonce_verify(bench.k.nonces, SPAN("other.example"), text, &nonce), 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(l->nonce_secret[i], l->nonce_secret[k]);
    }
    assert_int_equal(l->n_challenge, bench.conf.peer_groups[0].digest.n_algorithms);
    for (size_t i = 0; i < l->n_challenge; i++)
        assert_non_null(strstr(l->challenge[i], "nonce=\"\x01\""));
    assert_in_range(l->valid_ms, 1, 5000);
    arena_fini(&a);
}

static void test_no_front_gets_more_than_its_share(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    assert_int_equal(make(UINT32_MAX, &a)->n_nonce_secret, LEASE_MAX);
    arena_fini(&a);
}

/* ---- from a check ---- */

static size_t n_leased;
static bool has_lease;
static char last_challenge[256];

static void on_answer(struct check *c, const Countersign__Auth__Verdict *v)
{
    has_lease = v->lease != NULL;
    n_leased = has_lease ? v->lease->n_nonce_secret : 0;
    if (has_lease)
        bench_copy(last_challenge, sizeof(last_challenge),
                   v->lease->challenge[v->lease->n_challenge - 1]);
    bench_on_answer(c, v);
}

static const struct got *ask_wanting(const char *listener, uint32_t want)
{
    struct ask a = ask_new("REGISTER", listener);
    a.m.has_lease_want = want > 0;
    a.m.lease_want = want;
    return ask_put(&a);
}

static void test_a_check_leases_only_for_a_plain_challenge_that_wants_it(void **state)
{
    struct authd_conf conf = bench.conf;
    (void)state;
    conf.n_peer_groups = 4; /* the fifth matches addresses */
    bench_asker.answer = on_answer;
    assert_verdict(ask_wanting("strict", 10), CHALLENGE, NO_CREDENTIALS);
    assert_false(has_lease);

    bench.k.conf = &conf;
    assert_verdict(ask_wanting("strict", 10), CHALLENGE, NO_CREDENTIALS);
    assert_int_equal(n_leased, 10);
    assert_verdict(ask_wanting("strict", 0), CHALLENGE, NO_CREDENTIALS);
    assert_false(has_lease);

    struct ask a = ask_new("REGISTER", "local");
    a.m.has_lease_want = true;
    a.m.lease_want = 10;
    ask_prepare(&a, "SHA-256");
    ask_answer(&a, "nobody", "nothing");
    assert_verdict(ask_put(&a), CHALLENGE, UNKNOWN_USER);
    assert_false(has_lease);
    bench.k.conf = &bench.conf;
    bench_asker.answer = bench_on_answer;
}

/* What the front then says of itself is what it would have heard. */
static void test_a_lease_offers_tokens_where_the_group_takes_them(void **state)
{
    const struct issuer_conf issuer = { .scopes = { SPAN("register") } }, *list[] = { &issuer };
    struct authd_conf conf = bench.conf;
    struct group_conf g = bench.conf.peer_groups[0];
    (void)state;
    g.require = (struct group_require){ .any_of = PROOF_DIGEST | PROOF_TOKEN };
    g.token = (struct token_conf){ .issuers = list,
                                   .n_issuers = 1,
                                   .realm = SPAN("example.com"),
                                   .authz_server = SPAN("https://idp.example") };
    conf.peer_groups = &g;
    conf.n_peer_groups = 1;
    bench.k.conf = &conf;
    bench_asker.answer = on_answer;
    struct ask a = ask_new("REGISTER", "strict");
    a.m.has_lease_want = true;
    a.m.lease_want = 10;
    for (int secure = 0; secure < 2; secure++) {
        a.m.transport =
            secure ? COUNTERSIGN__AUTH__TRANSPORT__TLS : COUNTERSIGN__AUTH__TRANSPORT__UDP;
        const struct got *got = ask_put(&a);
        assert_verdict(got, CHALLENGE, NO_CREDENTIALS);
        assert_int_equal(n_leased, 10);
        assert_int_equal(got->n_challenge, 3 + secure);
        assert_int_equal(strncmp(last_challenge, secure ? "Bearer" : "Digest", 6), 0);
    }
    bench.k.conf = &bench.conf;
    bench_asker.answer = bench_on_answer;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_lease_where_any_group_looks_at_addresses),
        cmocka_unit_test(test_each_nonce_is_one_of_ours_and_of_this_realm),
        cmocka_unit_test(test_no_front_gets_more_than_its_share),
        cmocka_unit_test(test_a_check_leases_only_for_a_plain_challenge_that_wants_it),
        cmocka_unit_test(test_a_lease_offers_tokens_where_the_group_takes_them),
    };
    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
