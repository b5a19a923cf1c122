/* What becomes of a request that shows a token, or may show nothing else. */
#include "authd/check/aor.h"
#include "authd/check/bearer.h"
#include "authd/check/check_impl.h"
#include "authd/check/policy.h"

#define KIND(name) COUNTERSIGN__AUTH__VERDICT_KIND__##name

/* To who showed a token, or may show nothing else: no digest is offered beside. */
static void answer_bearer(struct check *c, Countersign__Auth__VerdictKind kind,
                          Countersign__Auth__Cause cause, unsigned status)
{
    Countersign__Auth__Verdict v = COUNTERSIGN__AUTH__VERDICT__INIT;
    char *bearer = bearer_challenge(&c->group->token, c->facts.method, cause, &c->arena);
    if (!bearer) {
        check_later(c, CAUSE(OVERLOADED));
        return;
    }
    v.kind = kind;
    v.cause = cause;
    v.has_status = true;
    v.status = status;
    v.challenge = &bearer;
    v.n_challenge = 1;
    check_answer(c, &v, CAUSE(CAUSE_NONE));
}

/* Tokens that nobody issued. One that has expired, or is for somebody else, is an honest mistake.
 */
static bool is_made_up(Countersign__Auth__Cause cause)
{
    return cause == CAUSE(TOKEN_INVALID) || cause == CAUSE(TOKEN_SIGNATURE) ||
           cause == CAUSE(TOKEN_ALGORITHM) || cause == CAUSE(TICKET_INVALID);
}

void check_refuse_token(struct check *c, Countersign__Auth__Cause cause)
{
    if (!c->token.p && c->right) { /* a phone that knows only digest; no other password helps */
        check_reject(c, cause, CAUSE(CAUSE_NONE));
        return;
    }
    const struct suspect s = { .source = &c->facts.source, .call_id = c->facts.call_id };
    if (is_made_up(cause)) /* over TLS, which proves where it came from */
        defence_failed(c->k->defence, c->group, &s, FAILURE_PROVEN);
    if (cause == CAUSE(SCOPE_MISSING) || cause == CAUSE(TOKEN_DESTINATION))
        answer_bearer(c, KIND(REJECT), cause, 403);
    else
        answer_bearer(c, KIND(CHALLENGE), cause,
                      policy_challenge_status(&c->group->digest, &c->facts));
}

/* Why a proven user is not let in: OK, if nothing is wrong. */
static Countersign__Auth__Cause token_fault(const struct check *c, const struct user *u)
{
    return !u && c->proof.issuer->users == USERS_REQUIRED ? CAUSE(UNKNOWN_USER)
           : u && !u->enabled                             ? CAUSE(USER_DISABLED)
           : u                                            ? policy_identity(u, &c->facts)
                                                          : CAUSE(OK);
}

/* The token proves one address; whatever else the user's record has is not granted. */
static void grant_token(struct check *c, const struct user *u)
{
    const struct claims *k = &c->proof.claims;
    const struct user proven = { .name = c->cred.username,
                                 .realm = c->cred.realm,
                                 .aors = &k->aor,
                                 .n_aors = 1,
                                 .max_contacts = u ? u->max_contacts : 0 };
    if (check_grant(c, &proven) || bearer_bound(k, loop_wall(c->k->loop), &c->arena, &c->grant))
        check_later(c, CAUSE(OVERLOADED));
    else if (c->facts.is_register && c->grant.expires_max_s == 0)
        check_refuse_token(c, CAUSE(TOKEN_EXPIRED));
    else
        check_accept(c, CAUSE(OK));
}

static void find_token_user(struct check *c);

/* When the time of the realm's former name is over nobody is there, but who is disabled stays so.
 */
static bool is_over(const struct check *c)
{
    return c->former && !config_former(c->group->token.former, loop_wall(c->k->loop)).p;
}

/* A user that is found under the realm's former name only. */
static bool look_further(struct check *c)
{
    const struct former_conf *former = c->group->token.former;
    if (c->former || !former)
        return false;
    c->former = true;
    c->cred.realm = former->name;
    find_token_user(c);
    return true;
}

static void got_token_user(void *arg, int err, const struct user *u)
{
    struct check *c = arg;
    c->get = NULL;
    if (err && err != CS_ENOENT) {
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return;
    }
    if (u && u->enabled && is_over(c))
        u = NULL;
    if (!u && look_further(c))
        return;
    if (!u)
        c->cred.realm = c->group->token.realm;
    if (u)
        cache_put(c->k->cache, c->cred.username, c->cred.realm, u->record, c->cache_generation);
    Countersign__Auth__Cause cause = token_fault(c, u);
    if (cause == CAUSE(OK))
        grant_token(c, u);
    else
        check_reject(c, cause, CAUSE(CAUSE_NONE));
}

static void find_token_user(struct check *c)
{
    struct span record =
        is_over(c) ? SPAN_NULL : cache_get(c->k->cache, c->cred.username, c->cred.realm);
    struct user u;
    /* What is kept may only say yes. */
    if (record.p && user_decode(record, &c->arena, &u) == 0 && token_fault(c, &u) == CAUSE(OK)) {
        grant_token(c, &u);
        return;
    }
    int err = check_outlive(c);
    if (!err) {
        c->cache_generation = cache_generation(c->k->cache);
        c->get = store_get_user(c->k->store, c->cred.username, c->cred.realm, got_token_user, c);
        err = c->get ? 0 : CS_ENOMEM;
    }
    if (err)
        check_later(c, CAUSE(OVERLOADED));
}

void check_proceed_with_token(struct check *c, struct span realm, struct span user)
{
    const struct facts *f = &c->facts;
    const struct claims *k = &c->proof.claims;
    struct span domain;
    c->cred.realm = realm;
    if (aor_split(k->aor, &c->arena, &c->cred.username, &domain)) {
        check_later(c, CAUSE(OVERLOADED));
        return;
    }
    if (user.p)
        c->cred.username = user;
    c->proven = true;
    Countersign__Auth__Cause cause =
        bearer_covers(k, c->proof.issuer, f->method, f->is_register ? f->to_aor : f->from_aor,
                      f->certificate_sha256);
    if (cause == CAUSE(OK) && !f->is_register)
        cause = bearer_reaches(k, f->method, f->in_dialog, f->target_aor);
    if (cause != CAUSE(OK))
        check_refuse_token(c, cause);
    else
        find_token_user(c);
}

static void judge_token(struct check *c)
{
    Countersign__Auth__Cause cause =
        tokens_judge(c->k->tokens, c->token, &c->group->token, &c->waiter, &c->arena, &c->proof);
    switch (cause) {
    case CAUSE(CAUSE_NONE):
        if (check_outlive(c))
            check_later(c, CAUSE(OVERLOADED));
        break;
    case CAUSE(ISSUER_UNAVAILABLE):
    case CAUSE(OVERLOADED):
        check_later(c, cause);
        break;
    case CAUSE(OK):
        check_proceed_with_token(c, c->group->token.realm, SPAN_NULL);
        break;
    default:
        check_refuse_token(c, cause);
    }
}

/* ---- what stands for a token ---- */

static const struct issuer_conf *exchanged_by(const struct authd_conf *conf, const char *iss)
{
    const struct exchange_conf *x = conf->exchange;
    for (size_t i = 0; x && i < x->token.n_issuers; i++) {
        if (span_eq(x->token.issuers[i]->issuer, span_str(iss)))
            return x->token.issuers[i];
    }
    return NULL;
}

/* What is absent stays absent. */
static bool own(struct arena *a, const char *text, struct span *out)
{
    *out = arena_dup(a, span_str(text));
    return out->p || !text;
}

void check_session(struct check *c, const Countersign__Store__Session *s)
{
    struct claims *k = &c->proof.claims;
    *k = (struct claims){ .iat = (int64_t)s->token->iat_s, .exp = (int64_t)s->token->exp_s };
    if (!own(&c->arena, s->token->iss, &k->iss) || !own(&c->arena, s->token->sub, &k->sub) ||
        !own(&c->arena, s->token->jti, &k->jti) || !own(&c->arena, s->token->sid, &k->sid) ||
        !own(&c->arena, s->aor, &k->aor) || !own(&c->arena, s->scope, &k->scope)) {
        check_later(c, CAUSE(OVERLOADED));
        return;
    }
    c->proof.issuer = exchanged_by(c->k->conf, s->token->iss);
    const Countersign__Auth__Cause cause =
        c->proof.issuer ? claims_time(k, c->proof.issuer, loop_wall(c->k->loop))
                        : CAUSE(TOKEN_ISSUER_UNKNOWN);
    if (cause == CAUSE(OK))
        check_proceed_with_token(c, c->cred.realm, SPAN_NULL);
    else
        check_refuse_token(c, cause);
}

void check_token_wakes(struct waiter *w)
{
    judge_token(container_of(w, struct check, waiter));
}

void check_token(struct check *c, bool repeated)
{
    if (!store_is_ready(c->k->store) || !revoker_is_current(c->k->revoker))
        check_later(c, CAUSE(STORE_UNAVAILABLE));
    else if (!c->token.p)
        check_refuse_token(c, CAUSE(NO_CREDENTIALS));
    else if (repeated)
        check_refuse_token(c, CAUSE(CREDENTIALS_MALFORMED));
    else
        judge_token(c);
}
