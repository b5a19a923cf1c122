/* What authd revokes reaches the front in order, and is asked for again after a break. */
#include "unit/gate/world.h"

static char order[64]; /* what came: a verdict's kind as a digit, 'r' for a revocation */
static AUTH(Revoked) last;
static char user[64], event[64], aor[64];

static void note(char c)
{
    size_t n = strlen(order);
    assert_true(n + 1 < sizeof(order));
    order[n] = c;
}

static void on_answer(void *arg, enum verdict kind, const AUTH(Verdict) * v)
{
    (void)arg, (void)v;
    w.n_answers++;
    note((char)('0' + kind));
}

static void on_revoked(void *arg, const AUTH(Revoked) * r)
{
    assert_ptr_equal(arg, &last);
    last = *r;
    span_copy(user, sizeof(user), r->user ? span_str(r->user) : SPAN(""));
    span_copy(event, sizeof(event), r->event ? span_str(r->event) : SPAN(""));
    span_copy(aor, sizeof(aor), r->n_aor ? span_str(r->aor[0]) : SPAN(""));
    note('r');
}

static void tell(const char *who, const char *at, const char *what, bool lost)
{
    AUTH(FromAuthd) msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    AUTH(Revoked) r = COUNTERSIGN__AUTH__REVOKED__INIT;
    char *aors[] = { (char *)what };
    r.user = (char *)who;
    r.event = (char *)at;
    r.aor = aors;
    r.n_aor = what ? 1 : 0;
    r.has_lost = r.lost = lost;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_REVOKED;
    msg.revoked = &r;
    assert_int_equal(ipc_peer_send(w.peer, &msg), 0);
}

static void ask(void)
{
    struct sip_msg *m = request("REGISTER", "", "Authorization: Digest x\r\n");
    size_t before = w.n_checks;
    assert_non_null(gate_ask(w.gate, w.lan, m, &facts, on_answer, NULL));
    sip_msg_unref(&m);
    assert_true(run_until_count(&w.loop, &w.n_checks, before + 1, 1000));
}

static void settle(const char *want)
{
    for (unsigned i = 0; i < 200 && strlen(order) < strlen(want); i++)
        run_for(&w.loop, 5);
    assert_string_equal(order, want);
}

static int open_gate(void **state)
{
    int err = world_open(state);
    memset(order, 0, sizeof(order));
    gate_start(DURATION_S(5), 0);
    gate_on_revoked(w.gate, on_revoked, &last);
    assert_true(run_until_count(&w.loop, &w.n_follows, 1, 1000));
    assert_string_equal(w.followed, ""); /* it never heard anything */
    return err;
}

static void test_verdicts_and_revocations_keep_their_order(void **state)
{
    AUTH(Grant) grant = COUNTERSIGN__AUTH__GRANT__INIT;
    AUTH(Verdict) yes = COUNTERSIGN__AUTH__VERDICT__INIT, later = yes;
    (void)state;
    yes.kind = KIND(ACCEPT);
    yes.grant = &grant;
    later.kind = KIND(LATER);
    for (unsigned i = 0; i < 4; i++)
        ask();
    authd_send(w.peer, w.ids[0], &yes);
    tell("alice@example.com", "5-1", "sip:alice@example.com", false);
    authd_send(w.peer, w.ids[1], &later);
    authd_send(w.peer, w.ids[2], &yes);
    tell(NULL, "5-2", "sip:1001@example.com", false);
    authd_send(w.peer, w.ids[3], &yes);
    settle("1r41r1");
    assert_null(last.user); /* anybody's */
    assert_string_equal(aor, "sip:1001@example.com");
    assert_string_equal(event, "5-2");
}

static void test_a_revocation_says_whose_and_what(void **state)
{
    (void)state;
    tell("alice@example.com", "7-0", "sip:alice@example.com", false);
    settle("r");
    assert_string_equal(user, "alice@example.com");
    assert_string_equal(aor, "sip:alice@example.com");
    assert_int_equal(last.n_aor, 1);
    tell(NULL, "8-0", NULL, true);
    settle("rr");
    assert_true(last.lost);
}

static void test_what_was_missed_is_asked_for_behind_the_last_event_heard(void **state)
{
    (void)state;
    tell(NULL, "7-3", NULL, false); /* a place, and nothing revoked */
    run_for(&w.loop, 20);
    assert_string_equal(order, "");
    for (unsigned i = 0; i < 2; i++) {
        size_t before = w.n_follows;
        ipc_server_close(&w.server);
        run_for(&w.loop, 20);
        authd_start();
        assert_true(run_until_count(&w.loop, &w.n_follows, before + 1, 3000));
        assert_string_equal(w.followed, i ? "9-0" : "7-3");
        tell("alice@example.com", "9-0", "sip:alice@example.com", false);
        settle(i ? "rr" : "r");
    }
}

static void test_an_event_longer_than_any_is_not_kept(void **state)
{
    static char long_event[100];
    (void)state;
    memset(long_event, '1', sizeof(long_event) - 1);
    tell(NULL, "7-3", NULL, false);
    tell("alice@example.com", long_event, "sip:alice@example.com", false);
    settle("r");
    size_t before = w.n_follows;
    ipc_server_close(&w.server);
    run_for(&w.loop, 20);
    authd_start();
    assert_true(run_until_count(&w.loop, &w.n_follows, before + 1, 3000));
    assert_string_equal(w.followed, "7-3");
}

static void test_without_a_listener_revocations_are_dropped_and_their_place_kept(void **state)
{
    (void)state;
    gate_on_revoked(w.gate, NULL, NULL);
    tell("alice@example.com", "11-0", "sip:alice@example.com", false);
    run_for(&w.loop, 20);
    assert_string_equal(order, "");
    size_t before = w.n_follows;
    ipc_server_close(&w.server);
    run_for(&w.loop, 20);
    authd_start();
    assert_true(run_until_count(&w.loop, &w.n_follows, before + 1, 3000));
    assert_string_equal(w.followed, "11-0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_gate, world_close)
    const struct CMUnitTest tests[] = {
        TEST(test_verdicts_and_revocations_keep_their_order),
        TEST(test_a_revocation_says_whose_and_what),
        TEST(test_what_was_missed_is_asked_for_behind_the_last_event_heard),
        TEST(test_an_event_longer_than_any_is_not_kept),
        TEST(test_without_a_listener_revocations_are_dropped_and_their_place_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
