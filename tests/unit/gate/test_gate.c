/* The gate between a front and an authd that answers, is silent, or dies. */
#include "base/metric.h"
#include "unit/gate/world.h"

static char wire[4096]; /* what a phone got */

static void on_answer(void *arg, enum verdict kind, const AUTH(Verdict) * v)
{
    (void)arg;
    w.n_answers++;
    w.kind = kind;
    w.status = v->has_status ? v->status : 0;
    span_copy(w.challenge, sizeof(w.challenge),
              v->n_challenge ? span_str(v->challenge[0]) : SPAN(""));
    span_copy(w.decision, sizeof(w.decision), v->decision ? span_str(v->decision) : SPAN(""));
    if (kind == VERDICT_ACCEPT)
        assert_non_null(v->grant);
}

static struct gate_ask *ask_of(const char *method, const char *headers)
{
    struct sip_msg *m = request(method, "", headers);
    size_t before = w.n_answers;
    struct gate_ask *ask = gate_ask(w.gate, w.lan, m, &facts, on_answer, NULL);
    assert_non_null(ask);
    assert_int_equal(w.n_answers, before); /* never from inside */
    sip_msg_unref(&m);
    return ask;
}

static struct gate_ask *ask(void)
{
    return ask_of("REGISTER", "Authorization: Digest x\r\n");
}

static enum verdict answer_to(const AUTH(Verdict) * v)
{
    size_t before = w.n_answers;
    w.verdict = v;
    ask();
    assert_true(run_until_count(&w.loop, &w.n_answers, before + 1, 1000));
    w.verdict = NULL;
    return w.kind;
}

static void until_checks(size_t n)
{
    assert_true(run_until_count(&w.loop, &w.n_checks, n, 1000));
}

static AUTH(Verdict) verdict(AUTH(VerdictKind) kind)
{
    AUTH(Verdict) v = COUNTERSIGN__AUTH__VERDICT__INIT;
    v.kind = kind;
    return v;
}

static char one_challenge[] = "Digest realm=\"r\", nonce=\"n\"";
static char *challenges[] = { one_challenge };

static AUTH(Verdict) challenge(unsigned status)
{
    AUTH(Verdict) v = verdict(KIND(CHALLENGE));
    v.has_status = true;
    v.status = status;
    v.challenge = challenges;
    v.n_challenge = 1;
    return v;
}

/* ---- verdicts ---- */

static void test_each_verdict_arrives_as_what_it_is(void **state)
{
    AUTH(Grant) grant = COUNTERSIGN__AUTH__GRANT__INIT;
    AUTH(Verdict) v = verdict(KIND(ACCEPT));
    (void)state;
    gate_start(DURATION_MS(0), 0);
    v.grant = &grant;
    assert_int_equal(answer_to(&v), VERDICT_ACCEPT);
    v = challenge(401);
    assert_int_equal(answer_to(&v), VERDICT_CHALLENGE);
    assert_string_equal(w.challenge, one_challenge);
    v = challenge(407);
    assert_int_equal(answer_to(&v), VERDICT_CHALLENGE);
    v = verdict(KIND(REJECT));
    v.has_status = true;
    v.status = 403;
    v.decision = (char *)"abc";
    assert_int_equal(answer_to(&v), VERDICT_REJECT);
    assert_int_equal(w.status, 403);
    assert_string_equal(w.decision, "abc");
    v = verdict(KIND(LATER));
    assert_int_equal(answer_to(&v), VERDICT_LATER);
}

static void test_a_verdict_that_makes_no_sense_is_later(void **state)
{
    AUTH(Verdict) v;
    (void)state;
    gate_start(DURATION_MS(0), 0);
    v = verdict(KIND(ACCEPT)); /* without a grant */
    assert_int_equal(answer_to(&v), VERDICT_LATER);
    v = verdict(KIND(NONE));
    assert_int_equal(answer_to(&v), VERDICT_LATER);
    v = verdict((AUTH(VerdictKind))77);
    assert_int_equal(answer_to(&v), VERDICT_LATER);
    v = challenge(200);
    assert_int_equal(answer_to(&v), VERDICT_LATER);
    v = challenge(403);
    assert_int_equal(answer_to(&v), VERDICT_LATER);
    v = challenge(401);
    v.n_challenge = 0;
    assert_int_equal(answer_to(&v), VERDICT_LATER);
    v = challenge(401);
    v.has_status = false;
    v.status = 0;
    assert_int_equal(answer_to(&v), VERDICT_LATER);
}

static void test_answers_find_their_question_in_any_order(void **state)
{
    AUTH(Verdict) reject = verdict(KIND(REJECT)), later = verdict(KIND(LATER));
    (void)state;
    gate_start(DURATION_MS(0), 0);
    for (unsigned i = 0; i < 3; i++)
        ask();
    until_checks(3);
    authd_send(w.peer, w.ids[2], &reject);
    assert_true(run_until_count(&w.loop, &w.n_answers, 1, 1000));
    assert_int_equal(w.kind, VERDICT_REJECT);
    authd_send(w.peer, w.ids[2], &later);      /* twice */
    authd_send(w.peer, w.ids[2] + 77, &later); /* nobody's */
    authd_send(w.peer, UINT64_MAX, &later);
    run_for(&w.loop, 50);
    assert_int_equal(w.n_answers, 1);
    authd_send(w.peer, w.ids[0], &reject);
    authd_send(w.peer, w.ids[1], &later);
    assert_true(run_until_count(&w.loop, &w.n_answers, 3, 1000));
    assert_int_equal(w.kind, VERDICT_LATER);
}

/* ---- silence ---- */

static void test_silence_is_later_and_a_late_answer_is_nobodys(void **state)
{
    AUTH(Verdict) reject = verdict(KIND(REJECT));
    (void)state;
    gate_start(DURATION_MS(200), 0);
    struct mono began = clock_mono();
    ask();
    assert_true(run_until_count(&w.loop, &w.n_answers, 1, 1000));
    assert_in_range(mono_since(began, clock_mono()).ms, 195, 400);
    assert_int_equal(w.kind, VERDICT_LATER);
    assert_true(run_until_count(&w.loop, &w.n_cancels, 1, 1000));
    assert_int_equal(w.cancelled, w.ids[0]);
    ask(); /* it may sit where the first one sat */
    until_checks(2);
    assert_int_not_equal(w.ids[0], w.ids[1]);
    authd_send(w.peer, w.ids[0], &reject);
    run_for(&w.loop, 50);
    assert_int_equal(w.n_answers, 1);
    authd_send(w.peer, w.ids[1], &reject);
    assert_true(run_until_count(&w.loop, &w.n_answers, 2, 1000));
    assert_int_equal(w.kind, VERDICT_REJECT);
}

static void test_each_question_has_its_own_deadline(void **state)
{
    (void)state;
    gate_start(DURATION_MS(200), 0);
    ask();
    run_for(&w.loop, 120);
    ask();
    run_for(&w.loop, 120);
    assert_int_equal(w.n_answers, 1);
    run_for(&w.loop, 120);
    assert_int_equal(w.n_answers, 2);
}

static void test_a_lost_authd_is_later_for_all_that_is_open_and_others_wait_for_it(void **state)
{
    (void)state;
    gate_start(DURATION_MS(1500), 0);
    for (unsigned i = 0; i < 5; i++)
        ask();
    until_checks(5);
    ipc_server_close(&w.server);
    assert_true(run_until_count(&w.loop, &w.n_answers, 5, 1000));
    assert_int_equal(w.kind, VERDICT_LATER);
    assert_false(gate_is_ready(w.gate));
    ask(); /* while it is away: until the deadline */
    gate_cancel(ask());
    run_for(&w.loop, 300);
    assert_int_equal(w.n_answers, 5);
    assert_true(run_until_count(&w.loop, &w.n_answers, 6, 2000));
    assert_int_equal(w.kind, VERDICT_LATER);
    size_t before = w.n_checks;
    ask(); /* and if it comes back before, it is asked */
    authd_start();
    for (unsigned i = 0; i < 300 && !gate_is_ready(w.gate); i++)
        run_for(&w.loop, 10);
    until_checks(before + 1);
    AUTH(Verdict) reject = verdict(KIND(REJECT));
    assert_int_equal(answer_to(&reject), VERDICT_REJECT);
}

static void test_closing_is_later_for_all_that_is_open(void **state)
{
    (void)state;
    gate_start(DURATION_S(10), 0);
    for (unsigned i = 0; i < 5; i++)
        ask();
    until_checks(5);
    ask(); /* not sent yet */
    gate_close(&w.gate);
    assert_null(w.gate);
    assert_int_equal(w.n_answers, 6);
    assert_int_equal(w.kind, VERDICT_LATER);
}

static void test_a_cancelled_question_is_not_answered_and_authd_is_told(void **state)
{
    AUTH(Verdict) reject = verdict(KIND(REJECT));
    (void)state;
    gate_start(DURATION_MS(200), 0);
    struct gate_ask *asked = ask();
    until_checks(1);
    gate_cancel(asked);
    assert_true(run_until_count(&w.loop, &w.n_cancels, 1, 1000));
    assert_int_equal(w.cancelled, w.ids[0]);
    authd_send(w.peer, w.ids[0], &reject);
    run_for(&w.loop, 300);
    assert_int_equal(w.n_answers, 0);
}

static void test_more_questions_than_the_limit_are_later_at_once(void **state)
{
    AUTH(Verdict) reject = verdict(KIND(REJECT));
    (void)state;
    gate_start(DURATION_S(10), 3);
    for (unsigned i = 0; i < 5; i++)
        ask();
    assert_true(run_until_count(&w.loop, &w.n_answers, 2, 1000));
    assert_int_equal(w.kind, VERDICT_LATER);
    until_checks(3);
    run_for(&w.loop, 50);
    assert_int_equal(w.n_checks, 3);
    for (unsigned i = 0; i < 3; i++)
        authd_send(w.peer, w.ids[i], &reject);
    assert_true(run_until_count(&w.loop, &w.n_answers, 5, 1000));
    assert_int_equal(answer_to(&reject), VERDICT_REJECT); /* there is room again */
}

/* ---- facts ---- */

static const AUTH(Check) * check_of(const struct flow *f, const char *method, const char *to_params,
                                    const char *headers, const struct gate_facts *of)
{
    struct sip_msg *m = request(method, to_params, headers);
    size_t before = w.n_checks;
    struct gate_ask *asked = gate_ask(w.gate, (struct flow *)f, m, of, on_answer, NULL);
    sip_msg_unref(&m);
    until_checks(before + 1);
    gate_cancel(asked);
    return w.check;
}

static void test_a_register_tells_all_its_facts(void **state)
{
    (void)state;
    gate_start(DURATION_MS(1500), 0);
    const AUTH(Check) *c = check_of(w.lan, "REGISTER", "",
                                    "User-Agent: Phone/1 (x)\r\n"
                                    "Contact: <sip:a@1.2.3.4>, <sip:b@1.2.3.4>\r\n"
                                    "Contact: \"x, y\" <sip:c@1.2.3.4>\r\n",
                                    &facts);
    assert_int_equal(c->deadline_ms, 1500);
    assert_string_equal(c->listener, "lan");
    assert_int_equal(c->transport, COUNTERSIGN__AUTH__TRANSPORT__UDP);
    assert_int_equal(c->source_ip.len, 4);
    assert_memory_equal(c->source_ip.data, "\x7f\0\0\1", 4);
    assert_int_equal(c->source_port, addr_port(&w.lan->remote));
    assert_string_equal(c->method, "REGISTER");
    assert_string_equal(c->request_uri, "sip:example.com");
    assert_string_equal(c->domain, "example.com");
    assert_string_equal(c->from_aor, "sip:a@example.com");
    assert_string_equal(c->to_aor, "sip:b@example.com");
    assert_null(c->target_aor);
    assert_string_equal(c->call_id, "c1@host");
    assert_int_equal(c->cseq, 7);
    assert_string_equal(c->user_agent, "Phone/1 (x)");
    assert_true(c->has_in_dialog && !c->in_dialog);
    assert_true(c->has_contacts);
    assert_int_equal(c->contacts, 3);
    assert_false(c->has_removes_all);
    assert_false(c->has_body);
    assert_false(c->has_lease_want);
    assert_int_equal(c->n_digest, 0);
    assert_false(c->has_basic);
    assert_null(c->bearer_secret);

    c = check_of(w.lan, "REGISTER", "", "Contact: *\r\n", &facts);
    assert_true(c->removes_all);
    assert_int_equal(c->contacts, 1);
    assert_null(c->user_agent);
    c = check_of(w.lan, "REGISTER", "", "", &facts);
    assert_true(c->has_contacts);
    assert_int_equal(c->contacts, 0);
}

static void test_an_invite_tells_all_its_facts(void **state)
{
    struct gate_facts of = { .domain = SPAN("example.com"),
                             .target_aor = SPAN("sip:b@example.com") };
    (void)state;
    gate_start(DURATION_MS(0), 0);
    const AUTH(Check) *c = check_of(w.tcp, "INVITE", ";tag=9", "Contact: <sip:a@1.2.3.4>\r\n", &of);
    assert_string_equal(c->method, "INVITE");
    assert_int_equal(c->transport, COUNTERSIGN__AUTH__TRANSPORT__TCP);
    assert_int_equal(c->deadline_ms, 2000);
    assert_true(c->in_dialog);
    assert_false(c->has_contacts);
    assert_string_equal(c->target_aor, "sip:b@example.com");
    assert_null(c->from_aor);
    assert_null(c->to_aor);
    c = check_of(w.wan, "iNvite", "", "", &of);
    assert_string_equal(c->listener, "wan");
    assert_string_equal(c->method, "iNvite"); /* case kept: it is hashed */
}

static void test_credentials_are_unescaped_in_order(void **state)
{
    (void)state;
    gate_start(DURATION_MS(0), 0);
    const AUTH(Check) *c = check_of(
        w.lan, "INVITE", "",
        "Authorization: Digest username=\"a\\\"b\\\\c\", realm=\"r1\", nonce=\"n1\",\r\n"
        " uri=\"sip:x\", response=\"0123\", algorithm=SHA-256, qop=auth-int, nc=00000001,\r\n"
        " cnonce=\"c\\\"n\", opaque=\"o\", userhash=true\r\n"
        "Proxy-Authorization: Digest username=\"u2\", realm=\"r2\", nonce=\"n2\", "
        "uri=\"sip:y\",\r\n"
        " response=\"4567\"\r\n",
        &facts);
    assert_int_equal(c->n_digest, 2);
    const AUTH(DigestCredentials) *d = c->digest[0];
    assert_false(d->proxy || d->malformed);
    assert_string_equal(d->username, "a\"b\\c");
    assert_string_equal(d->realm, "r1");
    assert_string_equal(d->nonce_secret, "n1");
    assert_string_equal(d->uri, "sip:x");
    assert_string_equal(d->response_secret, "0123");
    assert_string_equal(d->algorithm, "SHA-256");
    assert_string_equal(d->qop, "auth-int");
    assert_string_equal(d->nc, "00000001");
    assert_string_equal(d->cnonce_secret, "c\"n");
    assert_string_equal(d->opaque, "o");
    assert_true(d->userhash);
    assert_true(c->has_body); /* for auth-int */
    assert_int_equal(c->body.len, 4);
    assert_memory_equal(c->body.data, "body", 4);
    d = c->digest[1];
    assert_true(d->proxy);
    assert_string_equal(d->username, "u2");
    assert_null(d->algorithm);
    assert_null(d->qop);
    assert_null(d->nc);
    assert_null(d->cnonce_secret);
    assert_false(d->has_userhash);
}

static void test_malformed_credentials_are_said_to_be(void **state)
{
    static const char *const malformed[] = {
        "Authorization: Digest\r\n",
        "Authorization: Digest username=\"a\r\n",
        "Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\"\r\n",
        ("Authorization: Digest username=\"a\", username=\"b\", realm=\"r\", nonce=\"n\", "
         "uri=\"u\", response=\"0\"\r\n"),
    };
    (void)state;
    gate_start(DURATION_MS(0), 0);
    for (size_t i = 0; i < CS_LEN(malformed); i++) {
        const AUTH(Check) *c = check_of(w.lan, "REGISTER", "", malformed[i], &facts);
        assert_int_equal(c->n_digest, 1);
        assert_true(c->digest[0]->malformed);
        assert_null(c->digest[0]->username);
    }
}

static void test_other_schemes_are_told_apart(void **state)
{
    (void)state;
    gate_start(DURATION_MS(0), 0);
    const AUTH(Check) *c =
        check_of(w.lan, "REGISTER", "", "Authorization: bearer \t abc.def \r\n", &facts);
    assert_string_equal(c->bearer_secret, "abc.def");
    assert_false(c->bearer_repeated);
    assert_int_equal(c->n_digest, 0);
    c = check_of(w.lan, "INVITE", "",
                 "Authorization: Bearer a.b.c\r\nProxy-Authorization: Bearer d.e.f\r\n", &facts);
    assert_string_equal(c->bearer_secret, "d.e.f");
    assert_true(c->bearer_repeated);
    c = check_of(w.lan, "REGISTER", "", "Authorization: Bearer\r\n", &facts);
    assert_string_equal(c->bearer_secret, "");
    c = check_of(w.lan, "REGISTER", "", "Authorization: BASIC dTpw\r\n", &facts);
    assert_true(c->basic);
    assert_int_equal(c->n_digest, 0);
    c = check_of(w.lan, "REGISTER", "", "Authorization: Negotiate x\r\n", &facts);
    assert_false(c->has_basic);
    assert_null(c->bearer_secret);
    assert_int_equal(c->n_digest, 0);
}

static void test_credentials_are_bounded(void **state)
{
    char headers[4096] = "";
    (void)state;
    gate_start(DURATION_MS(0), 0);
    for (unsigned i = 0; i < 20; i++)
        strcat(headers, "Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\","
                        " response=\"0\"\r\n");
    assert_int_equal(check_of(w.lan, "REGISTER", "", headers, &facts)->n_digest, 16);
}

/* ---- leases ---- */

/* Asks until a lease is wanted, then gives one of sixteen nonces. */
static void lease(unsigned status, AUTH(VerdictKind) kind)
{
    char text[] = "Digest realm=\"r\", nonce=\"\x01\"", *texts[] = { text };
    char nonce[16][8], *nonces[16];
    AUTH(Lease) l = COUNTERSIGN__AUTH__LEASE__INIT;
    AUTH(Verdict) plain = challenge(401), v = challenge(status);
    for (unsigned i = 0; i < CS_LEN(nonces); i++) {
        snprintf(nonce[i], sizeof(nonce[i]), "n%u", i);
        nonces[i] = nonce[i];
    }
    l.challenge = texts;
    l.n_challenge = 1;
    l.nonce_secret = nonces;
    l.n_nonce_secret = CS_LEN(nonces);
    l.valid_ms = 2000;
    l.has_valid_ms = true;
    v.kind = kind;
    v.lease = &l;
    for (unsigned i = 0; i < 50; i++) {
        size_t before = w.n_answers;
        ask_of("REGISTER", "");
        until_checks(before + 1);
        bool wanted = w.check->has_lease_want;
        authd_send(w.peer, w.check->id, wanted ? &v : &plain);
        assert_true(run_until_count(&w.loop, &w.n_answers, before + 1, 1000));
        if (wanted)
            return;
    }
    fail_msg("no lease was wanted");
}

static bool challenged_here(const char *headers)
{
    struct sip_msg *m = request("REGISTER", "", headers);
    bool done = gate_challenge(w.gate, w.lan, m, &facts);
    sip_msg_unref(&m);
    return done;
}

static void test_a_lease_answers_without_authd(void **state)
{
    (void)state;
    gate_start(DURATION_MS(0), 0);
    assert_false(challenged_here(""));
    lease(401, KIND(CHALLENGE));
    size_t checks = w.n_checks;
    assert_false(challenged_here("Authorization: Digest x\r\n"));
    assert_false(challenged_here("User-Agent: Other\r\n"));

    assert_true(challenged_here("")); /* on the wire */
    struct span in = wire_recv(&w.loop, w.phone, 1000);
    assert_true(span_starts(in, SPAN("SIP/2.0 401 ")));
    span_copy(wire, sizeof(wire), in);
    assert_non_null(strstr(wire, "\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n15\"\r\n"));

    size_t answers = w.n_answers;
    ask_of("REGISTER", ""); /* as a verdict */
    assert_true(run_until_count(&w.loop, &w.n_answers, answers + 1, 1000));
    assert_int_equal(w.kind, VERDICT_CHALLENGE);
    assert_int_equal(w.status, 401);
    assert_string_equal(w.challenge, "Digest realm=\"r\", nonce=\"n14\"");
    assert_int_equal(w.n_checks, checks);

    gate_use_leases(w.gate, false); /* while Redis is away the question goes to authd */
    assert_false(challenged_here(""));
    gate_cancel(ask_of("REGISTER", ""));
    until_checks(checks + 1);
    assert_false(w.check->has_lease_want);
    gate_use_leases(w.gate, true);
    assert_true(challenged_here(""));

    ipc_server_close(&w.server); /* without authd nothing is challenged */
    for (unsigned i = 0; i < 100 && gate_is_ready(w.gate); i++)
        run_for(&w.loop, 10);
    assert_false(challenged_here(""));
}

static void test_a_lease_of_what_is_no_challenge_is_ignored(void **state)
{
    static const unsigned statuses[] = { 200, 401 };
    static const AUTH(VerdictKind) kinds[] = { KIND(CHALLENGE), KIND(REJECT) };
    (void)state;
    gate_start(DURATION_MS(0), 0);
    for (size_t i = 0; i < CS_LEN(kinds); i++) {
        lease(statuses[i], kinds[i]);
        assert_int_equal(w.kind, i == 0 ? VERDICT_LATER : VERDICT_REJECT);
        loop_skip(&w.loop, DURATION_MS(1500));
        assert_false(challenged_here(""));
        size_t before = w.n_checks;
        struct gate_ask *asked = ask_of("REGISTER", "");
        until_checks(before + 1);
        gate_cancel(asked);
        loop_skip(&w.loop, DURATION_MS(3000));
        w.n_answers = w.n_checks;
    }
}

/* ---- answers on the wire ---- */

/* Sends a REGISTER, refuses it so, and returns the status of what comes back. */
static unsigned refused(enum verdict kind, const AUTH(Verdict) * v)
{
    char text[1024];
    const struct addr *at = siptp_listener_local(w.lan->listener);
    int fd = wire_udp(at);
    int n = snprintf(text, sizeof(text),
                     "REGISTER sip:example.com SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK%u;rport\r\n"
                     "From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\n"
                     "Call-ID: c2\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
                     "Content-Length: 0\r\n\r\n",
                     ++w.n_sent);
    wire_send(fd, span_of(text, (size_t)n));
    tx_unref(&w.tx);
    for (unsigned i = 0; i < 200 && !w.tx; i++)
        run_for(&w.loop, 5);
    assert_non_null(w.tx);
    gate_refuse(w.tx, kind, v);
    struct span in = wire_recv(&w.loop, fd, 1000);
    assert_true(span_starts(in, SPAN("SIP/2.0 ")));
    span_copy(wire, sizeof(wire), in);
    close(fd);
    return (unsigned)strtoul(wire + 8, NULL, 10);
}

static void test_a_challenge_is_one_line_for_each(void **state)
{
    char other[] = "Digest realm=\"r\", nonce=\"m\"", *two[] = { one_challenge, other };
    AUTH(Verdict) v = challenge(401);
    (void)state;
    v.challenge = two;
    v.n_challenge = 2;
    assert_int_equal(refused(VERDICT_CHALLENGE, &v), 401);
    const char *first = strstr(wire, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
    const char *second = strstr(wire, "WWW-Authenticate: Digest realm=\"r\", nonce=\"m\"\r\n");
    assert_true(first && second && first < second);
    v = challenge(407);
    assert_int_equal(refused(VERDICT_CHALLENGE, &v), 407);
    assert_non_null(strstr(wire, "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"));
}

static void test_a_refusal_shows_the_decision_and_never_the_cause(void **state)
{
    AUTH(Verdict) v = verdict(KIND(REJECT));
    (void)state;
    v.has_status = true;
    v.status = 403;
    v.decision = (char *)"Zm9vYmFy";
    v.has_cause = true;
    v.cause = COUNTERSIGN__AUTH__CAUSE__UNKNOWN_USER;
    v.has_retry_after_s = true;
    v.retry_after_s = 30;
    assert_int_equal(refused(VERDICT_REJECT, &v), 403);
    assert_non_null(strstr(wire, "\r\nReason: Countersign;text=\"Zm9vYmFy\"\r\n"));
    assert_non_null(strstr(wire, "\r\nRetry-After: 30\r\n"));
    assert_null(strcasestr(wire, "unknown"));
    v.status = 200; /* never a success, whatever it says */
    assert_int_equal(refused(VERDICT_REJECT, &v), 403);
}

static void test_later_is_503_with_retry_after(void **state)
{
    AUTH(Verdict) v = verdict(KIND(LATER));
    (void)state;
    assert_int_equal(refused(VERDICT_LATER, &v), 503);
    const char *after = strstr(wire, "\r\nRetry-After: ");
    assert_non_null(after);
    assert_in_range(strtoul(after + strlen("\r\nRetry-After: "), NULL, 10), 1, 5);
    assert_null(strstr(wire, "Authenticate"));
    assert_int_equal(refused(VERDICT_NONE, &v), 503);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(test_each_verdict_arrives_as_what_it_is),
        TEST(test_a_verdict_that_makes_no_sense_is_later),
        TEST(test_answers_find_their_question_in_any_order),
        TEST(test_silence_is_later_and_a_late_answer_is_nobodys),
        TEST(test_each_question_has_its_own_deadline),
        TEST(test_a_lost_authd_is_later_for_all_that_is_open_and_others_wait_for_it),
        TEST(test_closing_is_later_for_all_that_is_open),
        TEST(test_a_cancelled_question_is_not_answered_and_authd_is_told),
        TEST(test_more_questions_than_the_limit_are_later_at_once),
        TEST(test_a_register_tells_all_its_facts),
        TEST(test_an_invite_tells_all_its_facts),
        TEST(test_credentials_are_unescaped_in_order),
        TEST(test_malformed_credentials_are_said_to_be),
        TEST(test_other_schemes_are_told_apart),
        TEST(test_credentials_are_bounded),
        TEST(test_a_lease_answers_without_authd),
        TEST(test_a_lease_of_what_is_no_challenge_is_ignored),
        TEST(test_a_challenge_is_one_line_for_each),
        TEST(test_a_refusal_shows_the_decision_and_never_the_cause),
        TEST(test_later_is_503_with_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
