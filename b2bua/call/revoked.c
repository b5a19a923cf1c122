/* Calls of who may no longer call. */
#include "b2bua/call/call_impl.h"

static const struct log revoked_log = { .module = "revoked" };

/* Of whom it names, or who rests on what it names. */
static bool is_meant(const struct call *c, unsigned side, const Countersign__Auth__Revoked *r)
{
    const struct span aor = c->party[side].who;
    if (c->leg[side] && leg_sip_falls(c->leg[side], r))
        return true;
    for (size_t i = 0; aor.p && i < r->n_aor; i++) {
        if (span_eq(span_str(r->aor[i]), aor))
            return true;
    }
    return false;
}

void call_revoke(struct ua *u, const Countersign__Auth__Revoked *r)
{
    const struct leg_end why = { .status = 403, .reason = SPAN("SIP;cause=403;text=\"Revoked\"") };
    if (!u->conf->calls.end_on_revocation)
        return;
    list_for_each (it, &u->calls) {
        struct call *c = container_of(it, struct call, link);
        const bool caller = is_meant(c, SIDE_A, r);
        if (c->plan.emergency || (!caller && !is_meant(c, SIDE_B, r)))
            continue; /* whoever called for help goes on */
        log_info(&revoked_log, "a call is ended",
                 kv_s("of", c->party[caller ? SIDE_A : SIDE_B].who),
                 kv_s("call_id", c->call_id[SIDE_A]));
        call_finish(c, &why, caller ? SIDE_A : SIDE_B);
    }
}
