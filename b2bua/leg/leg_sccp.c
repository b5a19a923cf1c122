#include "b2bua/leg/leg_sccp.h"

#include <stdlib.h>

#include "b2bua/call/call.h"
#include "b2bua/call/park.h"
#include "b2bua/desk/desk_calls.h"
#include "b2bua/desk/do_not_disturb.h"
#include "b2bua/desk/forward.h"
#include "b2bua/leg/dtmf.h"
#include "b2bua/session/session.h"
#include "b2bua/ua/ua.h"
#include "base/ct.h"
#include "base/rand.h"
#include "sip/write.h"

enum { CROSSED_MS = 2000, CALL_ID = 32 };

#define LEG_OF(l) container_of((l), struct sccp_leg, leg)

static struct loop *loop_of(const struct sccp_leg *l)
{
    return l->session->sccp->loop;
}

/* ---- its life ---- */

static void on_timer(struct timer *t);
static void on_digit_over(struct timer *t);
static void on_turn(struct turn *t);
static const struct leg_ops ops;

struct sccp_leg *leg_sccp_new(const struct desk_line *line)
{
    struct sccp_leg *l = calloc(1, sizeof(*l));
    struct desks *all = &line->desk->ua->desks;
    if (!l)
        return NULL;
    all->last_call += all->last_call == UINT32_MAX ? 2 : 1; /* 0 is none */
    *l = (struct sccp_leg){ .leg = { .ops = &ops },
                            .line = line,
                            .session = line->desk->session,
                            .ref = all->last_call,
                            .placed = true };
    timer_init(&l->timer, on_timer);
    timer_init(&l->digit, on_digit_over);
    turn_init(&l->turn, on_turn);
    desk_channel_init(l);
    list_push_back(&line->desk->calls, &l->link);
    return l;
}

static void release(struct sccp_leg *l, unsigned status)
{
    struct desk *d = l->line->desk;
    desk_channel_close(l);
    timer_stop(loop_of(l), &l->digit);
    statistics_end(&l->statistics);
    if (l->state != DESK_RINGING || !l->doomed)
        desk_show_over(l);
    list_remove(&l->link);
    turn_cancel(&l->turn);
    desk_transfer_left(l, status);
    free(l->offer);
    ct_wipe(&l->keys, sizeof(l->keys));
    free(l);
    desk_ring_on(d);
    turn_queue(d->session->sccp->loop, &d->over);
}

bool leg_is_sccp(const struct leg *l)
{
    return l->ops == &ops;
}

void leg_sccp_tell_safe(struct leg *leg, bool safe)
{
    struct sccp_leg *l = leg_is_sccp(leg) ? LEG_OF(leg) : NULL;
    if (!l || l->safe == safe)
        return;
    l->safe = safe;
    if (l->state == DESK_UP && !l->held && !l->hidden)
        desk_show_info(l);
}

struct statistics *leg_sccp_statistics(const struct leg *l)
{
    return leg_is_sccp(l) ? container_of(l, struct sccp_leg, leg)->statistics : NULL;
}

static void leave_call_for(struct sccp_leg *l, const struct leg_end *why)
{
    const struct leg_events *events = l->leg.events;
    l->leg.events = NULL;
    if (events)
        events->ended(l->leg.arg, &l->leg, why);
}

static void leave_call(struct sccp_leg *l, unsigned status)
{
    leave_call_for(l, &(struct leg_end){ .status = status });
}

void leg_sccp_hang_up(struct sccp_leg *l, unsigned status)
{
    leave_call(l, status);
    release(l, status);
}

void leg_sccp_hide(struct sccp_leg *l)
{
    desk_channel_close(l);
    desk_show_over(l);
    l->hidden = l->held = true;
}

void leg_sccp_divert(struct sccp_leg *l, struct span to)
{
    char user[3 * NUMBER_MAX];
    struct buf b = BUF_INIT(user);
    sip_user_write(&b, to);
    const struct leg_target moved = { .user = buf_span(&b),
                                      .host = l->line->desk->ua->conf->domains[0] };
    leave_call_for(l, &(struct leg_end){ .status = 302, .moved = &moved, .n_moved = 1 });
    release(l, 302);
}

static void show_failure(struct sccp_leg *l, unsigned status)
{
    desk_channel_close(l);
    turn_cancel(&l->turn);
    l->state = DESK_FAILED;
    desk_show_failed(l, status);
}

void leg_sccp_fail(struct sccp_leg *l, unsigned status)
{
    const bool dialled = l->state < DESK_RINGING && !l->hidden;
    leave_call(l, status);
    if (dialled)
        show_failure(l, status);
    else
        release(l, status);
}

static void end(struct leg *leg, const struct leg_end *why)
{
    struct sccp_leg *l = LEG_OF(leg);
    l->leg.events = NULL;
    if (!l->hidden && (l->state == DESK_OPENING || l->state == DESK_CALLING))
        show_failure(l, why->status);
    else
        release(l, why->status);
}

/* ---- descriptions ---- */

static bool keep_offer(struct sccp_leg *l, struct span sdp)
{
    free(l->offer);
    l->offer = sdp.p ? strndup(sdp.p, sdp.n) : NULL;
    return l->offer || !sdp.p;
}

static enum sdp_direction direction_of(const struct sccp_leg *l)
{
    return l->held    ? SDP_INACTIVE
           : l->offer ? sdp_direction_reversed(l->peer.direction)
                      : SDP_SENDRECV;
}

/* The answer to what was offered, or our offer. */
static int describe(struct sccp_leg *l, struct buf *out)
{
    const struct desk_media_at at = { &l->local,    direction_of(l), l->ref,
                                      ++l->version, l->hears_ms,     l->peer.events };
    desk_channel_renew(l);
    l->offered = l->local;
    l->untold = false;
    l->told_held = l->held;
    return l->offer ? desk_media_answer(l->session, span_str(l->offer), l->peer.codec, &at, out)
                    : desk_media_offer(l->session, &at, out);
}

/* What answers our offer. False: the phone cannot have it. */
static bool take_answer(struct sccp_leg *l, struct span sdp)
{
    if (desk_media_read(l->session, sdp, &l->peer))
        return false;
    if (!l->held && desk_channel_open(l, l->peer.codec))
        desk_channel_send(l);
    return true;
}

/* What is offered, or the wish for an offer: the phone hears by that codec from now on. */
static bool take_offer(struct sccp_leg *l, struct span sdp, bool *open)
{
    if (!keep_offer(l, sdp) || (sdp.p && desk_media_read(l->session, sdp, &l->peer)))
        return false;
    const struct desk_codec *codec = sdp.p      ? l->peer.codec
                                     : l->codec ? l->codec
                                                : desk_codec_best(l->session);
    *open = codec && (l->held || desk_channel_open(l, codec));
    return codec;
}

/* ---- a call that the phone makes ---- */

static void make_call_id(char out[CALL_ID + 1])
{
    static const char digits[] = "0123456789abcdef";
    rand_bytes(out, CALL_ID);
    for (size_t i = 0; i < CALL_ID; i++)
        out[i] = digits[(unsigned char)out[i] % 16];
    out[CALL_ID] = '\0';
}

static void begin_call(struct sccp_leg *l)
{
    struct ua *u = l->line->desk->ua;
    char text[SESSION_SDP_MAX], call_id[CALL_ID + 1];
    struct buf sdp = BUF_INIT(text);
    make_call_id(call_id);
    if (describe(l, &sdp)) {
        leg_sccp_fail(l, 500);
        return;
    }
    const struct call_asker asker = { .call_id = span_of(call_id, CALL_ID),
                                      .called = span_str(l->number),
                                      .extension = l->extension,
                                      .caller = l->line->number,
                                      .display = l->line->name,
                                      .who = l->line->aor,
                                      .offer = buf_span(&sdp),
                                      .max_forwards = 70 };
    l->state = DESK_CALLING;
    unsigned status = call_begin_by(u, &asker, &l->leg);
    if (status)
        leg_sccp_fail(l, status);
}

/* What was dialled is no call. */
static void forward(struct sccp_leg *l)
{
    const struct span to = dial_number(&l->dial);
    timer_stop(loop_of(l), &l->timer);
    if (span_eq(to, l->line->number) || !desk_can_dial(l->line, to)) {
        leg_sccp_fail(l, 404);
        return;
    }
    forward_set(l->line, to);
    release(l, 487);
}

void leg_sccp_place(struct sccp_leg *l)
{
    const struct desk_codec *best = desk_codec_best(l->session);
    if (l->forwards) {
        forward(l);
        return;
    }
    l->state = DESK_OPENING;
    timer_stop(loop_of(l), &l->timer);
    span_copy(l->number, sizeof(l->number), dial_number(&l->dial));
    if (!l->extension.p)
        span_copy(l->line->desk->last, sizeof(l->line->desk->last), dial_number(&l->dial));
    desk_show_proceeding(l);
    if (!best)
        leg_sccp_fail(l, 488);
    else if (desk_channel_open(l, best))
        begin_call(l);
}

static void ring(struct leg *leg, unsigned status, struct span sdp)
{
    struct sccp_leg *l = LEG_OF(leg);
    if (l->state != DESK_CALLING || l->hidden)
        return;
    if (sdp.p && !take_answer(l, sdp))
        return; /* the answer of the 2xx decides */
    if (status == 180 || sdp.p)
        desk_show_ringing_out(l, !sdp.p);
}

static void answer(struct leg *leg, struct span sdp)
{
    struct sccp_leg *l = LEG_OF(leg);
    if (l->state != DESK_CALLING)
        return;
    l->state = DESK_UP;
    if (!l->hidden)
        desk_show_up(l);
    if (!l->hidden && !take_answer(l, sdp))
        l->doomed = 488;
    if (l->hidden || l->doomed || l->untold)
        turn_queue(loop_of(l), &l->turn);
}

/* ---- a call to the phone ---- */

struct leg *leg_sccp_call(const struct desk_line *line, struct span from, struct span name,
                          struct span sdp, const struct leg_events *events, void *arg)
{
    struct sccp_leg *l = leg_sccp_new(line);
    if (!l)
        return NULL;
    l->placed = false;
    l->state = DESK_RINGING;
    span_copy(l->number, sizeof(l->number), from);
    span_copy(l->name, sizeof(l->name), name);
    if (!keep_offer(l, sdp)) {
        release(l, 500);
        return NULL;
    }
    l->leg.events = events;
    l->leg.arg = arg;
    if (sdp.p && desk_media_read(l->session, sdp, &l->peer))
        l->doomed = 488; /* it need not ring for that */
    else
        desk_show_ringing(l);
    turn_queue(loop_of(l), &l->turn);
    if (forward_to(line, FORWARD_NO_ANSWER).p)
        timer_start(loop_of(l), &l->timer, line->desk->ua->conf->sccp.no_answer);
    return &l->leg;
}

void leg_sccp_take_at_once(struct leg *leg)
{
    struct sccp_leg *l = LEG_OF(leg);
    l->automatic = do_not_disturb_of(l->line->desk) == SCCP_DND_OFF;
}

static void answer_call(struct sccp_leg *l)
{
    char text[SESSION_SDP_MAX];
    struct buf sdp = BUF_INIT(text);
    if (describe(l, &sdp)) {
        leg_sccp_hang_up(l, 500);
        return;
    }
    l->state = DESK_UP;
    desk_show_up(l);
    if (l->offer)
        desk_channel_send(l);
    l->leg.events->answered(l->leg.arg, &l->leg, buf_span(&sdp));
}

void leg_sccp_take(struct sccp_leg *l)
{
    bool open = false;
    struct span offer = l->offer ? span_str(l->offer) : SPAN_NULL;
    char *kept = l->offer;
    l->offer = NULL; /* read again, as any other */
    l->state = DESK_ANSWERING;
    timer_stop(loop_of(l), &l->timer);
    desk_show_taken(l);
    const bool taken = take_offer(l, offer, &open);
    free(kept);
    if (!taken)
        leg_sccp_hang_up(l, 488);
    else if (open)
        answer_call(l);
}

/* ---- a call that stands ---- */

/* Whether the other side knows where it is heard, if at all; it can be told of that by an offer, of
 * which there may be one at a time. */
static bool is_settled(const struct sccp_leg *l)
{
    return l->state == DESK_UP && !l->asks && !l->settles && !l->opening && !l->doomed;
}

static bool is_to_tell(const struct sccp_leg *l)
{
    return is_settled(l) && !l->hidden && (l->held != l->told_held || (!l->held && l->untold));
}

/* What waited for that goes on. */
static void go_further(struct sccp_leg *l)
{
    turn_queue(loop_of(l), &l->turn);
}

static void tell_settled(struct sccp_leg *l)
{
    char text[SESSION_SDP_MAX];
    struct buf sdp = BUF_INIT(text);
    int err = describe(l, &sdp);
    l->settles = false;
    if (!err && l->offer)
        desk_channel_send(l);
    go_further(l);
    l->leg.events->settled(l->leg.arg, &l->leg, err ? 500 : 200, err ? SPAN_NULL : buf_span(&sdp));
}

static void modify(struct leg *leg, struct span sdp)
{
    struct sccp_leg *l = LEG_OF(leg);
    bool open = false;
    if (l->state != DESK_UP)
        return;
    l->settles = true;
    if (!take_offer(l, sdp, &open))
        l->doomed = 488;
    if (open || l->doomed)
        turn_queue(loop_of(l), &l->turn);
}

static void ack(struct leg *leg, struct span sdp)
{
    struct sccp_leg *l = LEG_OF(leg);
    if (!take_answer(l, sdp))
        l->doomed = 488;
    go_further(l);
}

/* 491: their offer is under way, too (RFC 3261, 14.1). */
static void settle(struct leg *leg, unsigned status, struct span sdp)
{
    struct sccp_leg *l = LEG_OF(leg);
    l->asks = false;
    if (status == 491) {
        l->told_held = !l->held;
        if (!l->opening)
            timer_start(loop_of(l), &l->timer, DURATION_MS(rand_below(CROSSED_MS)));
    } else if (status < 300 && sdp.p) {
        ack(leg, sdp);
    } else {
        go_further(l);
    }
}

static void refuse(struct leg *leg, const struct leg_end *why)
{
    (void)why;
    LEG_OF(leg)->asks = false;
    go_further(LEG_OF(leg));
}

/* A digit is heard as a tone of the phone's own. */
static void info(struct leg *leg, struct span type, struct span body)
{
    struct sccp_leg *l = LEG_OF(leg);
    unsigned ms;
    const char digit = dtmf_read(type, body, &ms);
    if (!digit || l->state != DESK_UP || l->held || l->hidden)
        return;
    timer_stop(loop_of(l), &l->digit);
    desk_show_digit_heard(l, digit);
    timer_start(loop_of(l), &l->digit, DURATION_MS(ms));
}

static void on_digit_over(struct timer *t)
{
    desk_show_digit_heard(container_of(t, struct sccp_leg, digit), '\0');
}

static void notify(struct leg *leg, unsigned status)
{
    struct sccp_leg *l = LEG_OF(leg);
    if (!l->parks[0] || status < 200)
        return;
    desk_show_parked(l, status < 300);
    l->parks[0] = '\0';
}

static const struct leg_ops ops = { .ring = ring,
                                    .answer = answer,
                                    .ack = ack,
                                    .modify = modify,
                                    .settle = settle,
                                    .refuse = refuse,
                                    .info = info,
                                    .notify = notify,
                                    .end = end };

/* One of two: by its media, or by this. */
void leg_sccp_key(struct sccp_leg *l, char key)
{
    const bool said = l->session->events && l->peer.events;
    if (l->state == DESK_UP && l->leg.events && !said)
        l->leg.events->digit(l->leg.arg, &l->leg, key);
}

void leg_sccp_park(struct sccp_leg *l)
{
    const struct ua *u = l->line->desk->ua;
    const struct span slot = park_free_slot(u);
    char user[3 * NUMBER_MAX];
    struct buf b = BUF_INIT(user);
    if (!l->leg.events || !l->leg.events->may_refer || !slot.p ||
        !l->leg.events->may_refer(l->leg.arg, &l->leg)) {
        desk_show_parked(l, false);
        return;
    }
    span_copy(l->parks, sizeof(l->parks), slot);
    sip_user_write(&b, slot);
    l->leg.events->referred(
        l->leg.arg, &l->leg,
        &(struct leg_refer){ .user = buf_span(&b), .host = u->conf->domains[0] });
}

/* ---- hold ---- */

/* Another offer in a call that stands. */
static void ask(struct sccp_leg *l)
{
    char text[SESSION_SDP_MAX];
    struct buf sdp = BUF_INIT(text);
    if (!keep_offer(l, SPAN_NULL) || describe(l, &sdp))
        return;
    l->asks = true;
    l->leg.events->offered(l->leg.arg, &l->leg, buf_span(&sdp));
}

void leg_sccp_hold(struct sccp_leg *l)
{
    if (l->held || l->state != DESK_UP)
        return;
    desk_channel_close(l);
    l->held = true;
    desk_show_held(l);
    if (is_to_tell(l))
        ask(l);
    else
        go_further(l);
}

/* It hears elsewhere, perhaps: the other side is told when the phone has said where. */
void leg_sccp_resume(struct sccp_leg *l)
{
    if (!l->held)
        return;
    l->held = false;
    desk_show_resumed(l);
    desk_channel_open(l, l->peer.codec ? l->peer.codec : desk_codec_best(l->session));
}

void leg_sccp_confer(struct sccp_leg *l)
{
    l->conference = true;
    l->number[0] = '\0';
    span_copy(l->name, sizeof(l->name), SPAN("Conference"));
    if (l->held)
        leg_sccp_resume(l);
    else
        desk_show_up(l);
}

/* ---- what comes later ---- */

static void on_turn(struct turn *t)
{
    struct sccp_leg *l = container_of(t, struct sccp_leg, turn);
    if (l->doomed && l->settles) {
        unsigned status = l->doomed;
        l->doomed = 0;
        l->settles = false;
        l->leg.events->settled(l->leg.arg, &l->leg, status, SPAN_NULL);
    } else if (l->doomed) {
        leg_sccp_hang_up(l, l->doomed);
    } else if (l->settles && !l->opening) {
        tell_settled(l);
    } else if (l->state == DESK_RINGING) {
        l->leg.events->ringing(l->leg.arg, &l->leg, 180, SPAN_NULL);
        if (l->automatic && !l->waits)
            desk_take(l, true);
    } else if (is_to_tell(l)) {
        ask(l);
    } else if (is_settled(l)) {
        desk_transfer_go_on(l);
    }
}

/* It hears now. Where that is elsewhere than was said before, the other side is told. */
static void go_on(struct sccp_leg *l)
{
    if (l->state == DESK_OPENING) {
        begin_call(l);
    } else if (l->state == DESK_ANSWERING) {
        answer_call(l);
    } else if (l->settles) {
        tell_settled(l);
    } else {
        if (!l->leg.keys || (!l->untold && l->held == l->told_held))
            desk_channel_send(l); /* else by keys that are told first */
        go_further(l);
    }
}

void leg_sccp_opened(struct sccp_leg *l, const struct sccp_open_receive_channel_ack *m)
{
    if (!l->opening)
        return;
    l->opening = false;
    timer_stop(loop_of(l), &l->timer);
    if (m->status == SCCP_MEDIA_ON_HOOK) {
        leg_sccp_hang_up(l, l->state == DESK_UP ? 200 : 487);
    } else if (m->status != SCCP_MEDIA_OK || m->address.sa.sa_family == AF_UNSPEC || !m->port ||
               m->port > UINT16_MAX) {
        log_warn(&l->session->log, "the phone opens no channel", kv_u("status", m->status));
        leg_sccp_fail(l, 500);
    } else {
        l->local = m->address;
        addr_set_port(&l->local, (uint16_t)m->port);
        l->untold |= !addr_eq(&l->local, &l->offered);
        go_on(l);
    }
}

static void on_timer(struct timer *t)
{
    struct sccp_leg *l = container_of(t, struct sccp_leg, timer);
    const struct span to = forward_to(l->line, FORWARD_NO_ANSWER);
    if (l->state == DESK_RINGING && to.p) {
        leg_sccp_divert(l, to);
    } else if (l->state == DESK_RINGING) {
        return; /* it was taken away meanwhile */
    } else if (l->state == DESK_UP && !l->opening) {
        go_further(l);
    } else if (l->state != DESK_DIALLING) {
        log_warn(&l->session->log, "the phone does not open its channel");
        leg_sccp_fail(l, 500);
    } else if (l->dial.n) {
        leg_sccp_place(l);
    } else {
        leg_sccp_fail(l, 408);
    }
}
