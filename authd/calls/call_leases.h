/* Calls that are going on, counted in Redis for the whole installation, as leases that lapse: what
 * a call is counted on is named "user:alice@example.com", "tenant:example.com" or "trunk:carrier".
 *
 *   cs:calls:{<name>}     sorted set: its calls, by when their leases lapse, in milliseconds
 *   cs:calls:{<name>}:s   until when the calls of a second are used up, in milliseconds; expires
 *                         then
 *   cs:calls:{<name>}:m   the same of a minute
 *   cs:went:{<name>}      sorted set: countries that a user called, by when
 */
#ifndef CS_AUTHD_CALLS_CALL_LEASES_H
#define CS_AUTHD_CALLS_CALL_LEASES_H

#include "authd/calls/calls_conf.h"
#include "redis/redis.h"

enum { CALL_LEASE_NAME_MAX = 600 };

enum call_counted { COUNTED, COUNTED_AT_ONCE, COUNTED_SECOND, COUNTED_MINUTE }; /* which limit */

struct call_lease { /* borrowed for the call */
    struct span name, id;
    struct wall now;
    struct duration length;
};

/* Counts it, unless that is more than there may be. NULL: no memory. */
struct redis_call *call_lease_take(struct redis *r, const struct call_lease *l,
                                   const struct calls_limit *limit, redis_fn *fn, void *arg);
/* What Redis says to that. CS_ECLOSED: nothing, or nothing that makes sense. */
CS_CHECK int call_lease_read(const struct redis_reply *reply, enum call_counted *out,
                             struct duration *wait);
/* It was counted, and there is no call: its share of the rates is given back, too. */
void call_lease_undo(struct redis *r, const struct call_lease *l, const struct calls_limit *limit);
/* It goes on; what lapsed, or was lost by Redis, is counted again. */
void call_lease_keep(struct redis *r, const struct call_lease *l);
void call_lease_end(struct redis *r, const struct call_lease *l);

/* A reply to ZRANGEBYSCORE WITHSCORES: those that stand, at most max of them. */
struct redis_call *call_lease_list(struct redis *r, struct span name, struct wall now, unsigned max,
                                   redis_fn *fn, void *arg);

/* Whether, and since when, the user called that country: a reply to ZSCORE. */
struct redis_call *call_went_ask(struct redis *r, struct span name, struct span country,
                                 redis_fn *fn, void *arg);
/* It does now; what is older than known is forgotten. */
void call_went_add(struct redis *r, struct span name, struct span country, struct wall now,
                   struct duration known);

/* "user:...", "tenant:..." or "trunk:...", as above. */
bool call_lease_is_name(struct span name);

#endif
