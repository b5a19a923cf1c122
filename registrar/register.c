#include "registrar/register.h"

#include "base/metric.h"
#include "gate/facts.h"
#include "location/location.h"
#include "registrar/binding.h"
#include "registrar/gruu.h"
#include "registrar/outbound.h"
#include "registrar/probes.h"
#include "registrar/service_route.h"
#include "sip/write.h"

enum {
    /* Of a commit that others overtake. Each time one of them gets through, so as many phones of
     * one AOR as this may register in the same instant. */
    TRIES = 40,
    LINES_MAX = 16384,
    MAX_PATHS = 16,
};

/* One REGISTER under way; lives in its message's arena. The verdict and the record are waited for
 * at the same time. */
struct registration {
    struct list link; /* front.registrations */
    struct front *front;
    struct tx *tx;
    struct sip_msg *msg;
    struct flow *flow;
    struct span aor; /* absent: none of ours, which no user may register */
    struct mono begun;
    struct gate_ask *gate;
    struct location_call *location;
    bool granted, read;
    bool known;   /* what stands in before is from memory, not from Redis */
    bool revoked; /* while this went on */
    struct location_removal *undo;
    struct register_ask ask;
    struct register_answer answer;
    struct location before; /* as it was read */
    bool has_path;
    enum outbound outbound;
    unsigned tries;
};

static void finish(struct registration *r)
{
    struct tx *tx = r->tx;
    list_remove(&r->link);
    tx_unref(&tx); /* and with it the message and its arena, where r is */
}

static void refuse(struct registration *r, unsigned status, const char *reason, struct span lines)
{
    front_reply(r->tx, status, reason, lines);
    finish(r);
}

static struct gate_facts facts_of(const struct registration *r)
{
    struct sip_msg *m = r->msg;
    return (struct gate_facts){ .domain = conf_domain(r->front->conf, m->uri.host),
                                .to_aor = r->aor,
                                .from_aor = front_aor(m, &m->from.uri) };
}

/* A bound that only we can see is met: authd's log and csctl explain shall know it. */
static void refuse_full(struct registration *r)
{
    struct gate_facts facts = facts_of(r);
    gate_report(r->front->gate, r->flow, r->msg, &facts,
                COUNTERSIGN__AUTH__CAUSE__TOO_MANY_CONTACTS, 503);
    /* Not 403: phones take that for a wrong password. */
    refuse(r, 503, r->answer.why, SPAN("Retry-After: 60\r\n"));
}

static void later(struct registration *r)
{
    front_reply_later(r->tx);
    finish(r);
}

/* What the answer says of flows (RFC 5626, 6; RFC 3608, 6.3). Who does not say what he supports
 * gets none of it but the Service-Route, which others ignore. */
static void write_extensions(struct registration *r, struct buf *b)
{
    const struct registrar_conf *conf = r->front->conf;
    if (r->has_path && sip_lists(r->msg, SIP_HDR_SUPPORTED, SPAN("path"))) {
        for (size_t i = 0; i < r->ask.n_path; i++)
            sip_write_hdr(b, SPAN("Path"), r->ask.path[i]);
    }
    service_route_write(b, conf, r->flow->listener, r->flow->transport);
    if (sip_has(r->msg, SIP_HDR_SUPPORTED))
        buf_lit(b, FRONT_SUPPORTED);
    if (r->outbound != OUTBOUND_APPLIED)
        return;
    buf_lit(b, "Require: outbound\r\n");
    if (conf->flows.flow_timer.ms) {
        buf_lit(b, "Flow-Timer: ");
        buf_i64(b, conf->flows.flow_timer.ms / 1000);
        buf_lit(b, "\r\n");
    }
}

/* A phone that kept its flow alive at the pace we asked for is gone when it no longer does. */
static void expect_keepalives(struct registration *r)
{
    int64_t ms = r->front->conf->flows.flow_timer.ms;
    if (r->outbound == OUTBOUND_APPLIED && ms)
        flow_expect(r->flow, DURATION_MS(ms + ms / 4));
}

static struct rests rests_of(const struct registration *r)
{
    const Countersign__Store__Token *t = r->ask.token;
    return (struct rests){ r->ask.rests_on, t && t->has_iat_s, t ? t->iat_s : 0 };
}

/* 200: every binding with what is left of it, Path where the phone can read it (RFC 3327, 5.3),
 * Date. */
static void accept_(struct registration *r)
{
    char lines[LINES_MAX], date[WALL_HTTP_STRLEN];
    struct buf b = BUF_INIT(lines);
    struct wall now = loop_wall(r->front->loop);
    bool gruu = sip_lists(r->msg, SIP_HDR_SUPPORTED, SPAN("gruu"));
    binding_write_contacts(&b, r->answer.record, now, gruu ? r->aor : SPAN_NULL);
    write_extensions(r, &b);
    wall_format_http(now, date);
    sip_write_hdr(&b, SPAN("Date"), span_str(date));
    if (r->ask.flow.p)
        bound_add(&r->front->bound, r->flow, r->aor, r->ask.user, rests_of(r));
    expect_keepalives(r);
    if (r->answer.changed)
        probes_follow(r->front->probes, r->aor, r->answer.record);
    metric_observe(M_REG_REGISTER_SECONDS, r->begun, loop_now(r->front->loop));
    if (buf_ok(&b))
        refuse(r, 200, NULL, buf_span(&b));
    else /* committed, but the list is longer than any answer: the limit on contacts is wrong */
        refuse(r, 500, "Too Many Bindings To List", SPAN_NULL);
}

static void read_record(struct registration *r);

/* ---- revoked on the way ---- */

/* What this one made, or one like it: of the user, and resting on the same. */
static bool is_his(void *arg, const Countersign__Store__Binding *b)
{
    const struct registration *r = arg;
    const struct rests rests = rests_of_binding(b);
    return span_eq(span_str(b->user), r->ask.user) && span_eq(rests.tags, r->ask.rests_on);
}

static void on_undone(void *arg, int err, size_t n)
{
    struct registration *r = arg;
    (void)n;
    r->undo = NULL;
    if (err)
        later(r);
    else
        refuse(r, 403, NULL, SPAN_NULL);
}

static void undo(struct registration *r)
{
    r->undo = location_remove(r->front->locations, r->aor, is_his, on_undone, r);
    if (!r->undo)
        refuse(r, 500, NULL, SPAN_NULL);
}

void register_fall(struct front *f, const struct fallen *what)
{
    list_for_each (it, &f->registrations) {
        struct registration *r = container_of(it, struct registration, link);
        const struct rests rests = rests_of(r);
        if (r->granted && rests_fall(&rests, what))
            r->revoked = true;
    }
}

void register_revoke(struct front *f, struct span user, char *const *aors, size_t n_aors)
{
    list_for_each (it, &f->registrations) {
        struct registration *r = container_of(it, struct registration, link);
        bool concerned = n_aors == 0;
        for (size_t i = 0; i < n_aors; i++)
            concerned |= span_eq(r->aor, span_str(aors[i]));
        if (r->granted && concerned && (!user.p || span_eq(user, r->ask.user)))
            r->revoked = true;
    }
}

static void on_commit(void *arg, int err)
{
    struct registration *r = arg;
    r->location = NULL;
    if (err == 0 && r->revoked) {
        undo(r);
    } else if (err == 0) {
        accept_(r);
    } else if (err == CS_ECONFLICT && ++r->tries < TRIES) {
        metric_inc(M_REG_CONFLICTS, 0);
        read_record(r);
    } else {
        later(r);
    }
}

static void decide(struct registration *r)
{
    char line[32];
    struct buf b = BUF_INIT(line);
    r->ask.now = loop_wall(r->front->loop);
    if (r->revoked) {
        refuse(r, 403, NULL, SPAN_NULL);
        return;
    }
    if (binding_apply(r->before.record, &r->ask, &r->msg->arena, &r->answer)) {
        refuse(r, 500, NULL, SPAN_NULL);
        return;
    }
    if (r->known && (r->answer.status != 200 || !r->answer.changed)) {
        read_record(r); /* no commit would tell whether that is still so */
        return;
    }
    if (r->answer.status == 423) {
        buf_lit(&b, "Min-Expires: ");
        buf_u64(&b, r->ask.expires_min);
        buf_lit(&b, "\r\n");
    }
    if (r->answer.status == 503) {
        refuse_full(r);
    } else if (r->answer.status != 200) {
        refuse(r, r->answer.status, r->answer.why, buf_span(&b));
    } else if (!r->answer.changed) {
        accept_(r);
    } else {
        r->location = location_commit(r->front->locations, r->aor, &r->before, r->answer.record,
                                      r->ask.now, &r->msg->arena, on_commit, r);
        if (!r->location)
            refuse(r, 500, NULL, SPAN_NULL);
    }
}

static void on_record(void *arg, int err, const struct location *read)
{
    struct registration *r = arg;
    r->location = NULL;
    r->before = *read;
    r->read = err == 0;
    if (!r->granted && err == 0)
        return; /* the verdict is still out */
    if (!r->granted) {
        gate_cancel(r->gate);
        later(r);
    } else if (err) {
        later(r);
    } else {
        decide(r);
    }
}

static void read_record(struct registration *r)
{
    r->known = false;
    r->location = location_get(r->front->locations, r->aor, &r->msg->arena, on_record, r);
    if (!r->location && !r->gate)
        refuse(r, 500, NULL, SPAN_NULL);
}

static int read_paths(struct registration *r)
{
    struct span *path = arena_alloc(&r->msg->arena, MAX_PATHS * sizeof(*path));
    if (!path)
        return CS_ENOMEM;
    r->ask.path = path;
    for (struct sip_values it = sip_values(r->msg, SIP_HDR_PATH); sip_next(&it);) {
        struct sip_addr addr;
        if (r->ask.n_path == MAX_PATHS || sip_addr_parse(it.value, &addr))
            return CS_EPROTO;
        path[r->ask.n_path++] = it.value;
    }
    return 0;
}

static bool names_us(const struct registration *r)
{
    for (size_t i = 0; i < r->ask.n_contacts; i++) {
        const struct sip_uri *uri = &r->ask.contacts[i].addr.uri;
        uint16_t port = uri->port ? uri->port : sip_uri_default_port(uri);
        if (siptp_is_us(r->front->tp, uri->host, uri->port) ||
            nodes_hear(r->front->nodes, uri->host, port) ||
            (gruu_is(uri) && conf_serves(r->front->conf, uri->host)))
            return true;
    }
    return false;
}

static int take_text(struct arena *a, const char *from, char **to)
{
    *to = from ? arena_str(a, span_str(from)) : NULL;
    return from && !*to ? CS_ENOMEM : 0;
}

static int take_token(struct register_ask *ask, const Countersign__Auth__Token *t, struct arena *a)
{
    Countersign__Store__Token *s = arena_alloc(a, sizeof(*s));
    if (!s)
        return CS_ENOMEM;
    countersign__store__token__init(s);
    s->has_iat_s = t->has_iat_s;
    s->iat_s = t->iat_s;
    s->has_exp_s = t->has_exp_s;
    s->exp_s = t->exp_s;
    ask->token = s;
    return take_text(a, t->iss, &s->iss) || take_text(a, t->sub, &s->sub) ||
                   take_text(a, t->jti, &s->jti) || take_text(a, t->sid, &s->sid)
               ? CS_ENOMEM
               : 0;
}

/* The Contact of a WebSocket names no place to go to (RFC 7118, 5), and of outbound the flow is the
 * point, whoever has it (RFC 5626, 7): behind an edge proxy, that one. */
static bool goes_by_flow(const struct registration *r, const Countersign__Auth__Grant *g)
{
    bool outbound = r->outbound == OUTBOUND_APPLIED || r->outbound == OUTBOUND_SILENT;
    return !g->contact_routing || sip_transport_is_ws(r->flow->transport) ||
           (outbound && !r->has_path);
}

/* Copies what the grant allows; the verdict is borrowed. */
static int take_grant(struct registration *r, const Countersign__Auth__Grant *g)
{
    struct register_ask *ask = &r->ask;
    char token[FLOW_TOKEN_MAX], source[ADDR_STRLEN];
    struct buf tb = BUF_INIT(token);
    struct arena *a = &r->msg->arena;
    ask->expires_min = g->has_expires_min_s ? g->expires_min_s : 60;
    ask->expires_max = g->has_expires_max_s ? g->expires_max_s : 3600;
    ask->expires_default = g->has_expires_default_s ? g->expires_default_s : 3600;
    ask->max_contacts = g->has_max_contacts ? g->max_contacts : 0;
    ask->user = arena_dup(a, span_str(g->user));
    ask->owner = span_str(r->front->node);
    ask->user_agent = sip_hdr_value(r->msg, SIP_HDR_USER_AGENT);
    ask->source = arena_dup(a, span_str(addr_format(&r->flow->remote, source)));
    if (goes_by_flow(r, g)) {
        flow_token(r->flow, &tb);
        ask->flow = arena_dup(a, buf_span(&tb));
        if (!ask->flow.p)
            return CS_ENOMEM;
    }
    ask->rests_on =
        g->has_rests_on ? arena_dup(a, span_of(g->rests_on.data, g->rests_on.len)) : SPAN_NULL;
    if (g->has_rests_on && !ask->rests_on.p)
        return CS_ENOMEM;
    return g->token ? take_token(ask, g->token, a) : 0;
}

/* What the request asks for: 0, or the status it is refused with. Looked at behind the verdict, as
 * the order of RFC 3261, 10.3 has it: a stranger gets a challenge, whatever he writes. */
static unsigned read_request(struct registration *r, const Countersign__Auth__Grant *g,
                             const char **why)
{
    if (!r->aor.p) {
        *why = "Not An Address Of This Domain";
        return 403;
    }
    int err = binding_read_contacts(r->msg, &r->msg->arena, &r->ask, why);
    if (!err && r->has_path && !g->path) {
        *why = "Path Not Allowed";
        return 403;
    }
    if (!err && r->has_path && r->front->conf->flows.path == PATH_REFUSE &&
        !sip_lists(r->msg, SIP_HDR_SUPPORTED, SPAN("path"))) {
        *why = NULL;
        return 420; /* RFC 3327, 5.3: the phone could not see who is in its way */
    }
    if (!err && r->has_path) {
        *why = "Malformed Path";
        err = read_paths(r);
    }
    bool sips = r->msg->to.uri.scheme == SIP_SCHEME_SIPS;
    if (!err && sips && !binding_all_sips(&r->ask)) { /* RFC 3261, 10.2.1 */
        *why = "Contact Of A SIPS Address Is Not SIPS";
        err = CS_EPROTO;
    }
    if (err == CS_EPROTO)
        return 400;
    if (!err && (sips || binding_any_sips(&r->ask)) && !flow_is_secure(r->flow)) {
        *why = "SIPS Needs TLS"; /* what we would send there could not be */
        return 403;
    }
    if (!err)
        r->outbound = outbound_judge(r->msg, r->ask.contacts, r->ask.n_contacts,
                                     r->front->conf->flows.outbound == OUTBOUND_BEST_EFFORT);
    if (r->outbound == OUTBOUND_LACKING) {
        *why = NULL;
        return 439;
    }
    if (!err && names_us(r)) { /* a request for it would come back to us for ever */
        *why = "Contact Is This Server";
        return 403;
    }
    *why = NULL;
    return err || take_grant(r, g) ? 500 : 0;
}

static void on_verdict(void *arg, enum verdict kind, const Countersign__Auth__Verdict *v)
{
    struct registration *r = arg;
    const char *why = NULL;
    struct span lines = SPAN_NULL;
    unsigned status = kind == VERDICT_ACCEPT ? read_request(r, v->grant, &why) : 0;
    r->gate = NULL;
    if ((status || kind != VERDICT_ACCEPT) && r->location)
        location_cancel(r->location);
    if (kind != VERDICT_ACCEPT) {
        front_refuse(r->tx, kind, v);
        finish(r);
        return;
    }
    r->granted = true;
    if (facts_renew(r->flow, r->msg))
        log_warn(flow_log(r->flow), "a fresh token could not be kept");
    front_accepted(r->front, r->flow, v);
    if (status == 420)
        lines = SPAN("Unsupported: path\r\n");
    if (status)
        refuse(r, status, why, lines);
    else if (r->read)
        decide(r);
    else if (!r->location)
        read_record(r);
}

void register_start(struct front *f, struct tx *tx, struct flow *flow, struct sip_msg *m)
{
    struct registration *r = arena_zalloc(&m->arena, sizeof(*r));
    if (!r) {
        front_reply(tx, 500, NULL, SPAN_NULL);
        return;
    }
    *r = (struct registration){ .front = f, .tx = tx_ref(tx), .msg = m, .flow = flow };
    list_push_back(&f->registrations, &r->link);
    r->begun = loop_now(f->loop);
    r->ask.call_id = m->call_id;
    r->ask.cseq = m->cseq;
    if (conf_serves(f->conf, m->to.uri.host))
        r->aor = front_aor(m, &m->to.uri);
    r->has_path = sip_has(m, SIP_HDR_PATH);
    struct gate_facts facts = facts_of(r);
    r->gate = gate_ask(f->gate, flow, m, &facts, on_verdict, r);
    if (!r->gate) {
        refuse(r, 500, NULL, SPAN_NULL);
        return;
    }
    /* A request without credentials will be challenged: it costs Redis nothing. */
    if (!r->aor.p || !front_has_credentials(m))
        return;
    r->known = r->read = location_known(f->locations, r->aor, &m->arena, &r->before);
    if (!r->known)
        read_record(r);
}

bool register_challenge(struct front *f, struct flow *flow, struct sip_msg *m)
{
    struct gate_facts facts = { .domain = conf_domain(f->conf, m->uri.host) };
    return facts.domain.p && !sip_has(m, SIP_HDR_REQUIRE) &&
           gate_challenge(f->gate, flow, m, &facts);
}
