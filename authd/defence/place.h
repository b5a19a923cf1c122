/* Where a request comes from: what the configuration makes of its network and its country, and pure
 * functions over that. Networks stand in the configuration, or under a name in Redis
 * (authd/store/address_set.h), where they have an owner and a date by which they are looked at
 * again. */
#ifndef CS_AUTHD_DEFENCE_PLACE_H
#define CS_AUTHD_DEFENCE_PLACE_H

#include "authd/check/facts.h"
#include "conf/conf.h"

enum { SET_NAMES_MAX = 64, COUNTRIES_MAX = 300 };

/* All sets that the configuration names; bit i of a mask is the i-th. */
struct set_names {
    struct span name[SET_NAMES_MAX];
    size_t n;
};

/* Networks, and sets of them: to be in any one of all is enough. */
struct place_conf {
    struct cidr *sources;
    size_t n_sources;
    struct span *sets;
    size_t n_sets;
    uint64_t set_mask;
};

struct countries_conf { /* two letters each (ISO 3166-1) */
    struct span *allow, *deny;
    size_t n_allow, n_deny; /* one of them is 0 */
    enum { COUNTRY_UNKNOWN_REFUSE, COUNTRY_UNKNOWN_ALLOW } unknown;
};

struct geo_conf {
    const char *database; /* NULL: none */
    struct cidr *exempt;
    size_t n_exempt;
};

struct drift_conf {
    struct duration remember;
    size_t networks, recent;
};

extern const struct conf_section place_section, countries_section, geo_section, drift_section;

bool place_is_empty(const struct place_conf *p);
/* Whether the request comes from there; never from an empty one. */
bool place_holds(const struct place_conf *p, const struct facts *f);
/* Whether all of it is loopback, link-local or private (RFC 1918, 4193, 6598). A set may become
 * anything, so it is not. */
bool place_is_private(const struct place_conf *p);
/* Gives the sets of p their bits. CS_ELIMIT when they are too many. */
CS_CHECK int place_number(struct place_conf *p, struct set_names *all);

/* Whether a group lets this country in; "": not known. An empty one lets everybody in. */
bool countries_admit(const struct countries_conf *c, const char *country);

#endif
