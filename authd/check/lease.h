/* Challenges in hand for a front (auth.proto, Lease): requests like this one, without credentials,
 * will all be challenged, so the front may do that by itself for a while. */
#ifndef CS_AUTHD_CHECK_LEASE_H
#define CS_AUTHD_CHECK_LEASE_H

#include "auth.pb-c.h"
#include "authd/check/challenge.h"

enum { LEASE_MAX = 256, LEASE_VALID_MS = 2000 };

/* Whether the facts that a front compares decide alone: not where any group looks at addresses or
 * countries, or takes an address as proof. */
bool lease_is_safe(const struct group_conf *groups, size_t n);

/* As many nonces as are wanted, at most LEASE_MAX, and the challenges around them; memory is the
 * arena's. */
CS_CHECK int lease_make(struct noncer *nonces, const struct digest_conf *d,
                        const struct offer *offer, uint32_t want, struct wall now, struct arena *a,
                        Countersign__Auth__Lease *out);

#endif
