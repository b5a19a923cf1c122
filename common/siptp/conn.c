#include <openssl/x509.h>
#include <stdlib.h>

#include "base/metric.h"
#include "siptp/impl.h"

/* ---- who is connected ---- */

static bool host_is(const struct map_node *n, const void *key)
{
    const struct conn_host *h = container_of(n, struct conn_host, node);
    return span_eq(span_of(h->net, h->net_len), *(const struct span *)key);
}

static struct conn_host *host_enter(struct siptp *tp, const struct addr *a)
{
    struct span net = addr_net_bytes(a);
    uint64_t hash = map_hash(net);
    struct map_node *n = map_find(&tp->hosts, hash, host_is, &net);
    struct conn_host *h = n ? container_of(n, struct conn_host, node) : NULL;
    if (h) {
        if (h->n >= tp->conf.max_connections_per_address)
            return NULL;
        h->n++;
        return h;
    }
    h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    memcpy(h->net, net.p, net.n);
    h->net_len = net.n;
    h->n = 1;
    if (map_insert(&tp->hosts, &h->node, hash)) {
        free(h);
        return NULL;
    }
    return h;
}

static void host_leave(struct siptp *tp, struct conn_host *h)
{
    if (!h || --h->n)
        return;
    map_remove(&tp->hosts, &h->node);
    free(h);
}

uint64_t conn_addr_hash(const struct addr *a)
{
    uint16_t port = addr_port(a);
    return map_hash2(addr_host_bytes(a), span_of(&port, sizeof(port)));
}

struct peer {
    enum sip_transport transport;
    const struct addr *remote;
    struct span domain;
    unsigned number;
};

static bool peer_is(const struct map_node *n, const void *key)
{
    const struct conn *c = container_of(n, struct conn, by_addr);
    const struct peer *p = key;
    if (c->flow.transport != p->transport || !addr_eq(&c->flow.remote, p->remote))
        return false;
    return !(sip_transport_is_tls(p->transport) || sip_transport_is_ws(p->transport)) ||
           (c->domain && c->peer == p->number &&
            (p->number || span_caseeq(span_str(c->domain), p->domain)));
}

struct conn *conn_by_addr(const struct siptp *tp, enum sip_transport transport,
                          const struct addr *remote, struct span domain, unsigned peer)
{
    const struct peer key = { transport, remote, domain, peer };
    struct map_node *n = map_find(&tp->by_addr, conn_addr_hash(remote), peer_is, &key);
    return n ? container_of(n, struct conn, by_addr) : NULL;
}

static bool id_is(const struct map_node *n, const void *key)
{
    return container_of(n, struct conn, by_id)->flow.id == *(const uint64_t *)key;
}

struct conn *conn_by_id(const struct siptp *tp, uint64_t id)
{
    struct map_node *n = map_find(&tp->by_id, map_hash(span_of(&id, sizeof(id))), id_is, &id);
    return n ? container_of(n, struct conn, by_id) : NULL;
}

/* ---- deadlines ---- */

static bool is_shaking(const struct conn *c)
{
    return !list_empty(&c->shaking);
}

static struct mono sooner(struct mono a, struct mono b)
{
    return mono_before(b, a) ? b : a;
}

static struct mono conn_due(const struct conn *c)
{
    const struct siptp_conf *conf = &c->flow.tp->conf;
    struct mono silent;
    if (c->connecting)
        return mono_add(c->since, conf->connect);
    bool paced = c->pinged && c->pace.ms && c->pace.ms < conf->idle.ms;
    struct mono due = mono_add(c->active, paced ? c->pace : conf->idle);
    if (!list_empty(&c->stranger) && conf->first_accepted.ms)
        due = sooner(due, mono_add(c->since, conf->first_accepted));
    if (!c->greeted)
        due =
            sooner(due, mono_add(websocket_visits(c) ? c->active : c->since, conf->first_message));
    if (c->partial.ns)
        due = sooner(due, mono_add(c->partial, conf->message_deadline));
    if (c->held.ns)
        due = sooner(due, c->held);
    if (websocket_due(c, &silent))
        due = sooner(due, silent);
    return due;
}

/* Deadlines mostly move away, so a timer that runs is left alone: it looks again when it fires. */
void conn_arm(struct conn *c)
{
    struct loop *l = c->flow.tp->loop;
    struct mono due = conn_due(c);
    if (timer_is_running(&c->deadline) && !mono_before(due, c->deadline.due))
        return;
    struct duration left = mono_since(loop_now(l), due);
    timer_stop(l, &c->deadline);
    timer_start(l, &c->deadline, DURATION_MS(left.ms >= 0 ? left.ms + 1 : 0));
}

static void conn_deadline(struct timer *t)
{
    struct conn *c = container_of(t, struct conn, deadline);
    if (!c->flow.open) { /* a WebSocket that has not agreed to its close */
        stream_close(c->stream, 0);
        return;
    }
    if (mono_before(loop_now(c->flow.tp->loop), conn_due(c))) {
        conn_arm(c);
        return;
    }
    if (c->held.ns && !mono_before(loop_now(c->flow.tp->loop), c->held)) {
        c->held.ns = 0;
        conn_arm(c);
        stream_resume(c->stream);
        return;
    }
    if (!c->partial.ns && websocket_ping(c)) {
        conn_arm(c);
        return;
    }
    if (websocket_visits(c) && !c->partial.ns) { /* browsers keep what they may need again */
        conn_close(c, 0);
        return;
    }
    if (c->partial.ns || (!c->greeted && !c->connecting && !is_shaking(c)))
        siptp_count_refused(c->flow.tp, &c->flow.remote, c->flow.transport, REFUSED_TIMEOUT);
    else if (!list_empty(&c->stranger) && !is_shaking(c)) /* who was polite so far is no abuser */
        metric_inc(M_SIP_REFUSED, REFUSED_TIMEOUT);
    log_debug(flow_log(&c->flow), "connection too slow or idle");
    conn_close(c, CS_ETIMEOUT);
}

/* ---- strangers ---- */

static void stranger_leave(struct conn *c)
{
    if (list_empty(&c->stranger))
        return;
    list_remove(&c->stranger);
    c->flow.tp->n_strangers--;
}

/* Whoever comes last has the best chance to be somebody: who keeps others out has been there for
 * longer. */
static void stranger_enter(struct conn *c)
{
    struct siptp *tp = c->flow.tp;
    if (tp->conf.max_strangers && tp->n_strangers >= tp->conf.max_strangers) {
        struct conn *oldest = container_of(tp->strangers.next, struct conn, stranger);
        metric_inc(M_SIP_REFUSED, REFUSED_CONNECTIONS); /* no fault of this one */
        conn_close(oldest, CS_ELIMIT);
    }
    list_push_back(&tp->strangers, &c->stranger);
    tp->n_strangers++;
}

void flow_accepted(struct flow *f)
{
    if (flow_is_reliable(f))
        stranger_leave(conn_of(f));
}

void flow_expect(struct flow *f, struct duration pace)
{
    if (!flow_is_reliable(f) || !f->open)
        return;
    conn_of(f)->pace = pace;
    conn_arm(conn_of(f));
}

/* ---- life ---- */

void conn_free(struct conn *c)
{
    X509_free(c->certificate);
    X509_free(c->issuer);
    free(c->domain);
    websocket_free(&c->ws);
    free(c);
}

static void shaken(struct conn *c)
{
    if (is_shaking(c))
        c->flow.tp->n_shaking--;
    list_remove(&c->shaking);
}

/* Who only looks whether the port is open, as load balancers do, is counted, but does no harm; nor
 * does a phone whose certificate has expired, or that does not believe ours. */
static void not_shaken(struct conn *c, int reason)
{
    if (!is_shaking(c))
        return;
    if (reason == CS_EPROTO || reason == CS_ETIMEOUT)
        siptp_count_refused(c->flow.tp, &c->flow.remote, c->flow.transport, REFUSED_HANDSHAKE);
    else
        metric_inc(M_SIP_REFUSED, REFUSED_HANDSHAKE);
    shaken(c);
}

/* From here on nobody finds it and nothing is sent. */
static void conn_shut(struct conn *c, int reason)
{
    struct siptp *tp = c->flow.tp;
    stranger_leave(c);
    websocket_leaves(c);
    alias_drop(c);
    c->flow.open = false;
    c->flow.reason = reason;
    timer_stop(tp->loop, &c->deadline);
    map_remove(&tp->by_id, &c->by_id);
    map_remove(&tp->by_addr, &c->by_addr);
    list_remove(&c->link);
    host_leave(tp, c->host);
    c->host = NULL;
    not_shaken(c, reason);
    tp->n_conns--;
    metric_add(M_SIP_FLOWS, c->flow.transport, -1);
}

/* A WebSocket is told why, and has a moment to agree: what is still on its way to us would else
 * have the kernel reset the connection, and the code be lost. */
void conn_close_ws(struct conn *c, int reason, enum ws_code code)
{
    struct siptp *tp = c->flow.tp;
    if (!c->flow.open)
        return;
    conn_shut(c, reason);
    bool told = c->ws && websocket_leave(c, code) && reason != UV_EOF;
    if (!told || tp->n_leaving >= SIPTP_LEAVING_MAX || !tp->events) {
        stream_close(c->stream, reason);
        return;
    }
    tp->n_leaving++;
    list_push_back(&tp->leaving, &c->link);
    timer_start(tp->loop, &c->deadline, DURATION_MS(SIPTP_LEAVE_MS));
}

void conn_close(struct conn *c, int reason)
{
    enum ws_code code = reason == CS_EPROTO   ? WS_PROTOCOL
                        : reason == CS_ELIMIT ? WS_TOO_BIG
                        : reason == CS_ENOMEM ? WS_INTERNAL
                        : reason              ? WS_POLICY
                                              : WS_GOING_AWAY;
    conn_close_ws(c, reason, code);
}

int conn_new(struct siptp_listener *ls, struct stream *s, const struct addr *remote,
             struct conn_host *host, struct conn **out)
{
    static const struct addr nowhere;
    struct siptp *tp = ls->tp;
    bool link = !remote;
    if (link)
        remote = &nowhere;
    struct conn *c = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    uint64_t id = tp->last_id + 1;
    int err = map_insert(&tp->by_id, &c->by_id, map_hash(span_of(&id, sizeof(id))));
    if (!err) {
        err = map_insert(&tp->by_addr, &c->by_addr, conn_addr_hash(remote));
        if (err)
            map_remove(&tp->by_id, &c->by_id);
    }
    if (err) {
        free(c);
        return err;
    }
    flow_setup(&c->flow, ls, remote, s && !link ? stream_local(s) : &ls->local);
    c->flow.id = tp->last_id = id;
    c->stream = s;
    c->host = host;
    c->since = c->active = loop_now(tp->loop);
    list_init(&c->shaking);
    list_init(&c->stranger);
    list_init(&c->visit);
    timer_init(&c->deadline, conn_deadline);
    list_push_back(link ? &tp->links : &tp->conns, &c->link);
    tp->n_conns++;
    metric_inc(M_SIP_FLOWS, c->flow.transport);
    *out = c;
    return 0;
}

/* One that takes long makes room for one that may be quick. */
static void shake(struct conn *c)
{
    struct siptp *tp = c->flow.tp;
    list_push_back(&tp->shaking, &c->shaking);
    if (tp->n_shaking++ >= tp->conf.max_handshakes)
        conn_close(container_of(tp->shaking.next, struct conn, shaking), CS_ELIMIT);
}

static void watch_peer(struct conn *c)
{
    struct duration silence = c->flow.tp->conf.keepalive;
    if (silence.ms && stream_watch_peer(c->stream, silence))
        log_debug(flow_log(&c->flow), "the kernel does not watch this peer");
}

int conn_accept(void *arg, struct stream *s, void **out)
{
    struct siptp_listener *ls = arg;
    struct siptp *tp = ls->tp;
    const struct addr *remote = stream_peer(s);
    struct conn *c;
    struct conn_host *host;
    bool link = ls->transport == SIP_LINK, tls = sip_transport_is_tls(ls->transport);
    bool ws = sip_transport_is_ws(ls->transport);
    if ((tls && !ls->tls) || (ws && !ls->ws) || (!link && !siptp_admits(tp, remote)))
        return CS_EDENIED;
    if (tp->n_conns >= tp->conf.max_connections) { /* no fault of this one */
        metric_inc(M_SIP_REFUSED, REFUSED_CONNECTIONS);
        return CS_ELIMIT;
    }
    host = host_enter(tp, remote);
    if (!host) {
        siptp_count_refused(tp, remote, ls->transport, REFUSED_CONNECTIONS);
        return CS_ELIMIT;
    }
    struct websocket *w = NULL;
    int err = ws ? websocket_new(false, &w) : 0;
    if (!err)
        err = conn_new(ls, s, link ? NULL : remote, host, &c);
    if (err) {
        websocket_free(&w);
        host_leave(tp, host);
        metric_inc(M_SIP_REFUSED, REFUSED_MEMORY);
        return err;
    }
    c->ws = w;
    if (tls)
        shake(c);
    if (!link) {
        watch_peer(c);
        stranger_enter(c);
    }
    conn_arm(c);
    *out = c;
    return 0;
}

int conn_begin(struct conn *c, struct stream *s, int err, struct flow **out)
{
    if (err) {
        struct flow *f = &c->flow;
        conn_shut(c, err);
        flow_unref(&f);
        return err;
    }
    c->stream = s;
    c->ours = c->connecting = true;
    c->greeted = true; /* it is we who speak first */
    conn_arm(c);
    *out = flow_ref(&c->flow);
    return 0;
}

static int connect_to(struct conn *c, struct span domain, struct stream **s)
{
    struct siptp *tp = c->flow.tp;
    const bool tls = sip_transport_is_tls(c->flow.transport);
    const bool ws = sip_transport_is_ws(c->flow.transport);
    struct addr from = c->flow.local;
    addr_set_port(&from, 0);
    c->domain = tls || ws ? strndup(domain.p, domain.n) : NULL;
    if ((tls || ws) && !c->domain)
        return CS_ENOMEM;
    struct tls_context *context = c->peer ? tp->peers[c->peer] : tp->tls;
    c->offers_alias =
        tls && !ws && c->flow.listener->tls && tls_context_is_shown(context, c->flow.listener->tls);
    int err = ws ? websocket_new(true, &c->ws) : 0;
    if (!err)
        err = stream_connect_tcp(tp->loop, &c->flow.remote, addr_is_any(&from) ? NULL : &from,
                                 ws ? &tp->ws_limits : &tp->stream_limits, &conn_events, c, s);
    int broken = !err && tls ? stream_start_tls(*s, context, c->domain) : 0;
    if (broken) /* closed() says so later */
        stream_close(*s, broken);
    return err;
}

int conn_open(struct siptp_listener *ls, const struct addr *remote, struct span domain,
              unsigned peer, struct flow **out)
{
    struct siptp *tp = ls->tp;
    struct conn *c;
    if (sip_transport_is_tls(ls->transport) && !(peer ? tp->peers[peer] : tp->tls))
        return CS_ENOTSUP;
    if (tp->n_conns >= tp->conf.max_connections)
        return CS_ELIMIT;
    struct stream *s = NULL;
    int err = conn_new(ls, NULL, remote, NULL, &c);
    if (err)
        return err;
    c->peer = peer;
    err = connect_to(c, domain, &s);
    return conn_begin(c, s, err, out);
}

static void conn_opened(struct stream *s, void *arg)
{
    struct conn *c = arg;
    if (!c->flow.open)
        return;
    c->connecting = c->ours && c->ws;
    if (c->connecting)
        websocket_ask(c);
    shaken(c);
    X509 *issuer, *shown = c->domain ? NULL : stream_certificate(s, &issuer);
    if (shown && sip_transport_is_tls(c->flow.transport)) {
        X509_up_ref(shown);
        X509_up_ref(issuer);
        c->certificate = shown;
        c->issuer = issuer;
    }
    if (c->flow.transport != SIP_LINK) {
        c->flow.local = *stream_local(s);
        watch_peer(c);
    }
    c->active = loop_now(c->flow.tp->loop);
    conn_arm(c);
}

static void conn_closed(struct stream *s, void *arg, int reason)
{
    (void)s;
    struct conn *c = arg;
    struct siptp *tp = c->flow.tp;
    if (c->flow.open && !is_shaking(c) && sip_transport_is_tls(c->flow.transport) &&
        reason == CS_EPROTO)
        siptp_count_refused(tp, &c->flow.remote, c->flow.transport, REFUSED_HANDSHAKE);
    if (c->flow.open) {
        conn_shut(c, reason);
    } else if (!list_empty(&c->link)) {
        list_remove(&c->link);
        timer_stop(tp->loop, &c->deadline);
        tp->n_leaving--;
    }
    c->stream = NULL;
    log_debug(flow_log(&c->flow), "connection closed", kv_err(reason));
    if (tp->events)
        tp->events->closed(tp->arg, &c->flow);
    struct flow *f = &c->flow;
    flow_unref(&f);
}

/* ---- messages ---- */

static void deliver(struct conn *c, struct sip_msg *m)
{
    struct siptp *tp = c->flow.tp;
    m->source = c->flow.remote;
    if (c->flow.transport == SIP_LINK)
        link_learn_peer(&c->flow, m);
    alias_take(c, m);
    metric_inc(M_SIP_RECEIVED, c->flow.transport);
    siptp_show(&c->flow, false, m->raw);
    tp->events->message(tp->arg, &c->flow, m);
}

/* Where the stream's messages begin and end is lost, so the connection goes; but a request whose
 * headers are whole is told why (RFC 3261, 18.3 and 21.4.11). */
static int lost(struct conn *c, struct span in, int err)
{
    struct siptp *tp = c->flow.tp;
    struct sip_msg *m;
    struct span head = siptp_head(in);
    if (head.p && sip_msg_parse(head, true, &tp->conf.limits, &m) == 0) {
        bool no_length = !sip_has(m, SIP_HDR_CONTENT_LENGTH);
        siptp_count_refused(tp, &c->flow.remote, c->flow.transport,
                            err == CS_ELIMIT ? REFUSED_TOO_LARGE
                            : no_length      ? REFUSED_NO_LENGTH
                                             : REFUSED_MALFORMED);
        if (m->is_request) {
            m->bad = err == CS_ELIMIT ? 513 : 400;
            m->bad_why = err == CS_ELIMIT ? "message too large" : "Content-Length missing or wrong";
            deliver(c, m);
        }
        sip_msg_unref(&m);
    } else {
        siptp_refuse(tp, &c->flow.remote, c->flow.transport, in, err);
    }
    conn_close(c, err);
    return err;
}

/* CRLFs between messages; two in a row are a ping (RFC 5626, 4.4.1). Returns what is behind. */
static struct span pings(struct conn *c, struct span in)
{
    while (in.n >= 2 && in.p[0] == '\r' && in.p[1] == '\n') {
        in = span_skip(in, 2);
        c->half_ping = !c->half_ping;
        if (c->half_ping)
            continue;
        c->active = loop_now(c->flow.tp->loop);
        c->pinged = true;
        stream_write(c->stream, SPAN("\r\n"));
        metric_inc(M_SIP_KEEPALIVES, 0);
    }
    return in;
}

/* Who says too much is not read from for a while: TCP then tells him to wait, and what he sends
 * costs him and not us. */
bool conn_hold(struct conn *c)
{
    struct siptp *tp = c->flow.tp;
    bool link = c->flow.transport == SIP_LINK;
    struct duration wait = link ? DURATION_MS(0) : siptp_wait(tp, &c->flow.remote);
    if (!wait.ms)
        return false;
    c->held = mono_add(loop_now(tp->loop), wait);
    c->partial.ns = 0;
    stream_pause(c->stream);
    metric_inc(M_SIP_HELD, 0);
    conn_arm(c);
    return true;
}

int conn_take(struct conn *c, struct span text, bool alone)
{
    struct siptp *tp = c->flow.tp;
    struct sip_msg *m;
    c->partial.ns = 0;
    if (c->flow.transport != SIP_LINK && !siptp_admits(tp, &c->flow.remote)) {
        conn_close(c, CS_EDENIED);
        return CS_ECLOSED;
    }
    int err = sip_msg_parse(text, alone, &tp->conf.limits, &m);
    if (err) {
        siptp_refuse(tp, &c->flow.remote, c->flow.transport, text, err);
        return err;
    }
    c->active = loop_now(tp->loop);
    c->greeted = true;
    deliver(c, m);
    sip_msg_unref(&m);
    return c->flow.open ? 0 : CS_ECLOSED;
}

void conn_left(struct conn *c, bool partial)
{
    if (!partial)
        c->partial.ns = 0;
    else if (!c->partial.ns)
        c->partial = loop_now(c->flow.tp->loop);
    conn_arm(c);
}

static ptrdiff_t conn_data(struct stream *s, void *arg, struct span in)
{
    (void)s;
    struct conn *c = arg;
    struct span rest = in;
    if (c->held.ns) /* decrypted before it was paused */
        return 0;
    if (c->ws)
        return websocket_data(c, in);
    while (c->flow.open) {
        rest = pings(c, rest);
        if (!rest.n || (rest.n == 1 && rest.p[0] == '\r'))
            break;
        c->half_ping = false;
        ptrdiff_t n = sip_frame(rest, &c->flow.tp->conf.limits);
        if (n < 0)
            return lost(c, rest, (int)n);
        if (n == 0)
            break;
        if (conn_hold(c))
            return (ptrdiff_t)(in.n - rest.n);
        int err = conn_take(c, span_head(rest, (size_t)n), false);
        if (err == CS_ECLOSED)
            return (ptrdiff_t)in.n;
        rest = span_skip(rest, (size_t)n);
    }
    if (!c->flow.open)
        return (ptrdiff_t)in.n;
    conn_left(c, rest.n > 0);
    return (ptrdiff_t)(in.n - rest.n);
}

const struct stream_events conn_events = {
    .opened = conn_opened,
    .data = conn_data,
    .closed = conn_closed,
};
