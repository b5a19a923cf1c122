/* Guessing, from the question to the ban, against a real Redis. */
#include "base/metric.h"
#include "unit/authd/bench.h"

static const char pw[] = "correct horse battery";

static unsigned char source[] = { 203, 0, 113, 0 };

static struct addr address(void)
{
    struct addr a;
    assert_int_equal(addr_from_bytes(span_of(source, sizeof(source)), &a), 0);
    return a;
}

/* From a network that did nothing yet, unless it is to be the same. */
static void move(void)
{
    source[3]++;
}

/* made_for: the source the nonce is made for, NULL for none. */
static const struct got *try(const char *user, const char *password, const struct addr *made_for,
                             Countersign__Auth__Transport transport)
{
    struct ask a = ask_new("REGISTER", "udp");
    a.m.transport = transport;
    a.m.source_ip.data = source;
    a.m.has_source_port = true;
    a.m.source_port = 6000;
    ask_prepare(&a, "SHA-256");
    struct wall issued = epoch_issued(bench.k.epoch, clock_wall());
    assert_int_equal(nonce_mint(bench.k.nonces, SPAN("example.com"), issued, made_for, a.nonce), 0);
    ask_answer(&a, user, password);
    const struct got *g = ask_put(&a);
    run_for(&bench.loop, 20); /* what is counted is counted behind it */
    return g;
}

static const struct got *try_here(const char *user, const char *password)
{
    struct addr a = address();
    return try(user, password, &a, COUNTERSIGN__AUTH__TRANSPORT__UDP);
}

static size_t bans_here(bool of_user)
{
    const struct ban *page[100];
    struct addr a = address();
    size_t n = bans_page(defence_bans(bench.k.defence), SPAN_NULL, page, 100), k = 0;
    for (size_t i = 0; i < n; i++)
        k += cidr_contains(&page[i]->net, &a) && (page[i]->user.p != NULL) == of_user;
    return k;
}

static void test_three_wrong_ones_cool_the_pair_off_and_later_longer(void **state)
{
    (void)state;
    move();
    assert_verdict(try_here("bob", "wrong"), CHALLENGE, WRONG_RESPONSE);
    assert_verdict(try_here("bob", "wrong"), CHALLENGE, WRONG_RESPONSE);
    assert_verdict(try_here("bob", "wrong"), REJECT, TOO_MANY_ATTEMPTS);
    assert_int_equal(bans_here(true), 1);
    assert_verdict(try_here("bob", pw), REJECT, TOO_MANY_ATTEMPTS); /* not judged */
    assert_int_equal(bench.got.status, 403);
    assert_int_equal(bench_do(SPAN("EXISTS"), SPAN("cs:fail:{203.0.113.1}:a:authentication")), 1);
    assert_in_range(bench_do(SPAN("TTL"), SPAN("cs:fail:{203.0.113.1}:a:authentication")), 590,
                    600);
    struct addr a = address();
    const struct ban *b = bans_find(defence_bans(bench.k.defence), &a, SPAN("bob@example.com"));
    assert_non_null(b);
    assert_int_equal(b->until.ms - b->since.ms, 600000);
    assert_non_null(defence_lift(bench.k.defence, b, redis_ignore, NULL));
    for (int i = 0; i < 3; i++)
        try_here("bob", "wrong");
    b = bans_find(defence_bans(bench.k.defence), &a, SPAN("bob@example.com"));
    assert_non_null(b);
    assert_int_equal(b->until.ms - b->since.ms, 2700000);
}

static void test_a_user_is_never_cooled_off_where_he_succeeded(void **state)
{
    (void)state;
    move();
    assert_verdict(try_here("alice", pw), ACCEPT, OK);
    run_for(&bench.loop, 50);
    for (int i = 0; i < 6; i++)
        try_here("alice", "wrong");
    assert_int_equal(bans_here(true), 0);
    assert_verdict(try_here("alice", pw), ACCEPT, OK);
    move(); /* elsewhere he is, and only there */
    for (int i = 0; i < 3; i++)
        try_here("alice", "wrong");
    assert_int_equal(bans_here(true), 1);
    source[3]--;
    assert_verdict(try_here("alice", pw), ACCEPT, OK);
    move();
}

static void test_five_users_ban_the_source(void **state)
{
    (void)state;
    static const char *const users[] = { "u1", "u2", "u3", "u4", "u5" };
    move();
    for (size_t i = 0; i < CS_LEN(users); i++) {
        assert_int_equal(bans_here(false), 0);
        assert_verdict(try_here(users[i], "wrong"), CHALLENGE, UNKNOWN_USER);
    }
    assert_int_equal(bans_here(false), 1);
    assert_verdict(try_here("alice", pw), REJECT, BANNED);
}

static void test_without_the_nonce_of_the_source_nothing_counts_over_udp(void **state)
{
    (void)state;
    struct addr other;
    assert_int_equal(addr_parse(SPAN("192.0.2.99"), 0, &other), 0);
    const struct addr *const made_for[] = { NULL, &other };
    for (size_t i = 0; i < CS_LEN(made_for); i++) {
        move();
        try("u1", "wrong", made_for[i], COUNTERSIGN__AUTH__TRANSPORT__UDP);
        try("u2", "wrong", made_for[i], COUNTERSIGN__AUTH__TRANSPORT__UDP);
        assert_verdict(try("u3", "wrong", made_for[i], COUNTERSIGN__AUTH__TRANSPORT__UDP),
                       CHALLENGE, UNKNOWN_USER);
        /* From here on such nonces are not judged, right or wrong, */
        assert_verdict(try("u4", "wrong", made_for[i], COUNTERSIGN__AUTH__TRANSPORT__UDP),
                       CHALLENGE, NONCE_ELSEWHERE);
        assert_verdict(try("alice", pw, made_for[i], COUNTERSIGN__AUTH__TRANSPORT__UDP), CHALLENGE,
                       NONCE_ELSEWHERE);
        /* but what was made for the source is, and so is what came over a connection. */
        assert_verdict(try_here("alice", pw), ACCEPT, OK);
        assert_verdict(try("alice", pw, made_for[i], COUNTERSIGN__AUTH__TRANSPORT__TLS), ACCEPT,
                       OK);
        assert_int_equal(bans_here(true) + bans_here(false), 0);
    }
}

static void test_over_a_connection_any_nonce_counts(void **state)
{
    (void)state;
    move();
    for (int i = 0; i < 3; i++)
        try("bob", "wrong", NULL, COUNTERSIGN__AUTH__TRANSPORT__TLS);
    assert_int_equal(bans_here(true), 1);
}

static void observe(Countersign__Auth__Abuse abuse, uint32_t count, bool proven)
{
    Countersign__Auth__Observed o = COUNTERSIGN__AUTH__OBSERVED__INIT;
    Countersign__Auth__Sighting s = COUNTERSIGN__AUTH__SIGHTING__INIT, *list[] = { &s };
    s.has_abuse = s.has_source_ip = s.has_source_port = s.has_count = s.has_proven = true;
    s.abuse = abuse;
    s.source_ip.data = source;
    s.source_ip.len = sizeof(source);
    s.source_port = 7000;
    s.count = count;
    s.proven = proven;
    o.sighting = list;
    o.n_sighting = 1;
    defence_observed(bench.k.defence, &o);
    run_for(&bench.loop, 50);
}

static void test_what_fronts_saw_counts_when_it_is_proven(void **state)
{
    (void)state;
    move();
    observe(COUNTERSIGN__AUTH__ABUSE__ABUSE_MALFORMED, 100000, false);
    observe(COUNTERSIGN__AUTH__ABUSE__ABUSE_AUTHENTICATION, 100000, true); /* not theirs to say */
    observe((Countersign__Auth__Abuse)99, 100000, true);
    assert_int_equal(bans_here(false), 0);
    observe(COUNTERSIGN__AUTH__ABUSE__ABUSE_MALFORMED, 19, true);
    assert_int_equal(bans_here(false), 0);
    observe(COUNTERSIGN__AUTH__ABUSE__ABUSE_MALFORMED, 1, true);
    assert_int_equal(bans_here(false), 1); /* the port */
    assert_verdict(try_here("alice", pw), ACCEPT, OK);
    move();
    observe(COUNTERSIGN__AUTH__ABUSE__ABUSE_CONNECTION, 500, true);
    assert_int_equal(bans_here(false), 1);
    assert_verdict(try_here("alice", pw), REJECT, BANNED);
}

static void call_nobody(const struct addr *made_for)
{
    struct ask a = ask_new("INVITE", "udp");
    struct wall issued = epoch_issued(bench.k.epoch, clock_wall());
    a.m.source_ip.data = source;
    a.m.target_aor = (char *)"sip:9999@example.com";
    ask_prepare(&a, "MD5");
    assert_int_equal(nonce_mint(bench.k.nonces, SPAN("example.com"), issued, made_for, a.nonce), 0);
    ask_answer(&a, "alice", pw);
    assert_verdict(ask_put(&a), ACCEPT, OK);
}

static void test_calls_to_nobody_are_counted_when_they_are_proven(void **state)
{
    (void)state;
    move();
    struct addr from = address();
    for (int i = 0; i < 60; i++)
        call_nobody(NULL); /* who has an account could send them from any address */
    for (int i = 0; i < 49; i++)
        call_nobody(&from);
    run_for(&bench.loop, 50);
    assert_int_equal(bans_here(false), 0);
    call_nobody(&from);
    run_for(&bench.loop, 50);
    assert_int_equal(bans_here(false), 1); /* the port, for so many in five minutes */
}

static void test_exempt_sources_and_our_own_gateways_are_left_alone(void **state)
{
    (void)state;
    unsigned char exempt[] = { 198, 51, 100, 77 }, gateway[] = { 192, 0, 2, 5 };
    unsigned char *const all[] = { exempt, gateway };
    unsigned char kept[sizeof(source)];
    memcpy(kept, source, sizeof(kept));
    for (size_t i = 0; i < CS_LEN(all); i++) {
        memcpy(source, all[i], sizeof(source));
        for (int k = 0; k < 5; k++)
            try_here("bob", "wrong");
        assert_verdict(&bench.got, REJECT, TOO_MANY_ATTEMPTS); /* the answer is the same */
        assert_int_equal(bans_here(true) + bans_here(false), 0);
        assert_verdict(try_here("alice", pw), ACCEPT, OK);
    }
    memcpy(source, kept, sizeof(source));
    struct cidr net;
    assert_int_equal(cidr_parse(SPAN("192.0.0.0/16"), &net), 0);
    assert_int_equal(defence_may_ban(bench.k.defence, &net), CS_EDENIED);
    assert_int_equal(cidr_parse(SPAN("203.0.113.0/24"), &net), 0);
    assert_int_equal(defence_may_ban(bench.k.defence, &net), 0);
}

static void test_many_failures_everywhere_are_one_alarm(void **state)
{
    (void)state;
    unsigned *threshold = &bench.conf.defence.rules[ABUSE_AUTHENTICATION].installation;
    const unsigned kept = *threshold;
    const int64_t before = metric_get(M_AUTHD_DEFENCE, 7); /* alarm */
    bench_do(SPAN("DEL"), SPAN("cs:fail:{all}:authentication"));
    *threshold = 2;
    for (int i = 0; i < 4; i++) {
        move();
        assert_verdict(try_here("bob", "wrong"), CHALLENGE, WRONG_RESPONSE);
        assert_int_equal(metric_get(M_AUTHD_DEFENCE, 7), before + (i > 0));
    }
    *threshold = kept;
}

/* The last one: nothing finds room behind it. */
static void test_bans_that_find_no_room_are_counted(void **state)
{
    (void)state;
    static const char *const users[] = { "u1", "u2", "u3", "u4", "u5" };
    const int64_t before = metric_get(M_AUTHD_DEFENCE, 8); /* untold */
    const struct wall now = loop_wall(&bench.loop);
    for (unsigned i = 0; i < 64 && !bans_are_full(defence_bans(bench.k.defence)); i++) {
        const unsigned char host[] = { 198, 18, 0, (unsigned char)i };
        struct addr a;
        assert_int_equal(addr_from_bytes(span_of(host, sizeof(host)), &a), 0);
        const struct ban b = { .net = cidr_of(&a, 32),
                               .since = now,
                               .until = wall_add(now, DURATION_S(60)) };
        assert_non_null(defence_ban(bench.k.defence, &b, redis_ignore, NULL));
    }
    move();
    for (size_t i = 0; i < CS_LEN(users); i++)
        assert_verdict(try_here(users[i], "wrong"), CHALLENGE, UNKNOWN_USER);
    assert_int_equal(bans_here(false), 0);
    assert_int_equal(metric_get(M_AUTHD_DEFENCE, 8), before + 1);
}

static int open_with_users(void **state)
{
    int err = bench_open(state);
    bench_add("alice", "1001", pw, ALG_ALL, true);
    bench_add("bob", "1002", pw, ALG_ALL, true);
    return err;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_wrong_ones_cool_the_pair_off_and_later_longer),
        cmocka_unit_test(test_a_user_is_never_cooled_off_where_he_succeeded),
        cmocka_unit_test(test_five_users_ban_the_source),
        cmocka_unit_test(test_without_the_nonce_of_the_source_nothing_counts_over_udp),
        cmocka_unit_test(test_over_a_connection_any_nonce_counts),
        cmocka_unit_test(test_what_fronts_saw_counts_when_it_is_proven),
        cmocka_unit_test(test_calls_to_nobody_are_counted_when_they_are_proven),
        cmocka_unit_test(test_exempt_sources_and_our_own_gateways_are_left_alone),
        cmocka_unit_test(test_many_failures_everywhere_are_one_alarm),
        cmocka_unit_test(test_bans_that_find_no_room_are_counted),
    };
    return cmocka_run_group_tests_name("defence", tests, open_with_users, bench_close);
}
