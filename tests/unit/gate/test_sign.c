/* Challenges of trunks on their way through the gate. */
#include "unit/gate/world.h"

static struct {
    size_t n;
    enum verdict kind;
    AUTH(Cause) cause;
    char value[64];
    bool again; /* asks once more from inside the callback */
} got;

static const struct span challenges[] = { SPAN_INIT("Digest realm=\"r\", nonce=\"n\""),
                                          SPAN_INIT("Digest realm=\"r\", nonce=\"m\"") };
static const struct gate_challenge question = { .trunk = SPAN_INIT("carrier"),
                                                .method = SPAN_INIT("INVITE"),
                                                .uri = SPAN_INIT("sip:1@carrier.test"),
                                                .route = SPAN_INIT("160"),
                                                .call_id = SPAN_INIT("c1@host"),
                                                .body = SPAN_INIT("v=0\r\n"),
                                                .challenges = challenges,
                                                .n_challenges = 2,
                                                .proxy = true };

static void on_signed(void *arg, enum verdict kind, AUTH(Cause) cause, struct span value)
{
    (void)arg;
    got.n++;
    got.kind = kind;
    got.cause = cause;
    span_copy(got.value, sizeof(got.value), value);
    if (got.again) {
        got.again = false;
        assert_non_null(gate_sign(w.gate, &question, on_signed, NULL));
    }
}

static int clear(void **state)
{
    memset(&got, 0, sizeof(got));
    return world_open(state);
}

static struct gate_sign *ask(void)
{
    struct gate_sign *s = gate_sign(w.gate, &question, on_signed, NULL);
    assert_non_null(s);
    return s;
}

static void answer(uint64_t id, const char *value, AUTH(Cause) cause)
{
    AUTH(FromAuthd) msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    AUTH(Signed) s = COUNTERSIGN__AUTH__SIGNED__INIT;
    s.id = id;
    s.value_secret = (char *)value;
    s.has_cause = true;
    s.cause = cause;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_SIGNED;
    msg.signed_ = &s;
    assert_int_equal(ipc_peer_send(w.peer, &msg), 0);
}

#define CAUSE(name) COUNTERSIGN__AUTH__CAUSE__##name

static void test_the_question_arrives_whole_and_its_answer_comes_back(void **state)
{
    (void)state;
    gate_start(DURATION_S(2), 0);
    ask();
    assert_int_equal(got.n, 0);
    assert_true(run_until_count(&w.loop, &w.n_signs, 1, 2000));
    assert_string_equal(w.sign->trunk, "carrier");
    assert_string_equal(w.sign->method, "INVITE");
    assert_string_equal(w.sign->uri, "sip:1@carrier.test");
    assert_string_equal(w.sign->route, "160");
    assert_string_equal(w.sign->call_id, "c1@host");
    assert_null(w.sign->user);
    assert_null(w.sign->realm);
    assert_int_equal(w.sign->n_challenge, 2);
    assert_string_equal(w.sign->challenge[1], challenges[1].p);
    assert_true(w.sign->proxy);
    assert_false(w.sign->has_body_secret); /* nobody asks for it */
    answer(w.sign->id + 1, "Digest of another", CAUSE(OK));
    answer(w.sign->id, "Digest x", CAUSE(OK));
    answer(w.sign->id, "Digest twice", CAUSE(OK));
    assert_true(run_until_count(&w.loop, &got.n, 1, 2000));
    run_for(&w.loop, 30);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.kind, VERDICT_ACCEPT);
    assert_string_equal(got.value, "Digest x");
}

static void test_a_body_goes_along_for_auth_int(void **state)
{
    const struct span one = SPAN("Digest realm=\"r\", nonce=\"n\", qop=\"AUTH-INT\"");
    struct gate_challenge c = question;
    (void)state;
    gate_start(DURATION_S(2), 0);
    c.challenges = &one;
    c.n_challenges = 1;
    assert_non_null(gate_sign(w.gate, &c, on_signed, NULL));
    assert_true(run_until_count(&w.loop, &w.n_signs, 1, 2000));
    assert_int_equal(w.sign->body_secret.len, 5);
    assert_memory_equal(w.sign->body_secret.data, "v=0\r\n", 5);
}

static void test_a_refusal_is_no_outage_and_an_outage_no_refusal(void **state)
{
    static const struct {
        AUTH(Cause) cause;
        enum verdict kind;
    } cases[] = {
        { CAUSE(TRUNK_REALM_UNKNOWN), VERDICT_REJECT },
        { CAUSE(SIGNED_TOO_OFTEN), VERDICT_REJECT },
        { CAUSE(OK), VERDICT_REJECT }, /* but without a value */
        { CAUSE(STORE_UNAVAILABLE), VERDICT_LATER },
        { CAUSE(OVERLOADED), VERDICT_LATER },
    };
    (void)state;
    gate_start(DURATION_S(2), 0);
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        ask();
        assert_true(run_until_count(&w.loop, &w.n_signs, i + 1, 2000));
        answer(w.sign->id, NULL, cases[i].cause);
        assert_true(run_until_count(&w.loop, &got.n, i + 1, 2000));
        assert_int_equal(got.kind, cases[i].kind);
        assert_int_equal(got.cause, cases[i].cause);
        assert_string_equal(got.value, "");
    }
}

static void test_silence_is_later_and_so_is_too_much(void **state)
{
    (void)state;
    gate_start(DURATION_MS(80), 2);
    ask();
    ask();
    ask();
    assert_int_equal(got.n, 0);
    assert_true(run_until_count(&w.loop, &got.n, 1, 50)); /* the third, at once */
    assert_int_equal(got.kind, VERDICT_LATER);
    assert_true(run_until_count(&w.loop, &got.n, 3, 2000));
    assert_int_equal(w.n_signs, 2);
    answer(w.sign->id, "Digest late", CAUSE(OK));
    run_for(&w.loop, 30);
    assert_int_equal(got.n, 3);
}

static void test_nobody_is_called_after_a_cancel(void **state)
{
    (void)state;
    gate_start(DURATION_MS(50), 0);
    gate_sign_cancel(ask());
    struct gate_sign *s = ask();
    assert_true(run_until_count(&w.loop, &w.n_signs, 1, 2000));
    gate_sign_cancel(s);
    answer(w.sign->id, "Digest x", CAUSE(OK));
    run_for(&w.loop, 100);
    assert_int_equal(got.n, 0);
}

static void test_who_asks_while_authd_is_away_waits_for_it(void **state)
{
    (void)state;
    gate_start(DURATION_S(3), 0);
    ask();
    assert_true(run_until_count(&w.loop, &w.n_signs, 1, 2000));
    got.again = true;
    ipc_server_close(&w.server);
    assert_true(run_until_count(&w.loop, &got.n, 1, 2000)); /* what was asked is lost */
    assert_int_equal(got.kind, VERDICT_LATER);
    run_for(&w.loop, 20);
    assert_int_equal(got.n, 1);
    authd_start();
    assert_true(run_until_count(&w.loop, &w.n_signs, 2, 3000)); /* what waited is asked */
    answer(w.sign->id, "Digest x", CAUSE(OK));
    assert_true(run_until_count(&w.loop, &got.n, 2, 2000));
    assert_int_equal(got.kind, VERDICT_ACCEPT);
}

static void test_the_end_answers_all(void **state)
{
    (void)state;
    gate_start(DURATION_S(2), 0);
    ask();
    ask();
    gate_close(&w.gate);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.kind, VERDICT_LATER);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, clear, world_close)
    const struct CMUnitTest tests[] = {
        TEST(test_the_question_arrives_whole_and_its_answer_comes_back),
        TEST(test_a_body_goes_along_for_auth_int),
        TEST(test_a_refusal_is_no_outage_and_an_outage_no_refusal),
        TEST(test_silence_is_later_and_so_is_too_much),
        TEST(test_nobody_is_called_after_a_cancel),
        TEST(test_who_asks_while_authd_is_away_waits_for_it),
        TEST(test_the_end_answers_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
