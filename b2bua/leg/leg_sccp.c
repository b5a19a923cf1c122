#include "b2bua/leg/leg_sccp.h"

#include <stdlib.h>

#include "b2bua/call/call.h"
#include "b2bua/leg/dtmf.h"
#include "b2bua/session/session.h"
#include "b2bua/ua/ua.h"
#include "base/ct.h"
#include "base/rand.h"

enum { CALL_ID = 32 };

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

static void release(struct sccp_leg *l)
{
    desk_channel_close(l);
    timer_stop(loop_of(l), &l->digit);
    if (l->state != DESK_RINGING || !l->doomed)
        desk_show_over(l);
    list_remove(&l->link);
    turn_cancel(&l->turn);
    free(l->offer);
    ct_wipe(&l->keys, sizeof(l->keys));
    free(l);
}

static void leave_call(struct sccp_leg *l, unsigned status)
{
    const struct leg_events *events = l->leg.events;
    l->leg.events = NULL;
    if (events)
        events->ended(l->leg.arg, &l->leg, &(struct leg_end){ .status = status });
}

void leg_sccp_hang_up(struct sccp_leg *l, unsigned status)
{
    leave_call(l, status);
    release(l);
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
    const bool dialled = l->state < DESK_RINGING;
    leave_call(l, status);
    if (dialled)
        show_failure(l, status);
    else
        release(l);
}

static void end(struct leg *leg, const struct leg_end *why)
{
    struct sccp_leg *l = LEG_OF(leg);
    l->leg.events = NULL;
    if (l->state == DESK_OPENING || l->state == DESK_CALLING)
        show_failure(l, why->status);
    else
        release(l);
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
    static const enum sdp_direction seen[] = { [SDP_INACTIVE] = SDP_INACTIVE,
                                               [SDP_RECVONLY] = SDP_SENDONLY,
                                               [SDP_SENDONLY] = SDP_RECVONLY,
                                               [SDP_SENDRECV] = SDP_SENDRECV };
    return l->held ? SDP_INACTIVE : l->offer ? seen[l->peer.direction] : SDP_SENDRECV;
}

/* The answer to what was offered, or our offer. */
static int describe(struct sccp_leg *l, struct buf *out)
{
    const struct desk_media_at at = { &l->local,    direction_of(l), l->ref,
                                      ++l->version, l->hears_ms,     l->peer.events };
    desk_channel_renew(l);
    l->offered = l->local;
    l->untold = false;
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

void leg_sccp_place(struct sccp_leg *l)
{
    const struct desk_codec *best = desk_codec_best(l->session);
    l->state = DESK_OPENING;
    timer_stop(loop_of(l), &l->timer);
    span_copy(l->number, sizeof(l->number), dial_number(&l->dial));
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
    if (l->state != DESK_CALLING)
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
    desk_show_up(l);
    l->doomed = take_answer(l, sdp) ? 0 : 488;
    if (l->doomed || l->untold)
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
        release(l);
        return NULL;
    }
    l->leg.events = events;
    l->leg.arg = arg;
    if (sdp.p && desk_media_read(l->session, sdp, &l->peer))
        l->doomed = 488; /* it need not ring for that */
    else
        desk_show_ringing(l);
    turn_queue(loop_of(l), &l->turn);
    return &l->leg;
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
    desk_show_taken(l);
    const bool taken = take_offer(l, offer, &open);
    free(kept);
    if (!taken)
        leg_sccp_hang_up(l, 488);
    else if (open)
        answer_call(l);
}

/* ---- a call that stands ---- */

static void tell_settled(struct sccp_leg *l)
{
    char text[SESSION_SDP_MAX];
    struct buf sdp = BUF_INIT(text);
    int err = describe(l, &sdp);
    l->settles = false;
    if (!err && l->offer)
        desk_channel_send(l);
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
    if (take_answer(l, sdp))
        return;
    l->doomed = 488;
    turn_queue(loop_of(l), &l->turn);
}

/* What was asked is settled: what waited for that goes on. */
static void settled(struct sccp_leg *l)
{
    l->asks = false;
    if (l->toggles || l->untold)
        turn_queue(loop_of(l), &l->turn);
}

static void settle(struct leg *leg, unsigned status, struct span sdp)
{
    settled(LEG_OF(leg));
    if (status < 300 && sdp.p)
        ack(leg, sdp);
}

static void refuse(struct leg *leg, const struct leg_end *why)
{
    settled(LEG_OF(leg));
    (void)why;
}

/* A digit is heard as a tone of the phone's own. */
static void info(struct leg *leg, struct span type, struct span body)
{
    struct sccp_leg *l = LEG_OF(leg);
    unsigned ms;
    const char digit = dtmf_read(type, body, &ms);
    if (!digit || l->state != DESK_UP || l->held)
        return;
    timer_stop(loop_of(l), &l->digit);
    desk_show_digit_heard(l, digit);
    timer_start(loop_of(l), &l->digit, DURATION_MS(ms));
}

static void on_digit_over(struct timer *t)
{
    desk_show_digit_heard(container_of(t, struct sccp_leg, digit), '\0');
}

static void no_notify(struct leg *leg, unsigned status)
{
    (void)leg;
    (void)status;
}

static const struct leg_ops ops = { .ring = ring,
                                    .answer = answer,
                                    .ack = ack,
                                    .modify = modify,
                                    .settle = settle,
                                    .refuse = refuse,
                                    .info = info,
                                    .notify = no_notify,
                                    .end = end };

/* One of two: by its media, or by this. */
void leg_sccp_key(struct sccp_leg *l, char key)
{
    const bool said = l->session->events && l->peer.events;
    if (l->state == DESK_UP && l->leg.events && !said)
        l->leg.events->digit(l->leg.arg, &l->leg, key);
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

static bool is_settled(const struct sccp_leg *l)
{
    return l->state == DESK_UP && !l->asks && !l->settles && !l->opening && !l->doomed;
}

void leg_sccp_hold(struct sccp_leg *l)
{
    if (l->asks)
        l->toggles = !l->held;
    if (l->held || !is_settled(l))
        return;
    desk_channel_close(l);
    l->held = true;
    desk_show_held(l);
    ask(l);
}

/* It hears elsewhere, perhaps: the other side is told when the phone has said where. */
void leg_sccp_resume(struct sccp_leg *l)
{
    if (l->asks)
        l->toggles = l->held;
    if (!l->held || !is_settled(l))
        return;
    l->held = false;
    l->offered = (struct addr){ 0 };
    desk_show_resumed(l);
    desk_channel_open(l, l->peer.codec ? l->peer.codec : desk_codec_best(l->session));
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
    } else if (l->settles) {
        tell_settled(l);
    } else if (l->state == DESK_RINGING) {
        l->leg.events->ringing(l->leg.arg, &l->leg, 180, SPAN_NULL);
    } else if (l->untold && is_settled(l)) {
        ask(l);
    } else if (l->toggles) {
        l->toggles = false;
        if (l->held)
            leg_sccp_resume(l);
        else
            leg_sccp_hold(l);
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
        if (!l->leg.keys || !l->untold)
            desk_channel_send(l);
        if (l->state == DESK_UP && l->untold)
            ask(l);
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
    if (l->state != DESK_DIALLING) {
        log_warn(&l->session->log, "the phone does not open its channel");
        leg_sccp_fail(l, 500);
    } else if (l->dial.n) {
        leg_sccp_place(l);
    } else {
        leg_sccp_fail(l, 408);
    }
}
