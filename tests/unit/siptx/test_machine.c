/* The tables against the RFCs, cell by cell; and real transactions against the tables. */
#include "siptx/impl.h"
#include "unit/siptx/world.h"

/* What RFC 3261, 17, RFC 6026, 9.1 and 16.8 ask for. All other events have no meaning. */
static const char *const expected[] = {
    /* figure 5; RFC 6026, 8.4 */
    "invite-client idle start -> calling: send, retry T1, deadline 64T1",
    "invite-client calling retry -> calling: resend, retry double",
    "invite-client calling deadline -> terminated: timeout, retry stop",
    "invite-client calling error -> terminated: failed, retry stop",
    "invite-client calling 1xx -> proceeding: tell, retry stop, deadline C",
    "invite-client calling 2xx -> accepted: tell, retry stop, deadline 64T1",
    "invite-client calling 3xx+ -> completed: ack, tell, retry stop, deadline 64T1-unless",
    "invite-client calling cancel -> abandoned:",
    "invite-client abandoned retry -> abandoned: resend, retry double",
    "invite-client abandoned deadline -> terminated: timeout, retry stop",
    "invite-client abandoned error -> terminated: failed, retry stop",
    "invite-client abandoned 1xx -> cancelling: cancel, tell, retry stop, deadline 64T1",
    "invite-client abandoned 2xx -> accepted: tell, retry stop, deadline 64T1",
    "invite-client abandoned 3xx+ -> completed: ack, tell, retry stop, deadline 64T1-unless",
    "invite-client proceeding 1xx -> proceeding: tell, deadline C",
    "invite-client proceeding 2xx -> accepted: tell, deadline 64T1",
    "invite-client proceeding 3xx+ -> completed: ack, tell, deadline 64T1-unless",
    "invite-client proceeding deadline -> cancelling: cancel, deadline 64T1",
    "invite-client proceeding cancel -> cancelling: cancel, deadline 64T1",
    "invite-client proceeding error -> terminated: failed",
    "invite-client cancelling 1xx -> cancelling: tell",
    "invite-client cancelling 2xx -> accepted: tell, deadline 64T1",
    "invite-client cancelling 3xx+ -> completed: ack, tell, deadline 64T1-unless",
    "invite-client cancelling deadline -> terminated: timeout",
    "invite-client cancelling error -> terminated: failed",
    "invite-client completed 3xx+ -> completed: resend",
    "invite-client completed deadline -> terminated:",
    "invite-client completed error -> terminated:",
    "invite-client accepted 2xx -> accepted: tell",
    "invite-client accepted deadline -> terminated:",
    /* figure 6 */
    "client idle start -> trying: send, retry T1, deadline 64T1",
    "client trying retry -> trying: resend, retry double-T2",
    "client trying deadline -> terminated: timeout, retry stop",
    "client trying error -> terminated: failed, retry stop",
    "client trying 1xx -> proceeding: tell, retry T2",
    "client trying 2xx -> completed: tell, retry stop, deadline T4-unless",
    "client trying 3xx+ -> completed: tell, retry stop, deadline T4-unless",
    "client proceeding retry -> proceeding: resend, retry T2",
    "client proceeding deadline -> terminated: timeout, retry stop",
    "client proceeding error -> terminated: failed, retry stop",
    "client proceeding 1xx -> proceeding: tell",
    "client proceeding 2xx -> completed: tell, retry stop, deadline T4-unless",
    "client proceeding 3xx+ -> completed: tell, retry stop, deadline T4-unless",
    "client completed deadline -> terminated:",
    /* figure 7; RFC 6026, 8.7 */
    "invite-server idle start -> proceeding: retry 200ms",
    "invite-server proceeding request -> proceeding: resend",
    "invite-server proceeding retry -> proceeding: 100, retry stop",
    "invite-server proceeding 1xx -> proceeding: send, retry stop",
    "invite-server proceeding 2xx -> accepted: send, retry stop, deadline 64T1",
    "invite-server proceeding 3xx+ -> completed: send, retry T1, deadline 64T1",
    "invite-server completed request -> completed: resend",
    "invite-server completed retry -> completed: resend, retry double-T2",
    "invite-server completed deadline -> terminated: retry stop",
    "invite-server completed ack -> confirmed: retry stop, deadline T4-unless",
    "invite-server confirmed ack -> confirmed:",
    "invite-server confirmed request -> confirmed:",
    "invite-server confirmed deadline -> terminated:",
    "invite-server accepted request -> accepted:",
    "invite-server accepted ack -> accepted: tell",
    "invite-server accepted 2xx -> accepted: send",
    "invite-server accepted deadline -> terminated:",
    /* figure 8 */
    "server idle start -> trying:",
    "server trying request -> trying:",
    "server trying 1xx -> proceeding: send",
    "server trying 2xx -> completed: send, deadline 64T1-unless",
    "server trying 3xx+ -> completed: send, deadline 64T1-unless",
    "server proceeding request -> proceeding: resend",
    "server proceeding 1xx -> proceeding: send",
    "server proceeding 2xx -> completed: send, deadline 64T1-unless",
    "server proceeding 3xx+ -> completed: send, deadline 64T1-unless",
    "server proceeding error -> terminated:",
    "server completed request -> completed: resend",
    "server completed deadline -> terminated:",
    "server completed error -> terminated:",
};

static const char *const kinds[] = { "invite-client", "client", "invite-server", "server" };

static void add(struct buf *b, const char *what)
{
    buf_put(b, b->p[b->n - 1] == ':' ? SPAN(" ") : SPAN(", "));
    buf_put(b, span_str(what));
}

static void describe(struct buf *b, int kind, int state, int event, const struct tx_cell *c)
{
    static const char *const actions[] = { "send", "resend", "ack",     "cancel",
                                           "100",  "tell",   "timeout", "failed" };
    static const char *const retries[] = { NULL,           "retry stop",      "retry T1",
                                           "retry double", "retry double-T2", "retry T2",
                                           "retry 200ms" };
    static const char *const deadlines[] = { NULL, "deadline 64T1", "deadline 64T1-unless",
                                             "deadline T4-unless", "deadline C" };
    buf_printf(b, "%s %s %s -> %s:", kinds[kind], tx_state_name((enum tx_state)state),
               tx_event_name((enum tx_event)event), tx_state_name((enum tx_state)c->next));
    for (size_t i = 0; i < CS_LEN(actions); i++) {
        if (c->actions & 1 << i)
            add(b, actions[i]);
    }
    if (c->retry)
        add(b, retries[c->retry]);
    if (c->deadline)
        add(b, deadlines[c->deadline]);
}

static void test_every_cell_is_as_the_figures_say(void **state)
{
    size_t found = 0;
    (void)state;
    for (int k = 0; k < TX_KIND_COUNT; k++) {
        for (int s = 0; s < TX_STATE_COUNT; s++) {
            for (int e = 0; e < TX_EVENT_COUNT; e++) {
                const struct tx_cell *c =
                    tx_cell((enum tx_kind)k, (enum tx_state)s, (enum tx_event)e);
                char text[200];
                struct buf b = BUF_INIT(text);
                if (!c->next) {
                    assert_int_equal(c->actions | c->retry | c->deadline, 0);
                    continue;
                }
                describe(&b, k, s, e, c);
                size_t i = 0;
                while (i < CS_LEN(expected) && !span_eq(buf_span(&b), span_str(expected[i])))
                    i++;
                if (i == CS_LEN(expected))
                    fail_msg("not in the figures: " SPAN_FMT, SPAN_ARG(buf_span(&b)));
                found++;
            }
        }
    }
    assert_int_equal(found, CS_LEN(expected)); /* each line above is a different cell */
}

static void on_response(void *arg, struct tx *t, struct sip_msg *m)
{
    struct world *w = arg;
    assert_non_null(t);
    assert_non_null(m);
    w->responses++;
}

static void on_failed(void *arg, struct tx *t, int err)
{
    struct world *w = arg;
    assert_non_null(t);
    w->failed++;
    w->last_err = err;
}

static const struct tx_client_events client_events = { on_response, on_failed };

static size_t datagrams(struct world *w, int fd)
{
    size_t n = 0;
    loop_run_once(&w->loop);
    while (wire_recv(&w->loop, fd, 2).p)
        n++;
    return n;
}

static struct sip_msg *parsed(struct span text)
{
    struct sip_msg *m;
    assert_int_equal(sip_msg_parse(text, true, &(struct sip_limits){ 0 }, &m), 0);
    assert_int_equal(m->bad, 0);
    return m;
}

/* A transaction brought into this state by hand, with all that belongs to it. */
static struct tx *in_state(struct world *w, struct flow *f, enum tx_kind kind, enum tx_state s,
                           struct sip_msg *invite)
{
    struct tx *t = tx_new(w->x, kind, (struct tx_key){ 1, 2 }, f);
    assert_non_null(t);
    if (tx_is_server(t)) {
        t->msg = sip_msg_ref(invite);
        memset(t->tag, 'a', sizeof(t->tag));
    } else {
        t->events = &client_events;
        t->arg = w;
    }
    if (s != TX_IDLE)
        tx_remember(t, invite->raw);
    t->state = s;
    t->retry_after = DURATION_MS(500);
    return t;
}

static void test_transactions_do_what_the_cells_say(void **state)
{
    struct world w;
    struct addr at;
    struct flow *f;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = wire_udp_bound(&at);
    assert_int_equal(siptp_flow_to(w.tp, SIP_UDP, &at, w.udp, &f), 0);
    struct sip_msg *req = parsed(message("INVITE", "UDP 127.0.0.1;rport;branch=z9hG4bKw", ""));
    struct sip_msg *ack = parsed(message("ACK", "UDP 127.0.0.1;rport;branch=z9hG4bKw", ""));
    struct sip_msg *resp = parsed(response(200, SPAN("SIP/2.0/UDP h;branch=z9hG4bKw"), "INVITE"));
    for (int k = 0; k < TX_KIND_COUNT; k++) {
        for (int s = 0; s < TX_STATE_COUNT; s++) {
            for (int e = 0; e < TX_EVENT_COUNT; e++) {
                const struct tx_cell *c =
                    tx_cell((enum tx_kind)k, (enum tx_state)s, (enum tx_event)e);
                struct tx *t = in_state(&w, f, (enum tx_kind)k, (enum tx_state)s, req);
                struct tx_input in = { .msg = tx_is_server(t) ? ack : resp,
                                       .flow = f,
                                       .text = SPAN("an answer") };
                size_t told = w.responses + w.acks, failed = w.failed;
                tx_move(t, (enum tx_event)e, &in);
                bool kept = k == TX_SERVER && c->next == TX_COMPLETED && s != TX_COMPLETED;
                int sent = __builtin_popcount(c->actions &
                                              (TX_SEND | TX_RESEND | TX_ACK | TX_CANCEL | TX_100));
                assert_int_equal(t->state, c->next ? c->next : s);
                assert_int_equal(datagrams(&w, fd), sent);
                assert_int_equal(w.responses + w.acks - told, !!(c->actions & TX_TELL));
                assert_int_equal(w.failed - failed, !!(c->actions & (TX_TIMEOUT | TX_FAILED)));
                if (w.failed > failed)
                    assert_int_equal(w.last_err,
                                     c->actions & TX_TIMEOUT ? CS_ETIMEOUT : CS_ECLOSED);
                assert_int_equal(t->linked, c->next != TX_TERMINATED && !kept);
                if (c->deadline && !kept)
                    assert_true(timer_is_running(&t->deadline));
                if (c->retry > RETRY_STOP && t->state != TX_TERMINATED)
                    assert_true(timer_is_running(&t->retry));
                if (c->retry == RETRY_STOP)
                    assert_false(timer_is_running(&t->retry));
                tx_end(t);
                tx_unref(&t);
                /* The CANCELs of the walk are transactions of their own. */
                siptx_free(&w.x);
                assert_int_equal(
                    siptx_new(&w.loop, &(struct siptx_conf){ 0 }, &world_events, &w, &w.x), 0);
            }
        }
    }
    sip_msg_unref(&req);
    sip_msg_unref(&ack);
    sip_msg_unref(&resp);
    flow_unref(&f);
    close(fd);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cell_is_as_the_figures_say),
        cmocka_unit_test(test_transactions_do_what_the_cells_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
