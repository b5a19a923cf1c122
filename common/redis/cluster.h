/* A client of Redis Cluster behind redis.h: one connection to each master; each command goes to the
 * one that has its key's slot, and after it where that one says (MOVED, ASK). For redis.c and
 * link.c. */
#ifndef CS_REDIS_CLUSTER_H
#define CS_REDIS_CLUSTER_H

#include "redis/impl.h"

struct cluster;
struct errand;

CS_CHECK int cluster_open(struct redis *r, struct cluster **out);
/* What is unanswered joins the list. */
void cluster_close(struct cluster **c, struct list *unanswered);

/* Of redis_command(), redis_script() (script not NULL: n_keys of the arguments are keys) and
 * redis_atomic() (n_keys < 0). As those. */
struct redis_call *cluster_send(struct cluster *c, redis_fn *fn, void *arg,
                                struct redis_script *script, ptrdiff_t n_keys, size_t n,
                                const struct redis_argv *commands);
void cluster_confirm(struct errand *e);
/* The oldest word of any of them. */
struct mono cluster_heard(const struct cluster *c);
size_t cluster_masters(const struct cluster *c);
unsigned cluster_first_slot(const struct cluster *c, size_t master);
struct redis *cluster_master(const struct cluster *c, size_t master);

#endif
