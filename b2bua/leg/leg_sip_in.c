/* What a SIP leg is asked: the INVITE that begins it, and what comes inside the dialog. */
#include <stdlib.h>

#include "b2bua/leg/leg_sip_impl.h"
#include "b2bua/trunk/trunk_policy.h"
#include "sip/write.h"

enum { ANSWER_MAX = 70000, LINES_MAX = 16384 };

static char out[ANSWER_MAX]; /* one loop, one message at a time */

/* ---- answers ---- */

/* What makes a dialog of an answer (RFC 3261, 12.1.1). */
void sip_leg_dialog_lines(struct buf *b, const struct sip_leg *l, const struct sip_msg *req)
{
    for (struct sip_values it = sip_values(req, SIP_HDR_RECORD_ROUTE); sip_next(&it);)
        sip_write_hdr(b, SPAN("Record-Route"), it.value);
    sip_leg_lines(b, l);
}

static struct tx *take_asked(struct sip_leg *l)
{
    struct tx *tx = l->asked;
    l->asked = NULL;
    tx_set_data(tx, NULL);
    return tx;
}

void sip_leg_refuse(struct sip_leg *l, const struct leg_end *why)
{
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    struct tx *tx = take_asked(l);
    sip_leg_forget_reliable(l);
    unsigned status = why->status < 300 ? 480 : why->status;
    sip_leg_write_end(&b, why, siptp_listener_sent_by(tx_flow(tx)->listener));
    for (size_t i = 0; status < 400 && i < why->n_moved; i++)
        buf_printf(&b, "Contact: <sip:" SPAN_FMT "@" SPAN_FMT ">\r\n", SPAN_ARG(why->moved[i].user),
                   SPAN_ARG(why->moved[i].host));
    tx_reply_full(tx, status, why->text, buf_ok(&b) ? buf_span(&b) : SPAN_NULL, SPAN_NULL,
                  SPAN_NULL);
    tx_unref(&tx);
}

void sip_leg_ring(struct leg *leg, unsigned status, struct span sdp)
{
    struct sip_leg *l = LEG_OF(leg);
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    if (l->state != LEG_ASKED || sip_leg_ring_reliably(l, status, sdp))
        return;
    sip_leg_dialog_lines(&b, l, tx_request(l->asked));
    if (buf_ok(&b))
        tx_reply_full(l->asked, status, SPAN_NULL, buf_span(&b),
                      sdp.p ? SPAN("application/sdp") : SPAN_NULL, sdp);
}

void sip_leg_forget_ok(struct sip_leg *l)
{
    if (!l->ok)
        return;
    timer_stop(l->means->uac.loop, &l->ok->timer);
    tx_unref(&l->ok->tx);
    free(l->ok);
    l->ok = NULL;
}

/* The 2xx again, until its ACK comes (13.3.1.4). */
static void on_ok_timer(struct timer *t)
{
    struct sent_ok *ok = container_of(t, struct sent_ok, timer);
    struct sip_leg *l = ok->leg;
    struct loop *loop = l->means->uac.loop;
    if (mono_before(loop_now(loop), ok->due)) {
        tx_forward(ok->tx, 200, span_of(ok->text, ok->n));
        ok->after.ms = CS_MIN(2 * ok->after.ms, l->means->t2.ms);
        timer_start(loop, &ok->timer, ok->after);
        return;
    }
    struct leg_end why = { .status = 408, .reason = SPAN("SIP;cause=408;text=\"No ACK\"") };
    sip_leg_forget_ok(l);
    sip_leg_bye(l, &why);
    sip_leg_over(l, &why);
    (void)sip_leg_settle(l);
}

static void send_ok(struct sip_leg *l, struct span sdp, bool offers)
{
    struct tx *tx = take_asked(l);
    struct sip_msg *req = tx_request(tx);
    struct loop *loop = l->means->uac.loop;
    struct buf b = BUF_INIT(out);
    sip_leg_forget_ok(l);
    sip_write_reply(&b, req, 200, SPAN_NULL, l->dialog.local_tag);
    sip_leg_dialog_lines(&b, l, req);
    session_timer_write_answer(&b, &l->session);
    sip_write_end(&b, sdp.p ? SPAN("application/sdp") : SPAN_NULL, sdp);
    struct sent_ok *ok = l->ok = buf_ok(&b) ? malloc(sizeof(*ok) + b.n) : NULL;
    if (!ok) {
        tx_reply(tx, 500, SPAN_NULL);
        tx_unref(&tx);
        return;
    }
    *ok = (struct sent_ok){ .leg = l,
                            .tx = tx,
                            .cseq = req->cseq,
                            .offers = offers,
                            .after = l->means->t1,
                            .due = mono_add(loop_now(loop), DURATION_MS(64 * l->means->t1.ms)),
                            .n = b.n };
    memcpy(ok->text, out, b.n);
    timer_init(&ok->timer, on_ok_timer);
    timer_start(loop, &ok->timer, ok->after);
    tx_forward(tx, 200, buf_span(&b));
    sip_leg_note(l);
    sip_leg_arm(l, req);
}

void sip_leg_answer(struct leg *leg, struct span sdp)
{
    struct sip_leg *l = LEG_OF(leg);
    if (l->state != LEG_ASKED || sip_leg_answers_later(l, sdp))
        return;
    l->state = LEG_UP;
    send_ok(l, sdp, !tx_request(l->asked)->body.n);
    sip_leg_modify_now(l);
}

static void settle_offer(struct sip_leg *l, unsigned status, struct span sdp)
{
    const struct sip_msg *req = tx_request(l->asked);
    if (status >= 300) {
        sip_leg_refuse(l, &(struct leg_end){ .status = status });
    } else if (req->method == SIP_INVITE) {
        send_ok(l, sdp, !req->body.n);
    } else {
        char lines[LINES_MAX];
        struct buf b = BUF_INIT(lines);
        struct tx *tx = take_asked(l);
        sip_leg_lines(&b, l);
        session_timer_write_answer(&b, &l->session);
        tx_reply_full(tx, 200, SPAN_NULL, buf_span(&b), SPAN("application/sdp"), sdp);
        sip_leg_arm(l, req);
        tx_unref(&tx);
    }
}

void sip_leg_settle_offer(struct leg *leg, unsigned status, struct span sdp)
{
    struct sip_leg *l = LEG_OF(leg);
    if (l->early.asked && status < 300)
        sip_leg_answer_early(l, sdp);
    else if (l->early.asked)
        sip_leg_refuse_early(l, &(struct leg_end){ .status = status });
    else if (l->asked && l->state == LEG_UP)
        settle_offer(l, status, sdp);
}

/* ---- requests ---- */

static bool asks_for_too_short(struct sip_leg *l, struct tx *tx)
{
    char line[64];
    struct buf b = BUF_INIT(line);
    if (!session_timer_asked(&l->session, &l->means->timer, tx_request(tx)))
        return false;
    session_timer_write_least(&b, &l->means->timer);
    tx_reply_full(tx, 422, SPAN("Session Interval Too Small"), buf_span(&b), SPAN_NULL, SPAN_NULL);
    return true;
}

static void on_offer(struct sip_leg *l, struct tx *tx, struct sip_msg *req)
{
    struct span sdp;
    if (l->state == LEG_OVER) {
        tx_reply(tx, 481, SPAN_NULL);
    } else if (l->state != LEG_UP) {
        sip_leg_in_early(l, tx, req);
    } else if (!sip_leg_sdp(req, &sdp)) {
        tx_reply(tx, 415, SPAN("Accept: application/sdp\r\n"));
    } else if (l->waiting || l->early.asking) {
        tx_reply(tx, 491, SPAN_NULL);
    } else if (l->asked || l->ok || l->early.asked) {
        sip_leg_reply_wait(tx);
    } else if (asks_for_too_short(l, tx)) {
        return;
    } else if (req->method == SIP_UPDATE && !sdp.p) { /* a session is refreshed, or a target */
        char lines[LINES_MAX];
        struct buf b = BUF_INIT(lines);
        dialog_refresh(&l->dialog, req);
        sip_leg_lines(&b, l);
        session_timer_write_answer(&b, &l->session);
        tx_reply(tx, 200, buf_span(&b));
        sip_leg_arm(l, req);
    } else {
        dialog_refresh(&l->dialog, req);
        l->asked = tx_ref(tx);
        tx_set_data(tx, l);
        l->leg.events->offered(l->leg.arg, &l->leg, sdp);
    }
}

void sip_leg_refuse_offer(struct leg *leg, const struct leg_end *why)
{
    struct sip_leg *l = LEG_OF(leg);
    if (l->early.asked)
        sip_leg_refuse_early(l, why);
    else if (l->asked && l->state == LEG_UP)
        sip_leg_refuse(l, why);
}

static void on_bye(struct sip_leg *l, struct tx *tx, const struct sip_msg *req)
{
    struct leg_end why = { .status = 200, .reason = sip_hdr_value(req, SIP_HDR_REASON) };
    tx_reply(tx, 200, SPAN_NULL);
    sip_leg_forget_ok(l);
    sip_leg_forget_asking(l);
    uac_free(&l->bye);
    sip_leg_over(l, &why);
    (void)sip_leg_settle(l);
}

void sip_leg_in(struct sip_leg *l, struct tx *tx, struct flow *flow, struct sip_msg *req)
{
    if (!dialog_takes(&l->dialog, req)) {
        tx_reply(tx, 500, SPAN_NULL); /* 12.2.2 */
        return;
    }
    if (flow->transport == SIP_LINK && flow->peer)
        l->peer = flow->peer;
    const struct trunk_conf *t = uac_trunk(&l->means->uac, l->trunk);
    if (t && req->method != SIP_INVITE && trunk_policy_refuses(&l->means->uac, t, tx))
        return;
    switch (req->method) {
    case SIP_BYE:
        on_bye(l, tx, req);
        break;
    case SIP_INVITE:
    case SIP_UPDATE:
        on_offer(l, tx, req);
        break;
    case SIP_INFO:
        tx_reply(tx, 200, SPAN_NULL);
        if (l->state == LEG_UP && req->body.n)
            l->leg.events->info(l->leg.arg, &l->leg, sip_hdr_value(req, SIP_HDR_CONTENT_TYPE),
                                req->body);
        break;
    case SIP_REFER:
        sip_leg_in_refer(l, tx, req);
        break;
    case SIP_PRACK:
        sip_leg_in_prack(l, tx, req);
        break;
    case SIP_OPTIONS:
        tx_reply(tx, 200, SPAN("Accept: application/sdp\r\n"));
        break;
    case SIP_NOTIFY: /* nothing of its was subscribed to (RFC 6665, 4.1.3) */
        tx_reply(tx, 481, SPAN_NULL);
        break;
    case SIP_SUBSCRIBE:
        tx_reply(tx, 489, SPAN(LEG_EVENTS));
        break;
    default:
        tx_reply(tx, 405, SPAN(LEG_ALLOW));
    }
}

void sip_leg_in_ack(struct sip_leg *l, struct sip_msg *ack)
{
    struct span sdp;
    if (!l->ok || ack->cseq != l->ok->cseq)
        return;
    bool offered = l->ok->offers;
    sip_leg_forget_ok(l);
    if (l->state == LEG_OVER) {
        sip_leg_bye_late(l);
        return;
    }
    if (!sip_leg_sdp(ack, &sdp) || !offered)
        sdp = SPAN_NULL;
    l->leg.events->acked(l->leg.arg, &l->leg, sdp);
}

void leg_sip_cancelled(struct tx *tx, struct sip_msg *cancel)
{
    struct sip_leg *l = tx_data(tx);
    struct leg_end why = { .status = 487, .reason = sip_hdr_value(cancel, SIP_HDR_REASON) };
    if (!l || l->asked != tx)
        return;
    if (l->state == LEG_UP) { /* what stood before stands (RFC 3261, 9.2 and 14.1) */
        sip_leg_refuse(l, &why);
        l->leg.events->withdrawn(l->leg.arg, &l->leg);
    } else if (l->state == LEG_ASKED) {
        sip_leg_over(l, &why);
        (void)sip_leg_settle(l);
    }
}

struct leg *leg_sip_take(const struct leg_sip_means *m, struct tx *invite, struct span contact,
                         struct span trunk, const struct leg_events *events, void *arg)
{
    struct sip_msg *req = tx_request(invite);
    struct flow *flow = tx_flow(invite);
    struct span sdp;
    if (!sip_leg_sdp(req, &sdp)) {
        tx_reply(invite, 415, SPAN("Accept: application/sdp\r\n"));
        return NULL;
    }
    struct sip_leg *l = sip_leg_new(m, contact, trunk, events, arg);
    int err = l ? dialog_of_invite(&l->dialog, req, tx_to_tag(invite)) : CS_ENOMEM;
    if (!err && asks_for_too_short(l, invite)) {
        sip_leg_free(l);
        return NULL;
    }
    if (!err)
        err = sip_leg_enter(l);
    if (err) {
        tx_reply(invite, err == CS_EPROTO ? 400 : 500, SPAN_NULL);
        if (l)
            sip_leg_free(l);
        return NULL;
    }
    l->state = LEG_ASKED;
    sip_leg_rest(l, req);
    sip_leg_allows(l, req);
    l->peer = flow->peer;
    l->source = flow->remote;
    l->asked = tx_ref(invite);
    tx_set_data(invite, l);
    return &l->leg;
}
