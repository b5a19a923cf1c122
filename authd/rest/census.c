/* Who is not where a migration is going: who answers with MD5 only, whose old password still works,
 * who has only verifiers of a realm's former name. */
#include <stdlib.h>

#include "authd/rest/op.h"
#include "authd/store/uses.h"

enum { PAGE = 100, PAGE_MAX = 500 };

/* Who used MD5 longer ago is known by his verifiers alone. */
#define LATELY_MS (INT64_C(30) * 86400000)

struct row {
    struct census_op *all;
    struct redis_call *call; /* NULL: answered */
    struct user user;
    struct use use;
};

struct census_op {
    struct op op;
    const struct question *question;
    struct row *rows;
    size_t n, pending;
    struct span next;
    int err;
};

/* NULL, or why the user is one of those. */
typedef const char *why_fn(const struct census_op *c, const struct row *r);

static const char *uses_md5(const struct census_op *c, const struct row *r)
{
    const int64_t *const last[] = { &r->use.last[ALG_SHA256].ms, &r->use.last[ALG_SHA512_256].ms };
    const int64_t md5 = r->use.last[ALG_MD5].ms;
    if (user_algorithms(&r->user) == ALG_BIT(ALG_MD5))
        return "no-other-verifier";
    return md5 && loop_wall(c->op.rest->loop).ms - md5 < LATELY_MS && md5 > *last[0] &&
                   md5 > *last[1]
               ? "used-md5-last"
               : NULL;
}

static const char *keeps_old(const struct census_op *c, const struct row *r)
{
    const struct wall until = user_overlap(&r->user);
    return !until.ms                                   ? NULL
           : until.ms > loop_wall(c->op.rest->loop).ms ? "old-password-works"
                                                       : "old-password-ended";
}

static const char *is_former(const struct census_op *c, const struct row *r)
{
    const struct rest_conf *conf = &c->op.rest->conf;
    for (size_t i = 0; i < conf->n_realms; i++) {
        if (conf->realms[i].formerly && span_eq(conf->realms[i].formerly->name, r->user.realm))
            return "former-realm";
    }
    return NULL;
}

static const struct question {
    struct span name;
    why_fn *why;
} questions[] = {
    { SPAN_INIT("md5"), uses_md5 },
    { SPAN_INIT("old"), keeps_old },
    { SPAN_INIT("former"), is_former },
};

/* ---- the answer ---- */

static void set_time(json_t *j, const char *name, struct wall t)
{
    char text[WALL_STRLEN];
    if (!t.ms)
        return;
    wall_format(t, text);
    json_object_set_new(j, name, json_string(text));
}

static json_t *row_to_json(const struct row *r, const char *why)
{
    json_t *j = json_object(), *last = json_object();
    json_object_set_new(j, "user", json_of(r->user.name));
    json_object_set_new(j, "realm", json_of(r->user.realm));
    json_object_set_new(j, "enabled", json_boolean(r->user.enabled));
    json_object_set_new(j, "algorithms", algorithms_to_json(user_algorithms(&r->user)));
    json_object_set_new(j, "why", json_string(why));
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++)
        set_time(last, algorithm_name(alg).p, r->use.last[alg]);
    json_object_set_new(j, "last", last);
    set_time(j, "old_until", user_overlap(&r->user));
    json_object_set_new(j, "old_uses", json_integer((json_int_t)r->use.old));
    set_time(j, "old_last", r->use.old_last);
    return j;
}

static void answer(struct census_op *c)
{
    json_t *body = json_object(), *list = json_array();
    for (size_t i = 0; i < c->n; i++) {
        const char *why = c->question->why(c, &c->rows[i]);
        if (why)
            json_array_append_new(list, row_to_json(&c->rows[i], why));
    }
    json_object_set_new(body, "users", list);
    if (c->next.p)
        json_object_set_new(body, "next", json_of(c->next));
    op_reply(&c->op, 200, body);
}

static void settle(struct census_op *c)
{
    if (c->pending)
        return;
    if (c->err)
        op_store_error(&c->op, c->err);
    else
        answer(c);
}

static void on_use(void *arg, const struct redis_reply *reply)
{
    struct row *r = arg;
    struct census_op *c = r->all;
    r->call = NULL;
    int err = uses_read(reply, &r->use);
    c->err = c->err ? c->err : err;
    c->pending--;
    settle(c);
}

static void drop(struct op *op)
{
    struct census_op *c = container_of(op, struct census_op, op);
    for (size_t i = 0; i < c->n; i++) {
        if (c->rows[i].call)
            redis_cancel(c->rows[i].call);
    }
}

static void on_list(void *arg, int err, const struct user *users, size_t n, struct span next)
{
    struct census_op *c = arg;
    struct arena *a = http_arena(c->op.req);
    c->op.call = NULL;
    c->err = err;
    c->next = arena_dup(a, next);
    c->rows = arena_zalloc(a, n * sizeof(*c->rows));
    if (!c->err && (!c->rows || (next.p && !c->next.p)))
        c->err = CS_ENOMEM;
    for (size_t i = 0; i < n && !c->err; i++) {
        struct row *r = &c->rows[c->n];
        r->all = c;
        c->err = user_copy(&users[i], a, &r->user);
        if (!c->err)
            r->call = uses_ask(c->op.rest->conf.uses, r->user.name, r->user.realm, on_use, r);
        if (!c->err && !r->call)
            c->err = CS_ENOMEM;
        c->n += !c->err;
        c->pending += !c->err;
    }
    settle(c);
}

void rest_census(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    size_t limit;
    const struct span of = http_query(req, "of"), realm = http_query(req, "realm");
    struct census_op *c = op_new(rest, req, sizeof(*c));
    if (!c)
        return;
    c->op.drop = drop;
    for (size_t i = 0; i < CS_LEN(questions); i++) {
        if (span_eq(questions[i].name, of))
            c->question = &questions[i];
    }
    int err = c->question
                  ? 0
                  : fault_set(&f, 400, "of", "Invalid question", "of must be md5, old or former.");
    if (!err && realm.p)
        err = realm_of(rest, realm, &f) ? 0 : CS_ENOENT;
    if (!err)
        err = limit_of(req, PAGE, PAGE_MAX, &limit, &f);
    if (err) {
        op_fault(&c->op, &f);
        return;
    }
    c->op.call =
        store_list_users(rest->conf.store, realm, http_query(req, "after"), limit, on_list, c);
    if (!c->op.call)
        op_no_memory(&c->op);
}
