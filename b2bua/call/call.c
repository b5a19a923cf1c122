#include <stdlib.h>

#include "b2bua/call/auto_answer.h"
#include "b2bua/call/call_impl.h"
#include "b2bua/call/park.h"
#include "b2bua/call/pickup.h"
#include "b2bua/leg/dtmf.h"
#include "b2bua/leg/leg_conference.h"
#include "b2bua/leg/leg_sccp.h"
#include "b2bua/leg/leg_service.h"
#include "base/metric.h"
#include "sip/scan.h"
#include "sip/write.h"

bool party_is(const struct party *p, const struct party *other)
{
    return p->trunk ? p->trunk == other->trunk : p->who.p && span_eq(p->who, other->who);
}

unsigned call_side(const struct call *c, const struct leg *l)
{
    return l == c->leg[SIDE_A] ? SIDE_A : SIDE_B;
}

void call_drop(struct call *c)
{
    list_remove(&c->link);
    pickup_drop(c);
    hunt_drop(c);
    c->ua->n_calls--;
    metric_add(M_B2BUA_CALLS, 0, -1);
    timer_stop(c->ua->loop, &c->quiet);
    call_keys_drop(c);
    call_transfer_drop(c);
    admission_end(c);
    session_let_go(&c->kept);
    session_free(&c->session);
    for (unsigned side = 0; side < RELAY_SIDES; side++)
        occupancy_set(&c->ua->occupancy, &c->occupants[side], SPAN_NULL, OCCUPANCY_IDLE);
    for (unsigned side = 0; side < RELAY_SIDES; side++)
        arena_fini(&c->party[side].arena);
    arena_fini(&c->coming.arena);
    arena_fini(&c->arena);
    free(c->offer);
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
    call_drop(c);
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

void call_occupies(struct call *c)
{
    occupancy_set(&c->ua->occupancy, &c->occupants[SIDE_A], c->party[SIDE_A].who, OCCUPANCY_BUSY);
    occupancy_set(&c->ua->occupancy, &c->occupants[SIDE_B], c->party[SIDE_B].who,
                  c->up ? OCCUPANCY_BUSY : OCCUPANCY_RINGING);
}

/* ---- it is taken ---- */

void call_now_up(struct call *c)
{
    c->up = true;
    turn_queue(c->ua->loop, &c->keyed);
    c->taken = loop_wall(c->ua->loop);
    call_occupies(c);
    if (c->ua->conf->media.inactivity.ms)
        timer_start(c->ua->loop, &c->quiet, c->ua->conf->media.inactivity);
}

void call_up(struct call *c, struct span answer)
{
    call_now_up(c);
    c->wanted = NULL;
    free(c->offer);
    c->offer = NULL;
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
    bool initial = !c->offered && side == SIDE_A && c->asker < 0 && !c->joining;
    if (!initial && !(c->asker == (int)side && c->asked_offer))
        return;
    c->asker = -1;
    c->asked_offer = false;
    if (!c->leg[!side])
        return;
    int err = sdp.p ? call_answer(c, side, l, sdp, &b, &why) : CS_ENOTSUP;
    if (err) {
        call_refuse_media(c, err, why, side);
        return;
    }
    leg_ack(c->leg[!side], buf_span(&b));
    if (initial)
        c->offered = true; /* from now on it is a call like others */
}

static void on_offered(void *arg, struct leg *l, struct span sdp)
{
    struct call *c = arg;
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why;
    struct span answer;
    unsigned side = call_side(c, l);
    if (!c->up) {
        call_offered_early(c, l, sdp);
        return;
    }
    if (c->asker >= 0 || c->joining) {
        leg_settle(l, 491, SPAN_NULL);
        return;
    }
    if (sdp.p && session_stands(c->session, side, sdp, &answer)) {
        leg_settle(l, 200, answer);
        return;
    }
    if (!c->leg[!side] || c->moving || c->waiting) { /* who comes finds nothing half agreed */
        leg_settle(l, 491, SPAN_NULL);
        return;
    }
    int err = sdp.p ? call_offer(c, side, l, sdp, &b, &why) : 0;
    if (err) {
        struct leg_end end = call_why_no_media(err, why);
        session_withdraw(c->session);
        leg_refuse(l, &end);
        return;
    }
    c->asker = (int)side;
    c->asked_offer = !sdp.p;
    c->withdrawn.from = -1;
    leg_modify(c->leg[!side], sdp.p ? buf_span(&b) : SPAN_NULL);
}

static void on_withdrawn(void *arg, struct leg *l)
{
    call_withdrawn(arg, l);
}

static void on_settled(void *arg, struct leg *l, unsigned status, struct span sdp)
{
    struct call *c = arg;
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why = "no description of media";
    unsigned side = call_side(c, l);
    struct leg *asker = c->leg[!side];
    if (!c->up) {
        call_settled_early(c, l, status, sdp);
        return;
    }
    if (call_settles_withdrawn(c, side, status, sdp))
        return;
    if (c->taking) {
        call_taken(c, side, status, sdp);
        return;
    }
    if ((c->joining || c->acks) && call_retry(c, l, status))
        return;
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
              : c->asked_offer ? call_offer(c, side, l, sdp, &b, &why)
                               : call_answer(c, side, l, sdp, &b, &why);
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

/* By telephone-events where the other side hears them. */
static void on_digit(void *arg, struct leg *l, char digit)
{
    struct call *c = arg;
    char text[DTMF_RELAY_MAX];
    struct buf body = BUF_INIT(text);
    if (!c->up || session_press(c->session, call_side(c, l), digit) == 0)
        return;
    dtmf_write(&body, digit);
    on_info(c, l, DTMF_RELAY, buf_span(&body));
}

static void on_ended(void *arg, struct leg *l, const struct leg_end *why)
{
    struct call *c = arg;
    unsigned side = call_side(c, l);
    c->leg[side] = NULL;
    if (c->moving && side == c->replaced)
        return;
    c->gone = l;
    call_finish(c, why, side);
}

static struct span described(void *arg, const struct leg *l)
{
    const struct call *c = arg;
    return session_told(c->session, call_side(c, l));
}

static bool may_refer(void *arg, struct leg *l)
{
    return call_may_refer(arg, l);
}

static unsigned on_referred(void *arg, struct leg *l, const struct leg_refer *r)
{
    return call_referred(arg, l, r);
}

const struct leg_events call_events = { .acked = on_acked,
                                        .offered = on_offered,
                                        .withdrawn = on_withdrawn,
                                        .settled = on_settled,
                                        .info = on_info,
                                        .digit = on_digit,
                                        .described = described,
                                        .may_refer = may_refer,
                                        .referred = on_referred,
                                        .ended = on_ended };

/* A conference is never silent, which says nothing of anybody. */
static uint64_t packets_of(const struct call *c, unsigned side)
{
    struct side_stats s;
    session_stats(c->session, side, &s);
    return leg_is_conference(c->leg[side]) ? 0 : s.packets + s.rtcp;
}

/* Media that no longer come from either side: somebody is gone who did not say so. */
static void on_quiet(struct timer *t)
{
    struct call *c = container_of(t, struct call, quiet);
    const uint64_t now = packets_of(c, SIDE_A) + packets_of(c, SIDE_B);
    const bool held = session_is_held(c->session);
    if (now == c->packets && !held) {
        call_finish(c,
                    &(struct leg_end){ .status = 408,
                                       .reason = SPAN("SIP;cause=408;text=\"Media inactivity\"") },
                    SIDE_A);
        return;
    }
    c->packets = held ? UINT64_MAX : now; /* who goes on has the whole time to begin */
    timer_start(c->ua->loop, &c->quiet, c->ua->conf->media.inactivity);
}

void call_watch_init(struct call *c)
{
    timer_init(&c->quiet, on_quiet);
}

/* ---- whoever is asked ---- */

const struct media_policy *call_policy(const struct call *c, const struct dialplan_candidate *to,
                                       const struct trunk_conf *trunk)
{
    static const struct media_policy ours = { .srtp = SRTP_FORBID };
    return trunk                            ? &trunk->media
           : to->kind == DIALPLAN_EXTENSION ? &ours
           : to == c->desk.to               ? &c->ua->desks.policy
                                            : &c->ua->conf->lines;
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
    struct hop *registrars[HOPS_MAX];
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
    if (c->call_id[SIDE_A].p)
        sip_write_hdr(&lb, SPAN("Countersign-Origin"), c->call_id[SIDE_A]);
    if (u->conf->calls.auto_answer && (c->automatic || (to->entry && to->entry->auto_answer)))
        auto_answer_write(&lb);
    buf_put(&lb, also);
    struct leg_sip_out o = { .from = buf_span(&fb),
                             .to = buf_span(&tb),
                             .uri = buf_span(&ub),
                             .contact = buf_span(&cb),
                             .node = c->elsewhere.node,
                             .hops = registrars,
                             .n_hops = ua_registrars(u, c->call_id[SIDE_A], registrars),
                             .answer = DURATION_MS(4000),
                             .lines = buf_span(&lb),
                             .max_forwards = c->max_forwards,
                             .sdp = sdp,
                             .origin = c->call_id[SIDE_A] };
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
    struct span uris[HOPS_MAX];
    char from[512], targets[HOPS_MAX * 512], name[512], contact[512], lines[600];
    struct buf fb = BUF_INIT(from), ub = BUF_INIT(targets), tb = BUF_INIT(name),
               cb = BUF_INIT(contact), lb = BUF_INIT(lines);
    hops_order(t->hops, t->n_targets, c->call_id[SIDE_A], loop_now(u->loop), hops);
    if (c->wanted)
        hops[0] = c->wanted;
    const size_t n_hops = c->wanted ? 1 : t->n_targets;
    const struct sip_uri *first = &hops[0]->uri;
    int err = trunk_uris(t, hops, n_hops, to->called, &ub, uris);
    ua_contact(&cb, u, t, to->calling);
    struct span us = t->from_domain.p ? t->from_domain : siptp_listener_sent_by(u->listeners[0]);
    write_party(&fb, c->display, to->calling, us);
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
                             .uri = uris[0],
                             .contact = buf_span(&cb),
                             .hops = hops,
                             .uris = uris,
                             .n_hops = n_hops,
                             .answer = t->answer,
                             .trunk = t->name,
                             .lines = buf_span(&lb),
                             .max_forwards = c->max_forwards,
                             .sdp = sdp,
                             .origin = c->call_id[SIDE_A] };
    if (err || !buf_ok(&fb) || !buf_ok(&tb) || !buf_ok(&cb) || !buf_ok(&lb))
        return NULL;
    return leg_sip_call(&u->legs_means, &o, events, arg);
}

static struct leg *ask_service(struct call *c, const struct dialplan_candidate *to, struct span sdp,
                               const struct leg_events *events, void *arg)
{
    enum service what;
    if (span_eq(to->name, PARK))
        return park_leg(c, to->called, sdp, events, arg);
    if (service_of(to->name, &what))
        return NULL;
    return leg_service(c->ua->loop, what, &c->ua->conf->media.addresses[0].address, sdp, events,
                       arg);
}

/* Of a display name as it was written. */
static struct span plain_name(struct arena *a, struct span name)
{
    char text[512];
    struct buf b = BUF_INIT(text);
    if (name.n < 2 || name.p[0] != '"')
        return name;
    sip_unquote(&b, span_of(name.p + 1, name.n - 2));
    return buf_ok(&b) ? arena_dup(a, buf_span(&b)) : SPAN_NULL;
}

static struct leg *ask_desk(struct call *c, struct span sdp, const struct leg_events *events,
                            void *arg)
{
    const struct desk_line *line = desks_line(&c->ua->desks, c->desk.contact);
    struct leg *l =
        line ? leg_sccp_call(line, c->caller, plain_name(&c->arena, c->display), sdp, events, arg)
             : NULL;
    if (l && c->automatic)
        leg_sccp_take_at_once(l);
    return l;
}

struct leg *call_ask(struct call *c, const struct dialplan_candidate *to,
                     const struct trunk_conf *trunk, struct span sdp, struct span also,
                     const struct leg_events *events, void *arg)
{
    switch (to->kind) {
    case DIALPLAN_TRUNK:
        return ask_trunk(c, to, trunk, sdp, events, arg);
    case DIALPLAN_LINE:
        if (to == c->desk.to)
            return ask_desk(c, sdp, events, arg);
        return ask_line(c, to, sdp, also, events, arg);
    case DIALPLAN_EXTENSION:
        return ask_service(c, to, sdp, events, arg);
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

/* ---- at the end ---- */

void call_end_all(struct ua *u)
{
    while (!list_empty(&u->calls))
        call_finish(container_of(u->calls.next, struct call, link),
                    &(struct leg_end){ .status = 200, .reason = SPAN("SIP;cause=503") }, SIDE_A);
}

void call_drop_all(struct ua *u)
{
    while (!list_empty(&u->calls))
        call_drop(container_of(u->calls.next, struct call, link));
}
