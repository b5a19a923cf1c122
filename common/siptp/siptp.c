#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/bind.h"
#include "siptp/impl.h"

static const struct {
    struct span via, name, uri;
    uint16_t port;
} transports[SIP_TRANSPORT_COUNT] = {
    [SIP_UDP] = { SPAN_INIT("UDP"), SPAN_INIT("udp"), SPAN_INIT("udp"), 5060 },
    [SIP_TCP] = { SPAN_INIT("TCP"), SPAN_INIT("tcp"), SPAN_INIT("tcp"), 5060 },
    [SIP_TLS] = { SPAN_INIT("TLS"), SPAN_INIT("tls"), SPAN_INIT("tls"), 5061 },
    [SIP_WS] = { SPAN_INIT("WS"), SPAN_INIT("ws"), SPAN_INIT("ws"), 80 },
    [SIP_WSS] = { SPAN_INIT("WSS"), SPAN_INIT("wss"), SPAN_INIT("ws"), 443 },
    [SIP_LINK] = { SPAN_INIT("TCP"), SPAN_INIT("link"), SPAN_INIT("tcp"), 5060 },
};

struct span sip_transport_via(enum sip_transport t)
{
    return transports[t].via;
}

struct span sip_transport_uri(enum sip_transport t)
{
    return transports[t].uri;
}

struct span sip_transport_name(enum sip_transport t)
{
    return transports[t].name;
}

uint16_t sip_transport_port(enum sip_transport t)
{
    return transports[t].port;
}

int sip_transport_of(struct span name, enum sip_transport *out)
{
    for (size_t i = 0; i < CS_LEN(transports); i++) {
        if (span_caseeq(name, transports[i].via)) {
            *out = (enum sip_transport)i;
            return 0;
        }
    }
    return CS_ENOTSUP;
}

static void defaults(struct siptp_conf *c)
{
    if (!c->limits.message)
        c->limits.message = 65535;
    if (!c->limits.line)
        c->limits.line = 8192;
    if (!c->limits.headers)
        c->limits.headers = 128;
    if (!c->max_connections)
        c->max_connections = 20000;
    if (!c->max_connections_per_address)
        c->max_connections_per_address = 100;
    if (!c->max_handshakes)
        c->max_handshakes = 1000;
    if (!c->idle.ms)
        c->idle = DURATION_S(15 * 60);
    if (!c->message_deadline.ms)
        c->message_deadline = DURATION_S(10);
    if (!c->first_message.ms)
        c->first_message = DURATION_S(10);
    if (!c->ping.ms)
        c->ping = DURATION_S(30);
    if (!c->connect.ms)
        c->connect = DURATION_S(2);
}

int siptp_new(struct loop *l, const struct siptp_conf *conf, const struct siptp_events *events,
              void *arg, struct siptp **out)
{
    *out = NULL;
    struct siptp *tp = calloc(1, sizeof(*tp));
    if (!tp)
        return CS_ENOMEM;
    tp->refs = 1;
    tp->loop = l;
    tp->conf = *conf;
    defaults(&tp->conf);
    tp->stream_limits.max_unread = tp->conf.limits.message + 4;
    tp->stream_limits.max_unsent = SIPTP_MAX_UNSENT;
    tp->events = events;
    tp->arg = arg;
    list_init(&tp->listeners);
    list_init(&tp->conns);
    list_init(&tp->links);
    list_init(&tp->shaking);
    list_init(&tp->strangers);
    list_init(&tp->visitors);
    tp->node = siptp_node_id(tp->conf.node);
    list_init(&tp->leaving);
    tp->ws_limits = tp->stream_limits;
    tp->ws_limits.max_unread =
        CS_MAX(tp->conf.limits.message + WS_FRAME_MAX, (size_t)WS_HELLO_MAX) + 1;
    tp->link_limits = (struct stream_limits){ tp->conf.limits.message + 4, SIPTP_LINK_UNSENT };
    map_init(&tp->by_id);
    map_init(&tp->by_addr);
    map_init(&tp->by_alias);
    map_init(&tp->hosts);
    int err = self_new(l, &tp->self);
    if (!err)
        err = token_init(tp);
    tp->conf.token_key = NULL; /* the caller's; token_init() has taken it in */
    if (err) {
        siptp_unref(tp);
        return err;
    }
    *out = tp;
    return 0;
}

void siptp_listener_free(struct siptp_listener *ls)
{
    list_remove(&ls->link);
    udp_close(&ls->udp);
    listener_close(&ls->tcp);
    tls_context_unref(&ls->tls);
    free(ls->name);
    free(ls->sent_by);
    free(ls);
}

void siptp_unref(struct siptp *tp)
{
    if (--tp->refs)
        return;
    list_for_each (it, &tp->listeners)
        siptp_listener_free(container_of(it, struct siptp_listener, link));
    if (tp->link_listener)
        siptp_listener_free(tp->link_listener);
    tls_context_unref(&tp->link_client);
    tls_context_unref(&tp->tls);
    for (size_t i = 0; i < CS_LEN(tp->peers); i++)
        tls_context_unref(&tp->peers[i]);
    while (tp->spare) {
        struct udp_flow *f = tp->spare;
        tp->spare = f->next;
        free(f);
    }
    map_fini(&tp->by_id);
    map_fini(&tp->by_addr);
    map_fini(&tp->by_alias);
    map_fini(&tp->hosts);
    ws_shelf_fini(&tp->shelf);
    self_free(&tp->self);
    token_fini(tp);
    free(tp);
}

void siptp_free(struct siptp **ptp)
{
    struct siptp *tp = *ptp;
    *ptp = NULL;
    if (!tp)
        return;
    tp->events = NULL;
    list_for_each (it, &tp->listeners) {
        struct siptp_listener *ls = container_of(it, struct siptp_listener, link);
        udp_close(&ls->udp);
        listener_close(&ls->tcp);
    }
    if (tp->link_listener)
        listener_close(&tp->link_listener->tcp);
    listener_close(&tp->link_tls);
    list_for_each (it, &tp->conns)
        conn_close(container_of(it, struct conn, link), 0);
    list_for_each (it, &tp->links)
        conn_close(container_of(it, struct conn, link), 0);
    list_for_each (it, &tp->leaving)
        stream_close(container_of(it, struct conn, link)->stream, 0);
    siptp_unref(tp);
}

/* sent-by: as advertised, or the address we are bound to, or one of this machine's. */
static int name_listener(struct siptp_listener *ls, struct span name, struct span advertised)
{
    char text[300];
    struct buf b = BUF_INIT(text);
    if (advertised.n) {
        buf_put(&b, advertised);
    } else {
        struct addr shown = ls->local;
        if (addr_is_any(&shown)) {
            self_name(ls->tp->self, shown.sa.sa_family, &shown);
            addr_set_port(&shown, addr_port(&ls->local));
        }
        addr_write(&b, &shown);
    }
    if (!buf_ok(&b))
        return CS_ELIMIT;
    ls->name = strndup(name.p ? name.p : "", name.n);
    ls->sent_by = strndup(b.p, b.n);
    if (!ls->name || !ls->sent_by)
        return CS_ENOMEM;

    ls->host = span_str(ls->sent_by);
    ls->port = sip_transport_port(ls->transport);
    size_t colon = ls->host.n;
    while (colon && ascii_digit(ls->host.p[colon - 1]))
        colon--;
    if (colon > 1 && colon < ls->host.n && ls->host.p[colon - 1] == ':') {
        uint64_t port;
        int err = span_u64(span_skip(ls->host, colon), 65535, &port);
        if (err)
            return err;
        ls->port = (uint16_t)port;
        ls->host.n = colon - 1;
    }
    return 0;
}

int siptp_listen(struct siptp *tp, enum sip_transport transport, const struct addr *local,
                 struct span name, struct span advertised, struct siptp_listener **out)
{
    *out = NULL;
    if (transport == SIP_LINK)
        return CS_ENOTSUP;
    int fd, err = bind_socket(transport == SIP_UDP ? BIND_UDP : BIND_TCP, local, false, &fd, NULL);
    return err ? err : siptp_listen_fd(tp, transport, fd, name, advertised, out);
}

int siptp_listen_fd(struct siptp *tp, enum sip_transport transport, int fd, struct span name,
                    struct span advertised, struct siptp_listener **out)
{
    struct siptp_listener *ls =
        tp->n_listeners < SIPTP_MAX_LISTENERS ? calloc(1, sizeof(*ls)) : NULL;
    *out = NULL;
    if (!ls) {
        close(fd);
        return tp->n_listeners < SIPTP_MAX_LISTENERS ? CS_ENOMEM : CS_ELIMIT;
    }
    ls->tp = tp;
    ls->transport = transport;
    list_init(&ls->link);
    int err;
    if (transport == SIP_UDP)
        err = udp_open_fd(tp->loop, fd, siptp_datagram, ls, &ls->udp);
    else
        err = listener_open_fd(tp->loop, fd,
                               sip_transport_is_ws(transport) ? &tp->ws_limits : &tp->stream_limits,
                               &conn_events, conn_accept, ls, &ls->tcp);
    if (ls->udp && tp->conf.watch_delay)
        udp_watch_delay(ls->udp);
    if (!err) {
        ls->local = transport == SIP_UDP ? *udp_local(ls->udp) : *listener_local(ls->tcp);
        err = name_listener(ls, name, advertised);
    }
    if (err) {
        siptp_listener_free(ls);
        return err;
    }
    ls->index = (unsigned)tp->n_listeners++;
    list_push_back(&tp->listeners, &ls->link);
    *out = ls;
    return 0;
}

void siptp_listener_use_tls(struct siptp_listener *ls, struct tls_context *tls)
{
    if (ls->tcp) /* it accepts still */
        listener_start_tls(ls->tcp, tls);
    struct tls_context *old = ls->tls;
    ls->tls = tls_context_ref(tls);
    tls_context_unref(&old);
}

void siptp_listener_use_ws(struct siptp_listener *ls, const struct ws_rules *rules)
{
    ls->ws = rules;
}

void siptp_use_tls(struct siptp *tp, struct tls_context *tls)
{
    siptp_use_tls_for(tp, 0, tls);
}

void siptp_use_tls_for(struct siptp *tp, unsigned peer, struct tls_context *tls)
{
    assert(peer < SIPTP_TLS_PEERS);
    struct tls_context **at = peer ? &tp->peers[peer] : &tp->tls, *old = *at;
    *at = tls_context_ref(tls);
    tls_context_unref(&old);
}

const char *siptp_tls_failure(const struct siptp *tp, unsigned peer)
{
    const struct tls_context *c = peer ? tp->peers[peer] : tp->tls;
    return c ? tls_context_failure(c) : "";
}

void siptp_use_ws(struct siptp *tp, struct span path)
{
    tp->ws_path = path;
}

void siptp_tap(struct siptp *tp, siptp_tap_fn *fn, void *arg)
{
    tp->tap = fn;
    tp->tap_arg = arg;
}

void siptp_set_reason(struct siptp *tp, const struct siptp_reason *why)
{
    tp->reason = why;
}

const struct siptp_reason *siptp_reason(const struct siptp *tp)
{
    return tp->reason;
}

struct duration siptp_delay(const struct siptp *tp)
{
    return tp->delay;
}

void siptp_stop_accepting(struct siptp *tp)
{
    list_for_each (it, &tp->listeners)
        listener_close(&container_of(it, struct siptp_listener, link)->tcp);
}

size_t siptp_close_some(struct siptp *tp, size_t n)
{
    size_t before = 0;
    list_for_each (it, &tp->conns) {
        if (before++ < n)
            conn_close(container_of(it, struct conn, link), 0);
    }
    return before;
}

struct span siptp_listener_name(const struct siptp_listener *ls)
{
    return span_str(ls->name);
}

struct span siptp_listener_sent_by(const struct siptp_listener *ls)
{
    return span_str(ls->sent_by);
}

const struct addr *siptp_listener_local(const struct siptp_listener *ls)
{
    return &ls->local;
}

void siptp_close_from(struct siptp *tp, const struct cidr *net, uint16_t port)
{
    list_for_each (it, &tp->conns) {
        struct conn *c = container_of(it, struct conn, link);
        if (cidr_contains(net, &c->flow.remote) && (!port || addr_port(&c->flow.remote) == port))
            conn_close(c, CS_EDENIED);
    }
}

/* But for the port. */
static bool is_at(const struct siptp_listener *ls, const struct addr *a)
{
    return addr_is_any(&ls->local) ? self_has(ls->tp->self, a) : addr_same_host(&ls->local, a);
}

bool siptp_hears(const struct siptp *tp, enum sip_transport transport, const struct addr *a)
{
    char host[ADDR_STRLEN];
    struct buf b = BUF_INIT(host);
    addr_write_host(&b, a);
    list_for_each (it, &tp->listeners) {
        const struct siptp_listener *ls = container_of(it, struct siptp_listener, link);
        if (ls->transport != transport)
            continue;
        if ((addr_port(&ls->local) == addr_port(a) && is_at(ls, a)) ||
            (ls->port == addr_port(a) && span_caseeq(ls->host, buf_span(&b))))
            return true;
    }
    return false;
}

bool siptp_is_us(const struct siptp *tp, struct span host, uint16_t port)
{
    struct addr a;
    bool numeric = addr_parse_host(host, 0, &a) == 0;
    list_for_each (it, &tp->listeners) {
        const struct siptp_listener *ls = container_of(it, struct siptp_listener, link);
        uint16_t wanted = port ? port : sip_transport_port(ls->transport);
        if (wanted == ls->port && span_caseeq(host, ls->host))
            return true;
        if (numeric && wanted == addr_port(&ls->local) && is_at(ls, &a))
            return true;
    }
    return false;
}
