/* SIP in WebSocket messages (RFC 7118): between a connection's bytes and its SIP. */
#include <stdlib.h>

#include "base/metric.h"
#include "siptp/impl.h"

#define PROTOCOL SPAN("sip") /* RFC 7118, 4.1 */

int websocket_new(bool ours, struct websocket **out)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return CS_ENOMEM;
    (*out)->ws.client = ours;
    return 0;
}

void websocket_free(struct websocket **pw)
{
    struct websocket *w = *pw;
    *pw = NULL;
    if (!w)
        return;
    ws_fini(&w->ws);
    secret_fini(&w->credential);
    free(w->early);
    free(w);
}

/* ---- messages ---- */

static void on_write(void *arg, struct span bytes)
{
    stream_write(((struct conn *)arg)->stream, bytes);
}

static void is_alive(struct conn *c)
{
    c->active = loop_now(c->flow.tp->loop);
    c->ws->pinged.ns = 0;
}

static void on_alive(void *arg)
{
    is_alive(arg);
    metric_inc(M_SIP_KEEPALIVES, 0);
}

static void on_message(void *arg, struct span data)
{
    struct conn *c = arg;
    struct span text = data;
    while (text.n >= 2 && text.p[0] == '\r' && text.p[1] == '\n')
        text = span_skip(text, 2);
    if (!text.n && data.n >= 4) { /* RFC 5626, 4.4.1; RFC 7118, 6 */
        on_alive(c);
        websocket_send(c, SPAN("\r\n"));
        return;
    }
    is_alive(c);
    if (!text.n)
        return;
    bool stranger = !c->greeted;
    int err = conn_take(c, text, true);
    if (err == CS_EPROTO && stranger) /* of a phone we know, one message is lost */
        conn_close_ws(c, err, WS_UNSUPPORTED);
}

static const struct ws_events events = { on_message, on_alive, on_write };

/* ---- silence ---- */

bool websocket_due(const struct conn *c, struct mono *due)
{
    const struct websocket *w = c->ws;
    if (!w || !c->greeted || !w->upgraded)
        return false;
    *due = mono_add(w->pinged.ns ? w->pinged : c->active, c->flow.tp->conf.ping);
    return true;
}

/* A browser cannot ping by itself, and what stands between forgets who says nothing. */
bool websocket_ping(struct conn *c)
{
    struct websocket *w = c->ws;
    if (!w || !c->greeted || !w->upgraded || w->pinged.ns)
        return false;
    w->pinged = loop_now(c->flow.tp->loop);
    ws_ping(&w->ws, &events, c);
    return true;
}

/* ---- visitors ---- */

void websocket_leaves(struct conn *c)
{
    if (!websocket_visits(c))
        return;
    list_remove(&c->visit);
    c->flow.tp->n_visitors--;
}

/* Whoever asked last is still waiting for what he was sent; so who holds many places shuts nobody
 * out. What waits for each to be read is bounded as for all streams. */
static void visit(struct conn *c)
{
    struct siptp *tp = c->flow.tp;
    websocket_leaves(c);
    if (tp->n_visitors >= SIPTP_VISITORS_MAX)
        conn_close(container_of(tp->visitors.next, struct conn, visit), CS_ELIMIT);
    list_push_back(&tp->visitors, &c->visit);
    tp->n_visitors++;
    c->active = loop_now(tp->loop);
    metric_inc(M_SIP_FILES, 0);
}

/* ---- the handshake ---- */

static int keep_credential(struct websocket *w, const struct ws_hello *h)
{
    w->is_ticket = h->ticket.p != NULL;
    struct span shown = w->is_ticket ? h->ticket : h->token;
    return shown.p ? secret_set(&w->credential, shown) : 0;
}

/* The bytes used, 0 for more, negative when it is refused and the connection closes. */
static ptrdiff_t shake(struct conn *c, struct span in)
{
    char text[WS_HELLO_ANSWER_MAX];
    struct buf b = BUF_INIT(text);
    struct ws_hello h;
    const struct ws_rules *rules = c->flow.listener->ws;
    size_t n = ws_hello_read(in, rules, &h);
    if (!n)
        return 0;
    int err = keep_credential(c->ws, &h);
    if (!err)
        ws_hello_answer(&b, rules, &h);
    if (err || !buf_ok(&b)) {
        conn_close(c, CS_ENOMEM);
        return CS_ENOMEM;
    }
    stream_write(c->stream, buf_span(&b));
    if (h.file) {
        stream_write(c->stream, ws_hello_body(&h));
        visit(c);
        return (ptrdiff_t)n;
    }
    websocket_leaves(c);
    if (h.status != 101) {
        /* What is HTTP all the same may be a balancer that looks whether we live, or somebody whose
         * browser another's page has sent here: no reason to shut him out. */
        if (h.status == 400 || h.status == 431)
            siptp_count_refused(c->flow.tp, &c->flow.remote, c->flow.transport, REFUSED_UPGRADE);
        else
            metric_inc(M_SIP_REFUSED, REFUSED_UPGRADE);
        log_debug(flow_log(&c->flow), "WebSocket refused", kv_u("status", h.status),
                  kv_str("why", h.why));
        conn_close(c, CS_EPROTO);
        return CS_EPROTO;
    }
    c->ws->upgraded = true;
    c->active = loop_now(c->flow.tp->loop);
    return (ptrdiff_t)n;
}

void websocket_ask(struct conn *c)
{
    char text[1024];
    struct buf b = BUF_INIT(text);
    char host[300];
    snprintf(host, sizeof(host), "%s:%u", c->domain, addr_port(&c->flow.remote));
    ws_hello_ask(&b, span_str(host), c->flow.tp->ws_path, PROTOCOL, c->ws->key);
    if (buf_ok(&b))
        stream_write(c->stream, buf_span(&b));
    else
        conn_close(c, CS_ELIMIT);
}

/* The same of one that we asked for. */
static ptrdiff_t read_answer(struct conn *c, struct span in)
{
    struct websocket *w = c->ws;
    unsigned status;
    ptrdiff_t n = ws_hello_check(in, PROTOCOL, w->key, &status);
    if (!n)
        return 0;
    if (status != 101) {
        log_warn(flow_log(&c->flow), "this WebSocket is not taken", kv_u("status", status));
        conn_close(c, CS_EPROTO);
        return CS_EPROTO;
    }
    w->upgraded = true;
    c->connecting = false;
    c->active = loop_now(c->flow.tp->loop);
    stream_write(c->stream, span_of(w->early, w->n_early));
    free(w->early);
    w->early = NULL;
    return n;
}

/* ---- bytes ---- */

/* Many messages may come in one piece: each of them counts, as on any connection. */
static ptrdiff_t read_messages(struct conn *c, struct span in)
{
    struct siptp *tp = c->flow.tp;
    const size_t max = tp->conf.limits.message;
    struct span rest = in;
    while (c->flow.open) {
        size_t first = ws_first(rest, max);
        if (first && conn_hold(c))
            return (ptrdiff_t)(in.n - rest.n);
        struct span next = first ? span_head(rest, first) : rest;
        ptrdiff_t n = ws_feed(&c->ws->ws, &tp->shelf, next, max, &events, c);
        if (n < 0)
            return n;
        rest = span_skip(rest, (size_t)n);
        if (!first)
            return (ptrdiff_t)(in.n - rest.n);
    }
    /* We wait for the peer's close, or it has come. */
    ptrdiff_t n = ws_feed(&c->ws->ws, &tp->shelf, rest, max, &events, c);
    return n < 0 ? n : (ptrdiff_t)(in.n - rest.n) + n;
}

ptrdiff_t websocket_data(struct conn *c, struct span in)
{
    struct websocket *w = c->ws;
    ptrdiff_t used = 0, n = 1;
    while (!w->upgraded && n > 0 && (size_t)used < in.n) {
        const struct span rest = span_skip(in, (size_t)used);
        n = conn_hold(c) ? 0 : c->ours ? read_answer(c, rest) : shake(c, rest);
        if (n < 0)
            return n;
        used += n;
        if (c->held.ns)
            return used;
    }
    n = 0;
    if (w->upgraded)
        n = read_messages(c, span_skip(in, (size_t)used));
    if (!c->flow.open)
        return n < 0 ? n : used + n;
    if (n < 0) {
        if (n != CS_ECLOSED)
            siptp_count_refused(c->flow.tp, &c->flow.remote, c->flow.transport,
                                n == CS_ELIMIT ? REFUSED_TOO_LARGE : REFUSED_MALFORMED);
        conn_close(c, n == CS_ECLOSED ? UV_EOF : (int)n);
        return (ptrdiff_t)in.n;
    }
    used += n;
    if (!c->held.ns)
        conn_left(c, (size_t)used < in.n || ws_is_partial(&w->ws));
    return used;
}

void websocket_send(struct conn *c, struct span message)
{
    struct websocket *w = c->ws;
    const size_t room = WS_FRAME_MAX + message.n;
    if (w->upgraded) {
        char *p = stream_reserve(c->stream, room);
        if (p)
            stream_wrote(c->stream, ws_frame(&w->ws, p, message));
        return;
    }
    char *all = w->n_early + room <= SIPTP_MAX_UNSENT ? realloc(w->early, w->n_early + room) : NULL;
    if (!all) {
        conn_close(c, CS_ELIMIT);
        return;
    }
    w->early = all;
    w->n_early += ws_frame(&w->ws, all + w->n_early, message);
}

bool websocket_leave(struct conn *c, enum ws_code code)
{
    static const struct {
        enum ws_code code;
        struct span reason;
    } reasons[] = {
        { WS_GOING_AWAY, SPAN_INIT("this server stops; connect again") },
        { WS_UNSUPPORTED, SPAN_INIT("SIP is spoken here") },
        { WS_POLICY, SPAN_INIT("too slow, idle, or not welcome") },
        { WS_TOO_BIG, SPAN_INIT("the message is too large") },
        { WS_UNAUTHORIZED, SPAN_INIT("fetch a new token and connect again") },
    };
    struct span reason = SPAN_NULL;
    if (!c->ws->upgraded)
        return false;
    for (size_t i = 0; i < CS_LEN(reasons); i++) {
        if (reasons[i].code == code)
            reason = reasons[i].reason;
    }
    ws_close(&c->ws->ws, code, reason, &events, c);
    return true;
}

/* ---- who it is ---- */

struct span flow_credential(const struct flow *f, bool *is_ticket)
{
    const struct websocket *w = sip_transport_is_ws(f->transport) ? conn_of(f)->ws : NULL;
    *is_ticket = w && w->is_ticket;
    return w ? secret_span(&w->credential) : SPAN_NULL;
}

int flow_renew_credential(struct flow *f, struct span token)
{
    struct websocket *w = sip_transport_is_ws(f->transport) ? conn_of(f)->ws : NULL;
    if (!w || !w->credential.n || span_eq(secret_span(&w->credential), token))
        return 0;
    int err = secret_set(&w->credential, token);
    w->is_ticket = w->is_ticket && err;
    return err;
}
