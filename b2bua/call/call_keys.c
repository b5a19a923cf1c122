/* The keys of a call's media: a leg brings them, descriptions say them, or DTLS agrees on them,
 * without which the call ends; and whether they are safe all the way, for desk phones, whose users
 * see a lock then. */
#include "b2bua/call/call_impl.h"
#include "b2bua/leg/leg_sccp.h"
#include "b2bua/leg/leg_sip.h"
#include "base/metric.h"

enum { LOOK_MS = 100, CHAIN_MAX = 4 /* calls of ours, one behind the other */ };

/* ---- as far as who is heard ---- */

/* The next call of ours that the media go through; NULL: they leave us there. */
static struct call *next_call(const struct call *c, unsigned side, unsigned *its)
{
    struct leg *facing = c->leg[side] ? leg_sip_facing(&c->ua->legs_means, c->leg[side]) : NULL;
    if (!facing || facing->events != &call_events)
        return NULL;
    struct call *next = facing->arg;
    *its = call_side(next, facing);
    return next;
}

/* Of another node's calls nothing is known. */
static bool leads_to_node(const struct call *c, unsigned side)
{
    const struct replaces theirs = { .to_tag = leg_sip_remote_tag(c->leg[side]) };
    return theirs.to_tag.p && ua_peer(c->ua, &theirs);
}

static bool is_keyed(const struct call *c, unsigned side)
{
    return c->up && c->leg[side] && session_safety(c->session, side).suite != CRYPT_NONE;
}

static bool is_safe(const struct call *c, unsigned side)
{
    for (unsigned hops = 0; hops < CHAIN_MAX; hops++) {
        unsigned its;
        if (!is_keyed(c, side) || leads_to_node(c, side))
            return false;
        const struct call *next = next_call(c, side, &its);
        if (!next)
            return true;
        if (!is_keyed(next, its))
            return false;
        c = next;
        side = !its;
    }
    return false;
}

static void tell_phones(struct call *c)
{
    for (unsigned side = 0; side < RELAY_SIDES; side++) {
        if (c->leg[side])
            leg_sccp_tell_safe(c->leg[side], is_keyed(c, side) && is_safe(c, !side));
    }
}

/* Those of the calls at both ends see it, too. */
static void on_keyed(struct turn *t)
{
    struct call *c = container_of(t, struct call, keyed);
    tell_phones(c);
    for (unsigned side = 0; side < RELAY_SIDES; side++) {
        unsigned its;
        struct call *next = next_call(c, side, &its);
        for (unsigned hops = 0; next && hops < CHAIN_MAX; hops++) {
            tell_phones(next);
            next = next_call(next, !its, &its);
        }
    }
}

/* ---- DTLS ---- */

static void end_unsafe(struct call *c, unsigned which, const char *why)
{
    char text[128];
    struct buf reason = BUF_INIT(text);
    buf_printf(&reason, "SIP;cause=488;text=\"%s\"", why);
    metric_inc(M_B2BUA_DTLS, which);
    call_finish(
        c,
        &(struct leg_end){ .status = 488, .reason = buf_span(&reason), .warning = span_str(why) },
        SIDE_A);
}

/* Whoever is not who his description said has no call. */
static void on_shaking(struct timer *t)
{
    struct call *c = container_of(t, struct call, shaking);
    const enum dtls_state state = session_dtls(c->session);
    if (state == DTLS_FAILED)
        end_unsafe(c, 1, "DTLS failed");
    else if (state == DTLS_WAITING && !mono_before(loop_now(c->ua->loop), c->shaken_by))
        end_unsafe(c, 2, "no DTLS");
    else if (state == DTLS_WAITING)
        timer_start(c->ua->loop, &c->shaking, DURATION_MS(LOOK_MS));
    else if (state == DTLS_DONE)
        metric_inc(M_B2BUA_DTLS, 0);
    if (state == DTLS_DONE)
        turn_queue(c->ua->loop, &c->keyed);
}

void call_keys_init(struct call *c)
{
    timer_init(&c->shaking, on_shaking);
    turn_init(&c->keyed, on_keyed);
}

void call_keys_drop(struct call *c)
{
    timer_stop(c->ua->loop, &c->shaking);
    turn_cancel(&c->keyed);
}

/* ---- descriptions ---- */

int call_offer(struct call *c, unsigned from, const struct leg *l, struct span sdp, struct buf *out,
               const char **why)
{
    *why = "no memory";
    int err = session_bring_keys(c->session, from, l->keys);
    return err ? err : session_offer(c->session, from, sdp, out, why);
}

int call_answer(struct call *c, unsigned from, const struct leg *l, struct span sdp,
                struct buf *out, const char **why)
{
    *why = "no memory";
    int err = session_bring_keys(c->session, from, l->keys);
    if (!err)
        err = session_answer(c->session, from, sdp, out, why);
    turn_queue(c->ua->loop, &c->keyed);
    if (err || session_dtls(c->session) != DTLS_WAITING)
        return err;
    c->shaken_by = mono_add(loop_now(c->ua->loop), c->ua->conf->timers.dtls);
    timer_start(c->ua->loop, &c->shaking, DURATION_MS(LOOK_MS));
    return 0;
}
