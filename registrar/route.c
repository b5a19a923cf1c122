#include "registrar/route.h"

#include "sip/chars.h"

/* ---- configuration ---- */

#define R struct route_conf
static const struct conf_key route_keys[] = {
    CONF_STR("name", R, name, "What logs call it.", .required = true, .min = 1, .max = 32),
    CONF_STRS("domains", R, domains, "Domains of the requests it takes; default: any.", .max = 255,
              .at_most = 256, .unique = true),
    CONF_STRS("users", R, users,
              "What the user part begins with, \"+49\" or \"0\"; default: anything.", .min = 1,
              .max = 64, .at_most = 256, .unique = true),
    CONF_STRS("next_hops", R, next_hops,
              "SIP URIs, found by RFC 3263, or names of nodes, reached over the trusted link. A "
              "call keeps to one; the others take over when it is dead or says 503.",
              .min = 1, .max = 255, .at_most = HOPS_MAX, .unique = true),
    CONF_UINT("refuse", R, refuse, "Answer with this status instead of sending it anywhere.",
              .max = 699),
    CONF_BOOL("trusted", R, trusted,
              "Whether the next hops are told who is calling (P-Asserted-Identity, RFC 3325)."),
    CONF_DURATION("probe", R, probe, "OPTIONS to each next hop that is a URI, so often; 0: never.",
                  .def = "10s", .min = 0, .max = CONF_HOUR),
    CONF_DURATION("answer", R, answer,
                  "A next hop that says nothing for so long is given up for the next.", .def = "4s",
                  .min = 100 * CONF_MS, .max = 32 * CONF_SECOND),
    { 0 },
};

static void read_hop(struct conf_check *c, const struct route_conf *r, size_t i)
{
    struct hop *h = &r->hops[i];
    char key[32];
    snprintf(key, sizeof(key), "next_hops[%zu]", i);
    if (!hop_read(r->next_hops[i], h))
        conf_error(c, key,
                   "\"" SPAN_FMT "\" is neither a SIP URI nor the name of a node; write "
                   "sip:gateway.example.com or b2bua-1",
                   SPAN_ARG(r->next_hops[i]));
}

static void route_check(struct conf_check *c, void *section)
{
    struct route_conf *r = section;
    if (!r->n_next_hops == !r->refuse)
        conf_error(c, NULL, "a route has next_hops or refuse; write one of them");
    if (r->refuse && r->refuse < 400)
        conf_error(c, "refuse", "%u is no refusal; write 403", r->refuse);
    r->hops = arena_zalloc(conf_arena(c), r->n_next_hops * sizeof(*r->hops));
    for (size_t i = 0; r->hops && i < r->n_next_hops; i++)
        read_hop(c, r, i);
    for (size_t i = 0; i < r->n_domains; i++) {
        char key[32];
        snprintf(key, sizeof(key), "domains[%zu]", i);
        if (!chars_is_host(r->domains[i]))
            conf_error(c, key, "\"" SPAN_FMT "\" is no host name or address",
                       SPAN_ARG(r->domains[i]));
    }
}

const struct conf_section route_conf_section = { sizeof(R), route_keys, route_check };

/* ---- decisions ---- */

static bool takes(const struct route_conf *r, struct span user, struct span host)
{
    bool domain = !r->n_domains, begins = !r->n_users;
    for (size_t i = 0; i < r->n_domains && !domain; i++)
        domain = span_caseeq(r->domains[i], host);
    for (size_t i = 0; i < r->n_users && !begins; i++)
        begins = span_starts(user, r->users[i]);
    return domain && begins;
}

const struct route_conf *route_find(const struct route_conf *routes, size_t n, struct span aor)
{
    char text[SIP_AOR_MAX];
    struct span host = span_skip(aor, sizeof("sip:") - 1), user = SPAN("");
    if (aor.n > sizeof(text))
        return NULL;
    for (ptrdiff_t at; (at = span_find(host, '@')) >= 0;) {
        user = span_of(aor.p + 4, (size_t)(host.p + at - aor.p) - 4);
        host = span_skip(host, (size_t)at + 1);
    }
    user = sip_user_plain(user, text); /* %2B begins with + for who is called */
    for (size_t i = 0; i < n; i++) {
        if (takes(&routes[i], user, host))
            return &routes[i];
    }
    return NULL;
}
