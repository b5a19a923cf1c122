/* The keys of a call's media: a leg brings them, descriptions say them, or DTLS agrees on them,
 * without which the call ends. */
#include "b2bua/call/call_impl.h"
#include "base/metric.h"

enum { LOOK_MS = 100 };

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
}

void call_dtls_init(struct call *c)
{
    timer_init(&c->shaking, on_shaking);
}

int call_offer(struct call *c, unsigned from, const struct leg *l, struct span sdp, struct buf *out,
               const char **why)
{
    session_bring_keys(c->session, from, l->keys);
    return session_offer(c->session, from, sdp, out, why);
}

int call_answer(struct call *c, unsigned from, const struct leg *l, struct span sdp,
                struct buf *out, const char **why)
{
    session_bring_keys(c->session, from, l->keys);
    int err = session_answer(c->session, from, sdp, out, why);
    if (err || session_dtls(c->session) != DTLS_WAITING)
        return err;
    c->shaken_by = mono_add(loop_now(c->ua->loop), c->ua->conf->timers.dtls);
    timer_start(c->ua->loop, &c->shaking, DURATION_MS(LOOK_MS));
    return 0;
}
