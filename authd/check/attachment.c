#include "authd/check/attachment.h"

#include "authd/check/policy.h"

enum { OF_PHONES = PROOF_ADDRESS | PROOF_CERTIFICATE | PROOF_DEVICE };

/* Of these proofs those that hold. */
static unsigned holds(unsigned proofs, const struct group_conf *g, const struct facts *f,
                      const struct attachment *a)
{
    const bool there = !g->address || place_holds(g->address, f);
    const bool spared =
        a->device && !a->device->address_set.n; /* it may come from anywhere there */
    unsigned held = 0;
    if (there && (a->in_set || spared))
        held |= PROOF_ADDRESS;
    if (a->in_set)
        held |= PROOF_DEVICE;
    if (a->certificate == CAUSE(OK) && a->its_own)
        held |= PROOF_CERTIFICATE;
    return held & proofs;
}

/* Which of the proofs it lacks is worth telling. */
static Countersign__Auth__Cause fault_of(unsigned lacking, const struct group_conf *g,
                                         const struct facts *f, const struct attachment *a)
{
    const bool there = !g->address || place_holds(g->address, f);
    if (!a->device)
        return CAUSE(UNKNOWN_DEVICE);
    if ((lacking & PROOF_ADDRESS) && !there)
        return CAUSE(ADDRESS_NOT_ALLOWED);
    if (lacking & (PROOF_ADDRESS | PROOF_DEVICE))
        return CAUSE(DEVICE_ADDRESS);
    return a->certificate == CAUSE(OK) ? CAUSE(DEVICE_CERTIFICATE) : a->certificate;
}

/* One that is no good is no trifle, even where another proof would do. */
static bool is_no_good(const struct attachment *a)
{
    return a->certificate == CAUSE(OK) ? !a->its_own
                                       : a->certificate != CAUSE(CAUSE_NONE) &&
                                             a->certificate != CAUSE(CERTIFICATE_MISSING) &&
                                             a->certificate != CAUSE(SAN_UNMATCHED);
}

Countersign__Auth__Cause attachment_of(const struct group_conf *g, const struct facts *f,
                                       const struct attachment *a)
{
    const unsigned all = g->require.all_of, any = g->require.any_of, proofs = all | any;
    const unsigned held = holds(proofs, g, f, a);
    if ((all & ~(unsigned)OF_PHONES) || !(proofs & OF_PHONES))
        return CAUSE(DEVICE_UNPROVEN);
    if (a->device && is_no_good(a))
        return fault_of(PROOF_CERTIFICATE, g, f, a);
    if (!a->device || (all ? held != all : !held))
        return fault_of((all ? all : any & OF_PHONES) & ~held, g, f, a);
    if (!a->device->enabled)
        return CAUSE(DEVICE_DISABLED);
    if (a->device->security != DEVICE_NONSECURE && !a->open && !policy_is_secure(f->transport))
        return CAUSE(DEVICE_ON_CLEAR_TRANSPORT);
    return CAUSE(OK);
}
