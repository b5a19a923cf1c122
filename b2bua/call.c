#include <stdlib.h>

#include "b2bua/call_impl.h"
#include "b2bua/leg_service.h"
#include "base/metric.h"
#include "sip/write.h"

static const struct log call_log = { .module = "call" };

static void on_quiet(struct timer *t);

unsigned call_side(const struct call *c, const struct leg *l)
{
    return l == c->leg[SIDE_A] ? SIDE_A : SIDE_B;
}

static void call_free(struct call *c)
{
    list_remove(&c->link);
    hunt_drop(c);
    c->ua->n_calls--;
    metric_add(M_B2BUA_CALLS, 0, -1);
    timer_stop(c->ua->loop, &c->quiet);
    timer_stop(c->ua->loop, &c->shaking);
    admission_end(c);
    session_let_go(&c->kept);
    session_free(&c->session);
    arena_fini(&c->arena);
    free(c);
}

void call_finish(struct call *c, const struct leg_end *why, unsigned by)
{
    call_record(c, why, by);
    for (unsigned side = 0; side < RELAY_SIDES; side++) {
        if (c->leg[side])
            leg_end(c->leg[side], why);
    }
    hunt_end(c, why);
    if (c->waiting)
        leg_end(c->waiting, why);
    call_free(c);
}

/* ---- media ---- */

struct leg_end call_why_no_media(int err, const char *why)
{
    const bool ours = err == CS_ELIMIT || err == CS_ENOMEM;
    return (struct leg_end){ .status = ours               ? 503
                                       : err == CS_EPROTO ? 400
                                                          : 488,
                             .warning_code = err == CS_ENOTSUP   ? 305
                                             : err == CS_EDENIED ? 302
                                                                 : 399,
                             .warning = span_str(why) };
}

void call_refuse_media(struct call *c, int err, const char *why, unsigned by)
{
    struct leg_end end = call_why_no_media(err, why);
    call_finish(c, &end, by);
}

/* ---- it is taken ---- */

static void now_up(struct call *c)
{
    c->up = true;
    c->taken = loop_wall(c->ua->loop);
    if (c->ua->conf->media.inactivity.ms)
        timer_start(c->ua->loop, &c->quiet, c->ua->conf->media.inactivity);
}

void call_up(struct call *c, struct span answer)
{
    now_up(c);
    leg_answer(c->leg[SIDE_A], answer);
}

/* Challenges and redirections are not the other side's affair. */
unsigned call_told_status(unsigned status)
{
    if (status == 401 || status == 407 || status == 481)
        return 502;
    return status < 400 ? 480 : status;
}

/* ---- a call that stands ---- */

static void on_acked(void *arg, struct leg *l, struct span sdp)
{
    struct call *c = arg;
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why = "no answer to an offer";
    unsigned side = call_side(c, l);
    bool initial = !c->offer.p && side == SIDE_A && c->asker < 0 && !c->joining;
    if (!initial && !(c->asker == (int)side && c->asked_offer))
        return;
    c->asker = -1;
    c->asked_offer = false;
    if (!c->leg[!side])
        return;
    int err = sdp.p ? call_answer(c, side, sdp, &b, &why) : CS_ENOTSUP;
    if (err) {
        call_refuse_media(c, err, why, side);
        return;
    }
    leg_ack(c->leg[!side], buf_span(&b));
    if (initial)
        c->offer = SPAN(""); /* from now on it is a call like others */
}

static void on_offered(void *arg, struct leg *l, struct span sdp)
{
    struct call *c = arg;
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why;
    struct span answer;
    unsigned side = call_side(c, l);
    if (!c->up || !c->leg[!side] || c->asker >= 0 || c->joining) {
        leg_settle(l, 491, SPAN_NULL);
        return;
    }
    if (sdp.p && session_stands(c->session, side, sdp, &answer)) {
        leg_settle(l, 200, answer);
        return;
    }
    int err = sdp.p ? session_offer(c->session, side, sdp, &b, &why) : 0;
    if (err) {
        struct leg_end end = call_why_no_media(err, why);
        session_withdraw(c->session);
        leg_refuse(l, &end);
        return;
    }
    c->asker = (int)side;
    c->asked_offer = !sdp.p;
    leg_modify(c->leg[!side], sdp.p ? buf_span(&b) : SPAN_NULL);
}

static void on_settled(void *arg, struct leg *l, unsigned status, struct span sdp)
{
    struct call *c = arg;
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why = "no description of media";
    unsigned side = call_side(c, l);
    struct leg *asker = c->leg[!side];
    if (c->taking) {
        call_taken(c, side, status, sdp);
        return;
    }
    if (c->joining) {
        if (status >= 300)
            call_finish(c, &(struct leg_end){ .status = 502 }, side);
        else
            call_join(c, side, sdp);
        return;
    }
    if (c->acks && c->asker == (int)!side) {
        call_joined(c, side, status, sdp);
        return;
    }
    if (c->asker != (int)!side || !asker)
        return;
    if (status >= 300) {
        session_withdraw(c->session);
        c->asker = -1;
        leg_settle(asker, call_told_status(status), SPAN_NULL);
        return;
    }
    int err = !sdp.p           ? CS_ENOTSUP
              : c->asked_offer ? session_offer(c->session, side, sdp, &b, &why)
                               : call_answer(c, side, sdp, &b, &why);
    if (err) {
        call_refuse_media(c, err, why, side);
        return;
    }
    if (!c->asked_offer)
        c->asker = -1;
    leg_settle(asker, 200, buf_span(&b));
}

static void on_info(void *arg, struct leg *l, struct span type, struct span body)
{
    struct call *c = arg;
    struct leg *other = c->leg[!call_side(c, l)];
    if (c->up && other)
        leg_info(other, type, body);
}

static void on_ended(void *arg, struct leg *l, const struct leg_end *why)
{
    struct call *c = arg;
    unsigned side = call_side(c, l);
    c->leg[side] = NULL;
    call_finish(c, why, side);
}

static bool may_refer(void *arg, struct leg *l)
{
    return call_may_refer(arg, l);
}

static void on_referred(void *arg, struct leg *l, const struct leg_refer *r)
{
    call_referred(arg, l, r);
}

const struct leg_events call_events = { .acked = on_acked,
                                        .offered = on_offered,
                                        .settled = on_settled,
                                        .info = on_info,
                                        .may_refer = may_refer,
                                        .referred = on_referred,
                                        .ended = on_ended };

/* Media that no longer come from either side: somebody is gone who did not say so. */
static void on_quiet(struct timer *t)
{
    struct call *c = container_of(t, struct call, quiet);
    struct side_stats a, b;
    session_stats(c->session, SIDE_A, &a);
    session_stats(c->session, SIDE_B, &b);
    uint64_t now = a.packets + b.packets + a.rtcp + b.rtcp;
    if (now == c->packets) {
        call_finish(c,
                    &(struct leg_end){ .status = 408,
                                       .reason = SPAN("SIP;cause=408;text=\"Media inactivity\"") },
                    SIDE_A);
        return;
    }
    c->packets = now;
    timer_start(c->ua->loop, &c->quiet, c->ua->conf->media.inactivity);
}

/* ---- whoever is asked ---- */

const struct media_policy *call_policy(const struct call *c, const struct dialplan_candidate *to,
                                       const struct trunk_conf *trunk)
{
    static const struct media_policy ours = { .srtp = SRTP_FORBID };
    return trunk ? &trunk->media : to->kind == DIALPLAN_EXTENSION ? &ours : &c->ua->conf->lines;
}

static void write_party(struct buf *b, struct span display, struct span user, struct span host)
{
    if (display.n) {
        buf_put(b, display);
        buf_putc(b, ' ');
    }
    buf_lit(b, "<sip:");
    if (user.n) {
        sip_user_write(b, user);
        buf_putc(b, '@');
    } else {
        buf_lit(b, "anonymous@");
    }
    buf_put(b, host);
    buf_putc(b, '>');
}

static struct leg *ask_line(struct call *c, const struct dialplan_candidate *to, struct span sdp,
                            struct span also, const struct leg_events *events, void *arg)
{
    struct ua *u = c->ua;
    struct span domain = u->conf->domains[0];
    char from[512], target[512], name[512], contact[128], lines[4096];
    struct buf fb = BUF_INIT(from), ub = BUF_INIT(target), tb = BUF_INIT(name),
               cb = BUF_INIT(contact), lb = BUF_INIT(lines);
    write_party(&fb, c->display, to->calling, domain);
    write_party(&tb, SPAN_NULL, to->name, domain);
    buf_lit(&ub, "sip:");
    sip_user_write(&ub, to->name);
    buf_putc(&ub, '@');
    buf_put(&ub, domain);
    buf_lit(&cb, "sip:");
    buf_put(&cb, span_str(u->node));
    if (c->elsewhere.node) {
        buf_lit(&lb, "P-Asserted-Identity: <");
        buf_put(&lb, c->elsewhere.as);
        buf_lit(&lb, ">\r\nRequire: replaces\r\n");
        sip_write_hdr(&lb, SPAN("Replaces"), c->elsewhere.replaces);
    } else if (to->calling.n) {
        buf_lit(&lb, "P-Asserted-Identity: ");
        write_party(&lb, c->display, to->calling, domain);
        buf_lit(&lb, "\r\n");
    }
    call_write_diversions(&lb, c);
    buf_put(&lb, also);
    struct leg_sip_out o = { .from = buf_span(&fb),
                             .to = buf_span(&tb),
                             .uri = buf_span(&ub),
                             .contact = buf_span(&cb),
                             .node = c->elsewhere.node ? c->elsewhere.node
                                                       : ua_registrar(u, c->call_id[SIDE_A]),
                             .answer = DURATION_MS(4000),
                             .lines = buf_span(&lb),
                             .max_forwards = c->max_forwards,
                             .sdp = sdp };
    if (!buf_ok(&fb) || !buf_ok(&tb) || !buf_ok(&ub) || !buf_ok(&lb))
        return NULL;
    return leg_sip_call(&u->legs_means, &o, events, arg);
}

/* host[:port] of a SIP URI, for one with another user. */
static void write_at(struct buf *b, const struct sip_uri *at)
{
    buf_put(b, at->host);
    if (at->port)
        buf_printf(b, ":%u", at->port);
}

static struct leg *ask_trunk(struct call *c, const struct dialplan_candidate *to,
                             const struct trunk_conf *t, struct span sdp,
                             const struct leg_events *events, void *arg)
{
    struct ua *u = c->ua;
    struct hop *hops[HOPS_MAX];
    char from[512], target[512], name[512], contact[512], lines[600];
    struct buf fb = BUF_INIT(from), ub = BUF_INIT(target), tb = BUF_INIT(name),
               cb = BUF_INIT(contact), lb = BUF_INIT(lines);
    hops_order(t->hops, t->n_targets, c->call_id[SIDE_A], loop_now(u->loop), hops);
    if (c->wanted)
        hops[0] = c->wanted;
    const struct sip_uri *first = &hops[0]->uri;
    ua_contact(&cb, u, t, to->calling);
    struct span us = t->from_domain.p ? t->from_domain : siptp_listener_sent_by(u->listeners[0]);
    write_party(&fb, c->display, to->calling, us);
    buf_lit(&ub, "sip:");
    sip_user_write(&ub, to->called);
    buf_putc(&ub, '@');
    write_at(&ub, first);
    if (t->profile == PROFILE_CISCO_GW && !first->port)
        buf_printf(&ub, ":%u", sip_uri_default_port(first));
    buf_lit(&tb, "<sip:");
    sip_user_write(&tb, to->called);
    buf_putc(&tb, '@');
    write_at(&tb, first);
    buf_putc(&tb, '>');
    if (t->identity == IDENTITY_ASSERTED && to->calling.n) {
        buf_lit(&lb, "P-Asserted-Identity: ");
        write_party(&lb, c->display, to->calling, us);
        buf_lit(&lb, "\r\n");
    } else if (t->identity == IDENTITY_PARTY) {
        buf_lit(&lb, "Remote-Party-ID: ");
        write_party(&lb, c->display, to->calling, us);
        buf_lit(&lb, ";party=calling;screen=no;privacy=off\r\n");
    }
    struct leg_sip_out o = { .from = buf_span(&fb),
                             .to = buf_span(&tb),
                             .uri = buf_span(&ub),
                             .contact = buf_span(&cb),
                             .hops = hops,
                             .n_hops = c->wanted ? 1 : t->n_targets,
                             .answer = t->answer,
                             .trunk = t->name,
                             .lines = buf_span(&lb),
                             .max_forwards = c->max_forwards,
                             .sdp = sdp };
    if (!buf_ok(&fb) || !buf_ok(&tb) || !buf_ok(&ub) || !buf_ok(&cb) || !buf_ok(&lb))
        return NULL;
    return leg_sip_call(&u->legs_means, &o, events, arg);
}

static struct leg *ask_service(struct call *c, struct span name, struct span sdp,
                               const struct leg_events *events, void *arg)
{
    enum service what;
    if (service_of(name, &what))
        return NULL;
    return leg_service(c->ua->loop, what, &c->ua->conf->media.addresses[0].address, sdp, events,
                       arg);
}

struct leg *call_ask(struct call *c, const struct dialplan_candidate *to,
                     const struct trunk_conf *trunk, struct span sdp, struct span also,
                     const struct leg_events *events, void *arg)
{
    switch (to->kind) {
    case DIALPLAN_TRUNK:
        return ask_trunk(c, to, trunk, sdp, events, arg);
    case DIALPLAN_LINE:
        return ask_line(c, to, sdp, also, events, arg);
    case DIALPLAN_EXTENSION:
        return ask_service(c, to->name, sdp, events, arg);
    default:
        return NULL;
    }
}

void call_media_of(const struct call *c, const struct dialplan_candidate *to,
                   const struct trunk_conf *trunk, bool dtls, struct session_side *out)
{
    const bool here = to->kind == DIALPLAN_EXTENSION;
    ua_media_side(c->ua, call_policy(c, to, trunk), dtls, out);
    if (here)
        out->advertised = SPAN_NULL; /* it is reached from here */
}

/* ---- the beginning ---- */

static struct span aor_of(struct call *c, const struct sip_uri *uri)
{
    char text[SIP_AOR_MAX];
    struct buf b = BUF_INIT(text);
    return sip_aor_write(&b, uri) ? SPAN_NULL : arena_dup(&c->arena, buf_span(&b));
}

struct span call_line(struct call *c, struct span name)
{
    char text[SIP_AOR_MAX];
    struct buf b = BUF_INIT(text);
    struct sip_uri uri;
    buf_lit(&b, "sip:");
    sip_user_write(&b, name);
    buf_putc(&b, '@');
    buf_put(&b, c->ua->conf->domains[0]);
    return buf_ok(&b) && sip_uri_parse(buf_span(&b), &uri) == 0 ? aor_of(c, &uri) : SPAN_NULL;
}

/* Without its escapes, in the arena. */
static struct span plain_user(struct arena *a, struct span user)
{
    char *out = arena_alloc(a, user.n + 1);
    return out ? sip_user_plain(user, out) : SPAN_NULL;
}

/* A registrar, or a trunk that is trusted, says who is calling; else it is who From says. */
static void find_caller(struct call *c, const struct sip_msg *m)
{
    struct sip_addr who = m->from;
    struct sip_addr asserted;
    struct sip_values it = sip_values(m, SIP_HDR_P_ASSERTED_IDENTITY);
    if (!c->from && sip_next(&it) && sip_addr_parse(it.value, &asserted) == 0)
        who.uri = asserted.uri;
    c->display = arena_dup(&c->arena, m->from.display);
    c->caller = who.uri.user.p ? plain_user(&c->arena, who.uri.user) : SPAN_NULL;
    c->who[SIDE_A] = c->from ? SPAN_NULL : aor_of(c, &who.uri);
    if (span_caseeq(c->caller, SPAN("anonymous")))
        c->caller = c->display = SPAN_NULL;
}

static int find_way(struct call *c, struct span context)
{
    const struct dialplan_context *at = dialplan_context(&c->ua->conf->dialplan, context);
    struct dialplan_call dialled = { .called = c->called, .caller = c->caller, .now = c->began };
    if (!at) {
        c->plan.status = 404;
        return 0;
    }
    int err = dialplan_lookup(at, &dialled, false, &c->arena, &c->plan);
    if (!err)
        dialplan_draw(&c->plan, hops_seed(c->call_id[SIDE_A]));
    return err;
}

/* To another node, which knows the call that is named. */
static int pass_to(struct call *c, const struct sip_msg *m, uint32_t node)
{
    struct dialplan_candidate *to = arena_zalloc(&c->arena, sizeof(*to));
    if (!to)
        return CS_ENOMEM;
    *to = (struct dialplan_candidate){
        .kind = DIALPLAN_LINE, .name = c->called, .called = c->called, .calling = c->caller
    };
    c->plan = (struct dialplan_answer){ .candidates = to, .n = 1 };
    c->elsewhere.node = node;
    c->elsewhere.replaces = arena_dup(&c->arena, sip_hdr_value(m, SIP_HDR_REPLACES));
    c->elsewhere.as = c->who[SIDE_A];
    return c->elsewhere.replaces.p ? 0 : CS_ENOMEM;
}

static struct call *call_new(struct ua *u, const struct sip_msg *m, const struct trunk_conf *from,
                             uint32_t node)
{
    struct call *c = calloc(1, sizeof(*c));
    struct span context = from ? from->context : u->conf->lines_context;
    if (!c)
        return NULL;
    c->ua = u;
    c->from = from;
    c->asker = -1;
    c->began = loop_wall(u->loop);
    c->max_forwards = (unsigned)(m->max_forwards < 0 ? 70 : m->max_forwards) - 1;
    list_init(&c->branches);
    arena_init_small(&c->arena);
    timer_init(&c->quiet, on_quiet);
    call_dtls_init(c);
    admission_init(&c->admission);
    list_push_back(&u->calls, &c->link);
    u->n_calls++;
    metric_add(M_B2BUA_CALLS, 0, 1);
    c->call_id[SIDE_A] = arena_dup(&c->arena, m->call_id);
    c->called = plain_user(&c->arena, m->uri.user);
    c->offer = m->body.n ? arena_dup(&c->arena, m->body) : SPAN_NULL;
    find_caller(c, m);
    struct session_side side;
    ua_media_side(u, from ? &from->media : &u->conf->lines, false, &side);
    if (c->call_id[SIDE_A].p && (node ? pass_to(c, m, node) : find_way(c, context)) == 0 &&
        session_new(u->media, &c->session) == 0) {
        session_set_side(c->session, SIDE_A, &side);
        return c;
    }
    call_free(c);
    return NULL;
}

static void begin(struct ua *u, struct tx *invite, const struct trunk_conf *from, uint32_t node)
{
    struct sip_msg *m = tx_request(invite);
    char text[512];
    struct buf contact = BUF_INIT(text);
    struct call *c = call_new(u, m, from, node);
    tx_set_once(invite, false);
    metric_inc(M_B2BUA_INVITES, from != NULL);
    if (!c) {
        tx_reply(invite, 500, SPAN_NULL);
        return;
    }
    if (from) {
        ua_contact(&contact, u, from, c->called);
    } else {
        buf_lit(&contact, "sip:");
        buf_put(&contact, span_str(u->node));
    }
    c->leg[SIDE_A] = buf_ok(&contact) ? leg_sip_take(&u->legs_means, invite, buf_span(&contact),
                                                     from ? from->name : SPAN_NULL, &call_events, c)
                                      : NULL;
    log_info(&call_log, "asked", kv_s("called", c->called), kv_s("caller", c->caller),
             kv_s("from", from ? from->name : SPAN("line")), kv_s("call_id", m->call_id));
    if (!c->leg[SIDE_A]) {
        call_free(c);
        if (!tx_is_answered(invite))
            tx_reply(invite, 500, SPAN_NULL);
    } else if (!c->plan.n) {
        call_finish(c, &(struct leg_end){ .status = c->plan.status }, SIDE_A);
    } else {
        hunt_next(c);
    }
}

void call_begin(struct ua *u, struct tx *invite, const struct trunk_conf *from)
{
    begin(u, invite, from, 0);
}

void call_pass(struct ua *u, struct tx *invite, uint32_t node)
{
    begin(u, invite, NULL, node);
}

void call_end_all(struct ua *u)
{
    while (!list_empty(&u->calls))
        call_finish(container_of(u->calls.next, struct call, link),
                    &(struct leg_end){ .status = 200, .reason = SPAN("SIP;cause=503") }, SIDE_A);
}

void call_drop_all(struct ua *u)
{
    while (!list_empty(&u->calls))
        call_free(container_of(u->calls.next, struct call, link));
}
