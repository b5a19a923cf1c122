/* Transfers: one side of a call wants somebody else in its place, who is called (blind), or is the
 * other side of a second call of its own (attended). Who comes in makes an offer, the side that
 * stays answers it: so both know each other's codecs, whatever was agreed on before. */
#include <stdlib.h>

#include "b2bua/call/call_impl.h"
#include "base/rand.h"

static const struct log transfer_log = { .module = "transfer" };

struct arena *call_coming(struct call *c)
{
    arena_fini(&c->coming.arena);
    c->coming = (struct party){ 0 };
    c->moved_to = NULL;
    arena_init_small(&c->coming.arena);
    return &c->coming.arena;
}

void call_replace(struct call *c, unsigned side, struct leg *by)
{
    struct leg *old = c->leg[side];
    c->leg[side] = by;
    arena_fini(&c->party[side].arena);
    c->party[side] = c->coming;
    c->coming = (struct party){ 0 };
    c->moved = c->party[side].number;
    by->events = &call_events;
    by->arg = c;
    call_occupies(c);
    if (!old)
        return;
    leg_notify(old, 200);
    leg_end(old, &(struct leg_end){ .status = 200 });
}

static void set_side(struct call *c, unsigned side, const struct dialplan_candidate *to,
                     const struct trunk_conf *trunk)
{
    struct session_side conf;
    call_media_of(c, to, trunk, false, &conf);
    session_set_side(c->session, side, &conf);
}

/* ---- somebody is called ---- */

static void on_ringing(void *arg, struct leg *l, unsigned status, struct span sdp)
{
    struct call *c = arg;
    (void)l;
    (void)sdp;
    if (c->leg[c->replaced])
        leg_notify(c->leg[c->replaced], status);
}

static void on_answered(void *arg, struct leg *l, struct span sdp)
{
    struct call *c = arg;
    c->waiting = NULL;
    c->moving = false;
    call_replace(c, c->replaced, l);
    call_join(c, c->replaced, sdp);
}

/* Nobody comes. Who has left already is not called back. */
static void stay(struct call *c, const struct leg_end *why)
{
    c->moving = false;
    if (c->leg[c->replaced])
        leg_notify(c->leg[c->replaced], why->status);
    else
        call_finish(c, why, c->replaced);
}

static void on_ended(void *arg, struct leg *l, const struct leg_end *why)
{
    struct call *c = arg;
    struct leg_end told = *why;
    (void)l;
    c->waiting = NULL;
    if (told.status < 300)
        told.status = 480;
    admission_left(c);
    stay(c, &told);
}

/* Of who is to come, until he has. */
static const struct leg_events coming = { .ringing = on_ringing,
                                          .answered = on_answered,
                                          .ended = on_ended };

/* Whoever transfers is who calls: a number that he may not call, he may not have called. */
static void on_admitted(struct call *c, const struct leg_end *why, bool next)
{
    (void)next;
    if (!why)
        c->waiting = call_ask(c, c->moved_to, c->coming.trunk, SPAN_NULL, SPAN_NULL, &coming, c);
    c->display = SPAN_NULL; /* it is a party's, who may go */
    if (!c->waiting)
        stay(c, why ? why : &(struct leg_end){ .status = 500 });
}

static void come_as(struct call *c, const struct dialplan_candidate *to)
{
    const struct party p = call_party(c, to, &c->coming.arena);
    c->coming.trunk = p.trunk;
    c->coming.who = p.who;
    c->coming.number = p.number;
    c->moved_to = to;
}

static unsigned call_blindly(struct call *c, unsigned side, const struct leg_refer *r)
{
    const struct b2bua_conf *conf = c->ua->conf;
    const struct party *by = &c->party[side], *stays = &c->party[!side];
    const struct dialplan_context *at =
        dialplan_context(&conf->dialplan, by->trunk ? by->trunk->context : conf->lines_context);
    struct dialplan_answer plan = { 0 };
    struct arena *a = call_coming(c);
    char *plain = arena_alloc(a, r->user.n + 1);
    if (!plain || !at || !r->user.n)
        return plain ? 404 : 500;
    if (!by->who.p && !by->trunk)
        return 403; /* nobody would be charged */
    struct dialplan_call dialled = { .called = sip_user_plain(r->user, plain),
                                     .caller = by->number,
                                     .now = loop_wall(c->ua->loop) };
    if (dialplan_lookup(at, &dialled, false, a, &plan))
        return 500;
    if (!plan.n)
        return plan.status;
    struct dialplan_candidate *to = &plan.candidates[0];
    if (to->kind == DIALPLAN_REFUSE)
        return to->status;
    c->replaced = side;
    come_as(c, to);
    if (c->coming.trunk)
        c->coming.number = dialled.called;
    /* A line is told whom it is to talk to, a trunk who pays for it. */
    c->display = to->kind == DIALPLAN_TRUNK ? by->display : stays->display;
    if (to->kind != DIALPLAN_TRUNK)
        to->calling = stays->number;
    c->moving = true;
    if (admission_ask(c, by, to, c->coming.trunk, on_admitted))
        on_admitted(c, NULL, false);
    return 0;
}

/* ---- two calls become one ---- */

/* The second call is at another node: who speaks there is asked for by a call of ours, in the name
 * of who wants it. */
static unsigned join_elsewhere(struct call *c, unsigned side, const struct leg_refer *r,
                               uint32_t node)
{
    struct arena *a = call_coming(c);
    struct dialplan_candidate *to = arena_zalloc(a, sizeof(*to));
    const struct span replaces = arena_dup(a, r->replaces);
    char *plain = arena_alloc(a, r->user.n + 1);
    if (!to || !replaces.p || !plain)
        return 500;
    if (!c->party[side].who.p || !r->user.n)
        return 481; /* a trunk has nothing there */
    to->kind = DIALPLAN_LINE;
    to->name = to->called = sip_user_plain(r->user, plain);
    to->calling = c->party[!side].number;
    c->display = c->party[!side].display;
    c->replaced = side;
    come_as(c, to);
    c->elsewhere = (__typeof__(c->elsewhere)){ node, replaces, c->party[side].who };
    c->waiting = call_ask(c, to, NULL, SPAN_NULL, SPAN_NULL, &coming, c);
    c->elsewhere = (__typeof__(c->elsewhere)){ 0 };
    c->display = SPAN_NULL;
    c->moving = c->waiting;
    return c->waiting ? 0 : 500;
}

/* Who is in that place of the other call goes, and this one's side with him. 0, or a status; then
 * nothing has changed. */
static unsigned join_with(struct call *c, unsigned side, struct call *other, unsigned theirs)
{
    struct leg *comes = other->leg[!theirs];
    const struct party *from = &other->party[!theirs];
    struct arena *a = call_coming(c);
    c->coming.trunk = from->trunk;
    c->coming.who = arena_dup(a, from->who);
    c->coming.number = arena_dup(a, from->number);
    c->coming.display = arena_dup(a, from->display);
    const bool dtls = session_safety(other->session, !theirs).dtls;
    struct session_side conf;
    ua_media_side(c->ua, from->trunk ? &from->trunk->media : &c->ua->conf->lines, dtls, &conf);
    if (dtls && session_adopt(c->session, side, &conf, other->session, !theirs))
        return 500;
    if (!dtls)
        session_set_side(c->session, side, &conf);
    other->leg[!theirs] = NULL;
    admission_move(c, other);
    call_replace(c, side, comes);
    call_finish(other, &(struct leg_end){ .status = 200 }, theirs);
    c->joining = true;
    /* A browser begins anew when it is told so by an offer, not by an answer to its own. */
    leg_modify(dtls ? c->leg[!side] : comes, SPAN_NULL);
    return 0;
}

static unsigned join_calls(struct call *c, unsigned side, const struct leg_refer *r)
{
    struct replaces named;
    enum leg_place place;
    if (replaces_parse(r->replaces, &named))
        return 400;
    struct leg *second = leg_sip_named(&c->ua->legs_means, &named, &place);
    if (!second && ua_peer(c->ua, &named))
        return join_elsewhere(c, side, r, ua_peer(c->ua, &named));
    struct call *other =
        second && place == LEG_STANDS && second->events == &call_events ? second->arg : NULL;
    if (!other || other == c || !other->up || other->asker >= 0 || other->joining || other->waiting)
        return 481;
    unsigned theirs = call_side(other, second);
    if (!party_is(&c->party[side], &other->party[theirs]))
        return 403; /* tags are no proof: a call is given away by whose it is */
    return other->leg[!theirs] ? join_with(c, side, other, theirs) : 481;
}

unsigned call_join_legs(struct leg *first, struct leg *second)
{
    if (first->events != &call_events || second->events != &call_events)
        return 481;
    struct call *c = first->arg, *other = second->arg;
    if (c == other)
        return 481;
    if (!call_may_refer(c, first) || !call_may_refer(other, second))
        return 491;
    return join_with(c, call_side(c, first), other, call_side(other, second));
}

bool call_may_refer(const struct call *c, const struct leg *l)
{
    unsigned side = call_side(c, l);
    return c->up && c->leg[!side] && c->asker < 0 && !c->joining && !c->waiting && !c->moving &&
           !c->admission.ask;
}

unsigned call_referred(struct call *c, struct leg *l, const struct leg_refer *r)
{
    unsigned side = call_side(c, l);
    log_info(&transfer_log, "asked for", kv_s("to", r->user), kv_s("call_id", c->call_id[SIDE_A]),
             kv_b("attended", r->replaces.p));
    unsigned status = r->replaces.p ? join_calls(c, side, r) : call_blindly(c, side, r);
    c->transfer_refused = status ? status : c->transfer_refused;
    return status;
}

/* ---- offers that cross ---- */

static void on_retry(struct timer *t)
{
    struct call *c = container_of(t, struct call, retry.at);
    leg_modify(c->retry.leg, c->acks ? span_str(c->retry.offer) : SPAN_NULL);
}

void call_transfer_init(struct call *c)
{
    timer_init(&c->retry.at, on_retry);
}

void call_transfer_drop(struct call *c)
{
    timer_stop(c->ua->loop, &c->retry.at);
    free(c->retry.offer);
}

bool call_retry(struct call *c, struct leg *l, unsigned status)
{
    enum { RETRIES = 5, STEP_MS = 10 };
    if (status != 491 || c->retry.n == RETRIES || (c->acks && !c->retry.offer))
        return false;
    c->retry.n++;
    c->retry.leg = l;
    const uint64_t steps =
        leg_sip_is_ours(l) ? 210 + rand_below(191) : rand_below(201); /* 2.1 to 4 s, or 0 to 2 */
    timer_start(c->ua->loop, &c->retry.at, DURATION_MS(steps * STEP_MS));
    return true;
}

/* ---- offer and answer ---- */

void call_join(struct call *c, unsigned side, struct span offer)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why = "no offer";
    if (!c->joining)
        set_side(c, side, c->moved_to, c->party[side].trunk);
    c->joining = false;
    int err = offer.p ? call_offer(c, side, c->leg[side], offer, &b, &why) : CS_ENOTSUP;
    if (err) {
        call_refuse_media(c, err, why, side);
        return;
    }
    c->asker = (int)side;
    c->acks = true;
    free(c->retry.offer);
    c->retry.offer = strndup(text, b.n); /* without it there is no second try */
    leg_modify(c->leg[!side], buf_span(&b));
}

void call_joined(struct call *c, unsigned side, unsigned status, struct span sdp)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why = "refused";
    int err =
        status < 300 && sdp.p ? call_answer(c, side, c->leg[side], sdp, &b, &why) : CS_ENOTSUP;
    c->asker = -1;
    c->acks = false;
    c->retry.n = 0;
    if (err)
        call_refuse_media(c, err, why, side);
    else
        leg_ack(c->leg[!side], buf_span(&b));
}
