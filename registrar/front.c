#include "registrar/front.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/metric.h"
#include "base/rand.h"
#include "registrar/abuse.h"
#include "registrar/flood.h"
#include "registrar/flow_key.h"
#include "registrar/fork.h"
#include "registrar/loops.h"
#include "registrar/outcome.h"
#include "registrar/probes.h"
#include "registrar/proxy.h"
#include "registrar/register.h"
#include "sip/aor.h"
#include "sip/write.h"

static const struct log front_log = { .module = "front" };

/* Extensions that a REGISTER may require (RFC 3261, 20.32). */
static const struct span register_supports[] = { SPAN_INIT("path"), SPAN_INIT("outbound"),
                                                 SPAN_INIT("gruu") };

struct span front_aor(struct sip_msg *m, const struct sip_uri *uri)
{
    return sip_aor_in(&m->arena, uri);
}

void front_reply(struct tx *tx, unsigned status, const char *reason, struct span lines)
{
    metric_inc(M_REG_RESPONSES, status / 100 - 1);
    outcome_count(tx_request(tx)->method, status);
    tx_reply_full(tx, status, reason ? span_str(reason) : SPAN_NULL, lines, SPAN_NULL, SPAN_NULL);
}

/* Whether it is what the connection showed, and not the request, that holds no longer: nothing on
 * it will be accepted any more. */
static bool flow_has_expired(const struct tx *tx, const Countersign__Auth__Verdict *v)
{
    bool is_ticket;
    if (!flow_credential(tx_flow(tx), &is_ticket).n || front_has_credentials(tx_request(tx)))
        return false;
    switch (v->cause) {
    case COUNTERSIGN__AUTH__CAUSE__TOKEN_EXPIRED:
    case COUNTERSIGN__AUTH__CAUSE__TICKET_EXPIRED:
    case COUNTERSIGN__AUTH__CAUSE__TICKET_USED:
    case COUNTERSIGN__AUTH__CAUSE__TICKET_INVALID:
        return true;
    default:
        return false;
    }
}

void front_refuse(struct tx *tx, enum verdict kind, const Countersign__Auth__Verdict *v)
{
    bool refused = kind == VERDICT_CHALLENGE || kind == VERDICT_REJECT;
    metric_inc(M_REG_RESPONSES, refused ? 3 : 4);
    outcome_count(tx_request(tx)->method, kind == VERDICT_CHALLENGE ? 401 : refused ? 403 : 503);
    gate_refuse(tx, kind, v);
    if (flow_has_expired(tx, v))
        flow_close(tx_flow(tx));
}

/* Not all at once. */
static void write_retry_after(struct buf *b, unsigned most_s)
{
    buf_lit(b, "Retry-After: ");
    buf_u64(b, 1 + rand_below(most_s));
    buf_lit(b, "\r\n");
}

void front_reply_later(struct tx *tx)
{
    char line[32];
    struct buf b = BUF_INIT(line);
    write_retry_after(&b, 5);
    front_reply(tx, 503, NULL, buf_span(&b));
}

void front_accepted(struct front *f, struct flow *flow, const Countersign__Auth__Verdict *v)
{
    flow_accepted(flow);
    if (flow->transport != SIP_LINK)
        flood_know(f->flood, &flow->remote, span_str(v->group));
}

/* Answers 420 unless every option tag of the header is one of these (RFC 3261, 8.2.2.3, 16.3). */
static bool refuse_extensions(struct tx *tx, const struct sip_msg *m, enum sip_hdr_id id,
                              const struct span *tags, size_t n)
{
    char line[1024];
    struct buf b = BUF_INIT(line);
    if (!sip_has(m, id) || !sip_lacks(m, id, tags, n, &b))
        return false;
    if (buf_ok(&b))
        front_reply(tx, 420, NULL, buf_span(&b));
    else
        front_reply(tx, 400, "Too Many Extensions", SPAN_NULL);
    return true;
}

static void answer_options(const struct front *f, struct tx *tx)
{
    char lines[512];
    struct buf b = BUF_INIT(lines);
    buf_put(&b, flood_allow(f->flood));
    buf_lit(&b, "Accept: application/sdp\r\n" FRONT_SUPPORTED);
    front_reply(tx, 200, NULL, buf_span(&b));
}

static bool is_sip(const struct sip_uri *uri)
{
    return uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS;
}

/* The server itself: one of our names or addresses, and no user. */
static bool is_server(const struct front *f, const struct sip_uri *uri)
{
    return !uri->user.p &&
           (conf_serves(f->conf, uri->host) || siptp_is_us(f->tp, uri->host, uri->port));
}

static void on_request(void *arg, struct tx *tx, struct flow *flow, struct sip_msg *m)
{
    struct front *f = arg;
    metric_inc(M_REG_REQUESTS, m->method);
    tx_set_once(tx, true); /* until we know better */

    if (f->draining && !m->to.tag.p && flow->transport != SIP_LINK) {
        front_reply_later(tx); /* another registrar, or this one when it is back */
    } else if (!is_sip(&m->uri)) {
        front_reply(tx, 416, NULL, SPAN_NULL);
    } else if (flow->transport == SIP_LINK && m->method == SIP_REGISTER &&
               !front_has_credentials(m)) { /* a line of a desk phone shows its pass */
        front_reply(tx, 403, "Not Over This Link", SPAN_NULL);
    } else if (m->method == SIP_REGISTER && conf_serves(f->conf, m->uri.host)) {
        if (!refuse_extensions(tx, m, SIP_HDR_REQUIRE, register_supports,
                               CS_LEN(register_supports)))
            register_start(f, tx, flow, m);
    } else if (m->method == SIP_REGISTER) { /* we relay to nobody's registrar */
        front_reply(tx, 403, "Domain Not Served Here", SPAN_NULL);
    } else if (m->method == SIP_OPTIONS && is_server(f, &m->uri)) {
        /* A keepalive, or somebody asking who is there: both are free. */
        if (!refuse_extensions(tx, m, SIP_HDR_REQUIRE, NULL, 0))
            answer_options(f, tx);
    } else if (m->method == SIP_OTHER && is_server(f, &m->uri)) { /* others' we forward (16.3) */
        front_reply(tx, 405, NULL, flood_allow(f->flood));
    } else if (m->max_forwards == 0) {
        front_reply(tx, 483, NULL, SPAN_NULL);
    } else if (!refuse_extensions(tx, m, SIP_HDR_PROXY_REQUIRE, NULL, 0)) {
        proxy_start(f, tx, flow, m);
    }
}

/* What is not to cost anything but this. */
static bool is_shed(struct front *f, struct flow *flow, struct sip_msg *m)
{
    char text[32];
    struct buf b = BUF_INIT(text);
    if (flow->transport == SIP_LINK)
        return false;
    enum flood_answer answer = flood_judge(f->flood, &flow->remote, m, siptp_delay(f->tp));
    switch (answer) {
    case FLOOD_PASS:
        return false;
    case FLOOD_SILENCE:
        break;
    case FLOOD_BUSY:
        write_retry_after(&b, 10);
        siptx_reply_stateless(flow, m, 503, buf_span(&b));
        break;
    case FLOOD_METHOD_REFUSED:
        siptx_reply_stateless(flow, m, 405, flood_allow(f->flood));
        break;
    case FLOOD_URI_TOO_LONG:
        siptx_reply_stateless(flow, m, 414, SPAN_NULL);
        break;
    }
    metric_inc(M_REG_REQUESTS, m->method);
    if (answer != FLOOD_SILENCE)
        metric_inc(M_REG_RESPONSES, answer == FLOOD_BUSY ? 4 : 3);
    return true;
}

/* What strangers ask is challenged without a transaction where a challenge is in hand; what would
 * be refused before it is left to on_request(). */
static bool on_stateless(void *arg, struct flow *flow, struct sip_msg *m)
{
    struct front *f = arg;
    if (is_shed(f, flow, m))
        return true;
    if (f->draining || m->method == SIP_OTHER || !is_sip(&m->uri) || flow->transport == SIP_LINK)
        return false;
    if (m->method == SIP_REGISTER) {
        if (!register_challenge(f, flow, m))
            return false;
    } else if (m->max_forwards == 0 || sip_has(m, SIP_HDR_PROXY_REQUIRE) ||
               (m->method == SIP_OPTIONS && is_server(f, &m->uri)) ||
               !proxy_challenge(f, flow, m)) {
        return false;
    }
    metric_inc(M_REG_REQUESTS, m->method);
    metric_inc(M_REG_RESPONSES, 3);
    outcome_count(m->method, 401);
    return true;
}

static void on_cancelled(void *arg, struct tx *tx, struct sip_msg *cancel)
{
    (void)arg;
    metric_inc(M_REG_REQUESTS, cancel->method);
    proxy_cancel(tx, cancel);
}

static void on_ack(void *arg, struct flow *flow, struct sip_msg *m)
{
    metric_inc(M_REG_REQUESTS, SIP_ACK);
    proxy_ack(arg, flow, m);
}

/* A response that no transaction of ours waits for is dropped (RFC 6026, 8.9), unless its branch
 * says that another process on this port waits for it. */
static void on_stray(void *arg, struct flow *flow, struct sip_msg *m)
{
    struct front *f = arg;
    struct flow *link;
    uint32_t node = loops_node(m->via.branch);
    if (node && node != siptp_node(f->tp) && flow->transport != SIP_LINK &&
        nodes_link(f->nodes, node, &link) == 0) {
        if (flow_send(link, m->raw))
            log_debug(flow_log(flow), "a response could not be passed on");
        flow_unref(&link);
        return;
    }
    abuse_stray(f, flow);
    log_debug(flow_log(flow), "stray response dropped", kv_u("status", m->status),
              kv_s("call_id", m->call_id));
}

static void on_flow_closed(void *arg, struct flow *flow)
{
    struct front *f = arg;
    log_debug(flow_log(flow), "flow closed", kv_u("flow", flow->id));
    bound_flow_closed(&f->bound, flow);
}

int front_listen(struct front *f)
{
    for (size_t i = 0; i < f->conf->n_listeners; i++) {
        const struct listener_conf *lc = &f->conf->listeners[i];
        struct siptp_listener *ls;
        int err =
            f->worker
                ? siptp_listen_fd(f->tp, lc->transport, f->fds[i], lc->name, lc->advertise, &ls)
                : siptp_listen(f->tp, lc->transport, &lc->address, lc->name, lc->advertise, &ls);
        if (err) {
            log_error(&front_log, "cannot listen", kv_s("listener", lc->name),
                      kv_addr("address", &lc->address), kv_err(err));
            return err;
        }
        certs_serve(f->certs, i, ls);
        if (lc->ws)
            siptp_listener_use_ws(ls, &lc->ws->rules);
        log_info(&front_log, "listening", kv_s("listener", lc->name),
                 kv_s("transport", sip_transport_name(lc->transport)),
                 kv_addr("address", siptp_listener_local(ls)),
                 kv_s("advertised", siptp_listener_sent_by(ls)));
    }
    return 0;
}

/* Of a worker with its number behind. */
static void name_node(struct front *f)
{
    char host[HOST_NAME_MAX + 1] = "", number[16] = "";
    struct buf b = BUF_INIT(f->node);
    if (gethostname(host, sizeof(host) - 1) || !host[0])
        span_copy(host, sizeof(host), SPAN("registrar"));
    if (f->worker)
        snprintf(number, sizeof(number), "-%u", f->worker);
    size_t room = sizeof(f->node) - 1 - strlen(number);
    struct span name = span_head(f->conf->node.p ? f->conf->node : span_str(host), room);
    span_copy(f->tls_name, sizeof(f->tls_name), name);
    buf_put(&b, name);
    buf_put(&b, span_str(number));
    buf_putc(&b, 0);
}

/* The workers beside this one: until Redis tells of them calls reach their phones, too. */
static int expect_workers(struct front *f)
{
    int err = 0;
    for (unsigned i = 1; f->worker && i <= f->conf->workers && !err; i++) {
        char name[sizeof(f->node)], path[LINK_PATH_MAX];
        struct buf b = BUF_INIT(name);
        struct siptp_link_target to;
        if (i == f->worker)
            continue;
        buf_printf(&b, "%s-%u", f->tls_name, i);
        const struct link_peer peer = { .node = buf_span(&b) };
        err = link_target(&f->conf->link, &peer, path, &to);
        if (!err)
            err = nodes_expect(f->nodes, peer.node, &to);
    }
    return err;
}

static int link_to(void *arg, uint32_t node, struct flow **out)
{
    struct front *f = arg;
    return nodes_link(f->nodes, node, out);
}

static bool is_a_node(void *arg, const struct addr *a)
{
    const struct front *f = arg;
    char host[ADDR_STRLEN];
    struct buf b = BUF_INIT(host);
    addr_write_host(&b, a);
    return nodes_hear(f->nodes, buf_span(&b), addr_port(a));
}

/* What we can send over, and to. */
static void find_means(struct front *f)
{
    f->means = (struct hop_means){ .loop = f->loop,
                                   .tp = f->tp,
                                   .locator = f->locator,
                                   .avoid = f->conf->dns.avoid,
                                   .link = link_to,
                                   .is_ours = is_a_node,
                                   .arg = f };
    for (size_t i = 0; i < f->conf->n_listeners; i++) {
        const struct listener_conf *l = &f->conf->listeners[i];
        if (l->transport != SIP_TLS || f->conf->tls.client.ca_file)
            f->means.speaks |= LOCATE_SPEAKS(l->transport);
        f->means.ipv4 |= l->address.sa.sa_family == AF_INET;
        f->means.ipv6 |= l->address.sa.sa_family == AF_INET6;
    }
}

static int read_certificates(struct front *f)
{
    const struct registrar_conf *c = f->conf;
    struct certs_listener listeners[LISTENERS_MAX];
    struct certs_conf conf = { .tls = &c->tls,
                               .listeners = listeners,
                               .n_listeners = c->n_listeners,
                               .link = link_certs(&c->link) };
    for (size_t i = 0; i < c->n_listeners; i++)
        listeners[i] =
            (struct certs_listener){ .name = c->listeners[i].name, .tls = c->listeners[i].tls };
    return certs_open(f->loop, &conf, f->tp, f->worker ? f->ticket_seed : NULL, &f->certs);
}

int front_open(struct front *f)
{
    static const struct siptx_events events = { .stateless = on_stateless,
                                                .request = on_request,
                                                .cancelled = on_cancelled,
                                                .ack = on_ack,
                                                .stray = on_stray,
                                                .flow_closed = on_flow_closed };
    const struct registrar_conf *c = f->conf;
    struct siptx_conf xc = { .t1 = c->timers.t1,
                             .t2 = c->timers.t2,
                             .t4 = c->timers.t4,
                             .invite_timeout = c->timers.invite,
                             .max_transactions = c->limits.transactions,
                             .answer_memory = c->limits.answer_memory };
    struct siptp_conf tc = { .limits = { .message = c->limits.message,
                                         .line = c->limits.line,
                                         .headers = c->limits.headers },
                             .max_connections = c->limits.connections,
                             .max_connections_per_address = c->limits.connections_per_address,
                             .idle = c->limits.idle,
                             .ping = c->limits.ping,
                             .message_deadline = c->limits.message_deadline,
                             .max_handshakes = c->limits.handshakes,
                             .first_message = c->limits.first_message,
                             .first_accepted = c->limits.first_authentication,
                             .max_strangers = c->limits.strangers,
                             .keepalive = c->flows.tcp_keepalive,
                             .watch_delay = c->floods.delay.ms > 0,
                             .connect = c->limits.connect };
    list_init(&f->forks);
    list_init(&f->registrations);
    bound_init(&f->bound);
    name_node(f);
    struct secret key = { 0 };
    int err = flow_key_load(c->flow_key_file, &key);
    if (err)
        log_error(&front_log, "cannot use the key of flows", kv_str("file", c->flow_key_file),
                  kv_err(err));
    tc.token_key = &key;
    tc.node = span_str(f->node);
    tc.guard = &abuse_guard;
    tc.guard_arg = f;
    if (!err)
        err = flow_key_derive(&key, &f->route_key);
    if (!err)
        err = flood_new(f->loop, c, &f->flood);
    if (!err)
        err = siptx_new(f->loop, &xc, &events, f, &f->tx);
    if (!err)
        err = siptp_new(f->loop, &tc, siptx_transport_events(), f->tx, &f->tp);
    secret_fini(&key);
    if (!err)
        err = read_certificates(f);
    if (!err)
        err = probes_open(f, &f->probes);
    struct dns_conf dc = dns_settings_conf(&c->dns);
    if (!err)
        err = dns_open(f->loop, &dc, &f->dns);
    if (!err)
        err = locator_new(f->dns, c->dns.avoid, &f->locator);
    if (!err)
        find_means(f);
    return err || f->worker ? err : front_listen(f);
}

bool front_is_ready(const struct front *f)
{
    return gate_is_ready(f->gate) && redis_is_ready(f->redis) && nodes_are_known(f->nodes) &&
           !f->draining;
}

/* host:port */
static int add_address(struct front *f, const struct listener_conf *l, struct span host)
{
    char text[300];
    struct buf b = BUF_INIT(text);
    buf_put(&b, host);
    ptrdiff_t colon = -1;
    for (size_t i = 0; i < b.n; i++) {
        if (text[i] == ':')
            colon = (ptrdiff_t)i;
    }
    if (colon < 0 || text[b.n - 1] == ']')
        buf_printf(&b, ":%u", sip_transport_port(l->transport));
    char *copy = buf_ok(&b) ? strndup(text, b.n) : NULL;
    if (copy)
        f->addresses[f->n_addresses++] = copy;
    return copy ? 0 : CS_ENOMEM;
}

/* Where the others shall know us by: a Contact may say either, or a name that leads there. */
static int name_addresses(struct front *f)
{
    int err = 0;
    for (size_t i = 0; !err && i < f->conf->n_listeners; i++) {
        const struct listener_conf *l = &f->conf->listeners[i];
        char text[ADDR_STRLEN];
        struct buf b = BUF_INIT(text);
        addr_write(&b, &l->address);
        if (l->advertise.p)
            err = add_address(f, l, l->advertise);
        if (!err && (!l->advertise.p || !addr_is_any(&l->address)))
            err = add_address(f, l, buf_span(&b));
    }
    return err;
}

/* Those that configuration names, for Redis does not know them. */
static int add_bridges(struct front *f)
{
    int err = 0;
    for (size_t i = 0; i < f->conf->calls.n_bridges && !err; i++) {
        const struct link_peer *b = &f->conf->calls.bridges[i];
        struct siptp_link_target to;
        char path[LINK_PATH_MAX];
        err = link_target(&f->conf->link, b, path, &to);
        if (!err)
            err = nodes_add(f->nodes, b->node, &to);
    }
    return err;
}

static int open_probes(struct front *f)
{
    struct hop_probe_conf hops[ROUTES_MAX * HOPS_MAX];
    struct hop_probes_conf conf = {
        .loop = f->loop, .tx = f->tx, .means = &f->means, .hops = hops
    };
    for (size_t i = 0; i < f->conf->n_routes; i++) {
        const struct route_conf *r = &f->conf->routes[i];
        for (size_t j = 0; j < r->n_next_hops && r->probe.ms; j++) {
            if (!r->hops[j].node) /* nodes say themselves that they are there */
                hops[conf.n++] = (struct hop_probe_conf){ .hop = &r->hops[j],
                                                          .interval = r->probe,
                                                          .answer = r->answer };
        }
    }
    return hop_probes_open(&conf, &f->hop_probes);
}

int front_open_link(struct front *f)
{
    f->bound.loop = f->loop;
    f->bound.locations = f->locations;
    if (name_addresses(f))
        return CS_ENOMEM;
    int err = link_open(f->tp, &f->conf->link, f->certs, f->node, f->worker ? f->worker - 1 : 0,
                        &f->link);
    struct nodes_conf nc = { .name = span_str(f->node),
                             .link = *f->link.path ? f->link.path : NULL,
                             .tls = *f->link.tls ? f->link.tls : NULL,
                             .tls_name = *f->link.tls ? f->tls_name : NULL,
                             .addresses = f->addresses,
                             .n_addresses = f->n_addresses };
    if (!err)
        err = nodes_open(f->loop, f->redis, f->tp, &nc, &f->nodes);
    if (!err)
        err = add_bridges(f);
    if (!err)
        err = expect_workers(f);
    return err ? err : open_probes(f);
}

void front_revoke(struct front *f, const Countersign__Auth__Revoked *r)
{
    struct span user = span_str(r->user);
    if (r->lost)
        register_revoke(f, SPAN_NULL, NULL, 0);
    if (r->has_rests_on) {
        const struct fallen what = { span_of(r->rests_on.data, r->rests_on.len),
                                     r->has_issued_before_s, r->issued_before_s };
        register_fall(f, &what);
        bound_fall(&f->bound, &what);
    }
    if (!r->n_aor)
        return;
    register_revoke(f, user, r->aor, r->n_aor);
    for (size_t i = 0; i < r->n_aor; i++) {
        bound_revoke(&f->bound, span_str(r->aor[i]), user);
        location_replaced(f->locations, span_str(r->aor[i]));
    }
}

void front_close(struct front *f)
{
    while (f->n_addresses)
        free(f->addresses[--f->n_addresses]);
    fork_end_all(f);
    probes_close(&f->probes);
    hop_probes_close(&f->hop_probes);
    dns_close(&f->dns);
    locator_free(&f->locator);
    bound_fini(&f->bound);
    certs_close(&f->certs);
    siptx_free(&f->tx);
    siptp_free(&f->tp);
    route_key_fini(&f->route_key);
    flood_free(&f->flood);
}
