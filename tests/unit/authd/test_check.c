#include "unit/authd/bench.h"

#include <signal.h>
#include <time.h>

static const char pw[] = "correct horse battery";

static bool says(const char *challenge, const char *text)
{
    return strstr(challenge, text) != NULL;
}

/* ---- challenges ---- */

/* A-01, C-12, I-22 */
static void test_request_without_credentials_gets_one_challenge_per_algorithm(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "udp");
    const struct got *g = ask_put(&a);
    assert_verdict(g, CHALLENGE, NO_CREDENTIALS);
    assert_int_equal(g->status, 401);
    assert_string_equal(g->group, "phones");
    assert_int_equal(strlen(g->decision), 16);
    assert_int_equal(g->n_challenge, 3);
    assert_true(says(g->challenge[0], "algorithm=SHA-512-256,"));
    assert_true(says(g->challenge[1], "algorithm=SHA-256,"));
    assert_true(says(g->challenge[2], "algorithm=MD5,"));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(strncmp(g->challenge[i], "Digest realm=\"example.com\", nonce=\"", 34), 0);
        assert_true(says(g->challenge[i], "qop=\"auth,auth-int\""));
        assert_false(says(g->challenge[i], "stale"));
    }
}

/* G-01 */
static void test_status_is_401_for_register_and_407_for_others_unless_fixed(void **state)
{
    (void)state;
    struct ask a = ask_new("INVITE", "udp");
    assert_int_equal(ask_put(&a)->status, 407);
    a = ask_new("MESSAGE", "udp");
    assert_int_equal(ask_put(&a)->status, 407);
    a = ask_new("INVITE", "loose");
    assert_int_equal(ask_put(&a)->status, 401);
}

/* I-21 */
static void test_clients_that_stumble_get_the_weakest_alone(void **state)
{
    (void)state;
    static const char *const agents[] = { "baresip v1.0.0 (x86_64/linux)", "SIPp/3.6",
                                          "Cisco/SPA504G-7.6.2" };
    for (size_t i = 0; i < CS_LEN(agents); i++) {
        struct ask a = ask_new("REGISTER", "udp");
        a.m.user_agent = (char *)agents[i];
        int64_t before = metric_get(M_AUTHD_COMPAT, 0);
        const struct got *g = ask_put(&a);
        assert_int_equal(g->n_challenge, 1);
        assert_true(says(g->challenge[0], "algorithm=MD5, qop=\"auth\""));
        assert_int_equal(metric_get(M_AUTHD_COMPAT, 0), before + 1);
    }
    struct ask a = ask_new("REGISTER", "udp");
    a.m.user_agent = (char *)"baresip v3.8.0";
    assert_int_equal(ask_put(&a)->n_challenge, 3);
}

/* A-01, G-06 */
static void test_realm_offers_only_what_all_enabled_users_can_answer(void **state)
{
    (void)state;
    bench_add("old", "1090", pw, ALG_BIT(ALG_MD5), true);
    struct ask a = ask_new("REGISTER", "udp");
    const struct got *g = ask_put(&a);
    assert_int_equal(g->n_challenge, 1);
    assert_true(says(g->challenge[0], "algorithm=MD5,"));
    bench_remove("old");
    bench_add("disabled", "1091", pw, ALG_BIT(ALG_MD5), false);
    a = ask_new("REGISTER", "udp");
    assert_int_equal(ask_put(&a)->n_challenge, 3);
    bench_remove("disabled");
}

/* ---- accepting ---- */

/* A-14, I-22 */
static void test_right_response_is_accepted_with_each_algorithm(void **state)
{
    (void)state;
    static const char *const algs[] = { NULL, "MD5", "md5", "SHA-256", "SHA-512-256" };
    for (size_t i = 0; i < CS_LEN(algs); i++) {
        struct ask a = ask_new("REGISTER", "udp");
        ask_prepare(&a, algs[i]);
        ask_answer(&a, "alice", pw);
        const struct got *g = ask_put(&a);
        assert_verdict(g, ACCEPT, OK);
        assert_string_equal(g->user, "alice@example.com");
        assert_string_equal(g->identity, "sip:1001@example.com");
        assert_int_equal(g->n_aor, 1);
        assert_string_equal(g->aor, "sip:1001@example.com");
        assert_int_equal(g->expires_min, 90);
        assert_int_equal(g->expires_max, 1800);
        assert_int_equal(g->expires_default, 1800);
        assert_int_equal(g->max_contacts, 4);
    }
}

/* */
static void test_auth_int_covers_the_body_and_an_empty_one(void **state)
{
    (void)state;
    for (int with_body = 0; with_body < 2; with_body++) {
        struct ask a = ask_new("MESSAGE", "udp");
        ask_prepare(&a, "SHA-256");
        a.cred[0].qop = (char *)"auth-int";
        if (with_body) {
            a.m.has_body = true;
            a.m.body.data = (uint8_t *)"v=0";
            a.m.body.len = 3;
        }
        ask_answer(&a, "alice", pw);
        assert_verdict(ask_put(&a), ACCEPT, OK);
        a.m.has_body = true;
        a.m.body.data = (uint8_t *)"v=1";
        a.m.body.len = 3;
        a.cred[0].nc = (char *)"00000002";
        assert_verdict(ask_put(&a), CHALLENGE, WRONG_RESPONSE);
    }
}

/* A-10, I-24 */
static void test_sess_and_no_qop_are_taken_only_where_the_group_allows(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "loose");
    ask_prepare(&a, "SHA-256-sess");
    ask_answer(&a, "alice", pw);
    assert_verdict(ask_put(&a), ACCEPT, OK);
    a = ask_new("REGISTER", "udp");
    ask_prepare(&a, "SHA-256-sess");
    ask_answer(&a, "alice", pw);
    assert_verdict(ask_put(&a), CHALLENGE, ALGORITHM_NOT_ALLOWED);

    a = ask_new("REGISTER", "loose");
    ask_prepare(&a, "MD5");
    a.cred[0].qop = a.cred[0].nc = a.cred[0].cnonce_secret = NULL;
    ask_answer(&a, "alice", pw);
    assert_verdict(ask_put(&a), ACCEPT, OK);
    assert_verdict(ask_put(&a), CHALLENGE, NC_REPLAYED); /* once for each nonce */
    a.m.listener = (char *)"udp";
    assert_verdict(ask_put(&a), CHALLENGE, QOP_NOT_ALLOWED);
}

static void test_target_is_told_to_the_authenticated_outside_dialogs(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        bool in_dialog, told;
        Countersign__Auth__TargetState state;
    } rows[] = {
        { "sip:1002@example.com", false, true, COUNTERSIGN__AUTH__TARGET_STATE__TARGET_KNOWN },
        { "sip:9999@example.com", false, true, COUNTERSIGN__AUTH__TARGET_STATE__TARGET_UNKNOWN },
        { "sip:1002@example.com", true, false, 0 },
        { NULL, false, false, 0 },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct ask a = ask_new("INVITE", "udp");
        a.m.target_aor = (char *)rows[i].target;
        a.m.has_in_dialog = true;
        a.m.in_dialog = rows[i].in_dialog;
        ask_prepare(&a, "MD5");
        ask_answer(&a, "alice", pw);
        const struct got *g = ask_put(&a);
        assert_verdict(g, ACCEPT, OK);
        assert_int_equal(g->has_target, rows[i].told);
        assert_int_equal(g->target, rows[i].state);
    }
}

/* */
static void test_ack_and_cancel_are_never_challenged(void **state)
{
    (void)state;
    struct ask a = ask_new("ACK", "udp");
    assert_verdict(ask_put(&a), ACCEPT, OK);
    a = ask_new("CANCEL", "udp");
    assert_verdict(ask_put(&a), ACCEPT, OK);
}

/* */
static void test_listed_methods_are_challenged_and_register_always(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        bool in_dialog;
        Countersign__Auth__VerdictKind kind;
    } rows[] = {
        { "REGISTER", false, KIND(CHALLENGE) }, { "INVITE", false, KIND(CHALLENGE) },
        { "INVITE", true, KIND(ACCEPT) },       { "MESSAGE", false, KIND(ACCEPT) },
        { "invite", false, KIND(ACCEPT) },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct ask a = ask_new(rows[i].method, "pass");
        a.m.has_in_dialog = true;
        a.m.in_dialog = rows[i].in_dialog;
        a.m.target_aor = (char *)"sip:1002@example.com";
        const struct got *g = ask_put(&a);
        assert_int_equal(g->kind, rows[i].kind);
        assert_string_equal(g->user, "");
        assert_false(g->has_target);
    }
}

static void test_trusted_address_passes_but_its_wrong_password_does_not(void **state)
{
    (void)state;
    static unsigned char peer[] = { 192, 0, 2, 9 };
    struct ask a = ask_new("INVITE", "peers");
    a.m.source_ip.data = peer;
    a.m.target_aor = (char *)"sip:1002@example.com";
    const struct got *g = ask_put(&a);
    assert_verdict(g, ACCEPT, ADDRESS_ACCEPTED);
    assert_string_equal(g->user, "");
    assert_true(g->trusted);
    assert_int_equal(g->target, COUNTERSIGN__AUTH__TARGET_STATE__TARGET_KNOWN);

    a = ask_new("INVITE", "peers");
    a.m.source_ip.data = peer;
    ask_prepare(&a, "MD5");
    ask_answer(&a, "alice", "wrong password here");
    assert_verdict(ask_put(&a), CHALLENGE, WRONG_RESPONSE);
    a = ask_new("REGISTER", "peers");
    a.m.source_ip.data = peer;
    assert_verdict(ask_put(&a), CHALLENGE, NO_CREDENTIALS);
}

static void test_no_group_is_refused(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "tcp");
    a.m.transport = COUNTERSIGN__AUTH__TRANSPORT__TCP;
    const struct got *g = ask_put(&a);
    assert_verdict(g, REJECT, NO_PEER_GROUP);
    assert_int_equal(g->status, 403);
}

/* ---- nonces ---- */

/* A-09, C-23, I-13 */
static void test_stale_is_said_only_when_the_response_was_right(void **state)
{
    (void)state;
    struct wall old = { clock_wall().ms - 301 * 1000 };
    struct ask a = ask_new("REGISTER", "udp");
    ask_prepare(&a, "SHA-256");
    assert_int_equal(nonce_mint(bench.k.nonces, SPAN("example.com"), old, NULL, a.nonce), 0);
    ask_answer(&a, "alice", pw);
    const struct got *g = ask_put(&a);
    assert_verdict(g, CHALLENGE, NONCE_STALE);
    for (size_t i = 0; i < g->n_challenge; i++)
        assert_true(says(g->challenge[i], ", stale=true"));
    ask_answer(&a, "alice", "wrong password here");
    g = ask_put(&a);
    assert_verdict(g, CHALLENGE, WRONG_RESPONSE);
    assert_false(says(g->challenge[0], "stale"));
}

/* R-04, I-14, I-15 */
static void test_used_nonce_count_is_replayed_and_higher_ones_pass(void **state)
{
    (void)state;
    static const char *const listeners[] = { "udp", "local" };
    for (size_t i = 0; i < CS_LEN(listeners); i++) {
        struct ask a = ask_new("REGISTER", listeners[i]);
        run_for(&bench.loop, 5); /* a local window takes no nonce of before its start */
        ask_prepare(&a, "SHA-256");
        ask_answer(&a, "alice", pw);
        assert_verdict(ask_put(&a), ACCEPT, OK);
        const struct got *g = ask_put(&a);
        assert_verdict(g, CHALLENGE, NC_REPLAYED);
        assert_true(says(g->challenge[0], ", stale=true"));
        static const struct {
            const char *nc;
            Countersign__Auth__VerdictKind kind;
        } rows[] = { { "00000002", KIND(ACCEPT) },    { "00000005", KIND(ACCEPT) },
                     { "00000003", KIND(ACCEPT) },    { "00000002", KIND(CHALLENGE) },
                     { "000000ff", KIND(ACCEPT) },    { "00000100", KIND(CHALLENGE) },
                     { "00000000", KIND(CHALLENGE) }, { "0000000g", KIND(CHALLENGE) } };
        for (size_t r = 0; r < CS_LEN(rows); r++) {
            a.cred[0].nc = (char *)rows[r].nc;
            ask_answer(&a, "alice", pw);
            assert_int_equal(ask_put(&a)->kind, rows[r].kind);
        }
    }
}

static void test_group_without_window_lets_a_count_be_used_again(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "off");
    ask_prepare(&a, "SHA-256");
    ask_answer(&a, "alice", pw);
    assert_verdict(ask_put(&a), ACCEPT, OK);
    assert_verdict(ask_put(&a), ACCEPT, OK);
}

/* I-16 */
static void test_wrong_response_does_not_use_up_a_count(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "udp");
    ask_prepare(&a, "SHA-256");
    ask_answer(&a, "alice", "wrong password here");
    assert_verdict(ask_put(&a), CHALLENGE, WRONG_RESPONSE);
    ask_answer(&a, "alice", pw);
    assert_verdict(ask_put(&a), ACCEPT, OK);
}

/* ---- refusing ---- */

/* A-11, G-08 */
static void test_each_mismatch_has_its_cause_and_403_where_the_group_is_strict(void **state)
{
    (void)state;
    enum { FORGED, REALM_OF_NONCE, ALG, QOP, NC, URI, MALFORMED, INCOMPLETE, COUNT };
    static const Countersign__Auth__Cause causes[COUNT] = {
        CAUSE(NONCE_FORGED),
        CAUSE(NONCE_FORGED),
        CAUSE(ALGORITHM_NOT_ALLOWED),
        CAUSE(QOP_NOT_ALLOWED),
        CAUSE(NC_INVALID),
        CAUSE(URI_MISMATCH),
        CAUSE(CREDENTIALS_MALFORMED),
        CAUSE(CREDENTIALS_MALFORMED),
    };
    for (int i = 0; i < 2 * COUNT; i++) {
        bool strict = i >= COUNT;
        struct ask a = ask_new("REGISTER", strict ? "strict" : "udp");
        Countersign__Auth__DigestCredentials *d = &a.cred[0];
        ask_prepare(&a, i % COUNT == ALG ? "SHA-1" : "SHA-256");
        if (i % COUNT == FORGED)
            a.nonce[20] = a.nonce[20] == 'A' ? 'B' : 'A';
        if (i % COUNT == REALM_OF_NONCE)
            assert_int_equal(
                nonce_mint(bench.k.nonces, SPAN("other.example"), clock_wall(), NULL, a.nonce), 0);
        if (i % COUNT == QOP)
            d->qop = (char *)"auth,auth-int";
        if (i % COUNT == NC)
            d->nc = NULL;
        if (i % COUNT == URI)
            d->uri = (char *)"sip:elsewhere.example";
        if (i % COUNT == MALFORMED)
            d->has_malformed = d->malformed = true;
        ask_answer(&a, "alice", pw);
        if (i % COUNT == INCOMPLETE)
            d->uri = NULL;
        const struct got *g = ask_put(&a);
        assert_int_equal(g->cause, causes[i % COUNT]);
        assert_int_equal(g->kind, strict ? KIND(REJECT) : KIND(CHALLENGE));
        assert_int_equal(g->status, strict ? 403 : 401);
        if (!strict) /* forgotten again */
            assert_int_equal(ask_with("REGISTER", "udp", "alice", pw)->kind, KIND(ACCEPT));
    }
}

/* */
static void test_credentials_for_other_realms_are_not_ours(void **state)
{
    (void)state;
    struct ask a = ask_new("INVITE", "udp");
    ask_prepare(&a, "SHA-256");
    a.cred[0].realm = (char *)"other.example";
    ask_answer(&a, "alice", pw);
    for (int i = 0; i < 5; i++)
        assert_verdict(ask_put(&a), CHALLENGE, WRONG_REALM); /* never counted as a failure */

    a = ask_new("INVITE", "udp");
    ask_prepare(&a, "SHA-256");
    a.cred[0].has_proxy = a.cred[0].proxy = true;
    countersign__auth__digest_credentials__init(&a.cred[1]);
    a.cred[1].has_malformed = a.cred[1].malformed = true;
    a.m.n_digest = 2;
    ask_answer(&a, "alice", pw);
    a.list[0] = &a.cred[1]; /* somebody else's, before ours */
    a.list[1] = &a.cred[0];
    assert_verdict(ask_put(&a), ACCEPT, OK);
}

static void nonce_out(char *text)
{
    char *p = strstr(text, "nonce=\"");
    assert_non_null(p);
    memset(p + 7, 'x', NONCE_LEN);
}

/* A-12, C-14 */
static void test_unknown_user_no_verifier_disabled_and_wrong_password_answer_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *user;
        Countersign__Auth__Cause cause;
    } rows[] = {
        { "alice", CAUSE(WRONG_RESPONSE) },
        { "nobody-of-this-name", CAUSE(UNKNOWN_USER) },
        { "bare", CAUSE(NO_CREDENTIALS_CONFIGURED) },
        { "gone", CAUSE(USER_DISABLED) },
        { "nobody", CAUSE(UNKNOWN_USER) },
    };
    struct got first = { 0 };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        for (int round = 0; round < 3; round++) {
            struct ask a = ask_new("REGISTER", "udp");
            ask_prepare(&a, "SHA-256");
            ask_answer(&a, rows[i].user, round ? "another wrong one!" : "wrong password here");
            struct got g = *ask_put(&a);
            if (round == 2) {
                assert_verdict(&g, REJECT, TOO_MANY_ATTEMPTS);
                assert_int_equal(g.status, 403);
                continue;
            }
            assert_int_equal(g.cause, rows[i].cause);
            assert_int_equal(g.kind, KIND(CHALLENGE));
            for (size_t c = 0; c < g.n_challenge; c++)
                nonce_out(g.challenge[c]);
            if (i == 0 && round == 0)
                first = g;
            assert_int_equal(g.status, first.status);
            assert_int_equal(g.n_challenge, first.n_challenge);
            assert_memory_equal(g.challenge, first.challenge, sizeof(g.challenge));
        }
    }
    /* the right password of one who may not is no better */
    assert_verdict(ask_with("REGISTER", "strict", "gone", pw), CHALLENGE, USER_DISABLED);
    assert_int_equal(ask_with("REGISTER", "udp", "alice", pw)->kind, KIND(ACCEPT));
}

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The least of many rounds is what the work costs, whatever else this machine does. */
static void test_unknown_user_no_verifier_disabled_and_wrong_password_cost_the_same(void **state)
{
    (void)state;
    static const char *const users[] = { "alice", "nobody-of-this-name", "bare", "gone" };
    static uint8_t exempt[] = { 198, 51, 100, 7 };
    int64_t least[CS_LEN(users)] = { 0 };
    for (unsigned round = 0; round < 400; round++) {
        for (size_t i = 0; i < CS_LEN(users); i++) {
            struct ask a = ask_new("REGISTER", "strict");
            a.m.source_ip.data = exempt;
            ask_prepare(&a, "SHA-256");
            ask_answer(&a, users[i], "wrong password here");
            const int64_t began = cpu_ns();
            assert_int_equal(ask_put(&a)->kind, KIND(CHALLENGE));
            const int64_t cost = cpu_ns() - began;
            least[i] = round == 0 ? cost : CS_MIN(least[i], cost);
        }
    }
    for (size_t i = 1; i < CS_LEN(users); i++) {
        if (llabs(least[i] - least[0]) > least[0] * 15 / 100)
            fail_msg("%s: %lld ns, not %lld", users[i], (long long)least[i], (long long)least[0]);
    }
}

static void test_user_lacking_one_algorithm_answers_the_same_for_it(void **state)
{
    (void)state;
    bench_add("half", "1095", pw, ALG_BIT(ALG_MD5), true);
    assert_verdict(ask_with("REGISTER", "udp", "half", pw), CHALLENGE, NO_VERIFIER_FOR_ALGORITHM);
    struct ask a = ask_new("REGISTER", "udp");
    a.m.to_aor = (char *)"sip:1095@example.com";
    ask_prepare(&a, "MD5");
    ask_answer(&a, "half", pw);
    assert_verdict(ask_put(&a), ACCEPT, OK);
    bench_remove("half");
}

/* */
static void test_third_failure_gets_403_and_success_forgets(void **state)
{
    (void)state;
    static const char bad[] = "wrong password here";
    assert_verdict(ask_with("REGISTER", "udp", "bob", bad), CHALLENGE, WRONG_RESPONSE);
    struct ask a = ask_new("REGISTER", "udp");
    assert_verdict(ask_put(&a), CHALLENGE, NO_CREDENTIALS); /* is no failure */
    assert_verdict(ask_with("REGISTER", "udp", "bob", bad), CHALLENGE, WRONG_RESPONSE);
    const struct got *g = ask_with("REGISTER", "udp", "bob", bad);
    assert_verdict(g, REJECT, TOO_MANY_ATTEMPTS);
    assert_int_equal(g->status, 403);
    assert_int_equal(g->n_challenge, 0);

    a = ask_new("REGISTER", "udp");
    a.m.to_aor = (char *)"sip:1002@example.com";
    ask_prepare(&a, "MD5");
    ask_answer(&a, "bob", pw);
    assert_verdict(ask_put(&a), ACCEPT, OK);
    assert_verdict(ask_with("REGISTER", "udp", "bob", bad), CHALLENGE, WRONG_RESPONSE);
}

/* G-03, I-52 */
static void test_aor_and_from_must_be_the_users(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "udp");
    a.m.to_aor = (char *)"sip:1002@example.com";
    ask_prepare(&a, "MD5");
    ask_answer(&a, "alice", pw);
    const struct got *g = ask_put(&a);
    assert_verdict(g, REJECT, AOR_NOT_ALLOWED);
    assert_int_equal(g->status, 403);

    a = ask_new("INVITE", "udp");
    a.m.from_aor = (char *)"sip:1002@example.com";
    ask_prepare(&a, "MD5");
    ask_answer(&a, "alice", pw);
    assert_verdict(ask_put(&a), REJECT, FROM_NOT_ALLOWED);

    a = ask_new("BYE", "udp");
    a.m.has_in_dialog = a.m.in_dialog = true;
    a.m.from_aor = NULL;
    ask_prepare(&a, "MD5");
    ask_answer(&a, "alice", pw);
    assert_verdict(ask_put(&a), REJECT, FROM_NOT_ALLOWED);
}

/* */
static void test_basic_and_bearer_are_refused(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "udp");
    a.m.has_basic = a.m.basic = true;
    const struct got *g = ask_put(&a);
    assert_verdict(g, CHALLENGE, BASIC_REFUSED);
    assert_int_equal(g->n_challenge, 3);

    a = ask_new("REGISTER", "udp");
    a.m.bearer_secret = (char *)"token";
    ask_prepare(&a, "MD5");
    ask_answer(&a, "alice", pw); /* a token never falls through to digest */
    assert_verdict(ask_put(&a), REJECT, TOKEN_ON_CLEAR_TRANSPORT);
    a.m.transport = COUNTERSIGN__AUTH__TRANSPORT__TLS;
    assert_verdict(ask_put(&a), REJECT, TOKEN_INVALID);
    assert_int_equal(ask_with("REGISTER", "udp", "alice", pw)->kind, KIND(ACCEPT));
}

/* ---- waiting ---- */

static void test_cancelled_question_is_not_answered(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "udp");
    ask_prepare(&a, "MD5");
    ask_answer(&a, "alice", pw);
    size_t before = bench.got.count;
    assert_true(check_start(&bench.k, &a.m, &bench_asker, NULL));
    assert_non_null(bench.waiting);
    check_cancel(bench.waiting);
    bench.waiting = NULL;
    run_for(&bench.loop, 30);
    assert_int_equal(bench.got.count, before);
    assert_int_equal(bench.k.open, 0);
}

static void test_too_many_open_questions_are_later(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "udp");
    ask_prepare(&a, "MD5");
    ask_answer(&a, "alice", pw);
    size_t before = bench.got.count;
    for (size_t i = 0; i < bench.conf.limits.checks; i++)
        assert_true(check_start(&bench.k, &a.m, &bench_asker, NULL));
    assert_int_equal(bench.got.count, before);
    assert_true(check_start(&bench.k, &a.m, &bench_asker, NULL));
    assert_verdict(&bench.got, LATER, OVERLOADED);
    assert_true(bench.got.retry_after > 0);
    assert_true(run_until_count(&bench.loop, &bench.got.count,
                                before + bench.conf.limits.checks + 1, 3000));
    assert_int_equal(bench.k.open, 0);
}

static void test_deadline_is_kept_when_redis_hangs(void **state)
{
    (void)state;
    struct ask a = ask_new("REGISTER", "udp");
    ask_prepare(&a, "MD5");
    ask_answer(&a, "alice", pw);
    a.m.has_deadline_ms = true;
    a.m.deadline_ms = 50;
    kill(bench.server.pid, SIGSTOP);
    struct mono began = clock_mono();
    const struct got *g = ask_put(&a);
    kill(bench.server.pid, SIGCONT);
    assert_verdict(g, LATER, STORE_UNAVAILABLE);
    assert_true(mono_since(began, clock_mono()).ms < 700);
    run_for(&bench.loop, 50);
    bench_settle();
}

/* P-03 */
static void test_redis_away_is_later_and_never_a_challenge(void **state)
{
    (void)state;
    redis_server_kill(&bench.server);
    run_for(&bench.loop, 50);
    struct ask a = ask_new("REGISTER", "udp");
    const struct got *g = ask_put(&a);
    assert_verdict(g, LATER, STORE_UNAVAILABLE);
    assert_true(g->retry_after > 0);
    assert_verdict(ask_with("REGISTER", "udp", "alice", pw), LATER, STORE_UNAVAILABLE);
    a = ask_new("ACK", "udp");
    assert_verdict(ask_put(&a), ACCEPT, OK);
    redis_server_start(&bench.server, NULL);
    bench_settle();
    assert_verdict(ask_with("REGISTER", "udp", "alice", pw), ACCEPT, OK);
}

/* ---- records ---- */

static void test_audit_has_the_same_fields_always_and_no_secret(void **state)
{
    (void)state;
    run_for(&bench.loop, 5);
    FILE *f = fopen(bench.audit_file, "r");
    assert_non_null(f);
    char line[8192], fields[1024] = "";
    size_t n = 0;
    while (fgets(line, sizeof(line), f)) {
        char seen[1024] = "";
        for (char *p = line; (p = strstr(p, "\":")); p++) {
            char *key = p;
            while (key > line && key[-1] != '"')
                key--;
            strncat(seen, key, (size_t)(p - key));
            strcat(seen, " ");
        }
        if (n++ == 0)
            strcpy(fields, seen);
        assert_string_equal(seen, fields);
        assert_null(strstr(line, pw));
        assert_null(strstr(line, "wrong password"));
        assert_null(strstr(line, "0a4f113b"));
        assert_null(strstr(line, "token\""));
    }
    fclose(f);
    assert_true(n > 50);
    assert_true(strstr(fields, "decision verdict cause") != NULL);
}

static size_t explained;
static void on_explained(void *arg, const struct explained *x)
{
    (void)arg;
    explained++;
    assert_int_not_equal(x->kind, KIND(ACCEPT));
    assert_int_not_equal(x->cause, CAUSE(NO_CREDENTIALS));
}

static void test_refusals_are_found_by_what_people_know(void **state)
{
    (void)state;
    struct got g = *ask_with("REGISTER", "udp", "carol", "wrong password here");
    assert_verdict(&g, CHALLENGE, UNKNOWN_USER);
    const char *const keys[] = { g.decision, "carol", "carol@example.com", "198.51.100.7",
                                 "sip:1001@example.com" };
    for (size_t i = 0; i < CS_LEN(keys); i++) {
        explained = 0;
        explain_find(bench.k.explain, span_str(keys[i]), 100, on_explained, NULL);
        assert_true(explained >= 1);
    }
    explained = 0;
    explain_find(bench.k.explain, SPAN("203.0.113.1"), 100, on_explained, NULL);
    assert_int_equal(explained, 0);
    explain_find(bench.k.explain, SPAN_NULL, 1, on_explained, NULL);
    assert_int_equal(explained, 1);
}

static int open_with_users(void **state)
{
    int err = bench_open(state);
    bench_add("alice", "1001", pw, ALG_ALL, true);
    bench_add("bob", "1002", pw, ALG_ALL, true);
    bench_add("gone", "1003", pw, ALG_ALL, false);
    bench_add("bare", "1004", pw, 0, false);
    return err;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_without_credentials_gets_one_challenge_per_algorithm),
        cmocka_unit_test(test_status_is_401_for_register_and_407_for_others_unless_fixed),
        cmocka_unit_test(test_clients_that_stumble_get_the_weakest_alone),
        cmocka_unit_test(test_realm_offers_only_what_all_enabled_users_can_answer),
        cmocka_unit_test(test_right_response_is_accepted_with_each_algorithm),
        cmocka_unit_test(test_auth_int_covers_the_body_and_an_empty_one),
        cmocka_unit_test(test_sess_and_no_qop_are_taken_only_where_the_group_allows),
        cmocka_unit_test(test_target_is_told_to_the_authenticated_outside_dialogs),
        cmocka_unit_test(test_ack_and_cancel_are_never_challenged),
        cmocka_unit_test(test_listed_methods_are_challenged_and_register_always),
        cmocka_unit_test(test_trusted_address_passes_but_its_wrong_password_does_not),
        cmocka_unit_test(test_no_group_is_refused),
        cmocka_unit_test(test_stale_is_said_only_when_the_response_was_right),
        cmocka_unit_test(test_used_nonce_count_is_replayed_and_higher_ones_pass),
        cmocka_unit_test(test_group_without_window_lets_a_count_be_used_again),
        cmocka_unit_test(test_wrong_response_does_not_use_up_a_count),
        cmocka_unit_test(test_each_mismatch_has_its_cause_and_403_where_the_group_is_strict),
        cmocka_unit_test(test_credentials_for_other_realms_are_not_ours),
        cmocka_unit_test(test_unknown_user_no_verifier_disabled_and_wrong_password_answer_the_same),
        cmocka_unit_test(test_unknown_user_no_verifier_disabled_and_wrong_password_cost_the_same),
        cmocka_unit_test(test_user_lacking_one_algorithm_answers_the_same_for_it),
        cmocka_unit_test(test_third_failure_gets_403_and_success_forgets),
        cmocka_unit_test(test_aor_and_from_must_be_the_users),
        cmocka_unit_test(test_basic_and_bearer_are_refused),
        cmocka_unit_test(test_cancelled_question_is_not_answered),
        cmocka_unit_test(test_too_many_open_questions_are_later),
        cmocka_unit_test(test_deadline_is_kept_when_redis_hangs),
        cmocka_unit_test(test_redis_away_is_later_and_never_a_challenge),
        cmocka_unit_test(test_audit_has_the_same_fields_always_and_no_secret),
        cmocka_unit_test(test_refusals_are_found_by_what_people_know),
    };
    return cmocka_run_group_tests_name("check", tests, open_with_users, bench_close);
}
