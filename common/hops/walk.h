/* One request's way along several next hops, each of which may have several addresses (RFC 3263,
 * 4.3): the next one is given out when the one before did not answer, or said 503. */
#ifndef CS_HOPS_WALK_H
#define CS_HOPS_WALK_H

#include "dns/locate.h"
#include "hops/hop.h"

struct hop_walk;

struct hop_means { /* of a process, for all its walks; outlives them */
    struct loop *loop;
    struct siptp *tp;
    struct locator *locator;
    unsigned speaks;       /* LOCATE_SPEAKS() of what we can send over */
    bool ipv4, ipv6;       /* which addresses we can send to */
    struct duration avoid; /* who did not answer is tried behind the others for so long */
    /* A link to a node of ours; the caller gets a reference. */
    int (*link)(void *arg, uint32_t node, struct flow **out);
    /* Whether another node of ours hears phones there; NULL: there is none. */
    bool (*is_ours)(void *arg, const struct addr *a);
    void *arg;
};

struct hop_ask {
    struct hop *const *hops; /* in their order; copied, not what they point to */
    size_t n;
    const struct flow *from; /* whence the request came, for it is not sent back there; or NULL */
    bool sips;               /* only over what is secure */
    size_t size;             /* bytes to be sent, about */
    uint64_t seed;           /* the same one leads the same way */
};

/* 0 with a flow, borrowed for the call; else there is nothing left to try. */
typedef void hop_fn(void *arg, int err, struct flow *flow);

/* NULL: no memory. */
struct hop_walk *hop_walk_new(const struct hop_means *m, const struct hop_ask *ask, hop_fn *fn,
                              void *arg);
/* fn is called once, not from inside. */
void hop_walk_next(struct hop_walk *w);
/* Whose the flow is that was given out last; absent: a node's. */
struct span hop_walk_domain(const struct hop_walk *w);
/* What was given out last did not answer, so that others try it last, or it did. */
void hop_walk_failed(struct hop_walk *w);
void hop_walk_answered(struct hop_walk *w);
/* The hop of what was given out last; NULL: nothing was. */
struct hop *hop_walk_hop(const struct hop_walk *w);
/* fn is not called any more. Sets *w to NULL. */
void hop_walk_free(struct hop_walk **w);

#endif
