/* What a client certificate says goes to authd with each question of its connection. */
#include "lib/pki.h"
#include "proto/certificate.h"
#include "unit/gate/world.h"

static struct pki ca, server_pki, client_pki;
static struct flow *flow; /* of the last message over TLS; a reference */
static size_t messages;

static void on_answer(void *arg, enum verdict kind, const AUTH(Verdict) * v)
{
    (void)arg, (void)kind, (void)v;
}

static void on_message(void *arg, struct flow *f, struct sip_msg *m)
{
    (void)arg, (void)m;
    flow_unref(&flow);
    flow = flow_ref(f);
    messages++;
}

static void on_flow_closed(void *arg, struct flow *f)
{
    (void)arg, (void)f;
}

static struct tls_context *context(enum tls_role role, const struct pki *own)
{
    struct tls_context *c;
    const struct tls_conf conf = { .role = role,
                                   .certificate_file = own ? own->certificate : NULL,
                                   .key_file = own ? own->key : NULL,
                                   .ca_file = ca.certificate,
                                   .ask_certificate = role == TLS_SERVER };
    assert_int_equal(tls_context_new(&conf, &c), 0);
    return c;
}

/* A connection to a listener that asks for certificates, made by who has this one. */
static struct siptp *connect_as(const struct pki *own)
{
    static const struct siptp_events events = { on_message, on_flow_closed };
    struct siptp *tp;
    struct siptp_listener *ls;
    struct addr local;
    struct flow *to;
    struct tls_context *server = context(TLS_SERVER, &server_pki),
                       *client = context(TLS_CLIENT, own);
    struct sip_msg *m = request("OPTIONS", "", "");
    messages = 0;
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &local), 0);
    assert_int_equal(siptp_new(&w.loop, &(struct siptp_conf){ 0 }, &events, NULL, &tp), 0);
    assert_int_equal(siptp_listen(tp, SIP_TLS, &local, SPAN("devices"), SPAN_NULL, &ls), 0);
    siptp_listener_use_tls(ls, server);
    siptp_use_tls(tp, client);
    tls_context_unref(&server);
    tls_context_unref(&client);
    assert_int_equal(siptp_flow_to(tp, SIP_TLS, siptp_listener_local(ls), NULL, &to), 0);
    assert_int_equal(flow_send(to, m->raw), 0);
    flow_unref(&to);
    sip_msg_unref(&m);
    assert_true(run_until_count(&w.loop, &messages, 1, 3000));
    return tp;
}

static void ask(void)
{
    struct sip_msg *m = request("REGISTER", "", "Authorization: Digest x\r\n");
    size_t before = w.n_checks;
    assert_non_null(gate_ask(w.gate, flow, m, &facts, on_answer, NULL));
    sip_msg_unref(&m);
    assert_true(run_until_count(&w.loop, &w.n_checks, before + 1, 1000));
}

static void test_a_certificate_is_told_with_each_question(void **state)
{
    (void)state;
    gate_start(DURATION_S(2), 0);
    struct siptp *tp = connect_as(&client_pki);
    for (int i = 0; i < 3; i++) {
        if (i == 2) /* what waits is asked behind its connection's end, too */
            flow_close(flow);
        ask();
        assert_string_equal(w.check->listener, "devices");
        assert_int_equal(w.check->transport, COUNTERSIGN__AUTH__TRANSPORT__TLS);
        assert_non_null(w.check->certificate);
        assert_int_equal(w.check->certificate->n_uri, 1);
        assert_string_equal(w.check->certificate->uri[0], "sip:alice@example.com");
        assert_true(w.check->certificate->has_issuer_spki_sha256);
        assert_int_equal(w.check->certificate_sha256.len, CERTIFICATE_HASH_LEN);
    }
    flow_unref(&flow);
    siptp_free(&tp);
}

static void test_without_a_certificate_none_is_told(void **state)
{
    (void)state;
    gate_start(DURATION_S(2), 0);
    struct siptp *tp = connect_as(NULL);
    ask();
    assert_null(w.check->certificate);
    assert_false(w.check->has_certificate_sha256);
    flow_unref(&flow);
    siptp_free(&tp);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_certificate_is_told_with_each_question),
        T(test_without_a_certificate_none_is_told),
    };
    ca = pki_authority("ca");
    server_pki = pki_certificate(&ca, "server", "IP:127.0.0.1");
    client_pki = pki_certificate(&ca, "alice", "URI:sip:alice@example.com");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
