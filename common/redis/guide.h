/* Where the servers are: asks one who knows after the other, and the one that answers again and
 * again: sentinels about the master, or the nodes of a cluster about each other. */
#ifndef CS_REDIS_GUIDE_H
#define CS_REDIS_GUIDE_H

#include "redis/redis.h"

struct guide;

struct guide_kind {      /* what it points to is the caller's */
    const char *master;  /* for the log; NULL: there is not only one */
    const char *role;    /* that those who are asked must have; NULL: any */
    const char *noun;    /* what the log calls one: "sentinel" */
    const char *silence; /* what it says when none is of use */
    const struct addr *addrs;
    size_t n; /* at most 32 */
    size_t argc;
    const struct span *argv; /* the question */
};

/* Called with every answer of the one at this address, whether it is news or not. What is wrong
 * with it, for the log, or NULL. */
typedef const char *guide_fn(void *arg, const struct addr *from, const struct redis_reply *reply);

/* conf: how those who are asked are connected; not where. */
CS_CHECK int guide_open(struct loop *l, const struct redis_conf *conf,
                        const struct guide_kind *kind, guide_fn *fn, void *arg, struct guide **out);
void guide_close(struct guide **s);
/* What was said is not so: the next one is asked, soon. */
void guide_doubt(struct guide *s);

#endif
