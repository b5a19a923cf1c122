/* Who the master is, by sentinels. For link.c. */
#ifndef CS_REDIS_SENTINEL_H
#define CS_REDIS_SENTINEL_H

#include "redis/guide.h"

struct sentinel;
/* Called with every answer, whether it is news or not. */
typedef void sentinel_fn(void *arg, const struct addr *master);

/* conf->sentinels says where they are and stays the caller's; TLS and server_name are those of the
 * servers. */
CS_CHECK int sentinel_open(struct loop *l, const struct redis_conf *conf, sentinel_fn *fn,
                           void *arg, struct sentinel **out);
void sentinel_close(struct sentinel **s);
/* The master that was named is none, or not there: the next sentinel is asked, soon. */
void sentinel_doubt(struct sentinel *s);

#endif
