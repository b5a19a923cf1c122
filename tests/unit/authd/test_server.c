#include "authd/server.h"

#include <signal.h>
#include <unistd.h>

#include "ipc/ipc.h"
#include "unit/authd/bench.h"

/* Two fronts ask over the socket, beside the server in one loop. */
static struct front_end {
    struct ipc_client *client;
    bool ready;
    size_t verdicts, signs, places, revoked, guards, bans;
    uint32_t ban_seconds;
    size_t revoked_before;
    bool accepted_behind; /* a revocation that came since */
    char place[EVENT_ID_MAX], user[64];
    uint64_t last_id;
    Countersign__Auth__VerdictKind last_kind;
    Countersign__Auth__Cause last_cause;
} fronts[2];

static struct server *server;
static char socket_path[108];

static void on_ready(void *arg, bool ready)
{
    ((struct front_end *)arg)->ready = ready;
}

static void on_message(void *arg, const Countersign__Auth__FromAuthd *msg)
{
    struct front_end *f = arg;
    if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_SIGNED)
        f->signs += msg->signed_->cause == CAUSE(SIGNER_NOT_ALLOWED) && msg->signed_->id == 5 &&
                    !msg->signed_->value_secret;
    if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_REVOKED) {
        bench_copy(f->place, sizeof(f->place), msg->revoked->event);
        bench_copy(f->user, sizeof(f->user), msg->revoked->user);
        *(msg->revoked->user ? &f->revoked : &f->places) += 1;
    }
    if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_GUARD) {
        assert_int_equal(f->bans, 0); /* it comes before them */
        f->guards++;
        assert_int_equal(msg->guard->n_exempt, bench.conf.defence.n_exempt);
    }
    if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_BAN) {
        f->bans++;
        f->ban_seconds = msg->ban->seconds;
        assert_int_equal(msg->ban->source_ip.len, 4);
        assert_int_equal(msg->ban->prefix_bits, 24);
    }
    if (msg->body_case != COUNTERSIGN__AUTH__FROM_AUTHD__BODY_VERDICT)
        return;
    f->verdicts++;
    f->last_id = msg->verdict->id;
    f->last_kind = msg->verdict->kind;
    f->accepted_behind |= f->revoked > f->revoked_before && f->last_kind == KIND(ACCEPT);
    f->last_cause = msg->verdict->cause;
}

static const struct ipc_client_events client_events = { on_ready, on_message };

static void send_check(struct front_end *f, struct ask *a, uint64_t id)
{
    Countersign__Auth__ToAuthd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    a->m.id = id;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK;
    msg.check = &a->m;
    assert_int_equal(ipc_client_send(f->client, &msg), 0);
}

static void send_cancel(struct front_end *f, uint64_t id)
{
    Countersign__Auth__ToAuthd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    Countersign__Auth__Cancel cancel = COUNTERSIGN__AUTH__CANCEL__INIT;
    cancel.id = id;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CANCEL;
    msg.cancel = &cancel;
    assert_int_equal(ipc_client_send(f->client, &msg), 0);
}

static struct ask right_one(void)
{
    struct ask a = ask_new("REGISTER", "udp");
    ask_prepare(&a, "MD5");
    return a;
}

static void test_each_front_gets_the_answers_to_its_own_questions(void **state)
{
    (void)state;
    struct ask a = right_one(), b = right_one();
    ask_answer(&a, "alice", "correct horse battery");
    ask_answer(&b, "alice", "wrong password here");
    send_check(&fronts[0], &a, 7);
    send_check(&fronts[1], &b, 7);
    assert_true(run_until_count(&bench.loop, &fronts[0].verdicts, 1, 2000));
    assert_true(run_until_count(&bench.loop, &fronts[1].verdicts, 1, 2000));
    assert_int_equal(fronts[0].last_id, 7);
    assert_int_equal(fronts[0].last_kind, KIND(ACCEPT));
    assert_int_equal(fronts[1].last_id, 7);
    assert_int_equal(fronts[1].last_cause, CAUSE(WRONG_RESPONSE));
    assert_int_equal(metric_get(M_AUTHD_CLIENTS, 0), 2);
}

static void test_cancel_drops_the_open_question_of_that_front(void **state)
{
    (void)state;
    size_t mine = fronts[0].verdicts, other = fronts[1].verdicts;
    struct ask a = right_one(), b = right_one();
    ask_answer(&a, "alice", "correct horse battery");
    ask_answer(&b, "alice", "correct horse battery");
    send_check(&fronts[0], &a, 8);
    send_check(&fronts[1], &b, 8);
    send_cancel(&fronts[0], 8);
    send_cancel(&fronts[0], 999); /* never asked */
    assert_true(run_until_count(&bench.loop, &fronts[1].verdicts, other + 1, 2000));
    run_for(&bench.loop, 30);
    assert_int_equal(fronts[0].verdicts, mine);
    assert_int_equal(bench.k.open, 0);
}

static void send_sign(struct front_end *f, uint64_t id)
{
    Countersign__Auth__ToAuthd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    Countersign__Auth__Sign sign = COUNTERSIGN__AUTH__SIGN__INIT;
    sign.id = id;
    sign.trunk = (char *)"nobody";
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_SIGN;
    msg.sign = &sign;
    assert_int_equal(ipc_client_send(f->client, &msg), 0);
}

static void test_nothing_is_signed_for_a_registrar(void **state)
{
    (void)state;
    send_sign(&fronts[0], 5);
    assert_true(run_until_count(&bench.loop, &fronts[0].signs, 1, 2000));
}

static void on_b2bua_message(void *arg, const Countersign__Auth__FromAuthd *msg)
{
    struct front_end *f = arg;
    assert_int_equal(msg->body_case, COUNTERSIGN__AUTH__FROM_AUTHD__BODY_SIGNED);
    f->last_cause = msg->signed_->cause;
    f->last_id = msg->signed_->id;
    f->signs++;
}

static void test_a_b2bua_may_have_signed_if_its_user_is_a_signer(void **state)
{
    static const struct ipc_client_events events = { on_ready, on_b2bua_message };
    const struct ipc_client_conf cc = { .path = socket_path,
                                        .node = "b2bua",
                                        .role = COUNTERSIGN__AUTH__ROLE__ROLE_B2BUA };
    uid_t uids[] = { getuid() + 1, getuid() };
    const struct {
        size_t n;
        Countersign__Auth__Cause cause;
    } cases[] = { { 0, CAUSE(SIGNER_NOT_ALLOWED) }, /* none is named */
                  { 1, CAUSE(SIGNER_NOT_ALLOWED) }, /* another is */
                  { 2, CAUSE(TRUNK_UNKNOWN) } };
    struct front_end b2bua = { 0 };
    (void)state;
    assert_int_equal(ipc_client_open(&bench.loop, &cc, &events, &b2bua, &b2bua.client), 0);
    assert_true(run_until(&bench.loop, &b2bua.ready, 2000));
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        bench.conf.listen.signer_uids = uids;
        bench.conf.listen.n_signer_uids = cases[i].n;
        send_sign(&b2bua, 50 + i);
        assert_true(run_until_count(&bench.loop, &b2bua.signs, i + 1, 2000));
        assert_int_equal(b2bua.last_cause, cases[i].cause);
        assert_int_equal(b2bua.last_id, 50 + i);
    }
    kill(bench.server.pid, SIGSTOP);
    send_sign(&b2bua, 60); /* it leaves with this one open */
    run_for(&bench.loop, 30);
    ipc_client_close(&b2bua.client);
    run_for(&bench.loop, 30);
    kill(bench.server.pid, SIGCONT);
    run_for(&bench.loop, 30);
    assert_int_equal(b2bua.signs, CS_LEN(cases));
    bench.conf.listen.n_signer_uids = 0;
}

static void send_follow(struct front_end *f, const char *event)
{
    Countersign__Auth__ToAuthd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    Countersign__Auth__Follow follow = COUNTERSIGN__AUTH__FOLLOW__INIT;
    follow.event = (char *)event;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_FOLLOW;
    msg.follow = &follow;
    assert_int_equal(ipc_client_send(f->client, &msg), 0);
}

/* The last word counts: the same ban may be told more than once. */
static void hear_of_ban(const struct front_end *f, uint32_t least, uint32_t most)
{
    for (int i = 0; i < 400 && !(f->bans && f->ban_seconds >= least && f->ban_seconds <= most); i++)
        run_for(&bench.loop, 5);
    assert_true(f->bans > 0);
    assert_in_range(f->ban_seconds, least, most);
}

static void test_who_follows_hears_of_every_ban(void **state)
{
    struct defence *d = bench.k.defence;
    struct ban b = { .since = clock_wall() }, pair;
    (void)state;
    assert_int_equal(cidr_parse(SPAN("203.0.113.0/24"), &b.net), 0);
    b.until = wall_add(b.since, DURATION_S(100));
    pair = b;
    pair.user = SPAN("alice@example.com"); /* no front's business */
    assert_non_null(defence_ban(d, &pair, redis_ignore, NULL));
    assert_non_null(defence_ban(d, &b, redis_ignore, NULL));
    send_follow(&fronts[0], NULL);
    hear_of_ban(&fronts[0], 90, 100); /* what stands */
    assert_int_equal(fronts[0].guards, 1);
    b.until = wall_add(b.since, DURATION_S(1000));
    assert_non_null(defence_ban(d, &b, redis_ignore, NULL));
    hear_of_ban(&fronts[0], 990, 1000); /* what is new */
    assert_non_null(defence_lift(d, &b, redis_ignore, NULL));
    hear_of_ban(&fronts[0], 0, 0);
    assert_non_null(defence_lift(d, &pair, redis_ignore, NULL));
    run_for(&bench.loop, 50);
    hear_of_ban(&fronts[0], 0, 0);
    assert_int_equal(fronts[1].bans + fronts[1].guards, 0); /* it does not follow */
}

static void test_who_follows_hears_where_we_are_and_what_is_revoked(void **state)
{
    char place[EVENT_ID_MAX];
    (void)state;
    send_follow(&fronts[0], NULL);
    assert_true(run_until_count(&bench.loop, &fronts[0].places, 1, 2000));
    assert_string_equal(fronts[0].place, revoker_place(bench.k.revoker));
    bench_copy(place, sizeof(place), fronts[0].place);
    bench_add("bob", "1002", "correct horse battery", ALG_ALL, true);
    bench_remove("bob");
    assert_true(run_until_count(&bench.loop, &fronts[0].revoked, 1, 2000));
    assert_string_equal(fronts[0].user, "bob@example.com");
    assert_string_not_equal(fronts[0].place, place);
    assert_int_equal(fronts[1].revoked + fronts[1].places, 0); /* it does not follow */

    send_follow(&fronts[1], place); /* it was away */
    assert_true(run_until_count(&bench.loop, &fronts[1].revoked, 1, 2000));
    assert_string_equal(fronts[1].user, "bob@example.com");
    assert_string_equal(fronts[1].place, fronts[0].place);
    send_follow(&fronts[1], place); /* once is enough */
    run_for(&bench.loop, 50);
    assert_int_equal(fronts[0].revoked, 1);
    assert_int_equal(fronts[1].revoked, 1);
}

/* Another authd removes the user between the reading of its record and the commit of the nonce
 * count, which takes two steps where a higher one was there before. Redis is held so that all of
 * that reaches it at once, and we learn of the event and of the old record in one turn. */
static void test_no_acceptance_that_rests_on_what_stood_before_follows_a_revocation(void **state)
{
    const struct redis_conf rc = { .unix_path = bench.server.socket };
    struct span aors[] = { SPAN("sip:1001@example.com") };
    struct user was = { .name = SPAN("carol"),
                        .realm = SPAN("example.com"),
                        .enabled = true,
                        .aors = aors,
                        .n_aors = 1 },
                none = { 0 };
    struct redis *other;
    Countersign__Store__Event e;
    struct arena a;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    assert_int_equal(event_of_change(&was, &none, clock_wall(), &a, &e), 0);
    struct span packed = event_encode(&e, &a);
    assert_int_equal(redis_open(&bench.loop, &rc, &other), 0);
    for (unsigned i = 0; i < 200 && !redis_is_ready(other); i++)
        run_for(&bench.loop, 10);
    for (unsigned i = 0; i < 10; i++) {
        struct front_end *f = &fronts[0];
        size_t verdicts = f->verdicts, revoked = f->revoked;
        f->revoked_before = revoked;
        struct ask ask = ask_new("REGISTER", "udp");
        bench_add("carol", "1001", "correct horse battery", ALG_ALL, true);
        ask_prepare(&ask, "SHA-256");
        ask.cred[0].nc = (char *)"00000002";
        ask_answer(&ask, "carol", "correct horse battery");
        send_check(f, &ask, 90);
        assert_true(run_until_count(&bench.loop, &f->verdicts, verdicts + 1, 2000));
        assert_int_equal(f->last_kind, KIND(ACCEPT));
        cache_forget_all(bench.k.cache);
        ask.cred[0].nc = (char *)"00000001";
        ask_answer(&ask, "carol", "correct horse battery");
        kill(bench.server.pid, SIGSTOP);
        send_check(f, &ask, 100 + i);
        run_for(&bench.loop, 20);
        assert_int_equal(bench.k.open, 1);
        redis_do(other, bench_on_reply, NULL, SPAN("DEL"), SPAN("cs:user:{carol@example.com}"));
        events_append(other, packed, bench_on_reply, NULL);
        run_for(&bench.loop, 20);
        kill(bench.server.pid, SIGCONT);
        usleep(20000); /* Redis has answered all before we listen again */
        assert_true(run_until_count(&bench.loop, &f->verdicts, verdicts + 2, 2000));
        assert_true(run_until_count(&bench.loop, &f->revoked, revoked + 1, 2000));
        assert_false(f->accepted_behind);
    }
    redis_close(&other);
    arena_fini(&a);
}

static void test_who_follows_hears_of_it_when_redis_is_back(void **state)
{
    struct front_end late = { 0 };
    const struct ipc_client_conf cc = { .path = socket_path,
                                        .node = "late",
                                        .role = COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR };
    (void)state;
    redis_server_kill(&bench.server);
    for (unsigned i = 0; i < 200 && revoker_is_current(bench.k.revoker); i++)
        run_for(&bench.loop, 10);
    assert_false(revoker_is_current(bench.k.revoker));
    assert_int_equal(ipc_client_open(&bench.loop, &cc, &client_events, &late, &late.client), 0);
    assert_true(run_until(&bench.loop, &late.ready, 2000));
    send_follow(&late, NULL);
    run_for(&bench.loop, 50);
    assert_int_equal(late.places, 0);
    redis_server_start(&bench.server, NULL);
    bench_settle();
    assert_true(run_until_count(&bench.loop, &late.places, 1, 3000));
    assert_string_equal(late.place, revoker_place(bench.k.revoker));
    ipc_client_close(&late.client);
    run_for(&bench.loop, 20);
}

static void test_questions_of_a_front_that_left_are_dropped(void **state)
{
    (void)state;
    struct ask a = right_one();
    ask_answer(&a, "alice", "correct horse battery");
    kill(bench.server.pid, SIGSTOP);
    for (uint64_t id = 20; id < 30; id++)
        send_check(&fronts[1], &a, id);
    run_for(&bench.loop, 30);
    assert_int_equal(bench.k.open, 10);
    ipc_client_close(&fronts[1].client);
    run_for(&bench.loop, 30);
    kill(bench.server.pid, SIGCONT);
    assert_int_equal(bench.k.open, 0);
    assert_int_equal(metric_get(M_AUTHD_CLIENTS, 0), 1);
    run_for(&bench.loop, 50);
}

static void test_closing_with_open_questions_leaves_nothing(void **state)
{
    (void)state;
    struct ask a = right_one();
    ask_answer(&a, "alice", "correct horse battery");
    kill(bench.server.pid, SIGSTOP);
    send_check(&fronts[0], &a, 40);
    run_for(&bench.loop, 30);
    assert_int_equal(bench.k.open, 1);
    server_close(&server);
    assert_int_equal(bench.k.open, 0);
    kill(bench.server.pid, SIGCONT);
    ipc_client_close(&fronts[0].client);
    run_for(&bench.loop, 30);
}

static int open_server(void **state)
{
    int err = bench_open(state);
    static uid_t self;
    self = geteuid();
    snprintf(socket_path, sizeof(socket_path), "%s", tmp_path("auth.sock"));
    bench.conf.listen.socket = socket_path;
    bench.conf.listen.bits = 0600;
    bench.conf.listen.uids = &self;
    bench.conf.listen.n_uids = 1;
    if (!err)
        err = server_open(&bench.k, &server);
    const struct ipc_client_conf cc = { .path = socket_path,
                                        .node = "test",
                                        .role = COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR };
    for (size_t i = 0; !err && i < 2; i++) {
        err = ipc_client_open(&bench.loop, &cc, &client_events, &fronts[i], &fronts[i].client);
        if (!err && !run_until(&bench.loop, &fronts[i].ready, 2000))
            err = -1;
    }
    if (!err)
        bench_add("alice", "1001", "correct horse battery", ALG_ALL, true);
    return err;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_front_gets_the_answers_to_its_own_questions),
        cmocka_unit_test(test_cancel_drops_the_open_question_of_that_front),
        cmocka_unit_test(test_who_follows_hears_of_every_ban),
        cmocka_unit_test(test_nothing_is_signed_for_a_registrar),
        cmocka_unit_test(test_a_b2bua_may_have_signed_if_its_user_is_a_signer),
        cmocka_unit_test(test_who_follows_hears_where_we_are_and_what_is_revoked),
        cmocka_unit_test(test_no_acceptance_that_rests_on_what_stood_before_follows_a_revocation),
        cmocka_unit_test(test_who_follows_hears_of_it_when_redis_is_back),
        cmocka_unit_test(test_questions_of_a_front_that_left_are_dropped),
        cmocka_unit_test(test_closing_with_open_questions_leaves_nothing),
    };
    return cmocka_run_group_tests_name("server", tests, open_server, bench_close);
}
