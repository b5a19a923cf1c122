/* Which requests for none of our users go where: routes of the configuration. Decides only: pure
 * functions. */
#ifndef CS_REGISTRAR_ROUTE_H
#define CS_REGISTRAR_ROUTE_H

#include "conf/conf.h"
#include "hops/hop.h"

enum { ROUTES_MAX = 32 };

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

#endif
