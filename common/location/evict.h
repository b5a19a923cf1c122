/* Removes what rests on something, wherever it is registered: every record of bindings is looked
 * at, in portions that leave room for others on the connection. There is no index of what rests on
 * what, since it would have to be written with each REGISTER and right in each failure; a look at
 * 100,000 records takes less than a second, and revoking is rare. */
#ifndef CS_LOCATION_EVICT_H
#define CS_LOCATION_EVICT_H

#include "location/location.h"
#include "location/rests.h"

struct eviction;

/* err is 0, or CS_ECLOSED when not all could be looked at, and it is to be tried again; n: how many
 * went all the same. */
typedef void eviction_fn(void *arg, int err, size_t n);

/* Of up to EVICT_MAX things at once, which are copied. fn is called once, never from inside. NULL
 * when memory is exhausted, or no server is known yet. */
enum { EVICT_MAX = 64 };
struct eviction *location_evict(struct locations *l, struct redis *redis, const struct fallen *what,
                                size_t n, eviction_fn *fn, void *arg);
/* fn will not be called. */
void location_evict_cancel(struct eviction *e);

#endif
