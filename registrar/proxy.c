#include "registrar/proxy.h"

#include "base/metric.h"
#include "gate/resting.h"
#include "registrar/abuse.h"
#include "registrar/binding.h"
#include "registrar/browser.h"
#include "registrar/gruu.h"
#include "registrar/loops.h"
#include "registrar/relocate.h"
#include "registrar/srtp.h"
#include "sip/digest.h"
#include "sip/replaces.h"
#include "sip/write.h"

#define CREDENTIAL_HEADERS \
    (SIP_HDR_BIT(SIP_HDR_AUTHORIZATION) | SIP_HDR_BIT(SIP_HDR_PROXY_AUTHORIZATION))

enum { LINES_MAX = 6144 };

/* One request under way; lives in its message's arena. */
struct proxied {
    struct front *front;
    struct tx *tx;
    struct sip_msg *msg;
    struct flow *flow;
    struct gate_ask *gate;
    struct location_call *location;
    struct relocation *relocation;
    struct fork *fork;
    struct span aor; /* of the target; absent: none of ours */
    bool in_dialog;
    struct dialog_route route;
    uint64_t loop_hash;
    uint64_t strip;
    struct span append;
    bool target_asked, target_known;
    const struct route_conf *way; /* for none of our users; NULL: there is none */
    enum browser_offer offer;
    bool browsers, phones; /* the target has; not looked at where the offer is for all */
    bool too_open;         /* a phone was passed over, for sips allows no hop in the clear */
};

/* Lets go of everything but the fork, which lives on by itself. */
static void release(struct proxied *p)
{
    struct tx *tx = p->tx;
    flow_unref(&p->route.to);
    tx_unref(&tx); /* with it may go the message, its arena and p */
}

static void refuse(struct proxied *p, unsigned status, const char *reason)
{
    tx_set_data(p->tx, NULL);
    front_reply(p->tx, status, reason, SPAN_NULL);
    release(p);
}

/* Nobody there, or only who may not be told in the clear (RFC 5630, 5.3). */
static void unavailable(struct proxied *p)
{
    char line[300];
    struct buf b = BUF_INIT(line);
    buf_lit(&b, "Warning: 380 ");
    buf_put(&b, siptp_listener_sent_by(p->flow->listener));
    buf_lit(&b, " \"SIPS Not Allowed\"\r\n");
    tx_set_data(p->tx, NULL);
    front_reply(p->tx, 480, NULL, p->too_open && buf_ok(&b) ? buf_span(&b) : SPAN_NULL);
    release(p);
}

static void later(struct proxied *p)
{
    tx_set_data(p->tx, NULL);
    front_reply_later(p->tx);
    release(p);
}

/* ---- forwarding ---- */

static void start_fork(struct proxied *p, const struct targets *t)
{
    const struct sip_msg *m = p->msg;
    struct fork_request rq = {
        .tx = p->tx,
        .msg = p->msg,
        .from = p->flow,
        .targets = t->list,
        .n_targets = t->n,
        .n_spare = t->n_spare,
        .strip = p->strip | SIP_HDR_BIT(SIP_HDR_RESTS_ON),
        .append = p->append,
        .record_route = !m->to.tag.p && (m->method == SIP_INVITE || m->method == SIP_SUBSCRIBE ||
                                         m->method == SIP_REFER || m->method == SIP_NOTIFY),
        .loop_hash = p->loop_hash,
    };
    p->fork = fork_start(p->front, &rq);
    if (!p->fork)
        refuse(p, 500, NULL);
    else
        release(p);
}

static struct gate_facts facts_of(const struct proxied *p);

/* Whoever complains finds it by csctl explain. */
static void tell_unreachable(struct proxied *p)
{
    struct gate_facts facts = facts_of(p);
    gate_report(p->front->gate, p->flow, p->msg, &facts,
                COUNTERSIGN__AUTH__CAUSE__CONTACT_UNREACHABLE, 480);
}

/* Bindings of a GRUU are those of its instance (RFC 5627, 5.4). */
static bool is_named(const struct sip_msg *m, const Countersign__Store__Binding *b)
{
    return !gruu_is(&m->uri) || gruu_names(&m->uri, span_str(b->instance));
}

static bool is_asked(const struct front *f, const struct sip_msg *m, const void *arg,
                     const Countersign__Store__Binding *b)
{
    const struct proxied *p = arg;
    (void)f;
    if (!is_named(m, b))
        return false;
    return p->offer == OFFER_FOR_PHONES                    ? !browser_is(b)
           : p->offer == OFFER_FOR_BROWSERS && p->browsers ? browser_is(b)
                                                           : true;
}

static void look_for_browsers(struct proxied *p, const Countersign__Store__Location *record)
{
    const struct wall now = loop_wall(p->front->loop);
    for (size_t i = 0; p->offer != OFFER_FOR_ALL && record && i < record->n_binding; i++) {
        const Countersign__Store__Binding *b = record->binding[i];
        if (!binding_is_live(b, now) || !is_named(p->msg, b))
            continue;
        p->browsers |= browser_is(b);
        p->phones |= !browser_is(b);
    }
}

/* Of a user's browsers and phones only those ring that can take the offer. To a b2bua that wants to
 * know this is said as of phones that have refused it (RFC 6228), so that it makes the others
 * another offer meanwhile. */
static void tell_left_out(struct proxied *p)
{
    if (!p->browsers || !p->phones || !sip_lists(p->msg, SIP_HDR_SUPPORTED, SPAN("199")))
        return;
    metric_inc(M_REG_RESPONSES, 0);
    tx_reply(p->tx, 199, SPAN("Reason: SIP;cause=488\r\n"));
}

static void on_record(void *arg, int err, const struct location *read)
{
    struct proxied *p = arg;
    struct location kept;
    if (err == CS_ECLOSED && p->msg->method == SIP_INVITE &&
        location_recall(p->front->locations, p->aor, &p->msg->arena, &kept)) {
        read = &kept;
        err = 0;
    }
    const Countersign__Store__Location *record = err ? NULL : read->record;
    struct sip_msg *msg = sip_msg_ref(p->msg); /* p and the targets live in its arena */
    bool gruu = gruu_is(&msg->uri);
    struct targets t = { 0 };
    p->location = NULL;
    look_for_browsers(p, record);
    int failed = err ? 0
                     : targets_of(p->front, flow_is_secure(p->flow), msg, p->aor, read->record,
                                  p->front->conf->limits.branches, is_asked, p, &t);
    p->too_open |= t.too_open;
    if (err) {
        later(p);
    } else if (failed) {
        refuse(p, 500, NULL);
    } else if (t.n == 0 && p->offer == OFFER_FOR_PHONES && p->browsers) {
        refuse(p, 488, NULL); /* the b2bua makes them another offer */
    } else if (t.n == 0 && (!p->target_known || (gruu && !gruu_is_ours(&msg->uri)))) {
        refuse(p, 404, NULL);
    } else if (t.n == 0) {
        if (record && record->n_binding && !p->too_open)
            tell_unreachable(p);
        unavailable(p);
    } else {
        tell_left_out(p);
        start_fork(p, &t);
    }
    targets_release(&t); /* the fork has references of its own */
    sip_msg_unref(&msg);
}

/* The Request-URI's, or, where that is the other phone's address, whose request it is. */
static struct span domain_of(const struct front *f, const struct sip_msg *m)
{
    struct span domain = conf_domain(f->conf, m->uri.host);
    return domain.p ? domain : conf_domain(f->conf, m->from.uri.host);
}

static struct gate_facts facts_of(const struct proxied *p)
{
    struct span from = front_aor(p->msg, &p->msg->from.uri);
    return (struct gate_facts){ .domain = domain_of(p->front, p->msg),
                                .from_aor = from,
                                .to_aor = front_aor(p->msg, &p->msg->to.uri),
                                .registered = bound_has(&p->front->bound, p->flow, from) };
}

/* ---- the verdict ---- */

/* Is realm that of the user, name@realm, or another one that ends here? */
static bool is_ours(const Countersign__Auth__Grant *g, struct span realm)
{
    struct span own = span_str(g->user);
    for (ptrdiff_t at; (at = span_find(own, '@')) >= 0;)
        own = span_skip(own, (size_t)at + 1);
    bool ours = span_eq(own, realm);
    for (size_t i = 0; i < g->n_realm; i++)
        ours = ours || span_eq(span_str(g->realm[i]), realm);
    return ours;
}

/* Credentials for our realms end here; those for others pass (RFC 3261, 22.3). */
static void keep_foreign_credentials(const struct sip_msg *m, const Countersign__Auth__Grant *g,
                                     struct buf *b)
{
    for (size_t i = 0; i < m->n_hdr; i++) {
        const struct sip_hdr *h = &m->hdr[i];
        struct digest d;
        if (!(SIP_HDR_BIT(h->id) & CREDENTIAL_HEADERS) || digest_parse(h->value, &d) ||
            is_ours(g, d.realm))
            continue;
        sip_write_hdr(b, h->name, h->value);
    }
}

/* Privacy: id (RFC 3323, 4.2; RFC 3325, 9.3): phones are not of the trust domain. */
static bool wants_privacy(const struct sip_msg *m)
{
    struct span rest = sip_hdr_value(m, SIP_HDR_PRIVACY);
    while (rest.p) {
        if (span_caseeq(span_trim(span_cut(&rest, ';')), SPAN("id")))
            return true;
    }
    return false;
}

/* Calls are a b2bua's, unless the caller's group will have them direct. */
static bool is_bridged(const struct proxied *p, const Countersign__Auth__Grant *g)
{
    return p->msg->method == SIP_INVITE && !p->in_dialog && p->front->conf->calls.n_bridges &&
           !(g->has_direct && g->direct) && conf_serves(p->front->conf, p->msg->uri.host);
}

/* Who is calling stands there if a trusted peer says so, or we know it. Phones are told unless
 * somebody minds; of next hops only those of our trust domain (RFC 3325, 5 and 7). */
static void assert_identity(struct proxied *p, const Countersign__Auth__Grant *g, struct buf *b)
{
    bool tell = is_bridged(p, g) || (p->way ? p->way->trusted : !wants_privacy(p->msg));
    bool said = g->trusted && tell && sip_has(p->msg, SIP_HDR_P_ASSERTED_IDENTITY);
    if (!said)
        p->strip |= FRONT_IDENTITY;
    if (!said && tell && g->identity) {
        buf_lit(b, "P-Asserted-Identity: <");
        buf_put(b, span_str(g->identity));
        buf_lit(b, ">\r\n");
    }
}

/* The way out for a request that is for none of our users. */
static const struct route_conf *way_of(const struct proxied *p, const struct sip_uri *uri)
{
    char text[SIP_AOR_MAX];
    struct buf b = BUF_INIT(text);
    const struct registrar_conf *c = p->front->conf;
    if (p->in_dialog || (p->aor.p && (!p->target_asked || p->target_known)))
        return NULL;
    if (!uri->user.p) {
        buf_lit(&b, "sip:");
        buf_put(&b, uri->host);
    } else if (sip_aor_write(&b, uri)) {
        return NULL;
    }
    return buf_ok(&b) ? route_find(c->routes, c->n_routes, buf_span(&b)) : NULL;
}

static int take_grant(struct proxied *p, const Countersign__Auth__Grant *g)
{
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    p->target_asked = g->has_target;
    p->target_known = g->target == COUNTERSIGN__AUTH__TARGET_STATE__TARGET_KNOWN;
    p->way = way_of(p, &p->msg->uri);
    /* In pass-through they are all the other side's. */
    if (g->mode != COUNTERSIGN__AUTH__AUTH_MODE__PASS_THROUGH) {
        p->strip = CREDENTIAL_HEADERS;
        keep_foreign_credentials(p->msg, g, &b);
    }
    assert_identity(p, g, &b);
    if (is_bridged(p, g) && g->has_rests_on)
        resting_write(&b, span_of(g->rests_on.data, g->rests_on.len),
                      g->token && g->token->has_iat_s, g->token ? g->token->iat_s : 0);
    p->append = arena_dup(&p->msg->arena, buf_span(&b));
    return buf_ok(&b) && p->append.p ? 0 : CS_ELIMIT;
}

/* The device's media are to be encrypted, and this offer is not (RFC 3261, 20.43: 302 is for the
 * transport protocols of a description). */
static void not_encrypted(struct proxied *p)
{
    char line[300];
    struct buf b = BUF_INIT(line);
    buf_lit(&b, "Warning: 302 ");
    buf_put(&b, siptp_listener_sent_by(p->flow->listener));
    buf_lit(&b, " \"SRTP Required\"\r\n");
    struct gate_facts facts = facts_of(p);
    gate_report(p->front->gate, p->flow, p->msg, &facts,
                COUNTERSIGN__AUTH__CAUSE__MEDIA_NOT_ENCRYPTED, 488);
    tx_set_data(p->tx, NULL);
    front_reply(p->tx, 488, NULL, buf_ok(&b) ? buf_span(&b) : SPAN_NULL);
    release(p);
}

/* The phone at the other end of a dialog has come back by another flow, or it has not. */
static void on_found(void *arg, int err, const struct targets *phone)
{
    struct proxied *p = arg;
    p->relocation = NULL;
    p->too_open |= err == CS_EDENIED;
    if (err == CS_ENOENT)
        refuse(p, 430, "Flow Failed"); /* RFC 5626, 11.5 */
    else if (err == CS_EDENIED)
        unavailable(p);
    else if (err)
        later(p);
    else
        start_fork(p, phone);
}

/* To one of these hops, the same for all that belongs to the call. */
static void send_along(struct proxied *p, struct hop *all, size_t n, struct duration answer)
{
    struct hop **hops = arena_alloc(&p->msg->arena, HOPS_MAX * sizeof(struct hop *));
    struct fork_target target = {
        .hops = hops, .n_hops = n, .answer = answer, .unreachable = 500, .q = 1000
    };
    struct targets one = { .list = &target, .n = 1 };
    if (!hops) {
        refuse(p, 500, NULL);
        return;
    }
    hops_order(all, n, p->msg->call_id, loop_now(p->front->loop), hops);
    start_fork(p, &one);
}

/* The bridge whose dialog this is, by its tag. */
static struct hop *bridge_of(const struct registrar_conf *c, struct span tag)
{
    const uint32_t node = siptx_tag_node(tag);
    for (size_t i = 0; node && i < c->calls.n_bridges; i++) {
        if (c->calls.hops[i].node == node)
            return &c->calls.hops[i];
    }
    return NULL;
}

/* Where somebody wants a place in a call, the bridge that has the call (RFC 3891). */
static struct hop *named_bridge(const struct proxied *p)
{
    struct replaces r;
    if (replaces_parse(sip_hdr_value(p->msg, SIP_HDR_REPLACES), &r))
        return NULL;
    struct hop *by_to = bridge_of(p->front->conf, r.to_tag);
    return by_to ? by_to : bridge_of(p->front->conf, r.from_tag);
}

static void take_bridge(struct proxied *p)
{
    const struct registrar_conf *c = p->front->conf;
    struct hop *named = named_bridge(p);
    send_along(p, named ? named : c->calls.hops, named ? 1 : c->calls.n_bridges, c->calls.answer);
}

static void take_way(struct proxied *p)
{
    const struct route_conf *r = p->way;
    p->too_open = targets_came_too_open(p->msg, flow_is_secure(p->flow));
    if (p->too_open) {
        unavailable(p);
        return;
    }
    log_debug(flow_log(p->flow), "routed", kv_s("route", r->name), kv_s("uri", p->msg->uri.text),
              kv_s("call_id", p->msg->call_id));
    if (r->refuse)
        refuse(p, r->refuse, NULL);
    else
        send_along(p, r->hops, r->n_next_hops, r->answer);
}

static void follow_route(struct proxied *p)
{
    struct fork_target target = { .flow = p->route.to,
                                  .uri = p->route.uri,
                                  .routes = p->route.routes,
                                  .n_routes = p->route.n_routes,
                                  .tag = p->route.tag,
                                  .q = 1000 };
    struct targets one = { .list = &target, .n = 1 };
    p->too_open = p->route.to && targets_are_too_open(p->msg, flow_is_secure(p->flow), p->route.to);
    if (p->too_open) {
        unavailable(p);
    } else if (p->route.to) {
        start_fork(p, &one);
    } else {
        p->relocation = relocate(p->front, p->flow, p->msg, &p->route, on_found, p);
        if (!p->relocation)
            refuse(p, 500, NULL);
    }
}

/* A request of a call whose beginning was authenticated, for only then is there a route token,
 * by the flow and with the tags that it names: it passes though nobody can judge it, so that a
 * BYE ends what is paid for. */
static bool is_of_known_call(const struct proxied *p)
{
    return p->in_dialog && p->route.from.p && flow_has_token(p->flow, p->route.from);
}

static void pass_unjudged(struct proxied *p)
{
    const struct sip_msg *m = p->msg;
    log_info(flow_log(p->flow), "passed without a verdict: of a call that was authenticated",
             kv_s("method", m->method_name), kv_s("call_id", m->call_id),
             kv_s("from", m->from.uri.text), kv_s("to", m->to.uri.text));
    metric_inc(M_REG_UNJUDGED, 0);
    struct gate_facts facts = facts_of(p);
    gate_report(p->front->gate, p->flow, p->msg, &facts, COUNTERSIGN__AUTH__CAUSE__UNJUDGED, 0);
    tx_set_once(p->tx, false);
    p->strip = CREDENTIAL_HEADERS | FRONT_IDENTITY;
    follow_route(p);
}

static void on_verdict(void *arg, enum verdict kind, const Countersign__Auth__Verdict *v)
{
    struct proxied *p = arg;
    p->gate = NULL;
    if (kind == VERDICT_LATER && p->front->gate && is_of_known_call(p)) { /* no gate: we stop */
        pass_unjudged(p);
        return;
    }
    if (kind != VERDICT_ACCEPT) {
        tx_set_data(p->tx, NULL);
        front_refuse(p->tx, kind, v);
        release(p);
        return;
    }
    tx_set_once(p->tx, false);
    front_accepted(p->front, p->flow, v);
    if (take_grant(p, v->grant)) {
        refuse(p, 500, NULL);
    } else if (v->grant->has_srtp && v->grant->srtp && !srtp_is_kept(p->msg)) {
        not_encrypted(p);
    } else if (p->in_dialog) {
        follow_route(p);
    } else if (is_bridged(p, v->grant)) {
        take_bridge(p);
    } else if (p->way) {
        take_way(p);
    } else if (!p->aor.p) {
        refuse(p, 404,
               conf_serves(p->front->conf, p->msg->uri.host) ? NULL : "Domain Not Served Here");
    } else if (p->target_asked && !p->target_known) { /* bindings may be left of a disabled user */
        refuse(p, 404, NULL);
    } else {
        p->location = location_get(p->front->locations, p->aor, &p->msg->arena, on_record, p);
        if (!p->location)
            refuse(p, 500, NULL);
    }
}

/* A b2bua calls one of our users, whoever it is that calls. */
static void find_line(struct proxied *p)
{
    if (conf_serves(p->front->conf, p->msg->uri.host))
        p->aor = front_aor(p->msg, &p->msg->uri);
    p->target_known = true;
    p->offer = browser_offer(p->msg);
    p->strip = wants_privacy(p->msg) ? FRONT_IDENTITY : 0;
    p->location =
        p->aor.p ? location_get(p->front->locations, p->aor, &p->msg->arena, on_record, p) : NULL;
    if (!p->location)
        refuse(p, p->aor.p ? 500 : 404, NULL);
}

void proxy_start(struct front *f, struct tx *tx, struct flow *flow, struct sip_msg *m)
{
    struct proxied *p = arena_zalloc(&m->arena, sizeof(*p));
    if (!p) {
        front_reply(tx, 500, NULL, SPAN_NULL);
        return;
    }
    *p = (struct proxied){ .front = f, .tx = tx_ref(tx), .msg = m, .flow = flow };
    tx_set_data(tx, p);
    p->loop_hash = loops_hash(m);
    if (loops_back(m, p->loop_hash, f->tp)) {
        refuse(p, 482, NULL);
        return;
    }
    int err = record_route_read(f, flow, m, &p->route);
    if (err == CS_ECLOSED && !relocate_can(f, m, &p->route)) {
        refuse(p, 430, "Flow Failed"); /* RFC 5626, 11.5 */
        return;
    }
    err = err == CS_ECLOSED ? 0 : err;
    if (err && err != CS_ENOENT) {
        if (err == CS_EPROTO)
            abuse_stray(f, flow);
        refuse(p, err == CS_EPROTO ? 403 : 500, err == CS_EPROTO ? "Not A Relay" : NULL);
        return;
    }
    p->in_dialog = err == 0;
    if (flow->transport == SIP_LINK) { /* who sent it has asked authd already */
        tx_set_once(tx, false);
        if (p->in_dialog)
            follow_route(p);
        else if (nodes_is_added(f->nodes, flow->peer))
            find_line(p);
        else
            refuse(p, 403, "Not A Relay");
        return;
    }
    /* An ACK to what is answered once has nothing but its To tag to be known by, which inside a
     * dialog is not ours. */
    tx_set_once(tx, !p->in_dialog && !front_has_credentials(m));
    if (!gate_is_ready(f->gate) && is_of_known_call(p)) {
        pass_unjudged(p);
        return;
    }
    struct gate_facts facts = facts_of(p);
    if (!p->in_dialog && conf_serves(f->conf, m->uri.host))
        p->aor = facts.target_aor = front_aor(m, &m->uri);
    p->gate = gate_ask(f->gate, flow, m, &facts, on_verdict, p);
    if (!p->gate)
        refuse(p, 500, NULL);
}

bool proxy_challenge(struct front *f, struct flow *flow, struct sip_msg *m)
{
    struct gate_facts facts = { .domain = domain_of(f, m) };
    if (m->method == SIP_INVITE && m->to.tag.p) /* as in proxy_start(): look at the dialog first */
        return false;
    return gate_challenge(f->gate, flow, m, &facts);
}

void proxy_cancel(struct tx *tx, const struct sip_msg *cancel)
{
    struct proxied *p = tx_data(tx);
    if (!p)
        return;
    if (p->fork) {
        fork_cancel(p->fork, sip_hdr_value(cancel, SIP_HDR_REASON));
        return;
    }
    if (p->gate)
        gate_cancel(p->gate);
    if (p->location)
        location_cancel(p->location);
    if (p->relocation)
        relocate_cancel(p->relocation);
    refuse(p, 487, NULL);
}

/* An ACK is never answered, and nobody waits for what becomes of it. */
static void send_ack(const struct sip_msg *m, struct flow *to, struct span uri,
                     const struct span *routes, size_t n_routes)
{
    static char out[70000];
    char branch[SIP_BRANCH_LEN], via[512];
    struct buf bb = BUF_INIT(branch), vb = BUF_INIT(via), ob = BUF_INIT(out);
    siptx_branch(&bb);
    flow_write_via(&vb, to, buf_span(&bb));
    struct sip_edit edit = { .uri = uri,
                             .via = buf_span(&vb),
                             .max_forwards = m->max_forwards < 0 ? 70 : m->max_forwards - 1,
                             .routes = routes,
                             .n_routes = n_routes,
                             .strip =
                                 SIP_HDR_BIT(SIP_HDR_ROUTE) | FRONT_IDENTITY | CREDENTIAL_HEADERS };
    sip_write_request(&ob, m, &edit);
    metric_inc(M_REG_FORWARDED, 2);
    int err = buf_ok(&ob) ? flow_send(to, buf_span(&ob)) : CS_ELIMIT;
    if (err)
        log_debug(flow_log(to), "ACK not forwarded", kv_err(err));
}

/* An ACK whose flow is gone; in its arena. */
struct late_ack {
    struct sip_msg *msg;
    struct dialog_route route;
};

static void on_ack_found(void *arg, int err, const struct targets *phone)
{
    struct late_ack *late = arg;
    struct sip_msg *m = late->msg;
    const struct fork_target *target = err ? NULL : &phone->list[0];
    if (target && target->flow)
        send_ack(m, target->flow, target->uri, target->routes, target->n_routes);
    sip_msg_unref(&m);
}

static void send_late(struct front *f, const struct flow *flow, struct sip_msg *m,
                      const struct dialog_route *route)
{
    struct late_ack *late = arena_alloc(&m->arena, sizeof(*late));
    if (!late || !relocate_can(f, m, route))
        return;
    *late = (struct late_ack){ sip_msg_ref(m), *route };
    if (!relocate(f, flow, m, &late->route, on_ack_found, late))
        sip_msg_unref(&late->msg);
}

void proxy_ack(struct front *f, struct flow *flow, struct sip_msg *m)
{
    struct dialog_route route;
    int err = m->max_forwards == 0 ? CS_ELIMIT : record_route_read(f, flow, m, &route);
    if (err == CS_ECLOSED)
        send_late(f, flow, m, &route);
    if (err)
        return;
    send_ack(m, route.to, route.uri, route.routes, route.n_routes);
    flow_unref(&route.to);
}
