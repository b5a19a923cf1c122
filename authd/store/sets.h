/* The address sets of the installation (authd/store/address_set.h), as peer groups and devices ask
 * for them. They live in Redis; each authd holds them in memory, hears of every change at once
 * (redis_watch), and reads all anew when it was not connected. While Redis is away what is known
 * holds.
 *
 * A set that is due for renewal, or overdue, or named but not there, is an alarm: a line in the log
 * and in the audit log once a day, from each authd, and a metric. */
#ifndef CS_AUTHD_STORE_SETS_H
#define CS_AUTHD_STORE_SETS_H

#include "authd/audit/audit.h"
#include "authd/defence/place.h"
#include "authd/store/address_set.h"
#include "redis/redis.h"

struct sets;

struct sets_env { /* everything is borrowed and outlives the sets */
    struct loop *loop;
    struct redis *redis;
    const struct redis_conf *watch; /* of the same server */
    const struct set_names *names;
    struct audit *audit;
};

CS_CHECK int sets_new(const struct sets_env *env, struct sets **out);
void sets_free(struct sets **s);

/* fn is called when any may have changed. One at a time, NULL for none. */
void sets_listen(struct sets *s, void (*fn)(void *arg), void *arg);

/* All were read once; before that it is not known who is in which. Always so where the
 * configuration names none. */
bool sets_are_known(const struct sets *s);
/* Those of the names that hold a, a bit for each. s NULL: none. */
uint64_t sets_of(const struct sets *s, const struct addr *a);
/* All that there are were read once, named by the configuration or not. */
bool sets_are_read(const struct sets *s);
/* Whether the set of this name, which the configuration need not know, holds a. */
bool sets_hold(const struct sets *s, struct span name, const struct addr *a);
/* Whether a network of one of those in the mask lies in net, or holds it. s NULL: none does. */
bool sets_touch(const struct sets *s, uint64_t mask, const struct cidr *net);

#endif
