/* Offers after the first one: those before the call is taken, which go to the other side or, where
 * that knows nothing of such, are answered by what it has agreed on; and those that are given up.
 */
#include "b2bua/call/call_impl.h"
#include "base/rand.h"

/* ---- before it is taken ---- */

static struct leg *leg_of(const struct call *c, unsigned side)
{
    return side == SIDE_A ? c->leg[SIDE_A] : hunt_heard(c);
}

static unsigned side_of(const struct call *c, const struct leg *l)
{
    return l == c->leg[SIDE_A] ? SIDE_A : SIDE_B;
}

/* Nothing is agreed on with either side then. */
static void refuse(struct leg *l, int err, const char *why)
{
    const struct leg_end end = call_why_no_media(err, why);
    leg_refuse(l, &end);
}

static void pass_on(struct call *c, unsigned side, struct leg *l, struct span sdp)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why;
    int err = call_offer(c, side, l, sdp, &b, &why);
    if (!err && !leg_update(leg_of(c, !side), buf_span(&b))) {
        err = CS_ENOMEM;
        why = "no memory";
    }
    if (err) {
        session_withdraw(c->session);
        refuse(l, err, why);
        return;
    }
    c->asker = (int)side;
}

static void answer_here(struct call *c, unsigned side, struct leg *l, struct span sdp)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why = "no memory";
    int err = session_bring_keys(c->session, side, l->keys);
    if (!err)
        err = session_answer_here(c->session, side, sdp, &b, &why);
    if (err)
        refuse(l, err, why);
    else
        leg_settle(l, 200, buf_span(&b));
}

void call_offered_early(struct call *c, struct leg *l, struct span sdp)
{
    const unsigned side = side_of(c, l);
    struct leg *heard = hunt_heard(c);
    if (!heard || (side == SIDE_B && l != heard)) { /* of several none is who it will be yet */
        leg_refuse(l,
                   &(struct leg_end){ .status = 500, .retry_after = 1 + (unsigned)rand_below(10) });
        return;
    }
    if (c->asker >= 0) {
        leg_settle(l, 491, SPAN_NULL);
        return;
    }
    c->renegotiated = true;
    if (leg_update(leg_of(c, !side), SPAN_NULL))
        pass_on(c, side, l, sdp);
    else
        answer_here(c, side, l, sdp);
}

void call_settled_early(struct call *c, struct leg *l, unsigned status, struct span sdp)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why = "no description of media";
    const unsigned side = side_of(c, l);
    struct leg *asker = c->asker == (int)!side ? leg_of(c, !side) : NULL;
    if (!asker)
        return;
    c->asker = -1;
    if (status >= 300) {
        session_withdraw(c->session);
        leg_settle(asker, call_told_status(status), SPAN_NULL);
        hunt_go_on(c);
        return;
    }
    int err = sdp.p ? call_answer(c, side, l, sdp, &b, &why) : CS_ENOTSUP;
    if (err) {
        call_refuse_media(c, err, why, side);
        return;
    }
    leg_settle(asker, 200, buf_span(&b));
    hunt_go_on(c);
}

/* ---- given up ---- */

void call_withdrawn(struct call *c, struct leg *l)
{
    const unsigned side = call_side(c, l);
    if (c->asker != (int)side || !c->leg[!side])
        return;
    if (!c->asked_offer)
        session_withdraw(c->session);
    c->withdrawn = (__typeof__(c->withdrawn)){ .from = -1, .offerless = c->asked_offer };
    c->asker = -1;
    c->asked_offer = false;
    if (leg_withdraw(c->leg[!side]))
        c->withdrawn.from = (int)!side;
}

/* It was taken before that was known: what stood before is offered again. */
static void undo(struct call *c, unsigned side)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why;
    const struct span stood = session_said(c->session, !side);
    int err = stood.p ? session_offer(c->session, !side, stood, &b, &why) : CS_ENOENT;
    if (err) {
        call_finish(c, &(struct leg_end){ .status = 500 }, side);
        return;
    }
    c->withdrawn.undoing = true;
    c->asker = (int)!side;
    leg_modify(c->leg[side], buf_span(&b));
}

/* It made the offer it was asked for, which wants an answer. */
static void answer_late(struct call *c, unsigned side, struct span sdp)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why = "no offer";
    int err = sdp.p ? session_answer_here(c->session, side, sdp, &b, &why) : CS_ENOTSUP;
    if (err)
        call_refuse_media(c, err, why, side);
    else
        leg_ack(c->leg[side], buf_span(&b));
}

static void undone(struct call *c, unsigned side, unsigned status, struct span sdp)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    const char *why;
    c->withdrawn.undoing = false;
    c->asker = -1;
    if (status == 491) { /* an offer of its own is on its way, which settles it */
        session_withdraw(c->session);
        return;
    }
    int err =
        status < 300 && sdp.p ? call_answer(c, side, c->leg[side], sdp, &b, &why) : CS_ENOTSUP;
    if (err) /* who took something else and does not go back cannot be heard */
        call_finish(c, &(struct leg_end){ .status = 500 }, side);
}

bool call_settles_withdrawn(struct call *c, unsigned side, unsigned status, struct span sdp)
{
    if (c->withdrawn.undoing && c->asker == (int)!side) {
        undone(c, side, status, sdp);
        return true;
    }
    if (c->withdrawn.from != (int)side)
        return false;
    c->withdrawn.from = -1;
    if (status < 300 && c->withdrawn.offerless)
        answer_late(c, side, sdp);
    else if (status < 300)
        undo(c, side);
    return true;
}
