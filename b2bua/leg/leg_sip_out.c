/* What a SIP leg asks: the INVITE that begins it, ACK, BYE, and what it says inside the dialog. */
#include <stdlib.h>

#include "b2bua/call/redirect.h"
#include "b2bua/leg/leg_sip_impl.h"
#include "sip/write.h"

enum { MESSAGE_MAX = 70000, LINES_MAX = 8192, IN_DIALOG_FORWARDS = 70 };

static char out[MESSAGE_MAX]; /* one loop, one message at a time */

struct uac_conf sip_leg_in_dialog(struct sip_leg *l, enum sip_method method)
{
    return (struct uac_conf){ .dialog = &l->dialog,
                              .method = method,
                              .node = sip_leg_is_line(l) ? l->peer : 0,
                              .max_forwards = IN_DIALOG_FORWARDS,
                              .trunk = l->trunk,
                              .route = l->route };
}

/* ---- ACK ---- */

static void forget_ack_walk(struct sip_leg *l)
{
    hop_walk_free(&l->ack_walk);
    free(l->ack_hop);
    free(l->ack_uri);
    free(l->ack_sdp);
    l->ack_hop = NULL;
    l->ack_uri = l->ack_sdp = NULL;
}

static void on_ack_hop(void *arg, int err, struct flow *flow)
{
    struct sip_leg *l = arg;
    char branch[SIP_BRANCH_LEN], via[512];
    struct buf bb = BUF_INIT(branch), vb = BUF_INIT(via), b = BUF_INIT(out);
    if (!err) {
        siptx_branch(&bb);
        flow_write_via(&vb, flow, buf_span(&bb));
        dialog_write(&b, &l->dialog, SPAN("ACK"), l->ack_cseq, buf_span(&vb), IN_DIALOG_FORWARDS);
        buf_put(&b, span_str(l->ack_proofs));
        sip_write_end(&b, l->ack_sdp ? SPAN("application/sdp") : SPAN_NULL, span_str(l->ack_sdp));
        free(l->ack);
        l->ack = buf_ok(&b) ? malloc(b.n) : NULL;
        if (l->ack) {
            memcpy(l->ack, out, b.n);
            l->ack_n = b.n;
            flow_unref(&l->ack_flow);
            l->ack_flow = flow_ref(flow);
            err = flow_send(flow, buf_span(&b));
        }
    }
    forget_ack_walk(l);
    if (err)
        log_warn(&(struct log){ .module = "leg" }, "an ACK could not be sent", kv_err(err),
                 kv_s("call_id", l->dialog.call_id));
    if (l->state == LEG_OVER && !l->bye)
        sip_leg_bye_late(l);
    (void)sip_leg_settle(l);
}

/* To the next hop of the dialog, which is not always whom the INVITE went to. */
static void send_ack(struct sip_leg *l, struct span sdp)
{
    forget_ack_walk(l);
    struct hop *hop = l->ack_hop = malloc(sizeof(*hop));
    struct hop_ask ask = { .hops = &hop, .n = 1, .seed = hops_seed(l->dialog.call_id) };
    struct sip_uri next;
    if (!hop)
        return;
    l->ack_sdp = sdp.p ? strndup(sdp.p, sdp.n) : NULL;
    *hop = (struct hop){ .text = SPAN("node"), .node = sip_leg_is_line(l) ? l->peer : 0 };
    if (!hop->node) {
        l->ack_uri = dialog_next_hop(&l->dialog, &next) ? NULL : strndup(next.text.p, next.text.n);
        if (!l->ack_uri || !hop_read(span_str(l->ack_uri), hop))
            return;
        uac_bind(&l->means->uac, l->trunk, hop, &ask);
    }
    l->ack_walk = hop_walk_new(&l->means->uac.hops, &ask, on_ack_hop, l);
    if (l->ack_walk)
        hop_walk_next(l->ack_walk);
}

void sip_leg_ack(struct leg *leg, struct span sdp)
{
    struct sip_leg *l = LEG_OF(leg);
    if (l->state == LEG_UP)
        send_ack(l, sdp);
}

static void keep_proofs(struct sip_leg *l, const struct uac *r)
{
    struct span lines = uac_credentials(r);
    free(l->ack_proofs);
    l->ack_proofs = lines.p ? strndup(lines.p, lines.n) : NULL;
    l->ack_cseq = uac_cseq(r);
}

/* ---- what nobody waits for ---- */

static void aside_free(struct aside *a)
{
    list_remove(&a->link);
    uac_free(&a->request);
    if (a->own)
        dialog_fini(a->own);
    free(a->own);
    free(a);
}

static void aside_over(struct aside *a)
{
    struct sip_leg *l = a->leg;
    aside_free(a);
    (void)sip_leg_settle(l);
}

static void on_aside(void *arg, struct uac *r, struct sip_msg *resp)
{
    (void)r;
    if (resp->status >= 200)
        aside_over(arg);
}

static void on_aside_failed(void *arg, struct uac *r, unsigned status)
{
    (void)r;
    (void)status;
    aside_over(arg);
}

void sip_leg_send_aside(struct sip_leg *l, struct uac_conf *conf, struct dialog *own)
{
    static const struct uac_events events = { on_aside, on_aside_failed };
    struct aside *a = calloc(1, sizeof(*a));
    if (a) {
        list_init(&a->link);
        a->leg = l;
        a->own = own;
        a->request = uac_send(&l->means->uac, conf, &events, a);
    }
    if (a && a->request) {
        list_push_back(&l->asides, &a->link);
    } else if (a) {
        aside_free(a);
    } else if (own) {
        dialog_fini(own);
        free(own);
    }
}

void sip_leg_info(struct leg *leg, struct span type, struct span body)
{
    struct sip_leg *l = LEG_OF(leg);
    struct uac_conf c = sip_leg_in_dialog(l, SIP_INFO);
    c.type = type;
    c.body = body;
    if (l->state == LEG_UP)
        sip_leg_send_aside(l, &c, NULL);
}

/* A second phone behind a fork has taken the call, too: it is acknowledged and ended (RFC 6026). */
static void end_sibling(struct sip_leg *l, const struct sip_msg *resp)
{
    struct dialog *d = calloc(1, sizeof(*d));
    if (!d || dialog_sibling(&l->dialog, resp, d)) {
        free(d);
        return;
    }
    char branch[SIP_BRANCH_LEN], via[512];
    struct buf bb = BUF_INIT(branch), vb = BUF_INIT(via), b = BUF_INIT(out);
    struct flow *flow = uac_flow(l->asking);
    siptx_branch(&bb);
    flow_write_via(&vb, flow, buf_span(&bb));
    dialog_write(&b, d, SPAN("ACK"), uac_cseq(l->asking), buf_span(&vb), IN_DIALOG_FORWARDS);
    buf_put(&b, uac_credentials(l->asking));
    sip_write_end(&b, SPAN_NULL, SPAN_NULL);
    if (buf_ok(&b) && flow_send(flow, buf_span(&b)))
        log_debug(flow_log(flow), "an ACK could not be sent");
    struct uac_conf c = sip_leg_in_dialog(l, SIP_BYE);
    c.dialog = d;
    sip_leg_send_aside(l, &c, d);
}

void sip_leg_forget_asking(struct sip_leg *l)
{
    uac_free(&l->asking);
    l->waiting = false;
}

/* ---- BYE ---- */

static void bye_over(struct sip_leg *l)
{
    uac_free(&l->bye);
    (void)sip_leg_settle(l);
}

static void on_bye_answer(void *arg, struct uac *r, struct sip_msg *resp)
{
    (void)r;
    if (resp->status >= 200)
        bye_over(arg);
}

static void on_bye_failed(void *arg, struct uac *r, unsigned status)
{
    (void)r;
    (void)status;
    bye_over(arg);
}

void sip_leg_bye(struct sip_leg *l, const struct leg_end *why)
{
    static const struct uac_events events = { on_bye_answer, on_bye_failed };
    struct uac_conf c = sip_leg_in_dialog(l, SIP_BYE);
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    if (l->bye)
        return;
    sip_leg_forget_asking(l);
    sip_leg_write_end(&b, &(struct leg_end){ .reason = why->reason }, SPAN_NULL);
    c.lines = buf_ok(&b) ? buf_span(&b) : SPAN_NULL;
    l->bye = uac_send(&l->means->uac, &c, &events, l);
}

/* ---- offers inside the dialog ---- */

/* The same 2xx once more: our ACK was lost. */
static void ack_again(struct sip_leg *l)
{
    if (l->ack && flow_send(l->ack_flow, span_of(l->ack, l->ack_n)))
        log_debug(flow_log(l->ack_flow), "an ACK could not be sent");
}

static void on_no_more(void *arg, struct uac *r)
{
    struct sip_leg *l = arg;
    (void)r;
    sip_leg_forget_asking(l);
    flow_unref(&l->ack_flow);
    free(l->ack);
    l->ack = NULL;
}

/* What another offer has taken the place of is not told. */
static void settled(struct sip_leg *l, unsigned status, struct span sdp)
{
    if (l->modifies)
        sip_leg_modify_now(l);
    else if (l->state == LEG_UP)
        l->leg.events->settled(l->leg.arg, &l->leg, status, sdp);
}

static void on_modified(void *arg, struct uac *r, struct sip_msg *resp)
{
    struct sip_leg *l = arg;
    struct span sdp;
    if (resp->status < 200)
        return;
    if (!l->waiting) {
        ack_again(l);
        return;
    }
    l->waiting = false;
    if (!sip_leg_sdp(resp, &sdp))
        sdp = SPAN_NULL;
    if (resp->status < 300) {
        dialog_refresh(&l->dialog, resp);
        keep_proofs(l, r);
        session_timer_answered(&l->session, &l->means->timer, resp);
        sip_leg_arm(l, resp);
        if (!l->offerless || l->modifies)
            send_ack(l, SPAN_NULL);
    }
    if (l->refreshing) {
        sip_leg_refreshed(l, resp);
        return;
    }
    if (resp->status == 481 || resp->status == 408) { /* there is no such dialog (12.2.1.2) */
        sip_leg_over(l, &(struct leg_end){ .status = resp->status });
        (void)sip_leg_settle(l);
        return;
    }
    settled(l, resp->status, sdp);
}

static void on_modify_failed(void *arg, struct uac *r, unsigned status)
{
    struct sip_leg *l = arg;
    (void)r;
    sip_leg_forget_asking(l);
    if (status == 408 || l->refreshing) {
        struct leg_end why = { .status = 408 };
        sip_leg_bye(l, &why);
        sip_leg_over(l, &why);
        (void)sip_leg_settle(l);
    } else {
        settled(l, status, SPAN_NULL);
    }
}

static void on_no_room(struct turn *t)
{
    struct sip_leg *l = container_of(t, struct sip_leg, no_room);
    settled(l, 500, SPAN_NULL);
}

void sip_leg_modify_init(struct sip_leg *l)
{
    turn_init(&l->no_room, on_no_room);
}

void sip_leg_modify_now(struct sip_leg *l)
{
    char *offer = l->offer;
    if (!l->modifies)
        return;
    l->modifies = false;
    l->offer = NULL;
    sip_leg_modify(&l->leg, span_str(offer));
    free(offer);
}

/* Behind what we asked and has no answer yet, such as a refresh, and behind our 2xx where that
 * waits for a PRACK. */
void sip_leg_modify(struct leg *leg, struct span sdp)
{
    struct sip_leg *l = LEG_OF(leg);
    if (l->state == LEG_OVER)
        return;
    if (l->state != LEG_UP || l->waiting) {
        free(l->offer);
        l->offer = sdp.p ? strndup(sdp.p, sdp.n) : NULL;
        l->modifies = true;
        return;
    }
    l->refreshing = false;
    sip_leg_reinvite(l, sdp);
    if (!l->asking)
        turn_queue(l->means->uac.loop, &l->no_room);
}

bool sip_leg_withdraw(struct leg *leg)
{
    struct sip_leg *l = LEG_OF(leg);
    if (l->modifies) { /* it never left */
        l->modifies = false;
        free(l->offer);
        l->offer = NULL;
        return false;
    }
    if (l->waiting && !l->refreshing)
        uac_cancel(l->asking, SPAN_NULL);
    return true;
}

void sip_leg_reinvite(struct sip_leg *l, struct span sdp)
{
    static const struct uac_events events = { on_modified, on_modify_failed, .over = on_no_more };
    struct uac_conf c = sip_leg_in_dialog(l, SIP_INVITE);
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    uac_free(&l->asking);
    sip_leg_lines(&b, l);
    buf_lit(&b, "Supported: timer\r\n");
    session_timer_write_ask(&b, &l->session, &l->means->timer);
    c.lines = buf_span(&b);
    c.type = sdp.p ? SPAN("application/sdp") : SPAN_NULL;
    c.body = sdp;
    l->offerless = !sdp.p;
    l->asking = uac_send(&l->means->uac, &c, &events, l);
    l->waiting = l->asking;
}

/* ---- the INVITE ---- */

static void on_taken(struct sip_leg *l, struct uac *r, struct sip_msg *resp)
{
    struct span sdp;
    if (!l->waiting) {
        ack_again(l);
        return;
    }
    l->waiting = false;
    if (dialog_establish(&l->dialog, resp)) {
        uac_free(&l->asking);
        sip_leg_over(l, &(struct leg_end){ .status = 502 });
        (void)sip_leg_settle(l);
        return;
    }
    keep_proofs(l, r);
    if (l->ended_early) { /* it crossed our CANCEL */
        l->ended_early = false;
        send_ack(l, SPAN_NULL);
        (void)sip_leg_settle(l);
        return;
    }
    l->state = LEG_UP;
    free(l->lines);
    l->lines = NULL;
    sip_leg_rest(l, resp);
    sip_leg_note(l);
    session_timer_answered(&l->session, &l->means->timer, resp);
    sip_leg_arm(l, resp);
    if (!sip_leg_sdp(resp, &sdp))
        sdp = SPAN_NULL;
    if (!l->offerless)
        send_ack(l, SPAN_NULL);
    l->leg.events->answered(l->leg.arg, &l->leg, sdp);
}

static bool is_cisco(const struct trunk_conf *t)
{
    return t && t->profile == PROFILE_CISCO_GW;
}

static void write_invite(struct buf *b, const struct sip_leg *l)
{
    const struct trunk_conf *t = uac_trunk(&l->means->uac, l->trunk);
    sip_leg_lines(b, l);
    if (is_cisco(t))
        profile_write_cisco(b, loop_wall(l->means->uac.loop), !l->offerless);
    else
        buf_lit(b, "Supported: 100rel, timer\r\n");
    if (is_cisco(t) && !l->session.least_s)
        buf_lit(b, "Min-SE: 1800\r\n"); /* what it may be refreshed by, not that it is to be */
    else
        session_timer_write_ask(b, &l->session, &l->means->timer);
    buf_put(b, span_str(l->lines));
}

/* They want to be refreshed more seldom. */
static bool ask_again(struct sip_leg *l, const struct sip_msg *resp)
{
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    if (resp->status != 422 || l->state != LEG_ASKING || !session_timer_refused(&l->session, resp))
        return false;
    write_invite(&b, l);
    return buf_ok(&b) && uac_again(l->asking, buf_span(&b)) == 0;
}

/* "SIP;cause=488": of a 199. 0: it does not say. */
static unsigned cause_of(const struct sip_msg *resp)
{
    struct span value = sip_hdr_value(resp, SIP_HDR_REASON), rest = value, cause;
    struct span protocol = span_cut(&rest, ';');
    uint64_t status;
    bool said = span_caseeq(span_trim(protocol), SPAN("SIP")) &&
                sip_param(span_skip(value, protocol.n), SPAN("cause"), &cause) == 0 &&
                span_u64(cause, 699, &status) == 0;
    return said ? (unsigned)status : 0;
}

/* What was agreed on with one target after the first offer, the next one knows nothing of. True: it
 * is given up. */
static bool comes_too_late(struct sip_leg *l, const struct sip_msg *resp)
{
    if (l->state != LEG_ASKING || !l->early.used || l->dialog.established || resp->status >= 300)
        return false;
    l->ended_early = true;
    if (resp->status < 200)
        uac_cancel(l->asking, SPAN_NULL);
    sip_leg_over(l, &(struct leg_end){ .status = 503 });
    return resp->status < 200;
}

static void on_invite_answer(void *arg, struct uac *r, struct sip_msg *resp)
{
    struct sip_leg *l = arg;
    struct span sdp;
    l->source = uac_flow(r)->remote;
    l->peer = uac_flow(r)->peer;
    if (ask_again(l, resp) || comes_too_late(l, resp))
        return;
    if (l->state == LEG_ASKING && l->leg.events->heard)
        l->leg.events->heard(l->leg.arg, &l->leg, resp);
    if (resp->status >= 300) {
        if (resp->status != 488 || !sip_leg_sdp(resp, &sdp))
            sdp = SPAN_NULL;
        struct leg_target moved[REDIRECT_TARGETS_MAX];
        struct leg_end why = { .status = resp->status,
                               .text = resp->reason,
                               .reason = sip_hdr_value(resp, SIP_HDR_REASON),
                               .sdp = sdp,
                               .moved = moved,
                               .n_moved = redirect_targets(resp, moved) };
        uac_free(&l->asking);
        l->waiting = false;
        sip_leg_over(l, &why);
        (void)sip_leg_settle(l);
        return;
    }
    if (resp->status == 199) { /* none of those that ring */
        if (l->state == LEG_ASKING && l->leg.events->one_refused)
            l->leg.events->one_refused(l->leg.arg, &l->leg, cause_of(resp));
        return;
    }
    bool sibling = l->dialog.established && !span_eq(resp->to.tag, l->dialog.remote_tag);
    if (resp->status >= 200) {
        if (sibling && !l->waiting)
            end_sibling(l, resp);
        else
            on_taken(l, r, resp);
        return;
    }
    if (l->state != LEG_ASKING || !resp->to.tag.p)
        return;
    if (!l->dialog.established) {
        if (dialog_establish(&l->dialog, resp))
            return;
        l->rseq = 0; /* another hop counts for itself */
        l->early.agreed = l->updates = false;
    }
    if (!sip_leg_sdp(resp, &sdp))
        sdp = SPAN_NULL;
    sip_leg_allows(l, resp);
    if (sip_leg_prack(l, resp))
        l->early.agreed |= sdp.p && !l->offerless;
    l->leg.events->ringing(l->leg.arg, &l->leg, resp->status, sdp);
}

static void on_invite_failed(void *arg, struct uac *r, unsigned status)
{
    struct sip_leg *l = arg;
    (void)r;
    sip_leg_forget_asking(l);
    sip_leg_over(l, &(struct leg_end){ .status = status });
    (void)sip_leg_settle(l);
}

static void on_invite_silent(void *arg, struct uac *r);

static const struct uac_events invite_events = { on_invite_answer, on_invite_failed,
                                                 on_invite_silent, on_no_more };

/* Who was given up in silence, and takes it all the same, is acknowledged and hung up on: by a leg
 * of its own, which is of no call. */
static void on_invite_silent(void *arg, struct uac *r)
{
    struct sip_leg *l = arg;
    struct sip_leg *late = sip_leg_new(l->means, span_str(l->contact), l->trunk, NULL, NULL);
    if (!late)
        return;
    late->state = LEG_OVER;
    late->ended_early = true;
    late->route = l->route;
    late->peer = uac_flow(r)->peer;
    if (dialog_copy(&l->dialog, &late->dialog) == 0)
        late->asking = uac_part(r, &late->dialog, &invite_events, late);
    late->waiting = late->asking;
    (void)sip_leg_settle(late);
}

struct leg *leg_sip_call(const struct leg_sip_means *m, const struct leg_sip_out *o,
                         const struct leg_events *events, void *arg)
{
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    struct sip_leg *l = sip_leg_new(m, o->contact, o->trunk, events, arg);
    if (!l)
        return NULL;
    l->state = LEG_ASKING;
    l->route = o->route;
    int err = dialog_to(&l->dialog, o->from, o->to, o->uri, siptp_node(m->uac.hops.tp));
    if (!err)
        err = sip_leg_enter(l);
    if (!err && is_cisco(uac_trunk(&m->uac, o->trunk)))
        l->dialog.local_cseq = PROFILE_CISCO_CSEQ - 1;
    l->offerless = !o->sdp.p;
    l->origin = o->origin.p ? strndup(o->origin.p, o->origin.n) : NULL;
    l->lines = strndup(o->lines.p ? o->lines.p : "", o->lines.n);
    write_invite(&b, l);
    struct uac_conf c = { .dialog = &l->dialog,
                          .method = SIP_INVITE,
                          .hops = o->hops,
                          .uris = o->uris,
                          .n_hops = o->n_hops,
                          .node = o->node,
                          .answer = o->answer,
                          .max_forwards = o->max_forwards,
                          .trunk = o->trunk,
                          .route = o->route,
                          .lines = buf_span(&b),
                          .type = o->sdp.p ? SPAN("application/sdp") : SPAN_NULL,
                          .body = o->sdp };
    if (!err && buf_ok(&b) && l->lines)
        l->asking = uac_send(&m->uac, &c, &invite_events, l);
    l->waiting = l->asking;
    if (!l->asking) {
        sip_leg_free(l);
        return NULL;
    }
    return &l->leg;
}

void sip_leg_forget_out(struct sip_leg *l)
{
    while (!list_empty(&l->asides))
        aside_free(container_of(l->asides.next, struct aside, link));
    uac_free(&l->asking);
    uac_free(&l->bye);
    sip_leg_forget_early(l);
    turn_cancel(&l->no_room);
    free(l->offer);
    forget_ack_walk(l);
    flow_unref(&l->ack_flow);
    free(l->ack);
    free(l->ack_proofs);
}
