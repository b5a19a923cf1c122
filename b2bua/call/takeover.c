/* Places in calls that are taken by an INVITE with Replaces (RFC 3891): the other side is offered
 * what who comes has, and the old one goes when it has agreed. A place is its user's, who may go on
 * at another phone of his, or its trunk's, where that is allowed to; it is nobody else's. */
#include "b2bua/call/call_impl.h"
#include "b2bua/trunk/trunk_policy.h"

static const struct log takeover_log = { .module = "takeover" };

static struct span asserted_user(struct sip_msg *m)
{
    struct sip_addr who = m->from, asserted;
    char text[SIP_AOR_MAX];
    struct buf b = BUF_INIT(text);
    struct sip_values it = sip_values(m, SIP_HDR_P_ASSERTED_IDENTITY);
    if (sip_next(&it) && sip_addr_parse(it.value, &asserted) == 0)
        who = asserted;
    return sip_aor_write(&b, &who.uri) ? SPAN_NULL : arena_dup(&m->arena, buf_span(&b));
}

static bool is_whose_place(const struct call *c, const struct leg *l, struct span who,
                           const struct trunk_conf *from)
{
    return party_is(&(struct party){ .trunk = from, .who = who }, &c->party[call_side(c, l)]);
}

/* Section 3. 0, or what it is refused with. */
static unsigned judge(const struct leg *l, enum leg_place place, const struct replaces *r,
                      struct span who, const struct trunk_conf *from)
{
    if (l && place == LEG_GONE)
        return 603;
    if (!l || place == LEG_THEIRS || l->events != &call_events)
        return 481;
    const struct call *c = l->arg;
    if (!is_whose_place(c, l, who, from))
        return 403;
    if (place ==
        LEG_OURS) /* it rings there: who called has offered, too, and gets no two answers */
        return 603;
    if (r->early_only)
        return 486;
    return call_may_refer(c, l) ? 0 : 491;
}

static void restore(struct call *c, const struct leg_end *why)
{
    session_withdraw(c->session);
    session_put_back(c->session, &c->kept);
    c->asker = -1;
    c->asked_offer = false;
    if (c->waiting)
        leg_end(c->waiting, why);
    c->waiting = NULL;
}

/* Who comes has thought better of it. What the other side answers changes nothing then. */
static void on_ended(void *arg, struct leg *l, const struct leg_end *why)
{
    struct call *c = arg;
    (void)l;
    (void)why;
    c->waiting = NULL;
}

static void ask_other(struct call *c, unsigned side, struct span offer)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why;
    int err = offer.p ? call_offer(c, side, c->waiting, offer, &b, &why) : 0;
    if (err) {
        restore(c, &(struct leg_end){ .status = 488, .warning = span_str(why) });
        return;
    }
    c->taking = true;
    c->asker = (int)side;
    c->asked_offer = !offer.p;
    leg_modify(c->leg[!side], offer.p ? buf_span(&b) : SPAN_NULL);
}

void call_taken(struct call *c, unsigned side, unsigned status, struct span sdp)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why = "refused";
    struct leg *comes = c->waiting;
    int err = !comes || status >= 300 || !sdp.p ? CS_ENOTSUP
              : c->asked_offer                  ? call_offer(c, side, c->leg[side], sdp, &b, &why)
                                                : call_answer(c, side, c->leg[side], sdp, &b, &why);
    c->taking = false;
    if (err) {
        restore(c, &(struct leg_end){ .status = 488, .warning = span_str(why) });
        return;
    }
    session_let_go(&c->kept);
    c->waiting = NULL;
    if (!c->asked_offer)
        c->asker = -1;
    call_replace(c, !side, comes);
    leg_answer(comes, buf_span(&b));
}

static void take_place(struct call *c, unsigned side, struct leg *comes,
                       const struct session_side *conf, struct span offer)
{
    c->waiting = comes;
    c->kept = session_swap_side(c->session, side, conf);
    if (!c->kept)
        restore(c, &(struct leg_end){ .status = 500 });
    else
        ask_other(c, side, offer);
}

static const struct leg_events comes_events = { .ended = on_ended };

void call_seize(struct call *c, unsigned side, struct call *by)
{
    const struct party *from = &by->party[SIDE_A];
    struct leg *comes = by->leg[SIDE_A];
    struct session_side conf;
    struct arena *a = call_coming(c);
    c->picker = by->picked = NULL;
    ua_media_side(c->ua, by->policy, false, &conf);
    c->coming.trunk = from->trunk;
    c->coming.who = arena_dup(a, from->who);
    c->coming.number = arena_dup(a, from->number);
    c->coming.display = arena_dup(a, from->display);
    by->leg[SIDE_A] = NULL;
    comes->events = &comes_events;
    comes->arg = c;
    take_place(c, side, comes, &conf, by->offered ? span_str(by->offer) : SPAN_NULL);
    call_finish(by, &(struct leg_end){ .status = 200 }, SIDE_A);
}

static void begin(struct ua *u, struct tx *invite, struct leg *l, struct span who,
                  const struct trunk_conf *from)
{
    struct call *c = l->arg;
    const unsigned side = call_side(c, l);
    struct sip_msg *m = tx_request(invite);
    struct session_side conf;
    char contact[512];
    struct buf b = BUF_INIT(contact);
    if (from) {
        ua_contact(&b, u, from, SPAN_NULL);
    } else {
        buf_lit(&b, "sip:");
        buf_put(&b, span_str(u->node));
    }
    ua_media_side(u, from ? &from->media : &u->conf->lines, false, &conf);
    struct arena *a = call_coming(c);
    c->coming.trunk = from;
    c->coming.who = arena_dup(a, who);
    c->coming.number = arena_dup(a, from ? m->from.uri.user : c->party[side].number);
    c->coming.display = arena_dup(a, m->from.display);
    struct leg *comes = leg_sip_take(&u->legs_means, invite, buf_span(&b),
                                     from ? from->name : SPAN_NULL, &comes_events, c);
    if (!comes)
        return;
    take_place(c, side, comes, &conf, m->body.n ? m->body : SPAN_NULL);
}

void call_take_over(struct ua *u, struct tx *invite, const struct trunk_conf *from)
{
    struct sip_msg *m = tx_request(invite);
    struct replaces r;
    enum leg_place place = LEG_GONE;
    tx_set_once(invite, false);
    if (replaces_parse(sip_hdr_value(m, SIP_HDR_REPLACES), &r)) {
        tx_reply(invite, 400, SPAN_NULL);
        return;
    }
    const struct span who = from ? SPAN_NULL : asserted_user(m);
    struct leg *l = leg_sip_named(&u->legs_means, &r, &place);
    if (!l && !from && who.p && ua_peer(u, &r)) {
        call_pass(u, invite, ua_peer(u, &r));
        return;
    }
    unsigned status = judge(l, place, &r, who, from);
    log_info(&takeover_log, status ? "refused" : "asked for", kv_s("by", from ? from->name : who),
             kv_s("of", r.call_id), kv_u("status", status), kv_s("call_id", m->call_id));
    if (status == 403) {
        struct gate_facts facts = trunk_policy_facts(m);
        gate_report(u->gate, tx_flow(invite), m, &facts, COUNTERSIGN__AUTH__CAUSE__REPLACES_REFUSED,
                    403);
    }
    if (status)
        tx_reply(invite, status, SPAN_NULL);
    else
        begin(u, invite, l, who, from);
}
