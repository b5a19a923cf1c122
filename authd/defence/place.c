#include "authd/defence/place.h"

#define PRIVATE                                                                         \
    "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,169.254.0.0/16," \
    "::1,fc00::/7,fe80::/10"

/* ---- configuration ---- */

#define P struct place_conf
static const struct conf_key place_keys[] = {
    CONF_CIDRS("source", P, sources, "Networks whose addresses are proof."),
    CONF_STRS("address_set", P, sets, "Names of address sets (csctl address-set) that are, too.",
              .unique = true, .at_most = SET_NAMES_MAX, .min = 1, .max = 64),
    { 0 },
};

static void place_check(struct conf_check *c, void *section)
{
    if (place_is_empty(section))
        conf_error(c, NULL, "names neither source nor address_set");
}
const struct conf_section place_section = { .size = sizeof(P),
                                            .keys = place_keys,
                                            .check = place_check };

static const char *const unknown_names[] = { "refuse", "allow", NULL };

#define N struct countries_conf
static const struct conf_key country_keys[] = {
    CONF_STRS("allow", N, allow, "Countries (ISO 3166, as DE) that alone may come.",
              .at_most = COUNTRIES_MAX, .unique = true),
    CONF_STRS("deny", N, deny, "Countries that may not.", .at_most = COUNTRIES_MAX, .unique = true),
    CONF_ENUM("unknown", N, unknown, unknown_names,
              "What becomes of addresses whose country the database does not know.",
              .def = "refuse"),
    { 0 },
};

static void check_codes(struct conf_check *c, const char *key, const struct span *codes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct span s = codes[i];
        if (s.n != 2 || s.p[0] < 'A' || s.p[0] > 'Z' || s.p[1] < 'A' || s.p[1] > 'Z')
            conf_error(c, key, "\"" SPAN_FMT "\" is no country; write two capital letters, as DE",
                       SPAN_ARG(s));
    }
}

static void countries_check(struct conf_check *c, void *section)
{
    const N *n = section;
    check_codes(c, "allow", n->allow, n->n_allow);
    check_codes(c, "deny", n->deny, n->n_deny);
    if (n->n_allow && n->n_deny)
        conf_error(c, "deny", "stands beside allow; write one of them");
    if (!n->n_allow && !n->n_deny)
        conf_error(c, NULL, "names neither allow nor deny");
}
const struct conf_section countries_section = { .size = sizeof(N),
                                                .keys = country_keys,
                                                .check = countries_check };

#define O struct geo_conf
static const struct conf_key geo_keys[] = {
    CONF_PATH(
        "database", O, database,
        "Countries of addresses, a file in the MaxMind DB format; replaced, it is read anew."),
    CONF_CIDRS("exempt", O, exempt, "Networks whose country nobody asks for.", .def = PRIVATE),
    { 0 },
};
const struct conf_section geo_section = { .size = sizeof(O), .keys = geo_keys };

#define D struct drift_conf
static const struct conf_key drift_keys[] = {
    CONF_DURATION("remember", D, remember,
                  "How long a network is known in which somebody was seen.", .def = "90d",
                  .min = CONF_HOUR, .max = 730 * CONF_DAY),
    CONF_UINT(
        "networks", D, networks,
        "Networks (a /24, of IPv6 a /48) that are known of one identity; the one used longest "
        "ago makes room.",
        .def = "16", .min = 1, .max = 256),
    CONF_UINT("recent", D, recent, "Pairs of identity and network that cost Redis nothing.",
              .def = "65536", .min = 16, .max = 10000000),
    { 0 },
};
const struct conf_section drift_section = { .size = sizeof(D), .keys = drift_keys };

/* ---- decisions ---- */

bool place_is_empty(const struct place_conf *p)
{
    return p->n_sources == 0 && p->n_sets == 0;
}

bool place_holds(const struct place_conf *p, const struct facts *f)
{
    for (size_t i = 0; i < p->n_sources && f->source.sa.sa_family != AF_UNSPEC; i++) {
        if (cidr_contains(&p->sources[i], &f->source))
            return true;
    }
    return (p->set_mask & f->sets) != 0;
}

static bool is_private(const struct cidr *net)
{
    struct span rest = SPAN(PRIVATE);
    while (rest.p) {
        struct cidr c;
        if (cidr_parse(span_cut(&rest, ','), &c) == 0 && net->bits >= c.bits &&
            cidr_contains(&c, &net->net))
            return true;
    }
    return false;
}

bool place_is_private(const struct place_conf *p)
{
    for (size_t i = 0; i < p->n_sources; i++) {
        if (!is_private(&p->sources[i]))
            return false;
    }
    return p->n_sets == 0;
}

int place_number(struct place_conf *p, struct set_names *all)
{
    for (size_t i = 0; i < p->n_sets; i++) {
        size_t k = 0;
        while (k < all->n && !span_eq(all->name[k], p->sets[i]))
            k++;
        if (k == SET_NAMES_MAX)
            return CS_ELIMIT;
        if (k == all->n)
            all->name[all->n++] = p->sets[i];
        p->set_mask |= UINT64_C(1) << k;
    }
    return 0;
}

static bool is_among(const struct span *codes, size_t n, struct span country)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(codes[i], country))
            return true;
    }
    return false;
}

bool countries_admit(const struct countries_conf *c, const char *country)
{
    if (!c->n_allow && !c->n_deny)
        return true;
    if (!*country)
        return c->unknown == COUNTRY_UNKNOWN_ALLOW;
    return c->n_allow ? is_among(c->allow, c->n_allow, span_str(country))
                      : !is_among(c->deny, c->n_deny, span_str(country));
}
