/* Provisional answers that are acknowledged (RFC 3262): ours, where the INVITE requires it, and
 * theirs. */
#include <stdlib.h>

#include "b2bua/leg/leg_sip_impl.h"
#include "sip/write.h"

enum { LINES_MAX = 256 };

static char out[70000]; /* one loop, one message at a time */

/* ---- ours ---- */

static void forget(struct sip_leg *l)
{
    timer_stop(l->means->uac.loop, &l->reliable->timer);
    free(l->reliable->text);
    l->reliable->text = NULL;
}

void sip_leg_forget_reliable(struct sip_leg *l)
{
    if (!l->reliable)
        return;
    forget(l);
    free(l->reliable->next);
    free(l->reliable);
    l->reliable = NULL;
}

static void on_timer(struct timer *t)
{
    struct reliable *r = container_of(t, struct reliable, timer);
    struct sip_leg *l = r->leg;
    struct loop *loop = l->means->uac.loop;
    if (mono_before(loop_now(loop), r->due)) {
        tx_forward(l->asked, r->status, span_of(r->text, r->n));
        struct duration left = mono_since(loop_now(loop), r->due);
        r->after.ms *= 2;
        timer_start(loop, t, DURATION_MS(CS_MIN(r->after.ms, left.ms + 1)));
        return;
    }
    struct leg_end why = { .status = 504, .reason = SPAN("SIP;cause=504;text=\"No PRACK\"") };
    sip_leg_forget_reliable(l);
    sip_leg_refuse(l, &why);
    sip_leg_over(l, &why);
    (void)sip_leg_settle(l);
}

static struct reliable *reliable_of(struct sip_leg *l)
{
    if (!l->reliable && (l->reliable = calloc(1, sizeof(*l->reliable)))) {
        l->reliable->leg = l;
        timer_init(&l->reliable->timer, on_timer);
    }
    return l->reliable;
}

static void send_reliable(struct sip_leg *l, unsigned status, struct span sdp)
{
    struct reliable *r = reliable_of(l);
    if (!r)
        return; /* as if it had been lost for good: what follows says more */
    struct loop *loop = l->means->uac.loop;
    struct buf b = BUF_INIT(out);
    sip_write_reply(&b, tx_request(l->asked), status, SPAN_NULL, l->dialog.local_tag);
    sip_leg_dialog_lines(&b, l, tx_request(l->asked));
    buf_printf(&b, "Require: 100rel\r\nRSeq: %u\r\n", ++r->rseq);
    sip_write_end(&b, sdp.p ? SPAN("application/sdp") : SPAN_NULL, sdp);
    r->text = buf_ok(&b) ? malloc(b.n) : NULL;
    if (!r->text)
        return; /* likewise */
    memcpy(r->text, out, b.n);
    r->n = b.n;
    r->status = status;
    r->answers = sdp.p && tx_request(l->asked)->body.n;
    r->after = l->means->t1;
    r->due = mono_add(loop_now(loop), DURATION_MS(64 * l->means->t1.ms));
    timer_start(loop, &r->timer, r->after);
    tx_forward(l->asked, status, buf_span(&b));
}

/* What comes behind one that is not acknowledged yet waits for that (RFC 3262, 3). */
static void wait_for_prack(struct sip_leg *l, unsigned status, struct span sdp)
{
    struct reliable *r = l->reliable;
    if (!sdp.p && status < 200)
        return;
    char *copy = strndup(sdp.p ? sdp.p : "", sdp.n);
    if (!copy)
        return;
    free(r->next);
    r->next = copy;
    r->next_status = status;
}

static bool waits(const struct sip_leg *l)
{
    return l->reliable && l->reliable->text;
}

bool sip_leg_ring_reliably(struct sip_leg *l, unsigned status, struct span sdp)
{
    if (!sip_lists(tx_request(l->asked), SIP_HDR_REQUIRE, SPAN("100rel")))
        return false;
    if (waits(l))
        wait_for_prack(l, status, sdp);
    else
        send_reliable(l, status, sdp);
    return true;
}

bool sip_leg_answers_later(struct sip_leg *l, struct span sdp)
{
    if (waits(l))
        wait_for_prack(l, 200, sdp);
    return waits(l);
}

/* RAck: rseq, number and method of what was answered so. */
static bool is_of(const struct sip_leg *l, const struct sip_msg *prack)
{
    struct span rest = sip_hdr_named(prack, SPAN("RAck"));
    uint64_t rseq, cseq;
    return waits(l) && !span_u64(span_cut(&rest, ' '), UINT32_MAX, &rseq) &&
           rseq == l->reliable->rseq && !span_u64(span_cut(&rest, ' '), UINT32_MAX, &cseq) &&
           cseq == tx_request(l->asked)->cseq && span_eq(span_trim(rest), SPAN("INVITE"));
}

void sip_leg_in_prack(struct sip_leg *l, struct tx *tx, const struct sip_msg *prack)
{
    if (!is_of(l, prack)) {
        tx_reply(tx, 481, SPAN_NULL);
        return;
    }
    struct span sdp;
    forget(l);
    l->early.agreed |= l->reliable->answers;
    if (!prack->body.n)
        tx_reply(tx, 200, SPAN_NULL);
    else if (!sip_leg_sdp(prack, &sdp) || !sip_leg_take_early(l, tx, prack, sdp))
        tx_reply(tx, 488, SPAN_NULL);
    struct reliable *r = l->reliable; /* NULL: refused meanwhile */
    char *next = r ? r->next : NULL;
    const unsigned status = r ? r->next_status : 0;
    if (r)
        r->next = NULL;
    if (next && status == 200)
        sip_leg_answer(&l->leg, span_str(next));
    else if (next)
        send_reliable(l, status, *next ? span_str(next) : SPAN_NULL);
    free(next);
}

/* ---- theirs ---- */

bool sip_leg_prack(struct sip_leg *l, const struct sip_msg *resp)
{
    char line[LINES_MAX];
    struct buf b = BUF_INIT(line);
    uint64_t rseq;
    struct uac_conf c = sip_leg_in_dialog(l, SIP_PRACK);
    bool ours = span_eq(resp->to.tag, l->dialog.remote_tag);
    if (!sip_lists(resp, SIP_HDR_REQUIRE, SPAN("100rel")) ||
        span_u64(sip_hdr_named(resp, SPAN("RSeq")), UINT32_MAX, &rseq) ||
        (ours && l->rseq && rseq != (uint64_t)l->rseq + 1))
        return false;
    buf_printf(&b, "RAck: %u %u INVITE\r\n", (unsigned)rseq, resp->cseq);
    c.lines = buf_span(&b);
    if (ours) {
        l->rseq = (uint32_t)rseq;
        sip_leg_send_aside(l, &c, NULL);
        return true;
    }
    struct dialog *other = calloc(1, sizeof(*other));
    if (!other || dialog_sibling(&l->dialog, resp, other)) {
        free(other);
        return false;
    }
    c.dialog = other;
    sip_leg_send_aside(l, &c, other);
    return false;
}
