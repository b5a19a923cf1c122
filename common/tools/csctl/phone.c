#include "phone.h"

#include <stdlib.h>

#include "host.h"
#include "sip/chars.h"
#include "sip/write.h"

enum { LINES = 4096, T1 = 500, T2 = 4000 };

#define ALLOW "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"

void phone_uri(struct buf *b, struct span user, struct span host)
{
    buf_lit(b, "sip:");
    for (size_t i = 0; i < user.n; i++) {
        if (chars_is(user.p[i], CH_USER))
            buf_putc(b, user.p[i]);
        else
            buf_printf(b, "%%%02X", (unsigned char)user.p[i]);
    }
    buf_putc(b, '@');
    buf_put(b, host);
}

/* ---- calls that come in ---- */

static void call_drop(struct phone *p)
{
    struct call *c = &p->call;
    timer_stop(p->loop, &c->again);
    tx_unref(&c->tx);
    sip_msg_unref(&c->invite);
    c->came = c->acked = c->cancelled = c->ended = false;
}

/* Contact and, as a dialog wants, the Record-Route of the request (RFC 3261, 12.1.1). */
static void write_call_lines(struct buf *b, const struct phone *p)
{
    const struct sip_msg *m = p->call.invite;
    for (size_t i = 0; i < m->n_hdr; i++) {
        if (m->hdr[i].id == SIP_HDR_RECORD_ROUTE)
            sip_write_hdr(b, m->hdr[i].name, m->hdr[i].value);
    }
    buf_printf(b, "Contact: <%s>\r\n" ALLOW, p->contact);
}

static void ring(struct phone *p, struct tx *tx, struct sip_msg *m)
{
    struct call *c = &p->call;
    char lines[LINES];
    struct buf b = BUF_INIT(lines);
    if (c->invite) {
        tx_reply(tx, 486, SPAN_NULL);
        return;
    }
    if (dialog_accept(&c->dialog, m, tx_to_tag(tx))) {
        tx_reply(tx, 400, SPAN_NULL);
        return;
    }
    c->tx = tx_ref(tx);
    c->invite = sip_msg_ref(m);
    c->came = true;
    write_call_lines(&b, p);
    tx_reply(tx, buf_ok(&b) ? 180 : 513, buf_ok(&b) ? buf_span(&b) : SPAN_NULL);
}

/* A 2xx is repeated by us, not by the transaction, on any transport (RFC 3261, 13.3.1.4). */
static void send_ok(struct timer *timer)
{
    struct call *c = container_of(timer, struct call, again);
    struct phone *p = container_of(c, struct phone, call);
    tx_forward(c->tx, 200, span_of(c->ok, c->ok_n));
    timer_start(p->loop, &c->again, c->after);
    c->after.ms = CS_MIN(2 * c->after.ms, T2);
}

void phone_answer(struct phone *p, struct span sdp)
{
    struct call *c = &p->call;
    struct buf b = BUF_INIT(c->ok);
    sip_write_reply(&b, c->invite, 200, SPAN_NULL, tx_to_tag(c->tx));
    write_call_lines(&b, p);
    if (sdp.p)
        sip_write_end(&b, SPAN("application/sdp"), sdp);
    else
        phone_write_body(&b, p, c->invite);
    if (!buf_ok(&b)) {
        tx_reply(c->tx, 513, SPAN_NULL);
        return;
    }
    c->ok_n = b.n;
    c->after = DURATION_MS(T1);
    send_ok(&c->again);
}

void phone_forget_call(struct phone *p)
{
    if (p->call.tx && !tx_is_answered(p->call.tx))
        tx_reply(p->call.tx, 480, SPAN_NULL);
    call_drop(p);
}

/* The other side does; false when it is no call of ours. */
static bool hang_up(struct phone *p, const struct sip_msg *m)
{
    struct call *c = &p->call;
    if (c->invite && dialog_owns(&c->dialog, m)) {
        timer_stop(p->loop, &c->again);
        c->ended = true;
        return true;
    }
    if (!p->made || !dialog_owns(p->made->dialog, m))
        return false;
    p->made->ended = true;
    return true;
}

static void on_request(void *arg, struct tx *tx, struct flow *f, struct sip_msg *m)
{
    struct phone *p = arg;
    (void)f;
    switch (m->method) {
    case SIP_INVITE:
        ring(p, tx, m);
        break;
    case SIP_BYE:
        tx_reply(tx, hang_up(p, m) ? 200 : 481, SPAN_NULL);
        break;
    case SIP_OPTIONS:
        tx_reply(tx, 200, SPAN(ALLOW));
        break;
    default:
        tx_reply(tx, 405, SPAN(ALLOW));
        break;
    }
}

static void on_cancelled(void *arg, struct tx *tx, struct sip_msg *cancel)
{
    struct phone *p = arg;
    (void)cancel;
    if (tx == p->call.tx)
        p->call.cancelled = true;
    tx_reply(tx, 487, SPAN_NULL);
}

static void on_ack(void *arg, struct flow *f, struct sip_msg *m)
{
    struct phone *p = arg;
    (void)f;
    if (!p->call.invite || !dialog_owns(&p->call.dialog, m))
        return;
    p->call.acked = true;
    timer_stop(p->loop, &p->call.again);
}

/* ---- life ---- */

static int open_transport(struct phone *p)
{
    static const struct siptx_events events = { .request = on_request,
                                                .cancelled = on_cancelled,
                                                .ack = on_ack };
    struct siptx_conf xc = { .max_transactions = 100, .answer_memory = 1 };
    struct siptp_conf tc = { 0 };
    const bool ws = sip_transport_is_ws(p->conf.transport);
    struct addr local;
    int err = host_towards(&p->conf.server, &local);
    if (!err)
        err = siptx_new(p->loop, &xc, &events, p, &p->tx);
    if (!err)
        err = siptp_new(p->loop, &tc, siptx_transport_events(), p->tx, &p->tp);
    if (!err)
        err =
            siptp_listen(p->tp, p->conf.transport, &local, SPAN("phone"), SPAN_NULL, &p->listener);
    if (!err && p->conf.tls)
        siptp_use_tls(p->tp, p->conf.tls);
    if (!err && ws)
        siptp_use_ws(p->tp, p->conf.path);
    if (!err)
        err = siptp_flow_to_domain(p->tp, p->conf.transport, &p->conf.server,
                                   ws ? p->conf.host : p->conf.domain, p->listener, &p->flow);
    return err;
}

int phone_open(struct loop *l, const struct phone_conf *conf, struct phone **out)
{
    struct phone *p = calloc(1, sizeof(*p));
    *out = p;
    if (!p)
        return CS_ENOMEM;
    p->loop = l;
    p->conf = *conf;
    timer_init(&p->call.again, send_ok);
    int err = open_transport(p);
    if (err) {
        phone_close(out);
        return err;
    }
    char server[DIALOG_URI];
    struct buf aor = buf_of(p->aor, sizeof(p->aor) - 1), sb = BUF_INIT(server),
               contact = buf_of(p->contact, sizeof(p->contact) - 1);
    phone_uri(&aor, conf->user, conf->domain);
    phone_uri(&contact, conf->user, siptp_listener_sent_by(p->listener));
    if (conf->transport != SIP_UDP) {
        buf_lit(&contact, ";transport=");
        buf_put(&contact, sip_transport_uri(conf->transport));
    }
    buf_lit(&sb, "sip:");
    buf_put(&sb, conf->domain);
    dialog_init(&p->registration, buf_span(&aor), buf_span(&aor), buf_span(&sb));
    if (buf_ok(&aor) && buf_ok(&contact) && buf_ok(&sb))
        return 0;
    phone_close(out);
    return CS_ELIMIT;
}

void phone_close(struct phone **pp)
{
    struct phone *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    call_drop(p);
    flow_unref(&p->flow);
    siptx_free(&p->tx);
    siptp_free(&p->tp);
    free(p);
}
