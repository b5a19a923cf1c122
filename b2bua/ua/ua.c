#include "b2bua/ua/ua.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "b2bua/call/admission.h"
#include "b2bua/call/call.h"
#include "b2bua/desk/mailbox.h"
#include "b2bua/trunk/news.h"
#include "b2bua/trunk/trunk_policy.h"
#include "b2bua/trunk/trunks.h"
#include "base/metric.h"
#include "sip/aor.h"
#include "sip/write.h"

enum { RECORDS_ROOM = 64 * 1024 }; /* bytes of call records that a turn collects */

static const struct log ua_log = { .module = "ua" };

/* ---- where things are ---- */

static const struct link_peer *peer_of(const struct link_peer *list, size_t n, uint32_t node)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].id == node)
            return &list[i];
    }
    return NULL;
}

static int link_to(void *arg, uint32_t node, struct flow **out)
{
    struct ua *u = arg;
    const struct link_peer *p = peer_of(u->conf->registrars, u->conf->n_registrars, node);
    struct siptp_link_target to;
    char path[LINK_PATH_MAX];
    *out = NULL;
    if (!p)
        p = peer_of(u->conf->peers, u->conf->n_peers, node);
    if (!p)
        return CS_ENOENT;
    int err = link_target(&u->conf->link, p, path, &to);
    return err ? err : siptp_link_to(u->tp, node, &to, out);
}

uint32_t ua_peer(const struct ua *u, const struct replaces *r)
{
    const struct link_peer *p =
        peer_of(u->conf->peers, u->conf->n_peers, siptx_tag_node(r->to_tag));
    if (!p)
        p = peer_of(u->conf->peers, u->conf->n_peers, siptx_tag_node(r->from_tag));
    return p ? p->id : 0;
}

size_t ua_registrars(struct ua *u, struct span call_id, struct hop *out[HOPS_MAX])
{
    hops_order(u->registrars, u->conf->n_registrars, call_id, loop_now(u->loop), out);
    return CS_MIN(u->conf->n_registrars, (size_t)HOPS_MAX);
}

struct span ua_line(const struct ua *u, struct span name, struct arena *a)
{
    char text[SIP_AOR_MAX];
    struct buf b = BUF_INIT(text);
    struct sip_uri uri;
    buf_lit(&b, "sip:");
    sip_user_write(&b, name);
    buf_putc(&b, '@');
    buf_put(&b, u->conf->domains[0]);
    return buf_ok(&b) && sip_uri_parse(buf_span(&b), &uri) == 0 ? sip_aor_in(a, &uri) : SPAN_NULL;
}

static struct siptp_listener *listener_of(const struct ua *u, const struct trunk_conf *t)
{
    enum sip_transport transport = trunk_transport(t);
    for (size_t i = 0; i < u->conf->n_listeners; i++) {
        const struct listener_conf *l = &u->conf->listeners[i];
        if (t->listener.p ? span_eq(l->name, t->listener) : l->transport == transport)
            return u->listeners[i];
    }
    return u->listeners[0];
}

static enum sip_transport transport_of(const struct ua *u, const struct siptp_listener *ls)
{
    size_t i = 0;
    while (u->listeners[i] != ls)
        i++;
    return u->conf->listeners[i].transport;
}

void ua_contact(struct buf *b, const struct ua *u, const struct trunk_conf *t, struct span user)
{
    struct siptp_listener *ls = listener_of(u, t);
    buf_lit(b, "sip:");
    if (user.n) {
        sip_user_write(b, user);
        buf_putc(b, '@');
    }
    buf_put(b, siptp_listener_sent_by(ls));
    enum sip_transport transport = transport_of(u, ls);
    if (transport == SIP_UDP)
        return;
    buf_lit(b, ";transport=");
    buf_put(b, sip_transport_uri(transport));
}

void ua_media_side(const struct ua *u, const struct media_policy *p, bool dtls,
                   struct session_side *out)
{
    const bool takes = p->webrtc != WEBRTC_NEVER && p->srtp != SRTP_FORBID;
    size_t at = 0;
    for (size_t i = 0; i < u->conf->media.n_addresses; i++) {
        if (p->address.p && span_eq(u->conf->media.addresses[i].name, p->address))
            at = i;
    }
    *out = (struct session_side){ .address = at,
                                  .advertised = u->conf->media.addresses[at].advertise,
                                  .srtp = p->srtp,
                                  .takes_dtls = takes,
                                  .dtls = dtls && takes,
                                  .learn = p->learn,
                                  .digit_drop = p->digit_drop,
                                  .codecs = p->codecs,
                                  .n_codecs = p->n_codecs };
}

/* ---- requests ---- */

struct asked { /* a request that authd judges; in its message's arena */
    struct list link;
    struct ua *ua;
    struct tx *tx;
    struct gate_ask *ask;
};

/* Of a trunk, who is who it says it is, or of a line. */
static void take(struct ua *u, struct tx *tx, const struct trunk_conf *t)
{
    const struct sip_msg *m = tx_request(tx);
    if (t && trunk_policy_refuses(&u->legs_means.uac, t, tx))
        return;
    if (m->method == SIP_INVITE && sip_has(m, SIP_HDR_REPLACES))
        call_take_over(u, tx, t);
    else if (m->method == SIP_INVITE)
        call_begin(u, tx, t);
    else
        news_take(u, tx, t);
}

static void on_verdict(void *arg, enum verdict kind, const Countersign__Auth__Verdict *v)
{
    struct asked *a = arg;
    struct ua *u = a->ua;
    struct tx *tx = a->tx;
    list_remove(&a->link);
    tx_set_data(tx, NULL);
    const struct trunk_conf *t =
        kind == VERDICT_ACCEPT ? conf_trunk_of_group(u->conf, span_str(v->group)) : NULL;
    if (kind != VERDICT_ACCEPT) {
        gate_refuse(tx, kind, v);
    } else if (!t) {
        log_warn(flow_log(tx_flow(tx)), "accepted, but no trunk is of this group",
                 kv_str("group", v->group));
        tx_reply_full(tx, 403, SPAN("No Trunk"), SPAN_NULL, SPAN_NULL, SPAN_NULL);
    } else {
        flow_accepted(tx_flow(tx));
        take(u, tx, t);
    }
    tx_unref(&tx);
}

static void ask(struct ua *u, struct tx *tx, struct flow *flow, struct sip_msg *m)
{
    struct asked *a = arena_zalloc(&m->arena, sizeof(*a));
    struct gate_facts facts = trunk_policy_facts(m);
    if (a) {
        *a = (struct asked){ .ua = u, .tx = tx };
        list_init(&a->link);
        a->ask = gate_ask(u->gate, flow, m, &facts, on_verdict, a);
    }
    if (!a || !a->ask) {
        tx_reply(tx, 500, SPAN_NULL);
        return;
    }
    a->tx = tx_ref(tx);
    list_push_back(&u->asking, &a->link);
}

/* Answers 420 where something is required that is not known here (RFC 3261, 8.2.2.3). */
static bool lacks_extension(struct tx *tx, const struct sip_msg *m)
{
    static const struct span known[] = { SPAN_INIT("timer"), SPAN_INIT("100rel"),
                                         SPAN_INIT("replaces") };
    char line[512];
    struct buf b = BUF_INIT(line);
    if (!sip_lacks(m, SIP_HDR_REQUIRE, known, CS_LEN(known), &b))
        return false;
    tx_reply(tx, buf_ok(&b) ? 420 : 400, buf_ok(&b) ? buf_span(&b) : SPAN_NULL);
    return true;
}

static void on_invite(struct ua *u, struct tx *tx, struct flow *flow, struct sip_msg *m)
{
    if (m->max_forwards == 0)
        tx_reply(tx, 483, SPAN_NULL);
    else if (lacks_extension(tx, m))
        return;
    else if (u->draining || u->n_calls >= u->conf->limits.calls)
        tx_reply(tx, 503, SPAN("Retry-After: 5\r\n"));
    else if (flow->transport == SIP_LINK) /* who sent it has asked authd already */
        take(u, tx, NULL);
    else {
        tx_set_once(tx, true); /* until we know better */
        ask(u, tx, flow, m);
    }
}

static void on_request(void *arg, struct tx *tx, struct flow *flow, struct sip_msg *m)
{
    struct ua *u = arg;
    metric_inc(M_B2BUA_REQUESTS, m->method);
    if (m->to.tag.p) {
        if (!leg_sip_request(&u->legs_means, tx, flow, m))
            tx_reply(tx, 481, SPAN_NULL);
    } else if (m->uri.scheme != SIP_SCHEME_SIP && m->uri.scheme != SIP_SCHEME_SIPS) {
        tx_reply(tx, 416, SPAN_NULL);
    } else if (m->method == SIP_INVITE) {
        on_invite(u, tx, flow, m);
    } else if (news_is(m) && flow->transport != SIP_LINK) {
        ask(u, tx, flow, m);
    } else if (m->method == SIP_NOTIFY) { /* of a registrar, to a phone of ours */
        mailbox_take(u, tx);
    } else if (m->method == SIP_OPTIONS) {
        tx_reply(tx, u->draining ? 503 : 200, SPAN(LEG_ALLOW "Accept: application/sdp\r\n"));
    } else {
        tx_reply(tx, m->method == SIP_BYE || m->method == SIP_UPDATE ? 481 : 405, SPAN(LEG_ALLOW));
    }
}

static void on_cancelled(void *arg, struct tx *tx, struct sip_msg *cancel)
{
    struct ua *u = arg;
    metric_inc(M_B2BUA_REQUESTS, SIP_CANCEL);
    list_for_each (it, &u->asking) {
        struct asked *a = container_of(it, struct asked, link);
        if (a->tx != tx)
            continue;
        struct tx *held = a->tx;
        gate_cancel(a->ask);
        list_remove(&a->link);
        tx_reply(tx, 487, SPAN_NULL);
        tx_unref(&held);
        return;
    }
    leg_sip_cancelled(tx, cancel);
}

static void on_ack(void *arg, struct flow *flow, struct sip_msg *m)
{
    struct ua *u = arg;
    metric_inc(M_B2BUA_REQUESTS, SIP_ACK);
    if (!leg_sip_acked(&u->legs_means, flow, m))
        log_debug(flow_log(flow), "an ACK of no call", kv_s("call_id", m->call_id));
}

static void on_stray(void *arg, struct flow *flow, struct sip_msg *m)
{
    (void)arg;
    log_debug(flow_log(flow), "stray response dropped", kv_u("status", m->status),
              kv_s("call_id", m->call_id));
}

static void on_flow_closed(void *arg, struct flow *flow)
{
    struct ua *u = arg;
    log_debug(flow_log(flow), "flow closed");
    trunks_flow_closed(u->trunks, flow);
    desks_flow_closed(&u->desks, flow);
}

/* ---- who is heard ---- */

static bool guard_admits(void *arg, const struct addr *from)
{
    const struct ua *u = arg;
    return !u->gate || gate_admits(u->gate, from);
}

static void guard_refused(void *arg, const struct addr *from, enum sip_transport transport,
                          enum sip_refused why)
{
    const struct ua *u = arg;
    bool malformed = why == REFUSED_MALFORMED || why == REFUSED_NO_LENGTH;
    if (u->gate)
        gate_saw(u->gate,
                 malformed ? COUNTERSIGN__AUTH__ABUSE__ABUSE_MALFORMED
                           : COUNTERSIGN__AUTH__ABUSE__ABUSE_CONNECTION,
                 from, transport != SIP_UDP);
}

static const struct siptp_guard guard = { .admits = guard_admits, .refused = guard_refused };

/* ---- its life ---- */

static void name_node(struct ua *u)
{
    char host[HOST_NAME_MAX + 1] = "";
    if (gethostname(host, sizeof(host) - 1) || !host[0])
        span_copy(host, sizeof(host), SPAN("b2bua"));
    span_copy(u->node, sizeof(u->node), u->conf->node.p ? u->conf->node : span_str(host));
}

static int listen_all(struct ua *u)
{
    for (size_t i = 0; i < u->conf->n_listeners; i++) {
        const struct listener_conf *l = &u->conf->listeners[i];
        int err =
            siptp_listen(u->tp, l->transport, &l->address, l->name, l->advertise, &u->listeners[i]);
        if (err) {
            log_error(&ua_log, "cannot listen", kv_s("listener", l->name),
                      kv_addr("address", &l->address), kv_err(err));
            return err;
        }
        certs_serve(u->certs, i, u->listeners[i]);
        log_info(&ua_log, "listening", kv_s("listener", l->name),
                 kv_s("transport", sip_transport_name(l->transport)),
                 kv_addr("address", siptp_listener_local(u->listeners[i])));
    }
    return 0;
}

static int open_certs(struct ua *u)
{
    const struct b2bua_conf *c = u->conf;
    struct certs_listener listeners[LISTENERS_MAX + DESK_LISTENERS_MAX + 1];
    struct certs_peer peers[TRUNKS_MAX];
    struct certs_conf conf = { .tls = &c->tls,
                               .listeners = listeners,
                               .n_listeners = c->n_listeners,
                               .peers = peers,
                               .link = link_certs(&c->link) };
    for (size_t i = 0; i < c->n_listeners; i++)
        listeners[i] =
            (struct certs_listener){ .name = c->listeners[i].name, .tls = c->listeners[i].tls };
    for (size_t i = 0; i < c->sccp.n_listeners; i++) {
        const struct desk_listener_conf *d = &c->sccp.listeners[i];
        listeners[conf.n_listeners++] = (struct certs_listener){ d->name, d->tls, d->legacy };
    }
    listeners[conf.n_listeners++] =
        (struct certs_listener){ .name = c->provisioning.listener, .tls = c->provisioning.tls };
    for (size_t i = 0; i < c->n_trunks; i++) {
        const struct trunk_conf *t = &c->trunks[i];
        if (t->peer)
            peers[conf.n_peers++] =
                (struct certs_peer){ t->name, t->peer, t->tls, t->hosts, t->n_targets };
    }
    return certs_open(u->loop, &conf, u->tp, NULL, &u->certs);
}

static int open_media(struct ua *u)
{
    struct addr addresses[MEDIA_ADDRESSES_MAX];
    const __typeof__(u->conf->media) *m = &u->conf->media;
    for (size_t i = 0; i < m->n_addresses; i++)
        addresses[i] = m->addresses[i].address;
    struct ports_conf pc = { .addresses = addresses,
                             .n_addresses = m->n_addresses,
                             .first = (uint16_t)m->first,
                             .last = (uint16_t)m->last };
    int err = ports_new(&pc, &u->ports);
    struct media_conf mc = { .threads = m->threads, .ports = u->ports };
    if (!err)
        err = media_open(&mc, &u->media);
    if (err)
        log_error(&ua_log, "cannot open media", kv_err(err));
    return err;
}

int ua_open_records(struct ua *u)
{
    int err = line_file_open(&u->records, u->conf->cdr.file);
    if (err)
        log_error(&ua_log, "cannot write call records", kv_str("file", u->conf->cdr.file),
                  kv_err(err));
    return err;
}

static void find_means(struct ua *u)
{
    struct hop_means *h = &u->legs_means.uac.hops;
    *h = (struct hop_means){ .loop = u->loop,
                             .tp = u->tp,
                             .locator = u->locator,
                             .avoid = u->conf->dns.avoid,
                             .link = link_to,
                             .arg = u };
    for (size_t i = 0; i < u->conf->n_listeners; i++) {
        const struct listener_conf *l = &u->conf->listeners[i];
        h->speaks |= LOCATE_SPEAKS(l->transport);
        h->ipv4 |= l->address.sa.sa_family == AF_INET;
        h->ipv6 |= l->address.sa.sa_family == AF_INET6;
    }
    for (size_t i = 0; i < u->conf->n_registrars; i++) {
        const struct link_peer *p = &u->conf->registrars[i];
        u->registrars[i] = (struct hop){ .text = p->node, .node = p->id };
    }
    u->legs_means.uac.loop = u->loop;
    u->legs_means.uac.tx = u->tx;
    u->legs_means.uac.trunks = u->conf->trunks;
    u->legs_means.uac.n_trunks = u->conf->n_trunks;
    u->legs_means.legs = &u->legs;
    u->legs_means.t1 = u->conf->timers.t1;
    u->legs_means.t2 = u->conf->timers.t2;
    u->legs_means.timer =
        (struct session_timer_conf){ u->conf->timers.session, u->conf->timers.session_least };
}

int ua_open(struct ua *u)
{
    static const struct siptx_events events = { .request = on_request,
                                                .cancelled = on_cancelled,
                                                .ack = on_ack,
                                                .stray = on_stray,
                                                .flow_closed = on_flow_closed };
    const struct b2bua_conf *c = u->conf;
    struct siptx_conf xc = {
        .t1 = c->timers.t1, .t2 = c->timers.t2, .t4 = c->timers.t4, .invite_timeout = c->timers.ring
    };
    const struct line_file_conf records = {
        .room = RECORDS_ROOM, .mode = 0666, .log = &ua_log, .what = "call records"
    };
    list_init(&u->all);
    u->legs_means.all = &u->all; /* of which some are dropped even if the rest fails */
    list_init(&u->calls);
    list_init(&u->parked);
    list_init(&u->asking);
    list_init(&u->news);
    list_init(&u->tests);
    admissions_open(u);
    map_init(&u->legs);
    map_init(&u->occupancy);
    name_node(u);
    xc.node = siptp_node_id(span_str(u->node));
    struct siptp_conf tc = { .node = span_str(u->node), .guard = &guard, .guard_arg = u };
    int err = siptx_new(u->loop, &xc, &events, u, &u->tx);
    if (!err)
        err = siptp_new(u->loop, &tc, siptx_transport_events(), u->tx, &u->tp);
    struct dns_conf dc = dns_settings_conf(&c->dns);
    if (!err)
        err = dns_open(u->loop, &dc, &u->dns);
    if (!err)
        err = locator_new(u->dns, c->dns.avoid, &u->locator);
    if (!err)
        err = open_certs(u);
    if (!err)
        err = listen_all(u);
    if (!err)
        err = desks_open(&u->desks, u, c->n_listeners);
    if (!err)
        err = open_media(u);
    if (!err)
        err = line_file_init(&u->records, u->loop, &records);
    if (!err)
        err = ua_open_records(u);
    if (!err)
        find_means(u);
    return err;
}

static void on_left(void *arg, struct journal_line *line, const struct journal_entry *e)
{
    struct ua *u = arg;
    struct journal_entry left = *e;
    const struct trunk_conf *t = e->trunk.p ? conf_trunk(u->conf, e->trunk) : NULL;
    log_info(&ua_log, "a call was left, and is ended", kv_s("call_id", e->dialog->call_id),
             kv_s("trunk", e->trunk));
    left.trunk = t ? t->name : e->trunk.p ? SPAN("") : SPAN_NULL; /* one that is no more */
    leg_sip_end_left(&u->legs_means, line, &left);
}

int ua_open_journal(struct ua *u)
{
    if (!u->conf->journal_file)
        return 0;
    int err = journal_open(u->loop, u->conf->journal_file, on_left, u, &u->journal);
    if (err)
        log_error(&ua_log, "cannot keep a journal", kv_str("file", u->conf->journal_file),
                  kv_err(err));
    u->legs_means.journal = u->journal;
    return err;
}

int ua_open_link(struct ua *u)
{
    struct link_place place;
    int err = link_open(u->tp, &u->conf->link, u->certs, u->node, 0, &place);
    return err ? err : trunks_open(u, &u->trunks);
}

void ua_close(struct ua *u)
{
    list_for_each (it, &u->asking) {
        struct asked *a = container_of(it, struct asked, link);
        struct tx *tx = a->tx;
        list_remove(it);
        tx_unref(&tx);
    }
    trunks_close(&u->trunks);
    admissions_close(u);
    call_drop_all(u);
    news_drop_all(u);
    leg_sip_drop_all(&u->legs_means);
    journal_close(&u->journal);
    map_fini(&u->legs);
    map_fini(&u->occupancy);
    media_close(&u->media);
    ports_free(&u->ports);
    dns_close(&u->dns);
    locator_free(&u->locator);
    certs_close(&u->certs);
    siptx_free(&u->tx);
    siptp_free(&u->tp);
    line_file_close(&u->records);
}
