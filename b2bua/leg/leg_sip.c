#include <stdlib.h>

#include "b2bua/leg/leg_sip_impl.h"
#include "sip/write.h"

static bool is_tag(const struct map_node *n, const void *key)
{
    const struct sip_leg *l = container_of(n, struct sip_leg, node);
    return span_eq(l->dialog.local_tag, *(const struct span *)key);
}

static struct sip_leg *find(const struct leg_sip_means *m, struct span tag)
{
    struct map_node *n = map_find(m->legs, map_hash(tag), is_tag, &tag);
    return n ? container_of(n, struct sip_leg, node) : NULL;
}

bool sip_leg_sdp(const struct sip_msg *m, struct span *out)
{
    struct span type = sip_hdr_value(m, SIP_HDR_CONTENT_TYPE);
    *out = SPAN_NULL;
    if (!m->body.n)
        return true;
    if (!span_caseeq(span_trim(span_cut(&type, ';')), SPAN("application/sdp")) ||
        sip_has(m, SIP_HDR_CONTENT_ENCODING))
        return false;
    *out = m->body;
    return true;
}

void sip_leg_lines(struct buf *b, const struct sip_leg *l)
{
    buf_lit(b, "Contact: <");
    buf_put(b, span_str(l->contact));
    buf_lit(b, ">\r\n" LEG_ALLOW);
    const struct trunk_conf *t = uac_trunk(&l->means->uac, l->trunk);
    if (sip_leg_is_line(l) || (t && t->replaces))
        buf_lit(b, "Supported: replaces\r\n");
}

void sip_leg_write_end(struct buf *b, const struct leg_end *why, struct span agent)
{
    if (why->reason.n)
        sip_write_hdr(b, SPAN("Reason"), why->reason);
    if (why->retry_after)
        buf_printf(b, "Retry-After: %u\r\n", why->retry_after);
    if (why->warning.n) {
        buf_printf(b, "Warning: %u ", why->warning_code ? why->warning_code : 399);
        buf_put(b, agent);
        buf_lit(b, " \"");
        buf_put(b, why->warning);
        buf_lit(b, "\"\r\n");
    }
}

/* ---- its life ---- */

static void end(struct leg *leg, const struct leg_end *why);

static const struct leg_ops ops = { .ring = sip_leg_ring,
                                    .answer = sip_leg_answer,
                                    .ack = sip_leg_ack,
                                    .modify = sip_leg_modify,
                                    .update = sip_leg_update,
                                    .withdraw = sip_leg_withdraw,
                                    .settle = sip_leg_settle_offer,
                                    .refuse = sip_leg_refuse_offer,
                                    .info = sip_leg_info,
                                    .notify = sip_leg_notify,
                                    .end = end };

struct sip_leg *sip_leg_new(const struct leg_sip_means *m, struct span contact, struct span trunk,
                            const struct leg_events *events, void *arg)
{
    struct sip_leg *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->leg = (struct leg){ &ops, events, arg };
    l->means = m;
    l->trunk = trunk;
    list_init(&l->asides);
    sip_leg_refresh_init(l);
    sip_leg_modify_init(l);
    list_push_back(m->all, &l->link);
    l->contact = strndup(contact.p, contact.n);
    l->rests = sip_leg_is_line(l) ? calloc(1, sizeof(*l->rests)) : NULL;
    if (!l->contact || (sip_leg_is_line(l) && !l->rests)) {
        sip_leg_free(l);
        return NULL;
    }
    return l;
}

int sip_leg_enter(struct sip_leg *l)
{
    return map_insert(l->means->legs, &l->node, map_hash(l->dialog.local_tag));
}

void sip_leg_free(struct sip_leg *l)
{
    list_remove(&l->link);
    if (l->dialog.local_tag.p && find(l->means, l->dialog.local_tag) == l)
        map_remove(l->means->legs, &l->node);
    if (l->asked)
        tx_set_data(l->asked, NULL);
    tx_unref(&l->asked);
    sip_leg_forget_ok(l);
    sip_leg_forget_reliable(l);
    sip_leg_forget_out(l);
    timer_stop(l->means->uac.loop, &l->refresh);
    dialog_fini(&l->dialog);
    free(l->contact);
    free(l->rests);
    free(l->origin);
    free(l->lines);
    free(l->reason);
    free(l);
}

bool sip_leg_settle(struct sip_leg *l)
{
    if (l->state != LEG_OVER || l->ok || l->waiting || l->bye || l->ack_walk ||
        !list_empty(&l->asides))
        return false;
    if (l->noted && l->means->journal)
        journal_remove(l->means->journal, l->noted);
    sip_leg_free(l);
    return true;
}

void sip_leg_note(struct sip_leg *l)
{
    struct journal_entry e = { .dialog = &l->dialog, .trunk = l->trunk, .node = l->peer };
    if (l->means->journal && !l->noted)
        l->noted = journal_add(l->means->journal, &e);
}

void leg_sip_end_left(const struct leg_sip_means *m, struct journal_line *noted,
                      const struct journal_entry *e)
{
    struct sip_leg *l = sip_leg_new(m, SPAN("sip:left.invalid"), e->trunk, NULL, NULL);
    if (!l) {
        dialog_fini(e->dialog);
        return;
    }
    l->dialog = *e->dialog;
    l->state = LEG_OVER;
    l->peer = e->node;
    l->noted = noted;
    sip_leg_bye(
        l, &(struct leg_end){ .status = 200, .reason = SPAN("SIP;cause=503;text=\"Restarted\"") });
    (void)sip_leg_settle(l);
}

void sip_leg_over(struct sip_leg *l, const struct leg_end *why)
{
    if (l->state == LEG_OVER)
        return;
    sip_leg_forget_early(l);
    if (l->asked)
        sip_leg_refuse(l, &(struct leg_end){ .status = 487 });
    l->state = LEG_OVER;
    timer_stop(l->means->uac.loop, &l->refresh);
    l->leg.events->ended(l->leg.arg, &l->leg, why);
}

/* For a BYE that has to wait. */
static void keep_reason(struct sip_leg *l, const struct leg_end *why)
{
    free(l->reason);
    l->reason = why->reason.n ? strndup(why->reason.p, why->reason.n) : NULL;
}

void sip_leg_bye_late(struct sip_leg *l)
{
    sip_leg_bye(l, &(struct leg_end){ .status = 200, .reason = span_str(l->reason) });
}

static void end(struct leg *leg, const struct leg_end *why)
{
    struct sip_leg *l = LEG_OF(leg);
    enum leg_state was = l->state;
    l->state = LEG_OVER;
    timer_stop(l->means->uac.loop, &l->refresh);
    sip_leg_forget_early(l);
    if (was == LEG_ASKED) {
        sip_leg_refuse(l, why);
    } else if (was == LEG_ASKING) {
        l->ended_early = true;
        keep_reason(l, why);
        if (l->waiting)
            uac_cancel(l->asking, why->reason);
    } else if (was == LEG_UP) {
        if (l->asked)
            sip_leg_refuse(l, &(struct leg_end){ .status = 487 });
        if (!l->ok) /* else the ACK comes first (RFC 3261, 15) */
            sip_leg_bye(l, why);
        else
            keep_reason(l, why);
        if (l->ok && l->waiting)
            sip_leg_forget_asking(l);
    }
    (void)sip_leg_settle(l);
}

/* ---- who is asked ---- */

/* By its tags, and from where this dialog's requests come: who knows a Call-ID, and even the tags,
 * does not end a call by that. */
static bool is_from_peer(const struct sip_leg *l, const struct flow *flow)
{
    struct sip_uri hop;
    struct addr a;
    if (sip_leg_is_line(l))
        return flow->transport == SIP_LINK;
    if (flow->transport == SIP_LINK)
        return false;
    if (addr_same_host(&flow->remote, &l->source))
        return true;
    return dialog_next_hop(&l->dialog, &hop) == 0 && addr_parse_host(hop.host, 0, &a) == 0 &&
           addr_same_host(&flow->remote, &a);
}

static struct sip_leg *find_for(const struct leg_sip_means *m, const struct flow *flow,
                                const struct sip_msg *req)
{
    struct sip_leg *l = req->to.tag.p ? find(m, req->to.tag) : NULL;
    if (!l || !l->dialog.established || !span_eq(l->dialog.call_id, req->call_id) ||
        !span_eq(l->dialog.remote_tag, req->from.tag) || !is_from_peer(l, flow))
        return NULL;
    return l;
}

void sip_leg_rest(struct sip_leg *l, const struct sip_msg *m)
{
    if (l->rests && resting_parse(sip_hdr_value(m, SIP_HDR_RESTS_ON), l->rests))
        l->rests->n = 0; /* on nothing */
}

struct span leg_sip_call_id(const struct leg *l)
{
    return l->ops == &ops ? container_of(l, const struct sip_leg, leg)->dialog.call_id : SPAN_NULL;
}

/* Its Call-ID, and its tags the other way round. One that is over is nobody's any more. */
static bool faces(const struct sip_leg *l, const struct sip_leg *other)
{
    return other && other->state != LEG_OVER && span_eq(l->dialog.call_id, other->dialog.call_id) &&
           span_eq(l->dialog.local_tag, other->dialog.remote_tag);
}

struct leg *leg_sip_facing(const struct leg_sip_means *m, const struct leg *leg)
{
    if (leg->ops != &ops)
        return NULL;
    const struct sip_leg *l = container_of(leg, const struct sip_leg, leg);
    struct sip_leg *other = l->dialog.remote_tag.p ? find(m, l->dialog.remote_tag) : NULL;
    return faces(l, other) ? &other->leg : NULL;
}

struct span leg_sip_remote_tag(const struct leg *l)
{
    return l->ops == &ops ? container_of(l, const struct sip_leg, leg)->dialog.remote_tag
                          : SPAN_NULL;
}

struct span leg_sip_origin(const struct leg_sip_means *m, const struct sip_msg *msg)
{
    const struct sip_leg *l = find(m, msg->from.tag);
    if (!l)
        l = find(m, msg->to.tag);
    return l ? span_str(l->origin) : SPAN_NULL;
}

bool leg_sip_is_ours(const struct leg *l)
{
    return l->ops == &ops && container_of(l, const struct sip_leg, leg)->lines;
}

bool leg_sip_falls(const struct leg *l, const Countersign__Auth__Revoked *what)
{
    const struct sip_leg *s = container_of(l, const struct sip_leg, leg);
    return l->ops == &ops && s->rests && resting_falls(s->rests, what);
}

struct leg *leg_sip_named(const struct leg_sip_means *m, const struct replaces *r,
                          enum leg_place *out)
{
    static const enum leg_place places[] = { [LEG_ASKED] = LEG_THEIRS,
                                             [LEG_ASKING] = LEG_OURS,
                                             [LEG_UP] = LEG_STANDS,
                                             [LEG_OVER] = LEG_GONE };
    struct sip_leg *l = find(m, r->to_tag);
    struct span theirs = r->from_tag;
    if (!l) { /* phones differ in whose tag is whose */
        l = find(m, r->from_tag);
        theirs = r->to_tag;
    }
    if (!l || !l->dialog.established || !span_eq(l->dialog.call_id, r->call_id) ||
        !span_eq(l->dialog.remote_tag, theirs))
        return NULL;
    *out = places[l->state];
    return &l->leg;
}

bool leg_sip_request(const struct leg_sip_means *m, struct tx *tx, struct flow *flow,
                     struct sip_msg *req)
{
    struct sip_leg *l = find_for(m, flow, req);
    if (l)
        sip_leg_in(l, tx, flow, req);
    return l;
}

bool leg_sip_acked(const struct leg_sip_means *m, struct flow *flow, struct sip_msg *ack)
{
    struct sip_leg *l = find_for(m, flow, ack);
    if (l)
        sip_leg_in_ack(l, ack);
    return l;
}

void leg_sip_drop_all(const struct leg_sip_means *m)
{
    while (!list_empty(m->all))
        sip_leg_free(container_of(m->all->next, struct sip_leg, link));
}
