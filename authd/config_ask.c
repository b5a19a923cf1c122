/* What others ask of a configuration that was read. */
#include "authd/config.h"

bool group_is_ours(const struct group_conf *g)
{
    return g->path || g->trusted ||
           (!g->address && ((g->require.all_of | g->require.any_of) & PROOF_ADDRESS));
}

bool group_rests_on_address(const struct group_conf *g)
{
    return g->require.all_of == PROOF_ADDRESS || (g->require.any_of & PROOF_ADDRESS);
}

ptrdiff_t config_realm(const struct authd_conf *conf, struct span realm)
{
    for (size_t i = 0; i < conf->n_realms; i++) {
        if (span_eq(conf->realms[i].name, realm))
            return (ptrdiff_t)i;
    }
    return -1;
}

struct span config_other_name(const struct authd_conf *conf, struct span realm)
{
    for (size_t i = 0; i < conf->n_realms; i++) {
        const struct former_conf *f = conf->realms[i].formerly;
        if (f && span_eq(conf->realms[i].name, realm))
            return f->name;
        if (f && span_eq(f->name, realm))
            return conf->realms[i].name;
    }
    return SPAN_NULL;
}

struct span config_former(const struct former_conf *f, struct wall now)
{
    return f && now.ms < f->until.ms ? f->name : SPAN_NULL;
}

const char *config_realm_fault(struct span realm)
{
    struct addr a;
    if (span_caseeq(realm, SPAN("default")) || span_caseeq(realm, SPAN("asterisk")))
        return "does not say whose it is: verifiers of other servers with that default fit it";
    if (addr_parse_host(realm, 0, &a) == 0)
        return "is an address: when that changes, every password must be set again";
    return NULL;
}

void config_warn(const struct authd_conf *conf)
{
    static const struct log log = { .module = "config" };
    for (size_t i = 0; i < conf->n_realms; i++) {
        const char *fault = config_realm_fault(conf->realms[i].name);
        if (fault)
            log_warn(&log, "this realm had better have another name",
                     kv_s("realm", conf->realms[i].name), kv_str("why", fault));
    }
    for (size_t i = 0; i < conf->n_peer_groups; i++) {
        const struct group_conf *g = &conf->peer_groups[i];
        if (g->address_only_waiver.p)
            log_warn(&log, "a public address is proof enough in this group", kv_s("group", g->name),
                     kv_s("waiver", g->address_only_waiver));
    }
}

/* Our own gateways and edge proxies: what comes through them is not theirs. */
void config_spare_gateways(struct authd_conf *conf, struct arena *arena)
{
    struct defence_conf *d = &conf->defence;
    size_t n = d->n_exempt;
    for (size_t i = 0; i < conf->n_peer_groups; i++) {
        const struct group_conf *g = &conf->peer_groups[i];
        n += g->match.n_sources + (g->address ? g->address->n_sources : 0);
    }
    struct cidr *all = arena_alloc(arena, n * sizeof(*all));
    if (!all)
        return;
    if (d->n_exempt)
        memcpy(all, d->exempt, d->n_exempt * sizeof(*all));
    d->exempt = all;
    for (size_t i = 0; i < conf->n_peer_groups; i++) {
        const struct group_conf *g = &conf->peer_groups[i];
        const struct place_conf *ours = g->address         ? g->address
                                        : group_is_ours(g) ? &g->match.place
                                                           : NULL;
        for (size_t k = 0; ours && k < ours->n_sources; k++)
            d->exempt[d->n_exempt++] = ours->sources[k];
        conf->gateway_sets |= ours ? ours->set_mask : 0;
    }
}
