/* Where an identity was seen before: for each user, or for each group that knows its peers by their
 * address alone, the networks (a /24, of IPv6 a /48) from which it was accepted, in Redis and so
 * for all nodes. Seen in another one, it is an alarm, source_drift: a line in the log and the audit
 * log, and a metric. It is accepted all the same, and is told of once, for the network is known
 * then.
 *
 * Bounded: so many networks of an identity, which expire; and pairs that were seen within the hour
 * cost Redis nothing, as far as there is room to remember them here. */
#ifndef CS_AUTHD_DEFENCE_DRIFT_H
#define CS_AUTHD_DEFENCE_DRIFT_H

#include "authd/audit/audit.h"
#include "authd/config.h"
#include "redis/redis.h"

struct drift;

/* Everything is borrowed and outlives it. *out is NULL where no group of conf is watched. */
CS_CHECK int drift_new(struct loop *l, struct redis *redis, const struct authd_conf *conf,
                       struct audit *audit, struct drift **out);
/* What is under way is forgotten. */
void drift_free(struct drift **d);

/* Whether the group's identities are watched. */
bool drift_concerns(const struct group_conf *g);
/* The user, or where that is absent the group's one peer, was accepted from there. Spans are
 * borrowed for the call. */
void drift_seen(struct drift *d, const struct group_conf *g, struct span user, struct span realm,
                const struct addr *source);

#endif
