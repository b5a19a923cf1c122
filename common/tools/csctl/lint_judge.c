/* What fits badly together in two configurations, each of which is good by itself. */
#include <string.h>

#include "base/process.h"
#include "doctor.h"

static bool among(const struct span *list, size_t n, struct span s, bool any_case)
{
    for (size_t i = 0; i < n; i++) {
        if (any_case ? span_caseeq(list[i], s) : span_eq(list[i], s))
            return true;
    }
    return false;
}

/* ---- authd.yaml alone ---- */

static void judge_realms(struct doctor *d)
{
    for (size_t i = 0; i < d->authd->n_realms; i++) {
        const struct span realm = d->authd->realms[i].name;
        const char *fault = config_realm_fault(realm);
        finding_about(d, FILE_AUTHD, "realms[%zu].name", i);
        if (fault)
            finding(d, LEVEL_WARNING, "realms.name",
                    "Name the organisation: its domain, for example. Users need new verifiers, "
                    "which depend on the realm.",
                    "the realm " SPAN_FMT " %s", SPAN_ARG(realm), fault);
    }
}

static void judge_formers(struct doctor *d)
{
    for (size_t i = 0; i < d->authd->n_realms; i++) {
        const struct former_conf *f = d->authd->realms[i].formerly;
        finding_about(d, FILE_AUTHD, "realms[%zu].formerly", i);
        if (f && clock_wall().ms >= f->until.ms)
            finding(d, LEVEL_WARNING, "realms.formerly",
                    "When csctl census former names nobody any more, remove formerly. Until then "
                    "authd needs it to tell whose these users are.",
                    "the realm's former name, " SPAN_FMT ", is good no more", SPAN_ARG(f->name));
    }
}

static const struct realm_conf *realm_named(const struct doctor *d, struct span name)
{
    ptrdiff_t i = name.p ? config_realm(d->authd, name) : -1;
    return i < 0 ? NULL : &d->authd->realms[i];
}

/* A group that matches everything hides what stands behind it. */
static void judge_order(struct doctor *d)
{
    const struct group_conf *all = NULL;
    for (size_t i = 0; i < d->authd->n_peer_groups; i++) {
        const struct group_conf *g = &d->authd->peer_groups[i];
        const struct group_match *m = &g->match;
        finding_about(d, FILE_AUTHD, "peer_groups[%zu].name", i);
        if (all)
            finding(d, LEVEL_WARNING, "groups.hidden", "Put it before the group that takes all.",
                    "the group " SPAN_FMT " is never reached: " SPAN_FMT ", before it, matches "
                    "every request",
                    SPAN_ARG(g->name), SPAN_ARG(all->name));
        else if (!m->n_listeners && !m->transports && place_is_empty(&m->place) && !m->n_domains)
            all = g;
    }
}

static bool asks_digest(const struct group_conf *g)
{
    return ((g->require.all_of | g->require.any_of) & PROOF_DIGEST) != 0;
}

static void judge_algorithms(struct doctor *d)
{
    for (size_t i = 0; i < d->authd->n_peer_groups; i++) {
        const struct group_conf *g = &d->authd->peer_groups[i];
        const struct realm_conf *realm = realm_named(d, g->digest.realm);
        if (!realm || !asks_digest(g) || (g->digest.algorithm_mask & realm->verifiers))
            continue;
        finding_about(d, FILE_AUTHD, "peer_groups[%zu].digest.algorithms", i);
        finding(d, LEVEL_FAULT, "groups.algorithms",
                "Add an algorithm of the realm's verifiers, or to them.",
                "the group " SPAN_FMT " offers only algorithms that the realm " SPAN_FMT
                " keeps no verifiers for: nobody can answer",
                SPAN_ARG(g->name), SPAN_ARG(realm->name));
    }
}

static void judge_operators(struct doctor *d)
{
    const __typeof__(d->authd->http) *h = &d->authd->http;
    if (h->listen.sa.sa_family == AF_UNSPEC || h->admin_token_file || h->tokens_file ||
        h->operators.n_issuers)
        return;
    finding_about(d, FILE_AUTHD, "http.listen");
    finding(d, LEVEL_WARNING, "http.tokens",
            "Name http.tokens_file, with lines that csctl token make prints.",
            "there is no token: nobody can manage users");
}

/* ---- both ---- */

/* May a request that comes by this listener belong to the group? What it says of sources is left
 * out: they are known when it comes. */
static bool may_match(const struct doctor *d, const struct group_match *m,
                      const struct listener_conf *l)
{
    bool domain = m->n_domains == 0;
    for (size_t i = 0; i < d->registrar->n_domains; i++)
        domain = domain || among(m->domains, m->n_domains, d->registrar->domains[i], true);
    return domain && (!m->transports || (m->transports & 1U << l->transport)) &&
           (!m->n_listeners || among(m->listeners, m->n_listeners, l->name, false));
}

static bool is_open_to_all(const struct listener_conf *l)
{
    return addr_is_any(&l->address) || l->advertise.p || addr_reach(&l->address) == REACH_ANYWHERE;
}

/* Digest with MD5 alone: what crosses the network in clear can be tried out at billions a second.
 */
static void judge_weak(struct doctor *d, const struct listener_conf *l, size_t i)
{
    for (size_t k = 0; k < d->authd->n_peer_groups; k++) {
        const struct group_conf *g = &d->authd->peer_groups[k];
        const struct realm_conf *realm = realm_named(d, g->digest.realm);
        unsigned offered = g->digest.algorithm_mask & (realm ? realm->verifiers : 0);
        if (!may_match(d, &g->match, l) || !asks_digest(g) || offered != ALG_BIT(ALG_MD5))
            continue;
        finding_about(d, FILE_AUTHD, "peer_groups[%zu].digest.algorithms", k);
        finding(d, LEVEL_WARNING, "listeners.md5",
                "Offer SHA-256 or SHA-512-256 as well, or match the clients that cannot.",
                "the listener " SPAN_FMT " (listeners[%zu] of %s) is UDP and open to the world, "
                "and the group " SPAN_FMT " asks for digest with MD5 only",
                SPAN_ARG(l->name), i, d->file[FILE_REGISTRAR] ? d->file[FILE_REGISTRAR] : "it",
                SPAN_ARG(g->name));
    }
}

static void judge_listeners(struct doctor *d)
{
    for (size_t i = 0; i < d->registrar->n_listeners; i++) {
        const struct listener_conf *l = &d->registrar->listeners[i];
        bool matched = false;
        for (size_t k = 0; k < d->authd->n_peer_groups; k++)
            matched = matched || may_match(d, &d->authd->peer_groups[k].match, l);
        finding_about(d, FILE_REGISTRAR, "listeners[%zu]", i);
        if (!matched)
            finding(d, LEVEL_FAULT, "listeners.group",
                    "Add a peer group for it, or name it in match.listener of one.",
                    "no peer group matches what comes by the listener " SPAN_FMT
                    ": every request is refused",
                    SPAN_ARG(l->name));
        if (matched && l->transport == SIP_UDP && is_open_to_all(l))
            judge_weak(d, l, i);
    }
}

static bool has_listener(const struct doctor *d, struct span name)
{
    struct lint_listener l;
    for (size_t i = 0; d->b2bua && lint_b2bua_listener(d->b2bua, i, &l); i++) {
        if (span_eq(l.name, name))
            return true;
    }
    for (size_t i = 0; i < d->registrar->n_listeners; i++) {
        if (span_eq(d->registrar->listeners[i].name, name))
            return true;
    }
    return false;
}

/* Whether what comes by one of b2bua's may belong to the group. Its domains are hosts of trunks. */
static bool is_for_b2bua(const struct doctor *d, const struct group_match *m)
{
    struct lint_listener l;
    for (size_t i = 0; d->b2bua && lint_b2bua_listener(d->b2bua, i, &l); i++) {
        if ((!m->transports || (m->transports & l.transport)) &&
            (!m->n_listeners || among(m->listeners, m->n_listeners, l.name, false)))
            return true;
    }
    return false;
}

/* A trunk of a group that there is not gets no calls. */
static void judge_trunks(struct doctor *d)
{
    struct span group;
    for (size_t i = 0; lint_b2bua_group(d->b2bua, i, &group); i++) {
        bool found = !group.p;
        for (size_t k = 0; k < d->authd->n_peer_groups; k++)
            found = found || span_eq(d->authd->peer_groups[k].name, group);
        finding_about(d, FILE_B2BUA, "trunks[%zu].group", i);
        if (!found)
            finding(d, LEVEL_FAULT, "trunks.group", "Name a peer group of authd.yaml.",
                    "trunks[%zu] takes calls of the peer group " SPAN_FMT ", which there is not", i,
                    SPAN_ARG(group));
    }
}

/* Nothing is signed, no call admitted and no desk phone let in for a b2bua whose user authd does
 * not know as one. */
static void judge_signers(struct doctor *d)
{
    const struct span user = lint_b2bua_user(d->b2bua);
    const __typeof__(d->authd->listen) *l = &d->authd->listen;
    uid_t uid;
    gid_t gid;
    const bool known = user.p && process_user(user, &uid, &gid) == 0;
    bool found = !known && l->n_signer_uids;
    for (size_t i = 0; known && i < l->n_signer_uids; i++)
        found = found || l->signer_uids[i] == uid;
    finding_about(d, FILE_AUTHD, l->n_signers ? "listen.signers" : "listen");
    if (found)
        return;
    finding(d, LEVEL_FAULT, "authd.signers",
            "Write b2bua's user in listen.users and in listen.signers of authd.yaml.",
            known ? "listen.signers does not name " SPAN_FMT ", who b2bua is: its trunks cannot "
                    "answer challenges, and its calls and desk phones are refused"
                  : "listen.signers names nobody" SPAN_FMT ": trunks cannot answer challenges, and "
                    "calls and desk phones of b2bua are refused",
            SPAN_ARG(known ? user : SPAN("")));
}

static void judge_group(struct doctor *d, size_t i)
{
    const struct group_conf *g = &d->authd->peer_groups[i];
    const struct group_match *m = &g->match;
    bool reached = is_for_b2bua(d, m), sealed = false;
    for (size_t k = 0; k < m->n_listeners; k++) {
        if (has_listener(d, m->listeners[k]))
            continue;
        finding_about(d, FILE_AUTHD, "peer_groups[%zu].match.listener[%zu]", i, k);
        finding(d, LEVEL_FAULT, "groups.listener",
                "Name a listener of registrar.yaml, or give csctl lint the b2bua.yaml that has it.",
                "the group " SPAN_FMT " is for the listener " SPAN_FMT ", which there is not",
                SPAN_ARG(g->name), SPAN_ARG(m->listeners[k]));
    }
    for (size_t k = 0; k < m->n_domains && !is_for_b2bua(d, m); k++) {
        if (among(d->registrar->domains, d->registrar->n_domains, m->domains[k], true))
            continue;
        finding_about(d, FILE_AUTHD, "peer_groups[%zu].match.domain[%zu]", i, k);
        finding(d, LEVEL_WARNING, "groups.domain", "Name a domain of registrar.yaml.",
                "the group " SPAN_FMT " is for the domain " SPAN_FMT
                ", which the registrar does not serve",
                SPAN_ARG(g->name), SPAN_ARG(m->domains[k]));
    }
    for (size_t k = 0; k < d->registrar->n_listeners; k++) {
        const struct listener_conf *l = &d->registrar->listeners[k];
        if (!may_match(d, m, l))
            continue;
        reached = true;
        if (group_rests_on_address(g) && g->address_only_waiver.p && is_open_to_all(l)) {
            finding_about(d, FILE_AUTHD, "peer_groups[%zu].address_only_waiver", i);
            finding(d, LEVEL_NOTE, "groups.address",
                    "Keep it only while that holds; a certificate or digest beside it is better.",
                    "by the listener " SPAN_FMT " whoever seems to come from the addresses of the "
                    "group " SPAN_FMT " passes: " SPAN_FMT,
                    SPAN_ARG(l->name), SPAN_ARG(g->name), SPAN_ARG(g->address_only_waiver));
        }
        sealed = sealed || l->transport == SIP_TLS || l->transport == SIP_WSS;
    }
    if (reached && !sealed && (g->require.all_of & PROOF_TOKEN)) {
        finding_about(d, FILE_AUTHD, "peer_groups[%zu].require", i);
        finding(d, LEVEL_FAULT, "groups.token",
                "Add a listener with transport tls or wss, or take digest instead.",
                "the group " SPAN_FMT " wants tokens, which are refused on what it comes by: "
                "nothing there is encrypted",
                SPAN_ARG(g->name));
    }
    finding_about(d, FILE_AUTHD, "peer_groups[%zu].match", i);
    if (!reached)
        finding(d, LEVEL_WARNING, "groups.unused",
                "Compare its transports, listeners and domains with registrar.yaml.",
                "nothing can come to the group " SPAN_FMT ": no listener fits its match",
                SPAN_ARG(g->name));
}

/* A budget of a group that there is not holds nobody. */
static void judge_budgets(struct doctor *d)
{
    for (size_t i = 0; i < d->registrar->floods.n_groups; i++) {
        struct span name = d->registrar->floods.groups[i].name;
        bool found = false;
        for (size_t k = 0; k < d->authd->n_peer_groups; k++)
            found = found || span_eq(d->authd->peer_groups[k].name, name);
        finding_about(d, FILE_REGISTRAR, "floods.groups[%zu]", i);
        if (!found)
            finding(d, LEVEL_FAULT, "floods.group", "Name a peer group of authd.yaml.",
                    "there is a budget for the group " SPAN_FMT ", which there is not",
                    SPAN_ARG(name));
    }
}

static void judge_domains(struct doctor *d)
{
    for (size_t i = 0; i < d->registrar->n_domains; i++) {
        struct span domain = d->registrar->domains[i];
        bool found = false;
        for (size_t k = 0; k < d->authd->n_realms; k++)
            found = found || span_caseeq(d->authd->realms[k].name, domain);
        finding_about(d, FILE_REGISTRAR, "domains[%zu]", i);
        if (!found)
            finding(d, LEVEL_WARNING, "domains.realm",
                    "Add a realm of this name, or give users their aors in this domain.",
                    "no realm is called " SPAN_FMT ": a new user gets sip:user@realm, which is "
                    "not of this domain",
                    SPAN_ARG(domain));
    }
}

static void judge_redis(struct doctor *d)
{
    const struct redis_settings *a = &d->authd->redis, *r = &d->registrar->redis;
    bool same = redis_settings_agree(a, r);
    finding_about(d, FILE_REGISTRAR, "redis");
    if (!same)
        finding(d, LEVEL_FAULT, "redis.same", "Name one Redis in both files.",
                "registrar and authd name different servers: what is registered is not what is "
                "shown and revoked");
    finding_about(d, FILE_REGISTRAR, "redis.user");
    if (same && a->user.p && r->user.p && span_eq(a->user, r->user))
        finding(d, LEVEL_WARNING, "redis.user", "Make users with deploy/redis/make-users.",
                "both are " SPAN_FMT " in Redis: the registrar, which talks to strangers, may "
                "read verifiers there",
                SPAN_ARG(a->user));
    finding_about(d, FILE_REGISTRAR, "redis_grace");
    if (d->registrar->redis_grace.ms && !d->authd->redis_grace.ms)
        finding(d, LEVEL_WARNING, "redis.grace", "Write the same into authd.yaml, or neither.",
                "authd accepts no call while Redis is away");
}

static void judge_addresses(struct doctor *d)
{
    const struct addr *a = &d->authd->http.listen, *r = &d->registrar->http.listen;
    finding_about(d, FILE_REGISTRAR, "http.listen");
    if (a->sa.sa_family != AF_UNSPEC && addr_eq(a, r))
        finding(d, LEVEL_FAULT, "http.same", "Give one of them another port.",
                "registrar and authd both serve HTTP at one address");
}

/* The page signs in where authd takes tokens from, and shows them under the name that authd reads
 * there. */
static void judge_softphone(struct doctor *d, const struct softphone_conf *p, size_t at)
{
    const struct issuer_conf *issuer = NULL;
    for (size_t i = 0; i < d->authd->n_token_issuers; i++) {
        const struct issuer_conf *one = &d->authd->token_issuers[i];
        if (!one->operators && span_eq(one->issuer, p->issuer))
            issuer = one;
    }
    finding_about(d, FILE_REGISTRAR, "listeners[%zu].websocket.softphone.issuer", at);
    if (!issuer)
        finding(d, LEVEL_FAULT, "softphone.issuer",
                "Write it as token_issuers has it, to the letter; or add it there.",
                "the softphone signs in at " SPAN_FMT ", whose tokens authd does not take",
                SPAN_ARG(p->issuer));
    finding_about(d, FILE_REGISTRAR, "listeners[%zu].websocket.softphone.claim", at);
    if (issuer && !span_eq(issuer->identity.claim, p->claim))
        finding(d, LEVEL_WARNING, "softphone.claim", "Name the same claim in both files.",
                "the softphone registers as what " SPAN_FMT " says, and authd reads " SPAN_FMT,
                SPAN_ARG(p->claim), SPAN_ARG(issuer->identity.claim));
}

static void judge_softphones(struct doctor *d)
{
    for (size_t i = 0; i < d->registrar->n_listeners; i++) {
        const struct listener_ws_conf *ws = d->registrar->listeners[i].ws;
        if (ws && ws->softphone && ws->softphone->issuer.p)
            judge_softphone(d, ws->softphone, i);
    }
}

void lint_judge(struct doctor *d)
{
    if (d->authd) {
        judge_realms(d);
        judge_formers(d);
        judge_order(d);
        judge_algorithms(d);
        judge_operators(d);
    }
    if (d->authd && d->b2bua)
        judge_signers(d);
    if (d->authd && d->registrar) {
        (void)doctor_agreement(d);
        judge_redis(d);
        judge_addresses(d);
        judge_domains(d);
        judge_listeners(d);
        judge_softphones(d);
        judge_budgets(d);
        if (d->b2bua)
            judge_trunks(d);
        for (size_t i = 0; i < d->authd->n_peer_groups; i++)
            judge_group(d, i);
    }
    finding_about(d, FILE_NONE, "."); /* what was looked at last was fine */
}
