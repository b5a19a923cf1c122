/* Challenges in hand: for whom they serve, how often, how long. */
#include "gate/lease.h"
#include "unit/gate/world.h"

/* ---- classes ---- */

static uint64_t class_of(const struct flow *f, const char *method, const char *to_params,
                         const char *headers, const char *domain)
{
    struct gate_facts these = facts;
    struct sip_msg *m = request(method, to_params, headers);
    these.domain = span_str(domain);
    uint64_t id = lease_class(f, m, &these);
    sip_msg_unref(&m);
    return id;
}

static void test_requests_are_told_apart_by_what_authd_compares(void **state)
{
    const uint64_t ids[] = {
        class_of(w.lan, "REGISTER", "", "User-Agent: A\r\n", "example.com"),
        class_of(w.wan, "REGISTER", "", "User-Agent: A\r\n", "example.com"),
        class_of(w.tcp, "REGISTER", "", "User-Agent: A\r\n", "example.com"),
        class_of(w.lan, "INVITE", "", "User-Agent: A\r\n", "example.com"),
        class_of(w.lan, "REGISTER", ";tag=2", "User-Agent: A\r\n", "example.com"),
        class_of(w.lan, "REGISTER", "", "User-Agent: B\r\n", "example.com"),
        class_of(w.lan, "REGISTER", "", "User-Agent:\r\n", "example.com"),
        class_of(w.lan, "REGISTER", "", "", "example.com"),
        class_of(w.lan, "REGISTER", "", "User-Agent: A\r\n", "example.org"),
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(ids); i++) {
        assert_int_not_equal(ids[i], 0);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(ids[i], ids[k]);
    }
    assert_int_equal(ids[0], class_of(w.lan, "REGISTER", "",
                                      "Subject: other\r\nUser-Agent: A\r\nContact: <sip:x@y>\r\n",
                                      "example.com"));
}

static void test_who_shows_anything_is_of_no_class(void **state)
{
    static const char *const shown[] = { "Authorization: Digest username=\"a\"\r\n",
                                         "Proxy-Authorization: Bearer x\r\n",
                                         "Authorization: Negotiate x\r\n" };
    (void)state;
    for (size_t i = 0; i < CS_LEN(shown); i++)
        assert_int_equal(class_of(w.lan, "REGISTER", "", shown[i], "example.com"), 0);
}

/* ---- the table ---- */

static struct lease_table *table;
static struct mono now = { 1000000000 };

static int table_open(void **state)
{
    (void)state;
    table = lease_table_new();
    return table ? 0 : -1;
}

static int table_close(void **state)
{
    (void)state;
    lease_table_free(&table);
    return 0;
}

static void pass(int64_t ms)
{
    now = mono_add(now, DURATION_MS(ms));
}

/* Takes one; the nonce in it, or NULL. */
static const char *take(uint64_t class_, uint32_t *want)
{
    static char nonce[LEASE_NONCE_MAX];
    struct lease_text *text = NULL;
    uint32_t ignored;
    if (!lease_take(table, class_, now, nonce, &text, want ? want : &ignored))
        return NULL;
    lease_text_unref(&text);
    return nonce;
}

/* Asks until more are wanted; how many. */
static uint32_t warm(uint64_t class_)
{
    uint32_t want = 0;
    for (unsigned i = 0; i < 50 && !want; i++)
        assert_null(take(class_, &want));
    assert_int_not_equal(want, 0);
    return want;
}

static void fill_with(uint64_t class_, char **challenges, size_t n_challenges, size_t n,
                      uint32_t valid_ms)
{
    static char text[300][32];
    static char *nonces[300];
    AUTH(Lease) lease = COUNTERSIGN__AUTH__LEASE__INIT;
    assert_true(n <= CS_LEN(nonces));
    for (size_t i = 0; i < n; i++) {
        snprintf(text[i], sizeof(text[i]), "nonce-%zu", i);
        nonces[i] = text[i];
    }
    lease.challenge = challenges;
    lease.n_challenge = n_challenges;
    lease.nonce_secret = nonces;
    lease.n_nonce_secret = n;
    lease.has_valid_ms = true;
    lease.valid_ms = valid_ms;
    lease_fill(table, class_, &lease, 401, now);
}

static void fill(uint64_t class_, size_t n)
{
    char challenge[] = "Digest nonce=\"\x01\"", *list[] = { challenge };
    fill_with(class_, list, 1, n, 2000);
}

static void test_a_rare_class_is_not_leased_for(void **state)
{
    uint32_t want = 1;
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        assert_null(take(7, &want));
        assert_int_equal(want, 0);
        pass(200);
    }
}

static void test_one_fetch_at_a_time_and_again_when_no_answer_came(void **state)
{
    uint32_t want;
    (void)state;
    warm(7);
    for (unsigned i = 0; i < 100; i++) {
        assert_null(take(7, &want));
        assert_int_equal(want, 0);
    }
    pass(250);
    assert_null(take(7, &want));
    assert_int_not_equal(want, 0);
}

static void test_each_nonce_serves_once_and_more_are_fetched_in_time(void **state)
{
    uint32_t want = 0;
    unsigned served = 0;
    bool seen[64] = { false };
    (void)state;
    warm(7);
    fill(7, 64);
    for (unsigned i = 0; i < 64 && !want; i++) {
        const char *nonce = take(7, &want);
        if (!nonce)
            break;
        unsigned long k = strtoul(nonce + strlen("nonce-"), NULL, 10);
        assert_false(seen[k]);
        seen[k] = true;
        served++;
    }
    assert_int_not_equal(want, 0);   /* this one goes to authd */
    assert_in_range(served, 40, 63); /* and some are left meanwhile */
    for (unsigned i = 0; i < 64; i++)
        served += take(7, &want) != NULL;
    assert_int_equal(served, 64);
    assert_null(take(7, &want));
    assert_null(take(8, &want)); /* never another class's */
}

static void test_what_is_old_is_not_used(void **state)
{
    uint32_t want;
    (void)state;
    warm(7);
    fill(7, 64);
    assert_non_null(take(7, &want));
    pass(2001);
    assert_null(take(7, &want));
}

static void test_who_cannot_ask_changes_nothing(void **state)
{
    char nonce[LEASE_NONCE_MAX];
    struct lease_text *text;
    uint32_t want;
    (void)state;
    warm(1);
    fill(1, 64);
    for (uint64_t id = 100; id < 1000; id++) /* strangers' classes make no room for themselves */
        assert_false(lease_take(table, id, now, nonce, &text, NULL));
    assert_true(lease_take(table, 1, now, nonce, &text, NULL));
    lease_text_unref(&text);
    assert_non_null(take(1, &want));
}

static void test_classes_are_bounded_and_the_one_unused_longest_goes(void **state)
{
    uint32_t want;
    (void)state;
    warm(1);
    fill(1, 64);
    for (uint64_t id = 100; id < 1000; id++) {
        pass(1);
        take(id, &want);
        if (id % 16 == 0)
            assert_non_null(take(1, &want)); /* in use, it stays */
    }
    pass(1);
    for (uint64_t id = 2000; id < 2100; id++)
        take(id, &want);
    assert_null(take(1, &want));
}

static void test_a_malformed_lease_is_ignored(void **state)
{
    char good[] = "Digest nonce=\"\x01\"", bad[] = "Digest nonce=\"\"";
    char *none[] = { good }, *unmarked[] = { good, bad };
    char *many[] = { good, good, good, good, good, good, good, good, good };
    uint32_t want;
    (void)state;
    warm(7);
    fill_with(7, none, 0, 10, 2000);
    assert_null(take(7, &want));
    fill_with(7, unmarked, 2, 10, 2000);
    assert_null(take(7, &want));
    fill_with(7, many, CS_LEN(many), 10, 2000);
    assert_null(take(7, &want));
    fill_with(7, none, 1, 300, 2000);
    assert_null(take(7, &want));
    fill_with(8, none, 1, 10, 2000); /* nobody asked */
    assert_null(take(8, &want));
    fill_with(7, none, 1, 10, 2000);
    assert_non_null(take(7, &want));
}

static void test_a_nonce_too_long_is_left_out(void **state)
{
    char challenge[] = "Digest nonce=\"\x01\"", *list[] = { challenge };
    char longest[LEASE_NONCE_MAX], longer[LEASE_NONCE_MAX + 1], *nonces[] = { longer, longest };
    AUTH(Lease) lease = COUNTERSIGN__AUTH__LEASE__INIT;
    uint32_t want;
    (void)state;
    memset(longest, 'n', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    memset(longer, 'n', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    lease.challenge = list;
    lease.n_challenge = 1;
    lease.nonce_secret = nonces;
    lease.n_nonce_secret = 2;
    lease.valid_ms = 2000;
    warm(7);
    pass(1000); /* the class is not busy any more: the last one may be used */
    pass(1000);
    lease_fill(table, 7, &lease, 401, now);
    assert_string_equal(take(7, &want), longest);
    assert_null(take(7, &want));
}

static void test_a_text_outlives_its_class(void **state)
{
    char nonce[LEASE_NONCE_MAX], memory[1024], two[] = "\x01", one[] = "Digest nonce=\"\x01\", x";
    char three[] = "Bearer realm=\"r\"";
    char *list[] = { one, two, three };
    struct lease_text *text;
    struct arena a;
    uint32_t want;
    AUTH(Verdict) v;
    (void)state;
    warm(7);
    fill_with(7, list, 3, 64, 2000);
    assert_true(lease_take(table, 7, now, nonce, &text, &want));
    lease_table_free(&table);
    arena_init(&a, memory, sizeof(memory), 0);
    assert_int_equal(lease_verdict(text, nonce, &a, &v), 0);
    assert_int_equal(v.kind, KIND(CHALLENGE));
    assert_int_equal(v.status, 401);
    assert_int_equal(v.n_challenge, 3);
    assert_string_equal(v.challenge[0], "Digest nonce=\"nonce-63\", x");
    assert_string_equal(v.challenge[1], "nonce-63");
    assert_string_equal(v.challenge[2], "Bearer realm=\"r\""); /* has none */
    arena_fini(&a);
    lease_text_unref(&text);
    assert_null(text);
}

int main(void)
{
#define CLASS(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
#define TABLE(name) cmocka_unit_test_setup_teardown(name, table_open, table_close)
    const struct CMUnitTest tests[] = {
        CLASS(test_requests_are_told_apart_by_what_authd_compares),
        CLASS(test_who_shows_anything_is_of_no_class),
        TABLE(test_a_rare_class_is_not_leased_for),
        TABLE(test_one_fetch_at_a_time_and_again_when_no_answer_came),
        TABLE(test_each_nonce_serves_once_and_more_are_fetched_in_time),
        TABLE(test_what_is_old_is_not_used),
        TABLE(test_who_cannot_ask_changes_nothing),
        TABLE(test_classes_are_bounded_and_the_one_unused_longest_goes),
        TABLE(test_a_malformed_lease_is_ignored),
        TABLE(test_a_nonce_too_long_is_left_out),
        TABLE(test_a_text_outlives_its_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
