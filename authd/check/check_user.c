/* Whose digest credentials were shown: the record of the user, from the cache or Redis, and which
 * of its verifiers makes the response right. */
#include "authd/check/check_impl.h"
#include "base/log.h"

static const struct log check_log = { .module = "check" };

/* Why a user cannot be who it says, apart from the response: OK, if nothing is wrong. n: verifiers
 * that fit. */
static Countersign__Auth__Cause fault_of(const struct check *c, const struct user *u, size_t n)
{
    return !u                                                     ? CAUSE(UNKNOWN_USER)
           : !user_has_credentials(u)                             ? CAUSE(NO_CREDENTIALS_CONFIGURED)
           : !n && c->former && !span_eq(c->cred.realm, u->realm) ? CAUSE(VERIFIER_OF_FORMER_REALM)
           : !n                                                   ? CAUSE(NO_VERIFIER_FOR_ALGORITHM)
           : !u->enabled                                          ? CAUSE(USER_DISABLED)
                                                                  : CAUSE(OK);
}

static bool is_right(struct check *c, const struct verifier *v, bool *unreadable)
{
    unsigned char ha1[ALG_MAX_LEN] = { 0 };
    int err = verifier_open(v, c->k->vault, ha1);
    if (err)
        log_error(&check_log, "a verifier cannot be opened: is its key in seal_key_file?",
                  kv_s("user", c->cred.username), kv_s("realm", c->cred.realm), kv_err(err));
    bool right = digest_is_right(c->k->hash, &c->cred, &c->claim, &c->facts, ha1) && !err;
    ct_wipe(ha1, sizeof(ha1));
    *unreadable = *unreadable || err;
    return right;
}

/* The same work whether the user exists, has a verifier, one that is being replaced as well, or
 * none: what is missing is taken from the dummy, whose response is never right. */
static Countersign__Auth__Cause judge(struct check *c, const struct user *u)
{
    struct checker *k = c->k;
    const enum algorithm alg = c->claim.alg;
    const struct wall now = loop_wall(k->loop);
    const struct verifier none = {
        .alg = alg, .name = k->dummy.name, .realm = k->dummy.realm, .sealed = k->dummy.sealed[alg]
    };
    struct verifier fits[USER_TRIES];
    struct user decoded;
    bool right = false, unreadable = false;

    if (!u && user_decode(k->dummy.record, &c->arena, &decoded))
        return CAUSE(UNKNOWN_USER); /* no memory */
    size_t n = u ? user_verifiers(u, alg, c->cred.auth_id, c->cred.realm, now, fits) : 0;
    if (c->former && !check_former(c).p)
        n = 0;
    for (size_t i = 0; i < USER_TRIES && !right; i++) {
        right = is_right(c, i < n ? &fits[i] : &none, &unreadable) && i < n;
        c->old = right && (fits[i].until.ms || c->former);
    }
    const Countersign__Auth__Cause fault = fault_of(c, u, n);
    return fault != CAUSE(OK) ? fault
           : right            ? CAUSE(OK)
           : unreadable       ? CAUSE(NO_VERIFIER_FOR_ALGORITHM)
                              : CAUSE(WRONG_RESPONSE);
}

/* Of the record that is looked at. */
static struct span record_realm(const struct check *c)
{
    return c->former ? c->group->digest.former->name : c->group->digest.realm;
}

static void let_in(struct check *c, const struct user *u)
{
    c->cred.realm = record_realm(c); /* whose it is from here on */
    check_proceed(c, u);
}

/* A user that has not been given a password since its realm has another name is found under the
 * former one. Who is not accepted is looked for there in any case, so that time does not tell. */
static void refuse_user(struct check *c, Countersign__Auth__Cause cause)
{
    if (c->group->digest.former && !c->former) {
        c->former = true;
        c->own_cause = cause;
        check_user(c);
        return;
    }
    check_refuse_wrong(c, c->former && cause == CAUSE(UNKNOWN_USER) ? c->own_cause : cause);
}

static void got_user(void *arg, int err, const struct user *u)
{
    struct check *c = arg;
    c->get = NULL;
    if (err && err != CS_ENOENT) {
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return;
    }
    Countersign__Auth__Cause cause = judge(c, u);
    if (cause != CAUSE(OK)) {
        refuse_user(c, cause);
        return;
    }
    /* Only now: keeping a record takes time, which would tell that there is such a user. Of changes
     * to temporary ones the cache does not hear. */
    if (!u->session)
        cache_put(c->k->cache, c->cred.username, record_realm(c), u->record, c->cache_generation);
    let_in(c, u);
}

/* What is kept may only say yes. A no, and somebody unknown, are judged by what Redis holds, with
 * the same work before, so that time does not tell one from the other. */
static bool judge_cached(struct check *c)
{
    struct span record = cache_get(c->k->cache, c->cred.username, record_realm(c));
    struct user u;
    bool found = record.p && user_decode(record, &c->arena, &u) == 0;
    if (judge(c, found ? &u : NULL) != CAUSE(OK))
        return false;
    let_in(c, &u);
    return true;
}

/* A wrong response counts against who sent it, but is no wrong password: that may be another by
 * now. */
static void refuse_recalled(struct check *c, Countersign__Auth__Cause cause)
{
    const struct suspect s = check_suspect(c);
    if (cause == CAUSE(WRONG_RESPONSE))
        defence_failed(c->k->defence, c->group, &s, FAILURE_PROVEN);
    check_later(c, CAUSE(STORE_UNAVAILABLE));
}

void check_recalled(struct check *c)
{
    struct span record = cache_recall(c->k->cache, c->cred.username, record_realm(c));
    struct user u;
    bool found = record.p && user_decode(record, &c->arena, &u) == 0;
    Countersign__Auth__Cause cause = judge(c, found ? &u : NULL);
    if (cause == CAUSE(OK)) {
        cache_keep_owner(c->k->cache, c->facts.from_aor, &u);
        let_in(c, &u);
    } else if (c->group->digest.former && !c->former) {
        c->former = true;
        check_recalled(c);
    } else {
        refuse_recalled(c, cause);
    }
}

void check_user(struct check *c)
{
    if (judge_cached(c))
        return;
    int err = check_outlive(c);
    if (!err) {
        c->cache_generation = cache_generation(c->k->cache);
        c->get =
            user_is_temporary(c->cred.username)
                ? store_get_temporary(c->k->store, c->cred.username, record_realm(c), got_user, c)
                : store_get_user(c->k->store, c->cred.username, record_realm(c), got_user, c);
        err = c->get ? 0 : CS_ENOMEM;
    }
    if (err)
        check_later(c, CAUSE(OVERLOADED));
}
