#include "authd/rest/reuse.h"

static bool is_password(const struct reuse *r, const struct user *u)
{
    unsigned char have[ALG_MAX_LEN], want[ALG_MAX_LEN];
    bool same = false;
    for (enum algorithm alg = 0; !same && alg < ALG_COUNT; alg++) {
        const size_t n = algorithm_len(alg);
        same = user_open_verifier(u, r->vault, alg, have) == 0 &&
               verifier_ha1(alg, u->name, u->realm, r->password, want) == 0 &&
               ct_eq(span_of(have, n), span_of(want, n));
    }
    ct_wipe(have, sizeof(have));
    ct_wipe(want, sizeof(want));
    return same;
}

static void next(struct reuse *r);

static void on_user(void *arg, int err, const struct user *u)
{
    struct reuse *r = arg;
    r->call = NULL;
    if (!err && is_password(r, u)) {
        r->fn(r->arg, r->realms[r->i].name);
        return;
    }
    r->i++;
    next(r);
}

static void next(struct reuse *r)
{
    while (r->i < r->n && &r->realms[r->i] == r->own)
        r->i++;
    if (r->i < CS_MIN(r->n, (size_t)REUSE_REALMS))
        r->call = store_get_user(r->store, r->name, r->realms[r->i].name, on_user, r);
    if (!r->call)
        r->fn(r->arg, SPAN_NULL);
}

void reuse_find(struct reuse *r, struct span name, struct span password,
                void (*fn)(void *arg, struct span realm), void *arg)
{
    r->name = name;
    r->password = password;
    r->fn = fn;
    r->arg = arg;
    next(r);
}

json_t *reuse_warning(struct span realm)
{
    return json_pack("[s+%]", "this user has the same password in the realm ", realm.p, realm.n);
}

void reuse_cancel(struct reuse *r)
{
    if (r->call)
        store_cancel(r->call);
    r->call = NULL;
}
