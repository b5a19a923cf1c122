/* Which requests for none of our users go where: routes of the configuration. Decides only: pure
 * functions. */
#ifndef CS_REGISTRAR_ROUTE_H
#define CS_REGISTRAR_ROUTE_H

#include "conf/conf.h"
#include "sip/uri.h"

struct hop {            /* where a route leads */
    struct span text;   /* as written */
    uint32_t node;      /* siptp_node_id() of a node of ours; 0: */
    struct sip_uri uri; /* by RFC 3263 */
    struct mono down;   /* tried behind the others until then */
};

enum { ROUTES_MAX = 32, ROUTE_HOPS_MAX = 8 };

struct route_conf {
    struct span name;
    struct span *domains; /* of Request-URIs; none: any */
    size_t n_domains;
    struct span *users; /* prefixes of their users; none: any */
    size_t n_users;
    struct span *next_hops;
    size_t n_next_hops;
    unsigned refuse; /* status, instead of next hops; 0: none */
    bool trusted;
    struct duration probe, answer;
    struct hop *hops; /* n_next_hops */
};

extern const struct conf_section route_conf_section;

/* The first route for a canonical address of record, "sip:user@host" or "sip:host"; NULL if there
 * is none. */
const struct route_conf *route_find(const struct route_conf *routes, size_t n, struct span aor);

/* The order in which a call tries the hops: each Call-ID has one of its own, which changes for few
 * of them when a hop is added or taken away (rendezvous hashing); those that are down come last. */
void route_order(struct hop *hops, size_t n, struct span call_id, struct mono now,
                 struct hop *out[ROUTE_HOPS_MAX]);
/* A number of the Call-ID, the same in each process: for choices that a call keeps. */
uint64_t route_seed(struct span call_id);

#endif
