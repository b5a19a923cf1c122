/* Before anything is judged: whether every user there is belongs to a realm of the configuration.
 * A realm whose name was changed there leaves its users behind, with verifiers that fit no more,
 * and that had better be found out before the phones do. */
#ifndef CS_AUTHD_STORE_REALM_GUARD_H
#define CS_AUTHD_STORE_REALM_GUARD_H

#include "authd/config.h"
#include "redis/redis.h"

struct realm_guard;

/* Begins with realm_guard_look(). What is wrong is logged. */
typedef void realm_guard_fn(void *arg, bool ok);
CS_CHECK int realm_guard_new(struct redis *r, const struct authd_conf *conf, realm_guard_fn *fn,
                             void *arg, struct realm_guard **out);
void realm_guard_free(struct realm_guard **g);
/* Redis is there. fn is called once, when all names were seen; a look that breaks off begins again
 * with the next call. */
void realm_guard_look(struct realm_guard *g);

#endif
