/* Offers before the INVITE has its final answer: by UPDATE, or in a PRACK (RFC 3311, 5; RFC 3262,
 * 5). They may be made once the INVITE's own was answered by a provisional answer that is
 * acknowledged; before that who asks is told to wait. */
#include "b2bua/leg/leg_sip_impl.h"
#include "base/rand.h"
#include "sip/write.h"

enum { LINES_MAX = 16384 };

void sip_leg_allows(struct sip_leg *l, const struct sip_msg *m)
{
    for (struct sip_values it = sip_values(m, SIP_HDR_ALLOW); sip_next(&it);)
        l->updates |= span_eq(it.value, SPAN("UPDATE"));
}

void sip_leg_reply_wait(struct tx *tx)
{
    char line[32];
    struct buf b = BUF_INIT(line);
    buf_printf(&b, "Retry-After: %u\r\n", (unsigned)rand_below(11));
    tx_reply(tx, 500, buf_span(&b));
}

/* ---- theirs ---- */

bool sip_leg_take_early(struct sip_leg *l, struct tx *tx, const struct sip_msg *req,
                        struct span sdp)
{
    if (!l->early.agreed || l->early.asked || l->early.asking || !l->leg.events->offered)
        return false;
    dialog_refresh(&l->dialog, req);
    l->early.asked = tx_ref(tx);
    l->early.used = true;
    l->leg.events->offered(l->leg.arg, &l->leg, sdp);
    return true;
}

void sip_leg_in_early(struct sip_leg *l, struct tx *tx, const struct sip_msg *req)
{
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    struct span sdp;
    const bool ours = l->early.asking || (l->state == LEG_ASKING && !l->early.agreed);
    if (req->method == SIP_UPDATE && !req->body.n) {
        dialog_refresh(&l->dialog, req);
        sip_leg_lines(&b, l);
        tx_reply(tx, 200, buf_span(&b));
    } else if (ours || (req->method == SIP_INVITE && l->state == LEG_ASKING)) {
        tx_reply(tx, 491, SPAN_NULL); /* an offer of ours has no answer yet */
    } else if (req->method == SIP_INVITE || !l->early.agreed || l->early.asked) {
        sip_leg_reply_wait(tx); /* one of theirs has not */
    } else if (!sip_leg_sdp(req, &sdp)) {
        tx_reply(tx, 415, SPAN("Accept: application/sdp\r\n"));
    } else if (!sip_leg_take_early(l, tx, req, sdp)) {
        tx_reply(tx, 488, SPAN_NULL);
    }
}

static struct tx *take_asked(struct sip_leg *l)
{
    struct tx *tx = l->early.asked;
    l->early.asked = NULL;
    return tx;
}

void sip_leg_answer_early(struct sip_leg *l, struct span sdp)
{
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    struct tx *tx = take_asked(l);
    sip_leg_lines(&b, l);
    tx_reply_full(tx, 200, SPAN_NULL, buf_span(&b), SPAN("application/sdp"), sdp);
    tx_unref(&tx);
}

void sip_leg_refuse_early(struct sip_leg *l, const struct leg_end *why)
{
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    struct tx *tx = take_asked(l);
    sip_leg_write_end(&b, why, siptp_listener_sent_by(tx_flow(tx)->listener));
    tx_reply_full(tx, why->status, why->text, buf_ok(&b) ? buf_span(&b) : SPAN_NULL, SPAN_NULL,
                  SPAN_NULL);
    tx_unref(&tx);
}

/* ---- ours ---- */

static void settled(struct sip_leg *l, unsigned status, struct span sdp)
{
    uac_free(&l->early.asking);
    l->leg.events->settled(l->leg.arg, &l->leg, status, sdp);
}

static void on_answer(void *arg, struct uac *r, struct sip_msg *resp)
{
    struct sip_leg *l = arg;
    struct span sdp;
    (void)r;
    if (resp->status < 200)
        return;
    if (resp->status < 300)
        dialog_refresh(&l->dialog, resp);
    settled(l, resp->status, sip_leg_sdp(resp, &sdp) ? sdp : SPAN_NULL);
}

static void on_failed(void *arg, struct uac *r, unsigned status)
{
    (void)r;
    settled(arg, status, SPAN_NULL);
}

bool sip_leg_update(struct leg *leg, struct span sdp)
{
    static const struct uac_events events = { on_answer, on_failed };
    struct sip_leg *l = LEG_OF(leg);
    if ((l->state != LEG_ASKED && l->state != LEG_ASKING) || !l->early.agreed || !l->updates ||
        l->early.asking || l->early.asked)
        return false;
    if (!sdp.p)
        return true;
    struct uac_conf c = sip_leg_in_dialog(l, SIP_UPDATE);
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    sip_leg_lines(&b, l);
    c.lines = buf_span(&b);
    c.type = SPAN("application/sdp");
    c.body = sdp;
    l->early.asking = uac_send(&l->means->uac, &c, &events, l);
    l->early.used |= l->early.asking != NULL;
    return l->early.asking;
}

void sip_leg_forget_early(struct sip_leg *l)
{
    uac_free(&l->early.asking);
    if (l->early.asked)
        sip_leg_refuse_early(l, &(struct leg_end){ .status = 487 }); /* RFC 3261, 15.1.2 */
}
