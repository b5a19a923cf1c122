/* Users: their verifiers and their places in three indexes, and the other way round, what two of
 * those indexes name. */
#include "authd/inspect/look.h"
#include "authd/store/device.h"

/* ---- records ---- */

static void look_at_verifier(struct look *l, const struct verifier *v)
{
    unsigned char ha1[ALG_MAX_LEN];
    char text[64];
    struct buf b = BUF_INIT(text);
    const int err = verifier_open(v, l->env->vault, ha1);
    ct_wipe(ha1, sizeof(ha1));
    if (!err)
        return;
    buf_put(&b, algorithm_name(v->alg));
    buf_printf(&b, ", key %u", v->sealed.n ? (unsigned char)v->sealed.p[0] : 0);
    look_found(l, FLAW_UNKNOWN_KEY_ID, SPAN_NULL, buf_span(&b), NULL);
}

static void look_at_verifiers(struct look *l, const struct user *u)
{
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++) {
        const struct verifier v = {
            .alg = alg, .name = u->name, .realm = u->realm, .sealed = u->sealed[alg]
        };
        if (v.sealed.p)
            look_at_verifier(l, &v);
    }
    for (size_t i = 0; i < u->n_others; i++)
        look_at_verifier(l, &u->others[i]);
}

/* Decodes and looks at what is the same of temporary ones; false: nothing more is to be said. */
static bool read_user(struct look *l, struct span record, struct user *u)
{
    if (!look_message(l, &countersign__store__user__descriptor, record))
        return false;
    int err = user_decode(record, l->arena, u);
    if (err == CS_ENOMEM)
        look_no_memory(l);
    else if (err)
        look_found(l, FLAW_UNREADABLE, SPAN_NULL, SPAN_NULL, NULL);
    if (err)
        return false;
    const struct span at = span_skip(l->name, u->name.n);
    if (!span_starts(l->name, u->name) || !span_starts(at, SPAN("@")) ||
        !span_eq(span_skip(at, 1), u->realm)) {
        look_found(l, FLAW_MISPLACED, SPAN_NULL, u->name, NULL);
        return false;
    }
    look_at_verifiers(l, u);
    return true;
}

void look_temporary(struct look *l, const struct redis_reply *r, void *arg)
{
    struct user u;
    (void)arg;
    read_user(l, r->str, &u);
}

/* ---- in the indexes ---- */

struct indexed {
    enum flaw flaw;
    struct span detail;
};

static void on_indexed(struct look *l, const struct redis_reply *r, void *arg)
{
    const struct indexed *x = arg;
    if (r->type == REDIS_NIL || (r->type == REDIS_INTEGER && r->integer == 0))
        look_found(l, x->flaw, SPAN_NULL, x->detail, NULL);
}

static struct indexed *indexed(struct look *l, enum flaw flaw, struct span detail)
{
    struct indexed *x = arena_alloc(l->arena, sizeof(*x));
    if (x)
        *x = (struct indexed){ flaw, detail };
    else
        look_no_memory(l);
    return x;
}

static bool is_of_a_realm(const struct look *l, const struct user *u)
{
    const struct authd_conf *conf = l->env->conf;
    return config_realm(conf, u->realm) >= 0 || config_other_name(conf, u->realm).p;
}

void look_user(struct look *l, const struct redis_reply *r, void *arg)
{
    struct indexed *x;
    struct user u;
    (void)arg;
    if (!read_user(l, r->str, &u))
        return;
    if (!is_of_a_realm(l, &u))
        look_found(l, FLAW_UNKNOWN_REALM, SPAN_NULL, u.realm, NULL);
    x = indexed(l, FLAW_UNLISTED, SPAN_NULL);
    if (x)
        look_do(l, on_indexed, x, SPAN("ZSCORE"), SPAN("cs:users"), l->name);
    for (size_t i = 0; u.enabled && i < u.n_aors; i++) {
        x = indexed(l, FLAW_AOR_NOT_INDEXED, u.aors[i]);
        if (x)
            look_do(l, on_indexed, x, SPAN("SISMEMBER"), look_key(l, "cs:aor:", u.aors[i], ""),
                    l->name);
    }
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++) {
        char behind[32];
        snprintf(behind, sizeof(behind), ":%s", algorithm_name(alg).p);
        x = user_lacks(&u, alg) ? indexed(l, FLAW_LACK_NOT_INDEXED, algorithm_name(alg)) : NULL;
        if (x)
            look_do(l, on_indexed, x, SPAN("SISMEMBER"), look_key(l, "cs:lacks:", u.realm, behind),
                    l->name);
    }
}

/* ---- what the indexes name ---- */

/* Whether the index of this look is right to name the user. */
static bool belongs(const struct look *l, const struct user *u)
{
    bool sess;
    struct span alg = l->key;
    if (l->fn != look_lacking)
        return user_has_aor(u, l->name);
    while (span_find(alg, ':') >= 0)
        span_cut(&alg, ':');
    const enum algorithm which = algorithm_of(alg, &sess);
    return which < ALG_COUNT && user_lacks(u, which);
}

struct named {
    struct span name;
    struct finding *finding; /* that is being repaired; NULL: it is looked at */
};

/* Who writes a user writes the index first: then it belongs there after all. */
static void put_back(struct look *l, struct named *n, bool there)
{
    if (there)
        look_do(l, NULL, NULL, SPAN("SADD"), l->key, n->name);
    n->finding->repaired = !there;
}

static void on_gone(struct look *l, const struct redis_reply *r, void *arg)
{
    struct user u;
    put_back(l, arg,
             r->type == REDIS_STRING && user_decode(r->str, l->arena, &u) == 0 && belongs(l, &u));
}

static void repair(struct look *l, struct finding *f)
{
    struct named *n = arena_alloc(l->arena, sizeof(*n));
    if (!n) {
        look_no_memory(l);
        return;
    }
    *n = (struct named){ f->entry, f };
    look_do(l, NULL, NULL, SPAN("SREM"), l->key, n->name);
    look_do(l, on_gone, n, SPAN("GET"), look_key(l, "cs:user:", n->name, ""));
}

static void on_named(struct look *l, const struct redis_reply *r, void *arg)
{
    const struct named *n = arg;
    struct user u;
    if (r->type == REDIS_NIL)
        look_found(l, FLAW_DANGLING, n->name, SPAN_NULL, repair);
    else if (r->type == REDIS_STRING && user_decode(r->str, l->arena, &u) == 0 && !belongs(l, &u))
        look_found(l, FLAW_STALE_ENTRY, n->name, SPAN_NULL, repair);
}

static void look_at_name(struct look *l, struct span name)
{
    struct named *n = arena_zalloc(l->arena, sizeof(*n));
    if (n)
        n->name = arena_dup(l->arena, name);
    if (n && n->name.p)
        look_do(l, on_named, n, SPAN("GET"), look_key(l, "cs:user:", n->name, ""));
    else
        look_no_memory(l);
}

void look_aor(struct look *l, const struct redis_reply *r, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < r->n; i++)
        look_at_name(l, r->element[i].str);
}

void look_lacking(struct look *l)
{
    look_at_name(l, l->entry);
}
