#include <assert.h>
#include <stdlib.h>

#include "base/metric.h"
#include "siptp/impl.h"

void flow_setup(struct flow *f, struct siptp_listener *ls, const struct addr *remote,
                const struct addr *local)
{
    f->refs = 1;
    f->tp = ls->tp;
    f->tp->refs++;
    f->listener = ls;
    f->transport = ls->transport;
    f->open = true;
    f->remote = *remote;
    f->local = *local;
    f->id = 0;
    f->peer = 0;
    f->attached = NULL;
    f->detach = NULL;
    list_init(&f->waiting);
}

/* A trunk's messages come from one place: its calls share what says so. */
static struct flow **place_of(struct siptp *tp, const struct addr *remote)
{
    const unsigned port = addr_port(remote);
    const unsigned char *last = remote->sa.sa_family == AF_INET6
                                    ? &remote->in6.sin6_addr.s6_addr[15]
                                    : (const unsigned char *)&remote->in4.sin_addr + 3;
    return &tp->lately[(port ^ port >> 6 ^ *last) % SIPTP_LATELY];
}

struct flow *udp_flow_to(struct siptp_listener *ls, const struct addr *remote)
{
    struct siptp *tp = ls->tp;
    struct flow **place = place_of(tp, remote);
    struct udp_flow *u = tp->spare;
    if (*place && (*place)->listener == ls && addr_eq(&(*place)->remote, remote))
        return flow_ref(*place);
    if (u) {
        tp->spare = u->next;
        tp->n_spare--;
    } else {
        u = calloc(1, sizeof(*u));
        if (!u)
            return NULL;
    }
    flow_setup(&u->flow, ls, remote, &ls->local);
    return *place = &u->flow;
}

struct flow *flow_ref(struct flow *f)
{
    f->refs++;
    return f;
}

void flow_unref(struct flow **pf)
{
    struct flow *f = *pf;
    *pf = NULL;
    if (!f)
        return;
    assert(f->refs);
    if (--f->refs)
        return;
    struct siptp *tp = f->tp;
    struct flow **place = f->transport == SIP_UDP ? place_of(tp, &f->remote) : NULL;
    if (place && *place == f)
        *place = NULL;
    if (f->detach)
        f->detach(f->attached);
    if (f->transport != SIP_UDP) {
        conn_free(conn_of(f));
    } else if (tp->events && tp->n_spare < SIPTP_SPARE_FLOWS) {
        struct udp_flow *u = container_of(f, struct udp_flow, flow);
        u->next = tp->spare;
        tp->spare = u;
        tp->n_spare++;
    } else {
        free(container_of(f, struct udp_flow, flow));
    }
    siptp_unref(tp);
}

X509 *flow_certificate(const struct flow *f, X509 **issuer)
{
    *issuer = sip_transport_is_tls(f->transport) ? conn_of(f)->issuer : NULL;
    return sip_transport_is_tls(f->transport) ? conn_of(f)->certificate : NULL;
}

void flow_attach(struct flow *f, void *p, void (*detach)(void *p))
{
    assert(!f->detach);
    f->attached = p;
    f->detach = detach;
}

int flow_send(struct flow *f, struct span data)
{
    if (f->transport == SIP_UDP) {
        if (!f->listener->udp)
            return CS_ECLOSED;
        int err = udp_send(f->listener->udp, &f->remote, data);
        if (err)
            return err;
    } else {
        if (!f->open)
            return CS_ECLOSED;
        struct conn *c = conn_of(f);
        if (c->ws)
            websocket_send(c, data);
        else
            stream_write(c->stream, data);
    }
    metric_inc(M_SIP_SENT, f->transport);
    siptp_show(f, true, data);
    return 0;
}

void flow_close(struct flow *f)
{
    if (flow_is_reliable(f))
        conn_close_ws(conn_of(f), 0, WS_UNAUTHORIZED);
}

static bool can_send_to(const struct siptp_listener *ls, const struct addr *to)
{
    return ls->local.sa.sa_family == to->sa.sa_family;
}

static struct siptp_listener *listener_for(const struct siptp *tp, enum sip_transport transport,
                                           const struct addr *remote)
{
    list_for_each (it, &tp->listeners) {
        struct siptp_listener *ls = container_of(it, struct siptp_listener, link);
        if (ls->transport == transport && can_send_to(ls, remote))
            return ls;
    }
    return NULL;
}

int siptp_flow_to_domain(struct siptp *tp, enum sip_transport transport, const struct addr *remote,
                         struct span domain, struct siptp_listener *via, struct flow **out)
{
    return siptp_flow_to_peer(tp, transport, remote, domain, 0, via, out);
}

int siptp_flow_to_peer(struct siptp *tp, enum sip_transport transport, const struct addr *remote,
                       struct span domain, unsigned peer, struct siptp_listener *via,
                       struct flow **out)
{
    char host[ADDR_STRLEN];
    struct buf b = BUF_INIT(host);
    addr_write_host(&b, remote);
    if (!domain.n)
        domain = buf_span(&b);
    *out = NULL;
    if (!tp->events)
        return CS_ECLOSED;
    if (sip_transport_is_ws(transport) && !tp->ws_path.p)
        return CS_ENOTSUP;
    if (via && (via->transport != transport || !can_send_to(via, remote)))
        return UV_EAFNOSUPPORT;
    struct siptp_listener *ls = via ? via : listener_for(tp, transport, remote);
    if (!ls)
        return UV_EAFNOSUPPORT;
    if (transport == SIP_UDP) {
        *out = udp_flow_to(ls, remote);
        return *out ? 0 : CS_ENOMEM;
    }
    struct conn *c = conn_by_addr(tp, transport, remote, domain, peer);
    if (!c && transport == SIP_TLS && !peer)
        c = alias_find(tp, remote, domain);
    if (c) {
        *out = flow_ref(&c->flow);
        return 0;
    }
    return conn_open(ls, remote, domain, peer, out);
}

int flow_for_response(struct flow *f, const struct sip_msg *req, struct flow **out)
{
    const struct sip_via *via = &req->via;
    uint16_t sent_by_port = via->port ? via->port : sip_transport_port(f->transport);
    struct addr to = f->remote;
    *out = NULL;
    if (flow_is_reliable(f)) {
        if (f->open) {
            *out = flow_ref(f);
            return 0;
        }
        if (f->transport == SIP_LINK)
            return CS_ECLOSED;
        /* RFC 3261, 18.2.2: a new connection to received, at the port of sent-by. */
        addr_set_port(&to, sent_by_port);
        return siptp_flow_to_domain(f->tp, f->transport, &to, via->host, f->listener, out);
    }
    /* Against RFC 3261, 18.2.2, maddr is obeyed only where it names the source itself, whose
     * address is taken anyway: else anybody could have answers sent to anybody. */
    struct addr maddr;
    bool by_maddr = via->maddr.n && addr_parse_host(via->maddr, sent_by_port, &maddr) == 0 &&
                    addr_same_host(&maddr, &to);
    if (by_maddr || !via->rport.p) /* RFC 3581, 4: with rport, back to where it came from */
        addr_set_port(&to, sent_by_port);
    if (addr_eq(&to, &f->remote)) {
        *out = flow_ref(f);
        return 0;
    }
    return siptp_flow_to(f->tp, SIP_UDP, &to, f->listener, out);
}

void flow_write_via(struct buf *b, const struct flow *f, struct span branch)
{
    buf_lit(b, "SIP/2.0/");
    buf_put(b, sip_transport_via(f->transport));
    buf_putc(b, ' ');
    buf_put(b, siptp_listener_sent_by(f->listener));
    if (f->transport == SIP_TLS && conn_of(f)->offers_alias)
        buf_lit(b, ";alias");
    buf_lit(b, ";rport;branch=");
    buf_put(b, branch);
}
