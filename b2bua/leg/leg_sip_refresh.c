/* Session timers of a SIP leg (RFC 4028): refreshes, and the end of a call that nobody refreshed.
 */
#include <stdlib.h>

#include "b2bua/leg/leg_sip_impl.h"

enum { AGAIN_MS = 2000, LINES_MAX = 2048 };

void sip_leg_arm(struct sip_leg *l, const struct sip_msg *m)
{
    sip_leg_allows(l, m);
    timer_start(l->means->uac.loop, &l->refresh, session_timer_due(&l->session));
}

static void again_soon(struct sip_leg *l)
{
    timer_start(l->means->uac.loop, &l->refresh, DURATION_MS(AGAIN_MS));
}

static void give_up(struct sip_leg *l)
{
    struct leg_end why = { .status = 408,
                           .reason = SPAN("SIP;cause=408;text=\"Session Expired\"") };
    sip_leg_bye(l, &why);
    sip_leg_over(l, &why);
    (void)sip_leg_settle(l);
}

void sip_leg_refreshed(struct sip_leg *l, const struct sip_msg *resp)
{
    l->refreshing = false;
    if (resp->status == 408 || resp->status == 481 ||
        (resp->status == 422 && !session_timer_refused(&l->session, resp))) {
        give_up(l);
        return;
    }
    if (resp->status == 405 || resp->status == 501)
        l->updates = false;
    if (resp->status >= 300)
        again_soon(l);
    sip_leg_modify_now(l);
}

static void on_answer(void *arg, struct uac *r, struct sip_msg *resp)
{
    struct sip_leg *l = arg;
    (void)r;
    if (resp->status < 200)
        return;
    if (resp->status < 300) {
        dialog_refresh(&l->dialog, resp);
        session_timer_answered(&l->session, &l->means->timer, resp);
        sip_leg_arm(l, resp);
    }
    sip_leg_forget_asking(l);
    sip_leg_refreshed(l, resp);
}

static void on_failed(void *arg, struct uac *r, unsigned status)
{
    struct sip_leg *l = arg;
    (void)r;
    (void)status;
    sip_leg_forget_asking(l);
    give_up(l);
}

static void update(struct sip_leg *l)
{
    static const struct uac_events events = { on_answer, on_failed };
    struct uac_conf c = sip_leg_in_dialog(l, SIP_UPDATE);
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    uac_free(&l->asking);
    sip_leg_lines(&b, l);
    buf_lit(&b, "Supported: timer\r\n");
    session_timer_write_ask(&b, &l->session, &l->means->timer);
    c.lines = buf_span(&b);
    l->asking = uac_send(&l->means->uac, &c, &events, l);
    l->waiting = l->asking;
}

static struct span described(const struct sip_leg *l)
{
    const struct leg_events *e = l->leg.events;
    return e->described ? e->described(l->leg.arg, &l->leg) : SPAN_NULL;
}

static void on_refresh(struct timer *t)
{
    struct sip_leg *l = container_of(t, struct sip_leg, refresh);
    if (l->state != LEG_UP)
        return;
    if (!l->session.ours) {
        give_up(l);
        return;
    }
    again_soon(l); /* unless an answer says more */
    if (l->waiting || l->asked || l->ok || l->ack_walk)
        return;
    const struct span sdp = l->updates ? SPAN_NULL : described(l);
    if (!l->updates && !sdp.p)
        return;
    l->refreshing = true;
    if (l->updates)
        update(l);
    else
        sip_leg_reinvite(l, sdp);
}

void sip_leg_refresh_init(struct sip_leg *l)
{
    timer_init(&l->refresh, on_refresh);
}
