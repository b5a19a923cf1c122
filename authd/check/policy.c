#include "authd/check/policy.h"

static bool is_listed(const struct group_conf *g, const struct facts *f)
{
    for (size_t i = 0; i < g->n_rules; i++) {
        if (span_eq(g->rules[i].name, f->method) && !(g->rules[i].initial_only && f->in_dialog))
            return true;
    }
    return g->n_rules == 0;
}

bool policy_is_secure(Countersign__Auth__Transport t)
{
    return t == COUNTERSIGN__AUTH__TRANSPORT__TLS || t == COUNTERSIGN__AUTH__TRANSPORT__WSS ||
           t == COUNTERSIGN__AUTH__TRANSPORT__SCCPS || t == COUNTERSIGN__AUTH__TRANSPORT__LINK;
}

static struct policy refuse(Countersign__Auth__Cause cause)
{
    return (struct policy){ DEMAND_REFUSE, cause };
}

static struct policy pass(Countersign__Auth__Cause cause)
{
    return (struct policy){ DEMAND_NOTHING, cause };
}

struct policy policy_of(const struct group_conf *g, const struct facts *f, struct shown shown)
{
    const struct policy digest = { DEMAND_DIGEST, CAUSE(CAUSE_NONE) };
    const struct policy certificate = { DEMAND_CERTIFICATE, CAUSE(CAUSE_NONE) };
    const struct policy token = { DEMAND_TOKEN, CAUSE(CAUSE_NONE) };
    const bool elsewhere = g->address && !place_holds(g->address, f);
    const unsigned all = g->require.all_of;
    unsigned any = g->require.any_of & ~(elsewhere ? PROOF_ADDRESS : 0U);

    /* Never challenged (RFC 3261, 22.1): an ACK has no answer, a CANCEL cannot be sent again. */
    if (span_eq(f->method, SPAN("ACK")) || span_eq(f->method, SPAN("CANCEL")))
        return pass(CAUSE(OK));
    if (elsewhere && !any)
        return refuse(CAUSE(ADDRESS_NOT_ALLOWED));
    if (policy_takes_certificates(g) && shown.certificate != CAUSE(OK)) {
        /* One that is no good is no trifle, even where another proof would do. */
        if ((all & PROOF_CERTIFICATE) || any == PROOF_CERTIFICATE ||
            (shown.certificate != CAUSE(CERTIFICATE_MISSING) &&
             shown.certificate != CAUSE(SAN_UNMATCHED)))
            return refuse(shown.certificate);
        any &= ~(unsigned)PROOF_CERTIFICATE;
    }
    /* A token never falls through to digest, whatever else the request shows. */
    if ((shown.bearer || shown.ticket) && !policy_is_secure(f->transport))
        return refuse(CAUSE(TOKEN_ON_CLEAR_TRANSPORT));
    if (g->mode == MODE_PASS_THROUGH && !f->is_register)
        return pass(CAUSE(CREDENTIALS_PASSED));
    if (shown.bearer)
        return policy_takes_tokens(g, f) ? token : refuse(CAUSE(TOKEN_INVALID));
    if (shown.ticket)
        return g->tickets ? (struct policy){ DEMAND_TICKET, CAUSE(CAUSE_NONE) }
                          : refuse(CAUSE(TICKET_NOT_TAKEN));
    if (g->unlisted == UNLISTED_PASS && !f->is_register && !is_listed(g, f))
        return pass(CAUSE(UNLISTED_METHOD));
    if ((any & PROOF_CERTIFICATE) && !((any & PROOF_DIGEST) && shown.digest))
        return certificate;
    any &= ~(unsigned)PROOF_CERTIFICATE;
    if ((all & PROOF_DIGEST) || any == PROOF_DIGEST)
        return digest;
    if ((all & PROOF_TOKEN) || any == PROOF_TOKEN)
        return policy_takes_tokens(g, f) ? token : refuse(CAUSE(TOKEN_ON_CLEAR_TRANSPORT));
    if (all & PROOF_CERTIFICATE)
        return certificate;
    if (any == (PROOF_DIGEST | PROOF_TOKEN))
        return digest; /* whose challenge offers both */
    /* The group's match has looked at the address already. It proves no user, and what is to be
     * registered belongs to one. */
    if (f->is_register)
        return any & PROOF_DIGEST          ? digest
               : policy_takes_tokens(g, f) ? token
                                           : refuse(CAUSE(METHOD_NOT_ALLOWED));
    /* Credentials that are shown are judged: they say who it is, and wrong ones are no trifle. */
    return (any & PROOF_DIGEST) && shown.digest ? digest : pass(CAUSE(ADDRESS_ACCEPTED));
}

Countersign__Auth__Cause policy_identity(const struct user *u, const struct facts *f)
{
    struct span claimed = f->is_register ? f->to_aor : f->from_aor;
    for (size_t i = 0; claimed.p && i < u->n_aors; i++) {
        if (span_eq(u->aors[i], claimed))
            return CAUSE(OK);
    }
    return f->is_register ? CAUSE(AOR_NOT_ALLOWED) : CAUSE(FROM_NOT_ALLOWED);
}

bool policy_takes_tokens(const struct group_conf *g, const struct facts *f)
{
    return ((g->require.all_of | g->require.any_of) & PROOF_TOKEN) &&
           policy_is_secure(f->transport);
}

bool policy_takes_certificates(const struct group_conf *g)
{
    return (g->require.all_of | g->require.any_of) & PROOF_CERTIFICATE;
}

uint32_t policy_end(Countersign__Auth__Grant *g, struct wall until, struct wall now)
{
    /* Without leeway: a binding must not outlive what it rests on. */
    const int64_t left = CS_MAX((until.ms - now.ms) / 1000, (int64_t)0);
    const uint32_t most = (uint32_t)CS_MIN(left, (int64_t)UINT32_MAX);
    g->expires_max_s = CS_MIN(g->expires_max_s, most);
    g->expires_min_s = CS_MIN(g->expires_min_s, most);
    g->expires_default_s = CS_MIN(g->expires_default_s, most);
    return most;
}

unsigned policy_challenge_status(const struct digest_conf *d, const struct facts *f)
{
    if (d->status == STATUS_BY_METHOD)
        return f->is_register ? 401 : 407;
    return d->status == STATUS_401 ? 401 : 407;
}
