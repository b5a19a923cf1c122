/* Flows and messages for the gate, and an authd that does what the test says. */
#ifndef CS_TESTS_GATE_WORLD_H
#define CS_TESTS_GATE_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gate/gate.h"
#include "ipc/ipc.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"
#include "lib/wire.h"

#define AUTH(name) Countersign__Auth__##name
#define KIND(name) COUNTERSIGN__AUTH__VERDICT_KIND__##name

enum { MAX_IDS = 64 };

static struct world {
    struct loop loop;
    struct siptx *x;
    struct siptp *tp;
    struct tx *tx; /* of the last request that came by the wire */
    struct flow *lan, *wan, *tcp;
    int phone; /* the other end of lan */
    /* authd */
    struct ipc_server *server;
    struct ipc_peer *peer;
    AUTH(Check) * check; /* the last one */
    uint64_t ids[MAX_IDS], cancelled;
    size_t n_checks, n_cancels, n_follows;
    AUTH(Sign) * sign; /* the last one */
    size_t n_signs;
    char followed[64];             /* the event of the last Follow; "": none */
    const AUTH(Verdict) * verdict; /* what it answers with at once; NULL: nothing */
    /* what the gate answered */
    struct gate *gate;
    size_t n_answers;
    unsigned n_sent; /* requests made, each with a branch of its own */
    enum verdict kind;
    unsigned status;
    char challenge[256], decision[32];
} w;

static void on_request(void *arg, struct tx *t, struct flow *f, struct sip_msg *m)
{
    (void)arg, (void)f, (void)m;
    tx_unref(&w.tx);
    w.tx = tx_ref(t);
}

static void on_cancelled(void *arg, struct tx *t, struct sip_msg *cancel)
{
    (void)arg, (void)t, (void)cancel;
}

static void on_other(void *arg, struct flow *f, struct sip_msg *m)
{
    (void)arg, (void)f, (void)m;
}

static void on_closed(void *arg, struct flow *f)
{
    (void)arg, (void)f;
}

/* ---- authd ---- */

static inline void authd_send(struct ipc_peer *p, uint64_t id, const AUTH(Verdict) * as)
{
    AUTH(FromAuthd) msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    AUTH(Verdict) v = *as;
    v.id = id;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_VERDICT;
    msg.verdict = &v;
    assert_int_equal(ipc_peer_send(p, &msg), 0);
}

static void on_joined(void *arg, struct ipc_peer *p)
{
    (void)arg;
    w.peer = p;
}

static void keep_sign(const AUTH(Sign) * sign)
{
    size_t n = countersign__auth__sign__get_packed_size(sign);
    uint8_t *bytes = malloc(n ? n : 1);
    countersign__auth__sign__pack(sign, bytes);
    if (w.sign)
        countersign__auth__sign__free_unpacked(w.sign, NULL);
    w.sign = countersign__auth__sign__unpack(NULL, n, bytes);
    free(bytes);
    assert_non_null(w.sign);
    w.n_signs++;
}

static void on_asked(void *arg, struct ipc_peer *p, const AUTH(ToAuthd) * msg)
{
    (void)arg;
    if (msg->body_case == COUNTERSIGN__AUTH__TO_AUTHD__BODY_CANCEL) {
        w.cancelled = msg->cancel->id;
        w.n_cancels++;
        return;
    }
    if (msg->body_case == COUNTERSIGN__AUTH__TO_AUTHD__BODY_FOLLOW) {
        span_copy(w.followed, sizeof(w.followed), span_str(msg->follow->event));
        w.n_follows++;
        return;
    }
    if (msg->body_case == COUNTERSIGN__AUTH__TO_AUTHD__BODY_SIGN) {
        keep_sign(msg->sign);
        return;
    }
    assert_int_equal(msg->body_case, COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK);
    size_t n = countersign__auth__check__get_packed_size(msg->check);
    uint8_t *bytes = malloc(n ? n : 1);
    countersign__auth__check__pack(msg->check, bytes);
    if (w.check)
        countersign__auth__check__free_unpacked(w.check, NULL);
    w.check = countersign__auth__check__unpack(NULL, n, bytes);
    free(bytes);
    assert_non_null(w.check);
    w.ids[w.n_checks++ % MAX_IDS] = w.check->id;
    if (w.verdict)
        authd_send(p, w.check->id, w.verdict);
}

static void on_left(void *arg, struct ipc_peer *p)
{
    (void)arg;
    if (w.peer == p)
        w.peer = NULL;
}

static void authd_start(void)
{
    static const struct ipc_server_events events = { on_joined, on_asked, on_left };
    uid_t uids[] = { getuid() };
    const struct ipc_server_conf conf = {
        .path = tmp_path("auth.sock"), .mode = 0600, .uids = uids, .n_uids = 1, .node = "authd"
    };
    assert_int_equal(ipc_server_open(&w.loop, &conf, &events, NULL, &w.server), 0);
}

/* ---- the front ---- */

static inline void gate_start(struct duration deadline, size_t max_open)
{
    const struct gate_conf conf = { .socket = tmp_path("auth.sock"),
                                    .node = "front",
                                    .role = COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR,
                                    .deadline = deadline,
                                    .max_open = max_open };
    assert_int_equal(gate_open(&w.loop, &conf, &w.gate), 0);
    for (unsigned i = 0; i < 300 && !gate_is_ready(w.gate); i++)
        run_for(&w.loop, 10);
    assert_true(gate_is_ready(w.gate));
}

static int world_open(void **state)
{
    static const struct siptx_events events = { .request = on_request,
                                                .cancelled = on_cancelled,
                                                .ack = on_other,
                                                .stray = on_other,
                                                .flow_closed = on_closed };
    struct siptp_listener *lan, *wan, *tcp;
    struct addr local, phone;
    (void)state;
    memset(&w, 0, sizeof(w));
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &local), 0);
    assert_int_equal(loop_init(&w.loop), 0);
    assert_int_equal(siptx_new(&w.loop, &(struct siptx_conf){ 0 }, &events, NULL, &w.x), 0);
    assert_int_equal(
        siptp_new(&w.loop, &(struct siptp_conf){ 0 }, siptx_transport_events(), w.x, &w.tp), 0);
    assert_int_equal(siptp_listen(w.tp, SIP_UDP, &local, SPAN("lan"), SPAN_NULL, &lan), 0);
    assert_int_equal(siptp_listen(w.tp, SIP_UDP, &local, SPAN("wan"), SPAN_NULL, &wan), 0);
    assert_int_equal(siptp_listen(w.tp, SIP_TCP, &local, SPAN("lan"), SPAN_NULL, &tcp), 0);
    w.phone = wire_udp_bound(&phone);
    assert_int_equal(siptp_flow_to(w.tp, SIP_UDP, &phone, lan, &w.lan), 0);
    assert_int_equal(siptp_flow_to(w.tp, SIP_UDP, &phone, wan, &w.wan), 0);
    assert_int_equal(siptp_flow_to(w.tp, SIP_TCP, siptp_listener_local(tcp), tcp, &w.tcp), 0);
    authd_start();
    return 0;
}

static int world_close(void **state)
{
    (void)state;
    gate_close(&w.gate);
    ipc_server_close(&w.server);
    flow_unref(&w.lan);
    flow_unref(&w.wan);
    flow_unref(&w.tcp);
    tx_unref(&w.tx);
    siptx_free(&w.x);
    siptp_free(&w.tp);
    close(w.phone);
    if (w.check)
        countersign__auth__check__free_unpacked(w.check, NULL);
    if (w.sign)
        countersign__auth__sign__free_unpacked(w.sign, NULL);
    w.check = NULL;
    return run_down(&w.loop) ? 0 : -1;
}

/* A request with these header lines added; headers may be "". To be unreferenced. */
static inline struct sip_msg *request(const char *method, const char *to_params,
                                      const char *headers)
{
    char text[8192];
    struct sip_msg *m;
    int n = snprintf(text, sizeof(text),
                     "%s sip:example.com SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx%u;rport\r\n"
                     "From: <sip:a@example.com>;tag=1\r\n"
                     "To: <sip:b@example.com>%s\r\n"
                     "Call-ID: c1@host\r\n"
                     "CSeq: 7 %s\r\n"
                     "Max-Forwards: 70\r\n"
                     "%s"
                     "Content-Length: 4\r\n\r\nbody",
                     method, ++w.n_sent, to_params, method, headers);
    assert_true(n > 0 && (size_t)n < sizeof(text));
    assert_int_equal(sip_msg_parse(span_of(text, (size_t)n), true, NULL, &m), 0);
    assert_int_equal(m->bad, 0);
    m->source = w.lan->remote;
    return m;
}

static const struct gate_facts facts = { .domain = SPAN_INIT("example.com"),
                                         .from_aor = SPAN_INIT("sip:a@example.com"),
                                         .to_aor = SPAN_INIT("sip:b@example.com") };

#endif
