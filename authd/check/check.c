#include "authd/check/check.h"

#include <stdlib.h>

#include "authd/audit/figures.h"
#include "authd/audit/summaries.h"
#include "authd/check/bearer.h"
#include "authd/check/check_impl.h"
#include "authd/check/client.h"
#include "authd/check/group.h"
#include "authd/check/lease.h"
#include "authd/check/policy.h"
#include "base/metric.h"
#include "base/rand.h"

enum { SPARE_MAX = 4096, CENSUS_MAX = 256, LATER_S = 2, LATER_SPREAD_S = 4, DEADLINE_MS = 2000 };

#define KIND(name) COUNTERSIGN__AUTH__VERDICT_KIND__##name

/* ---- memory ---- */

static struct check *check_new(struct checker *k)
{
    struct list *l = list_pop(&k->spare);
    struct check *c = l ? container_of(l, struct check, link) : malloc(sizeof(*c));
    if (!c)
        return NULL;
    k->n_spare -= l != NULL;
    memset(c, 0, offsetof(struct check, first));
    list_init(&c->link);
    waiter_init(&c->waiter, check_token_wakes);
    c->k = k;
    arena_init(&c->arena, c->first, sizeof(c->first), 0);
    k->open++;
    return c;
}

static void check_free(struct check *c)
{
    struct checker *k = c->k;
    struct store_call *const calls[] = { c->get, c->commit, c->find };
    for (size_t i = 0; i < CS_LEN(calls); i++) {
        if (calls[i])
            store_cancel(calls[i]);
    }
    waiter_cancel(&c->waiter);
    backend_cancel(&c->backend);
    if (c->claiming)
        redis_cancel(c->claiming);
    timer_stop(k->loop, &c->deadline);
    if (c->outlives && c->token.p) /* a copy */
        ct_wipe((char *)c->token.p, c->token.n);
    if (c->attach)
        check_wipe_passwords(c);
    arena_fini(&c->arena);
    k->open--;
    if (k->n_spare < SPARE_MAX) {
        list_push_front(&k->spare, &c->link);
        k->n_spare++;
    } else {
        free(c);
    }
}

void check_cancel(struct check *c)
{
    check_free(c);
}

/* ---- answers ---- */

void check_answer(struct check *c, Countersign__Auth__Verdict *v, Countersign__Auth__Cause because)
{
    struct checker *k = c->k;
    const struct mono now = clock_mono();
    v->id = c->id;
    v->decision = c->decision;
    v->has_cause = true;
    v->group = c->group ? (char *)c->group->name.p : NULL;

    metric_inc(M_AUTHD_CHECKS, v->kind);
    metric_observe(M_AUTHD_CHECK_SECONDS, c->began, now);
    const struct decision d = {
        .time = loop_wall(k->loop),
        .id = span_of(c->decision, DECISION_LEN),
        .group = c->group ? c->group->name : SPAN_NULL,
        .kind = v->kind,
        .cause = v->cause,
        .because = because,
        .status = v->has_status            ? v->status
                  : v->kind == KIND(LATER) ? 503
                                           : 0,
        .facts = &c->facts,
        .user = c->cred.username.n ? c->cred.username : c->cred.auth_id,
        .realm = c->cred.realm,
        .algorithm = c->has_cred ? algorithm_name(c->claim.alg) : SPAN_NULL,
        .device = span_str(c->grant.device),
        .pattern = c->pattern,
        .stale = c->stale,
        .uri_differs = c->uri_differs,
        .issuer = c->proof.issuer ? c->proof.issuer->name : SPAN_NULL,
        .fallback_blocked = c->digest_too && v->kind != KIND(ACCEPT),
        .leased = c->leased,
        .revoked = span_str(c->revoked),
        .latency_us = (now.ns - c->began.ns) / 1000,
    };
    figures_count(k->conf, c->group, &d, c->began, now);
    summaries_count(k->summaries, &d);
    audit_write(k->audit, &d);
    explain_add(k->explain, &d);
    c->asker->answer(c, v);
    check_free(c);
}

void check_later(struct check *c, Countersign__Auth__Cause cause)
{
    Countersign__Auth__Verdict v = COUNTERSIGN__AUTH__VERDICT__INIT;
    v.kind = KIND(LATER);
    v.cause = cause;
    v.has_retry_after_s = true;
    v.retry_after_s = LATER_S + (uint32_t)rand_below(LATER_SPREAD_S); /* not all at once */
    check_answer(c, &v, CAUSE(CAUSE_NONE));
}

void check_reject(struct check *c, Countersign__Auth__Cause cause, Countersign__Auth__Cause because)
{
    Countersign__Auth__Verdict v = COUNTERSIGN__AUTH__VERDICT__INIT;
    v.kind = KIND(REJECT);
    v.cause = cause;
    v.has_status = true;
    v.status = 403;
    check_answer(c, &v, because);
}

static bool is_stream(const struct check *c)
{
    const Countersign__Auth__Transport t = c->facts.transport;
    return t != COUNTERSIGN__AUTH__TRANSPORT__UDP &&
           t != COUNTERSIGN__AUTH__TRANSPORT__TRANSPORT_UNKNOWN;
}

/* Whether the source is where the request came from: a connection, or our nonce came back. */
static bool is_from_there(const struct check *c)
{
    return is_stream(c) ||
           (c->nonce.tag.p && nonce_is_for(c->k->nonces, &c->nonce, &c->facts.source));
}

/* For whom a nonce is made; NULL where nobody will ask. */
static const struct addr *bound_to(const struct check *c)
{
    const struct addr *source = &c->facts.source;
    return is_stream(c) || defence_spares(c->k->defence, c->group, source) ? NULL : source;
}

/* The pattern that says this client stumbles over several challenges, or absent. */
static struct span single_challenge(const struct check *c)
{
    const struct digest_conf *d = &c->group->digest;
    if (!c->facts.user_agent.p && d->single_without_user_agent)
        return SPAN("no user agent");
    return client_pattern(d->single_challenge, d->n_single_challenge, c->facts.user_agent);
}

struct span check_former(const struct check *c)
{
    return c->group->backend ? SPAN_NULL
                             : config_former(c->group->digest.former, loop_wall(c->k->loop));
}

/* false: what users can answer is not known now. */
static bool make_offer(struct check *c, struct offer *out)
{
    const struct digest_conf *d = &c->group->digest;
    unsigned lacking, former_lacking = 0;
    *out = (struct offer){ .former = check_former(c), .single = single_challenge(c).p != NULL };
    if (c->group->backend) { /* what its users have is not ours to know */
        out->algorithms = challenge_offer(d, 0, out->single);
        return true;
    }
    if (!check_offers(c, d->realm, &lacking) ||
        (out->former.p && !check_offers(c, out->former, &former_lacking)))
        return false;
    out->algorithms = challenge_offer(d, lacking, out->single);
    out->former_algorithms = challenge_offer(d, former_lacking, out->single);
    return true;
}

static void challenge(struct check *c, Countersign__Auth__Cause cause, bool stale)
{
    Countersign__Auth__Verdict v = COUNTERSIGN__AUTH__VERDICT__INIT;
    const struct digest_conf *d = &c->group->digest;
    char *list[CHALLENGE_MAX];
    struct offer offer;

    if (!make_offer(c, &offer)) {
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return;
    }
    c->pattern = single_challenge(c);
    c->stale = stale;
    v.kind = KIND(CHALLENGE);
    v.cause = cause;
    v.has_status = true;
    v.status = policy_challenge_status(d, &c->facts);
    v.challenge = list;
    const struct wall now = loop_wall(c->k->loop);
    char nonce[NONCE_LEN];
    Countersign__Auth__Lease lease = COUNTERSIGN__AUTH__LEASE__INIT;
    const struct wall issued = epoch_issued(c->k->epoch, now);
    int err = nonce_mint(c->k->nonces, check_nonce_realm(c), issued, bound_to(c), nonce);
    if (!err)
        err = challenge_write(span_of(nonce, sizeof(nonce)), d, &offer, stale, &c->arena, list,
                              &v.n_challenge);
    if (!err && c->lease_want && !c->grace && cause == CAUSE(NO_CREDENTIALS) &&
        lease_is_safe(c->k->conf->peer_groups, c->k->conf->n_peer_groups)) {
        err = lease_make(c->k->nonces, d, &offer, c->lease_want, issued, &c->arena, &lease);
        v.lease = &lease;
        c->leased = (uint32_t)lease.n_nonce_secret;
    }
    if (!err && !offer.single && !c->grace && policy_takes_tokens(c->group, &c->facts)) {
        char *bearer =
            bearer_challenge(&c->group->token, c->facts.method, CAUSE(NO_CREDENTIALS), &c->arena);
        err = bearer ? 0 : CS_ENOMEM;
        list[v.n_challenge++] = bearer;
        if (lease.challenge)
            lease.challenge[lease.n_challenge++] = bearer;
    }
    if (err) {
        check_later(c, CAUSE(OVERLOADED));
        return;
    }
    if (offer.single) {
        metric_add(M_AUTHD_COMPAT, 0, 1 + c->leased);
        census_narrowed(c->k->census, c->pattern, c->facts.user_agent, 1 + c->leased, now);
    }
    check_answer(c, &v, CAUSE(CAUSE_NONE));
}

struct suspect check_suspect(const struct check *c)
{
    return (struct suspect){ .source = &c->facts.source,
                             .call_id = c->facts.call_id,
                             .user = c->cred.username,
                             .realm = c->has_cred ? c->group->digest.realm : c->cred.realm };
}

/* The last attempt of too many, which gets 403 whatever was wrong. */
static bool is_too_many(struct check *c, Countersign__Auth__Cause cause, enum failure kind)
{
    const struct suspect s = check_suspect(c);
    unsigned n = defence_failed(c->k->defence, c->group, &s, kind);
    if (c->group->digest.attempts == 0 || n < c->group->digest.attempts)
        return false;
    check_reject(c, CAUSE(TOO_MANY_ATTEMPTS), cause);
    return true;
}

/* Wrong credentials, whatever is wrong with them: the same status, headers and bytes. */
void check_refuse_wrong(struct check *c, Countersign__Auth__Cause cause)
{
    if (!is_too_many(c, cause, is_from_there(c) ? FAILURE_PROVEN : FAILURE_UNPROVEN))
        challenge(c, cause, false);
}

/* Credentials that could not be judged, since they do not fit the request or its group. */
static void refuse_mismatch(struct check *c, Countersign__Auth__Cause cause)
{
    if (is_too_many(c, cause, FAILURE_FORMAL))
        return;
    if (c->group->digest.mismatch == MISMATCH_REJECT)
        check_reject(c, cause, CAUSE(CAUSE_NONE));
    else
        challenge(c, cause, false);
}

/* A right response whose nonce count was used before: honest when a path duplicates requests, so
 * not a wrong password, but no more often than that. */
static void refuse_replay(struct check *c)
{
    if (!is_too_many(c, CAUSE(NC_REPLAYED), FAILURE_FORMAL))
        challenge(c, CAUSE(NC_REPLAYED), true);
}

/* ---- accepting ---- */

static uint32_t seconds(struct duration d)
{
    return (uint32_t)(d.ms / 1000);
}

/* Whichever name of the realm was answered for, it goes no further. */
static int add_realms(struct check *c)
{
    const struct digest_conf *d = &c->group->digest;
    Countersign__Auth__Grant *m = &c->grant;
    m->realm = arena_alloc(&c->arena, 2 * sizeof(*m->realm));
    if (!m->realm)
        return CS_ENOMEM;
    m->realm[m->n_realm++] = (char *)d->realm.p;
    m->realm[m->n_realm++] = (char *)d->former->name.p;
    return 0;
}

int check_grant(struct check *c, const struct user *u)
{
    const struct group_conf *g = c->group;
    Countersign__Auth__Grant *m = &c->grant;
    countersign__auth__grant__init(m);
    m->has_expires_min_s = m->has_expires_max_s = m->has_expires_default_s = true;
    m->expires_min_s = seconds(g->expires.min);
    m->expires_max_s = seconds(g->expires.max);
    m->expires_default_s = seconds(g->expires.standard);
    m->has_max_contacts = m->has_path = m->has_contact_routing = m->has_trusted = true;
    m->max_contacts = u && u->max_contacts ? u->max_contacts : g->max_contacts;
    m->path = g->path;
    m->contact_routing = g->contact_routing;
    m->trusted = g->trusted;
    m->has_srtp = m->srtp = g->srtp;
    m->has_direct = m->direct = g->direct;
    m->has_mode = g->mode != MODE_WE_CHALLENGE;
    m->mode = (Countersign__Auth__AuthMode)g->mode;
    if (g->digest.former && add_realms(c))
        return CS_ENOMEM;
    if (!u)
        return 0;

    char *name = arena_alloc(&c->arena, u->name.n + u->realm.n + 2);
    m->aor = arena_alloc(&c->arena, u->n_aors * sizeof(*m->aor));
    if (!name || !m->aor)
        return CS_ENOMEM;
    struct buf b = buf_of(name, u->name.n + u->realm.n + 2);
    buf_put(&b, u->name);
    buf_putc(&b, '@');
    buf_put(&b, u->realm);
    buf_putc(&b, '\0');
    m->user = name;
    struct span claimed = c->facts.is_register ? c->facts.to_aor : c->facts.from_aor;
    for (size_t i = 0; i < u->n_aors; i++) {
        char *aor = arena_str(&c->arena, u->aors[i]);
        if (!aor)
            return CS_ENOMEM;
        m->aor[m->n_aor++] = aor;
        if (span_eq(u->aors[i], claimed))
            m->identity = aor;
    }
    return 0;
}

static void accept_now(struct check *c)
{
    Countersign__Auth__Verdict v = COUNTERSIGN__AUTH__VERDICT__INIT;
    v.kind = KIND(ACCEPT);
    v.cause = c->pending_cause;
    v.grant = &c->grant;
    if ((c->right || c->proven) && c->facts.source.sa.sa_family != AF_UNSPEC) {
        const struct suspect s = check_suspect(c);
        defence_succeeded(c->k->defence, c->group, &s, c->facts.is_register);
        if (c->grant.has_target && is_from_there(c) &&
            c->grant.target == COUNTERSIGN__AUTH__TARGET_STATE__TARGET_UNKNOWN)
            defence_astray(c->k->defence, c->group, &s);
    }
    const bool who = c->right || c->proven;
    if (c->k->drift && c->facts.source.sa.sa_family != AF_UNSPEC &&
        (who || c->pending_cause == CAUSE(ADDRESS_ACCEPTED)) && drift_concerns(c->group))
        drift_seen(c->k->drift, c->group, who ? c->cred.username : SPAN_NULL, c->cred.realm,
                   &c->facts.source);
    if (c->right) {
        metric_inc(M_AUTHD_DIGEST_ALG, c->claim.alg);
        if (!c->group->backend)
            uses_note(c->k->uses, c->cred.username, c->cred.realm, c->claim.alg, c->old);
        census_accepted(c->k->census, single_challenge(c), c->facts.user_agent, c->claim.alg,
                        c->cred.username, c->cred.realm, loop_wall(c->k->loop));
    }
    check_seen(c);
    check_answer(c, &v, CAUSE(CAUSE_NONE));
}

/* Whatever had to be asked was asked in one turn; the last answer decides. */
static void settle(struct check *c)
{
    if (c->commit || c->find)
        return;
    if (c->commit_err == CS_ECONFLICT)
        refuse_replay(c);
    else if (c->commit_err || (c->find_err && c->find_err != CS_ENOENT))
        check_later(c, CAUSE(STORE_UNAVAILABLE));
    else
        accept_now(c);
}

static void committed(void *arg, int err)
{
    struct check *c = arg;
    c->commit = NULL;
    c->commit_err = err;
    settle(c);
}

static void found(void *arg, int err)
{
    struct check *c = arg;
    c->find = NULL;
    c->find_err = err;
    c->grant.has_target = true;
    c->grant.target = err ? COUNTERSIGN__AUTH__TARGET_STATE__TARGET_UNKNOWN
                          : COUNTERSIGN__AUTH__TARGET_STATE__TARGET_KNOWN;
    settle(c);
}

static void on_deadline(struct timer *t)
{
    struct check *c = container_of(t, struct check, deadline);
    check_later(c, c->backend                    ? CAUSE(BACKEND_UNAVAILABLE)
                   : list_empty(&c->waiter.link) ? CAUSE(STORE_UNAVAILABLE)
                                                 : CAUSE(ISSUER_UNAVAILABLE));
}

int check_outlive(struct check *c)
{
    if (c->outlives)
        return 0;
    c->outlives = true;
    c->asker->waits(c);
    timer_start(c->k->loop, &c->deadline, DURATION_MS((int64_t)c->deadline_ms));
    int err = facts_keep(&c->facts, &c->arena);
    if (!err && c->has_cred)
        err = credential_keep(&c->cred, &c->arena);
    struct span token = arena_dup(&c->arena, c->token);
    if (!err && c->token.p && !token.p)
        err = CS_ENOMEM;
    c->token = token;
    if (!err && c->nonce.tag.p) /* a piece of the nonce */
        c->nonce.tag = span_of(c->cred.nonce.p + NONCE_TAG_AT, NONCE_TAG_LEN);
    return err;
}

void check_accept(struct check *c, Countersign__Auth__Cause cause)
{
    const struct digest_conf *d = &c->group->digest;
    const struct facts *f = &c->facts;
    int err = 0;

    const Countersign__Auth__Cause fault = check_party(c);
    if (fault == CAUSE(STORE_UNAVAILABLE)) {
        check_later(c, fault);
        return;
    }
    if (fault != CAUSE(OK)) {
        check_reject(c, fault, CAUSE(CAUSE_NONE));
        return;
    }
    c->pending_cause = cause;
    if (check_is_revoked(c))
        return;
    if (c->right && (d->nc == NC_LOCAL || (c->grace && d->nc == NC_SHARED)) &&
        window_commit(c->k->window, &c->nonce, c->claim.nc) == CS_ECONFLICT) {
        refuse_replay(c);
        return;
    }
    const bool shared = c->right && d->nc == NC_SHARED && !c->grace;
    /* What an address is, is told only to those who proved something (404, 480). With backends
     * there are more of them than we know. */
    const bool target = f->target_aor.p && !c->k->conf->n_backends && !f->in_dialog &&
                        !f->is_register && !c->grace && cause != CAUSE(UNLISTED_METHOD);
    if (shared || target)
        err = check_outlive(c);
    if (!err && shared) {
        c->commit =
            store_commit_nc(c->k->store, &c->nonce, c->claim.nc, d->nonce_lifetime, committed, c);
        err = c->commit ? 0 : CS_ENOMEM;
    }
    if (!err && target) {
        c->find = store_find_aor(c->k->store, f->target_aor, found, c);
        err = c->find ? 0 : CS_ENOMEM;
    }
    if (err)
        check_later(c, CAUSE(OVERLOADED));
    else if (!c->commit && !c->find)
        accept_now(c);
}

void check_changed(struct check *c, struct span name, struct span realm)
{
    if (((c->right || c->proven) && span_eq(c->cred.username, name) &&
         span_eq(c->cred.realm, realm)) ||
        (c->attach && !c->attach->passwords && attach_has_line(c->attach, name, realm)))
        check_later(c, CAUSE(REVOKED));
}

void check_fallen(struct check *c, const struct fallen *what)
{
    const struct rests r = tags_rests(&c->tags, &c->grant);
    if (c->grant.has_rests_on && rests_fall(&r, what))
        check_later(c, CAUSE(REVOKED));
}

/* ---- digest ---- */

/* The response is right; the rest is about what it may do. */
void check_proceed(struct check *c, const struct user *u)
{
    const struct digest_conf *d = &c->group->digest;
    c->right = true;
    if (c->other_nonce || nonce_is_stale(&c->nonce, loop_wall(c->k->loop), d->nonce_lifetime) ||
        (d->nc == NC_SHARED && epoch_is_past(c->k->epoch, &c->nonce))) {
        challenge(c, CAUSE(NONCE_STALE), true);
        return;
    }
    if (c->claim.nc > STORE_NC_MAX && d->nc != NC_OFF) {
        challenge(c, CAUSE(NONCE_STALE), true); /* used up */
        return;
    }
    if (u->session) {
        check_session(c, u->session);
        return;
    }
    Countersign__Auth__Cause cause = policy_identity(u, &c->facts);
    if (cause == CAUSE(FROM_NOT_ALLOWED) && c->group->type == TYPE_SERVER) {
        check_peer(c, u);
        return;
    }
    if (cause != CAUSE(OK)) {
        check_reject(c, cause, CAUSE(CAUSE_NONE));
        return;
    }
    if (check_grant(c, u))
        check_later(c, CAUSE(OVERLOADED));
    else
        check_accept(c, c->grace ? CAUSE(REDIS_GRACE) : CAUSE(OK));
}

/* All that can be said without the user is said before Redis is asked. */
static void judge_credentials(struct check *c)
{
    const struct digest_conf *d = &c->group->digest;
    c->has_cred = true;
    const struct suspect s = check_suspect(c);
    if (defence_stands(c->k->defence, c->group, &s)) {
        check_reject(c, CAUSE(TOO_MANY_ATTEMPTS), CAUSE(CAUSE_NONE));
        return;
    }
    Countersign__Auth__Cause cause = digest_examine(&c->cred, d, &c->claim);
    if (cause != CAUSE(OK)) {
        refuse_mismatch(c, cause);
        return;
    }
    enum uri_match match = digest_uri(c->cred.uri, c->facts.request_uri, d->uri);
    c->uri_differs = match != URI_SAME;
    if (match == URI_WRONG) {
        refuse_mismatch(c, CAUSE(URI_MISMATCH));
        return;
    }
    if (check_nonce(c)) {
        refuse_mismatch(c, CAUSE(NONCE_FORGED));
        return;
    }
    if (defence_wants_proof(c->k->defence, c->group, &s) && !is_from_there(c)) {
        challenge(c, CAUSE(NONCE_ELSEWHERE), true);
        return;
    }
    if (c->group->backend)
        check_backend(c);
    else if (c->grace)
        check_recalled(c);
    else
        check_user(c);
}

static void prove_digest(struct check *c, Countersign__Auth__Cause picked, bool basic)
{
    unsigned lacking;
    c->grace = check_has_grace(c);
    /* An outage is never a wrong password, nor a challenge that leads nowhere. */
    if (!c->grace && (!store_is_ready(c->k->store) || !revoker_is_current(c->k->revoker) ||
                      !epoch_is_known(c->k->epoch) ||
                      !realms_lacking(c->k->realms, c->group->digest.realm, &lacking)))
        check_later(c, CAUSE(STORE_UNAVAILABLE));
    else if (picked == CAUSE(OK))
        judge_credentials(c);
    else if (picked == CAUSE(CREDENTIALS_MALFORMED))
        refuse_mismatch(c, picked);
    else if (basic)
        check_refuse_wrong(c, CAUSE(BASIC_REFUSED));
    else
        challenge(c, picked, false);
}

/* ---- entry ---- */

/* The credentials for the realm, or for its former name, whose challenge stood first. */
static Countersign__Auth__Cause pick(struct check *c, const Countersign__Auth__Check *m)
{
    const struct digest_conf *d = &c->group->digest;
    const bool proxy = policy_challenge_status(d, &c->facts) == 407;
    const struct span former = check_former(c);
    Countersign__Auth__Cause picked = CAUSE(WRONG_REALM);
    if (former.p)
        picked = digest_pick(m, former, proxy, &c->cred);
    if (picked != CAUSE(OK))
        picked = digest_pick(m, d->realm, proxy, &c->cred);
    c->cred.username = auth_id_user(c->cred.auth_id, c->group->auth_id_forms);
    return picked;
}

static bool is_in_its_country(struct check *c)
{
    const struct geo *geo = c->k->geo;
    struct facts *f = &c->facts;
    if (!c->group->countries || !geo || geo_spares(geo, &f->source))
        return true;
    geo_country(geo, &f->source, f->country);
    return countries_admit(c->group->countries, f->country);
}

static void judge_request(struct check *c, const Countersign__Auth__Check *m)
{
    const struct authd_conf *conf = c->k->conf;
    const struct facts *f = &c->facts;
    c->facts.sets = sets_of(c->k->sets, &f->source);
    if (c->k->sets && !sets_are_known(c->k->sets)) {
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return;
    }
    if (f->transport == COUNTERSIGN__AUTH__TRANSPORT__LINK) {
        check_pass(c, m);
        return;
    }
    c->group = group_of(conf->peer_groups, conf->n_peer_groups, f);
    if (!c->group) {
        check_reject(c, CAUSE(NO_PEER_GROUP), CAUSE(CAUSE_NONE));
        return;
    }
    const struct suspect anybody = { .source = &f->source };
    if (defence_stands(c->k->defence, c->group, &anybody)) {
        check_reject(c, CAUSE(BANNED), CAUSE(CAUSE_NONE));
        return;
    }
    if (!is_in_its_country(c)) {
        check_reject(c, CAUSE(COUNTRY_NOT_ALLOWED), CAUSE(CAUSE_NONE));
        return;
    }
    if (c->attach) {
        check_attach(c, m);
        return;
    }
    Countersign__Auth__Cause picked = pick(c, m);
    const struct shown shown = {
        .digest = picked == CAUSE(OK) || picked == CAUSE(CREDENTIALS_MALFORMED),
        .bearer = m->bearer_secret || m->flow_bearer_secret,
        .certificate = check_look(c, m),
        .ticket = m->ticket_secret != NULL,
    };
    const struct policy p = policy_of(c->group, f, shown);
    switch (p.demand) {
    case DEMAND_DIGEST:
        prove_digest(c, picked, m->has_basic && m->basic);
        break;
    case DEMAND_TOKEN:
        c->digest_too = picked == CAUSE(OK);
        c->cred = (struct credential){ 0 };
        c->token = span_str(m->bearer_secret ? m->bearer_secret : m->flow_bearer_secret);
        check_token(c, m->has_bearer_repeated && m->bearer_repeated);
        break;
    case DEMAND_CERTIFICATE:
        c->cred = (struct credential){ 0 };
        check_certificate(c);
        break;
    case DEMAND_TICKET:
        c->cred = (struct credential){ 0 };
        c->token = span_str(m->ticket_secret);
        c->flow = span_str(m->flow);
        check_ticket(c);
        break;
    case DEMAND_REFUSE:
        if (p.cause == CAUSE(STORE_UNAVAILABLE))
            check_later(c, p.cause);
        else
            check_reject(c, p.cause, CAUSE(CAUSE_NONE));
        break;
    case DEMAND_NOTHING:
        c->cred = (struct credential){ 0 }; /* nobody looked at them */
        if (check_grant(c, NULL))
            check_later(c, CAUSE(OVERLOADED));
        else
            check_accept(c, p.cause);
        break;
    }
}

struct check *check_begin(struct checker *k, const Countersign__Auth__Check *m,
                          const struct check_asker *asker, void *owner)
{
    struct check *c = check_new(k);
    if (!c)
        return NULL;
    c->asker = asker;
    c->owner = owner;
    c->id = m->id;
    c->began = clock_mono();
    c->deadline_ms = m->has_deadline_ms ? CS_MIN(m->deadline_ms, DEADLINE_MS) : DEADLINE_MS;
    c->lease_want = m->has_lease_want ? m->lease_want : 0;
    timer_init(&c->deadline, on_deadline);
    facts_of(m, &c->facts);
    tags_of_certificate(m, &c->tags);
    decision_id(c->decision);
    return c;
}

void check_judge(struct check *c, const Countersign__Auth__Check *m)
{
    if (c->k->open > c->k->conf->limits.checks)
        check_later(c, CAUSE(OVERLOADED));
    else
        judge_request(c, m);
}

bool check_start(struct checker *k, const Countersign__Auth__Check *m,
                 const struct check_asker *asker, void *owner)
{
    struct check *c = check_begin(k, m, asker, owner);
    if (c)
        check_judge(c, m);
    return c != NULL;
}

/* ---- the checker ---- */

static int make_dummy(struct checker *k)
{
    char space[1024], password[USER_PASSWORD_LEN + 1];
    struct user u = { .name = SPAN("nobody"), .realm = SPAN("nowhere.invalid"), .enabled = true };
    struct buf record = BUF_INIT(space);
    user_password_generate(password);
    int err = user_set_password(&u, k->vault, ALG_ALL, span_str(password), &k->dummy_arena);
    if (!err)
        err = user_encode(&u, &record);
    if (!err)
        err = user_decode(buf_span(&record), &k->dummy_arena, &k->dummy);
    ct_wipe(password, sizeof(password));
    return err;
}

int checker_init(struct checker *k)
{
    list_init(&k->spare);
    arena_init(&k->dummy_arena, NULL, 0, 0);
    rand_bytes(k->own, sizeof(k->own));
    int err = hash_new(&k->hash);
    if (!err)
        err = window_new(k->conf->limits.local_nonces, clock_wall(), &k->window);
    if (!err)
        err = census_new(CENSUS_MAX, &k->census);
    if (!err)
        err = make_dummy(k);
    if (err)
        checker_fini(k);
    return err;
}

void checker_fini(struct checker *k)
{
    list_for_each (it, &k->spare)
        free(container_of(it, struct check, link));
    list_init(&k->spare);
    census_free(&k->census);
    window_free(&k->window);
    hash_free(&k->hash);
    arena_fini(&k->dummy_arena);
}
