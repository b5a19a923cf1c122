/* One request sent to one or several targets, and their answers made into one (RFC 3261, 16.6
 * and 16.7; RFC 5393). Targets of equal q ring together, then those of the next lower. */
#ifndef CS_REGISTRAR_FORK_H
#define CS_REGISTRAR_FORK_H

#include "registrar/front.h"
#include "registrar/route.h"

struct fork;

struct fork_target {
    struct flow *flow;       /* borrowed: the fork takes its own reference; NULL: */
    struct hop *const *hops; /* found on the way, one after the other; what they point to lives as
                              * long as the message */
    size_t n_hops;
    struct duration answer; /* of hops: who says nothing for so long is given up; 0: 64*T1 */
    unsigned unreachable;   /* status when nobody could be reached at all; 0: 480 */
    struct span uri;        /* new Request-URI; absent: keep */
    const struct span *routes;
    size_t n_routes;
    uint32_t q;             /* thousandths */
    struct span rests;      /* line of resting_write() for its binding; absent: there is none */
    struct span instance;   /* of the phone; absent if it names none, or it is not known */
    struct span tag;        /* the instance in a route: route_tag_write() */
    uint64_t until_ms;      /* when the binding ends; of bindings alone */
    size_t spare;           /* index of another flow to the same phone; 0: none */
    struct span aor, token; /* of a binding whose flow another registrar has; absent else. When that
                             * one says 430, the binding is removed */
};

struct fork_request {
    struct tx *tx; /* server transaction; the fork answers it */
    struct sip_msg *msg;
    struct flow *from;
    const struct fork_target *targets; /* by falling q; borrowed for the call, as all spans in it
                                        * are the message's */
    size_t n_targets, n_spare; /* spares stand behind; each is tried when the flow of the target
                                * before it in its chain fails (RFC 5626, 7) */
    uint64_t strip;            /* headers to leave out */
    struct span append;        /* lines to add; in the message's arena */
    bool record_route;
    uint64_t loop_hash; /* goes into each branch */
};

/* Sends. NULL when memory is exhausted (the transaction is not answered then). */
struct fork *fork_start(struct front *f, const struct fork_request *rq);
/* Cancels every branch that rings; their answers come as always. Those that never said a word count
 * as ended. reason: value of a Reason header for them (RFC 3326); absent: none. */
void fork_cancel(struct fork *fork, struct span reason);
/* Drops what is under way: callers without an answer get a 500. */
void fork_end_all(struct front *f);

#endif
