/* What is revoked: by hand, in the whole installation, at once. */
#include "authd/check/check.h"
#include "authd/rest/op.h"
#include "authd/rest/revocation_wish.h"

enum { PAGE = 100 };

struct revocation_op {
    struct op op;
    struct revocation_wish wish;
    struct span id;    /* of one that is lifted */
    struct span event; /* to be announced */
    struct user user;  /* whose registrations end */
    const struct realm_conf *realm;
    bool former;         /* looked for under the realm's former name */
    bool disabled, gone; /* it was disabled here; it is to be lifted */
};

static struct revocations *set_of(const struct rest *rest)
{
    return revoker_revocations(rest->conf.revoker);
}

/* ---- in three steps: begun, written, announced ---- */

static bool refused(struct op *op, const struct redis_reply *reply, enum redis_type wanted)
{
    op->redis = NULL;
    if (reply && reply->type == wanted)
        return false;
    op_store_error(op, CS_ECLOSED); /* whoever repeats it does the same again */
    return true;
}

static void log_revocation(struct revocation_op *o, struct span what)
{
    char text[REVOCATION_WORDS_MAX];
    struct buf target = BUF_INIT(text);
    const struct revocation *r = &o->wish.revocation;
    buf_put(&target, revocation_kind(r->kind));
    if (r->value.p)
        buf_printf(&target, " " SPAN_FMT, SPAN_ARG(span_head(r->value, 200)));
    if (r->issuer.p)
        buf_printf(&target, " " SPAN_FMT, SPAN_ARG(span_head(r->issuer, 100)));
    log_action(&o->op, what, buf_span(&target), r->reason);
}

static void reply_user(struct revocation_op *o)
{
    char since[WALL_STRLEN];
    char *name = arena_alloc(http_arena(o->op.req), o->user.name.n + o->user.realm.n + 1);
    struct buf b = buf_of(name, name ? o->user.name.n + o->user.realm.n + 1 : 0);
    wall_format(o->wish.revocation.since, since);
    buf_put(&b, o->user.name);
    buf_putc(&b, '@');
    buf_put(&b, o->user.realm);
    log_action(&o->op, SPAN("registrations ended"), buf_span(&b), o->wish.revocation.reason);
    op_reply(&o->op, 201,
             json_pack("{s:s, s:o, s:b, s:s, s:o}", "kind", "user", "value", json_of(buf_span(&b)),
                       "enabled", o->user.enabled && !o->disabled, "since", since, "by",
                       json_of(http_who(o->op.req))));
}

static void on_announced(void *arg, const struct redis_reply *reply)
{
    struct revocation_op *o = arg;
    if (refused(&o->op, reply, REDIS_STRING))
        return;
    if (o->user.name.p) {
        reply_user(o);
        return;
    }
    log_revocation(o, o->gone ? SPAN("revocation lifted") : SPAN("revoked"));
    op_reply(&o->op, o->gone ? 204 : 201, o->gone ? NULL : revocation_to_json(&o->wish.revocation));
}

static void announce(struct revocation_op *o)
{
    o->op.redis = revoker_announce(o->op.rest->conf.revoker, o->event, on_announced, o);
    if (!o->op.redis)
        op_no_memory(&o->op);
}

static void on_written(void *arg, const struct redis_reply *reply)
{
    struct revocation_op *o = arg;
    if (!refused(&o->op, reply, REDIS_INTEGER))
        announce(o);
}

static int begin(struct revocation_op *o, Countersign__Store__Event *e)
{
    o->event = event_encode(e, http_arena(o->op.req));
    if (o->event.p)
        revoker_begin(o->op.rest->conf.revoker, e, o->event);
    return o->event.p ? 0 : CS_ENOMEM;
}

static void write_revocation(struct revocation_op *o)
{
    struct rest *rest = o->op.rest;
    Countersign__Store__Event e;
    int err = event_of_revocation(o->id, loop_wall(rest->loop), http_arena(o->op.req), &e);
    if (!err)
        err = begin(o, &e);
    if (!err)
        o->op.redis = o->gone ? revocations_lift(set_of(rest), o->id, on_written, o)
                              : revocations_put(set_of(rest), &o->wish.revocation, on_written, o);
    if (!o->op.redis)
        op_no_memory(&o->op);
}

/* ---- a user ---- */

static void close_user(struct revocation_op *o)
{
    Countersign__Store__Event e;
    int err = event_of_closing(&o->user, loop_wall(o->op.rest->loop), http_arena(o->op.req), &e);
    if (!err)
        err = begin(o, &e);
    if (err)
        op_no_memory(&o->op);
    else
        announce(o);
}

static void on_disabled(void *arg, int err)
{
    struct revocation_op *o = arg;
    o->op.call = NULL;
    if (err) {
        op_store_error(&o->op, err);
        return;
    }
    o->disabled = true;
    struct user now = o->user;
    now.enabled = false;
    log_change(&o->op, SPAN("user changed"), &now, false);
    close_user(o);
}

static void find_user(struct revocation_op *o);

static void on_user(void *arg, int err, const struct user *found)
{
    struct revocation_op *o = arg;
    o->op.call = NULL;
    if (err == CS_ENOENT && o->realm->formerly && !o->former) {
        o->former = true;
        find_user(o);
        return;
    }
    if (!err)
        err = user_copy(found, http_arena(o->op.req), &o->user);
    if (err) {
        op_store_error(&o->op, err);
        return;
    }
    if (!o->wish.disable || !o->user.enabled) {
        close_user(o);
        return;
    }
    struct user now = o->user;
    now.enabled = false;
    now.changed = loop_wall(o->op.rest->loop);
    o->op.call = store_put_user(o->op.rest->conf.store, &o->user, &now, on_disabled, o);
    if (!o->op.call)
        op_no_memory(&o->op);
}

static void find_user(struct revocation_op *o)
{
    const struct span realm = o->former ? o->realm->formerly->name : o->realm->name;
    o->op.call = store_get_user(o->op.rest->conf.store, o->wish.user, realm, on_user, o);
    if (!o->op.call)
        op_no_memory(&o->op);
}

static void revoke_user(struct revocation_op *o)
{
    struct fault f;
    o->realm = realm_of(o->op.rest, o->wish.realm, &f);
    if (o->realm)
        find_user(o);
    else
        op_fault(&o->op, &f);
}

/* ---- the routes ---- */

void rest_revocation_create(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    const struct authd_conf *conf = rest->conf.checker->conf;
    struct fault f;
    struct revocation_op *o = op_new(rest, req, sizeof(*o));
    char *id = o ? arena_alloc(http_arena(req), REVOCATION_ID_LEN + 1) : NULL;
    if (!o)
        return;
    if (!op_body(&o->op))
        return;
    struct revocation *r = &o->wish.revocation;
    if (revocation_wish_parse(o->op.body, conf, loop_wall(rest->loop), http_arena(req), &o->wish,
                              &f)) {
        op_fault(&o->op, &f);
    } else if (r->kind == REVOKED(NOTHING)) {
        revoke_user(o);
    } else if (revocations_count(set_of(rest)) >= conf->limits.revocations) {
        fault_set(&f, 503, "revocations-full", "No room",
                  "As many revocations stand as limits.revocations allows. Lift some, or raise "
                  "it.");
        op_fault(&o->op, &f);
    } else if (!id) {
        op_no_memory(&o->op);
    } else {
        r->by = span_head(http_who(req), REVOCATION_BY_MAX);
        revocation_id(r, id);
        o->id = span_str(id);
        write_revocation(o);
    }
}

void rest_revocations_list(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    const struct revocation *page[PAGE + 1];
    char id[REVOCATION_ID_LEN + 1];
    struct fault f;
    size_t limit;
    if (limit_of(req, PAGE, PAGE, &limit, &f)) {
        http_problem(req, f.status, f.type, f.title, "%s", f.detail);
        return;
    }
    /* One more than asked for tells whether there is a next page. */
    size_t n = revocations_page(set_of(rest), http_query(req, "after"), page, limit + 1);
    json_t *list = json_array(), *body = json_pack("{s:o}", "revocations", list);
    for (size_t i = 0; i < CS_MIN(n, limit); i++)
        json_array_append_new(list, revocation_to_json(page[i]));
    if (n > limit) {
        revocation_id(page[limit - 1], id);
        json_object_set_new(body, "next", json_string(id));
    }
    http_reply_json(req, 200, body);
}

void rest_revocation_delete(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    const struct revocation *r = revocations_by_id(set_of(rest), http_param(req, "revocation"));
    if (!r) {
        http_problem(req, 404, "no-such-revocation", "No such revocation",
                     "No revocation of this id stands; it may have ended.");
        return;
    }
    struct revocation_op *o = op_new(rest, req, sizeof(*o));
    if (!o)
        return;
    struct arena *a = http_arena(req);
    o->gone = true;
    char *id = arena_alloc(a, REVOCATION_ID_LEN + 1);
    if (!id) {
        op_no_memory(&o->op);
        return;
    }
    revocation_id(r, id); /* in lower case */
    o->id = span_str(id);
    o->wish.revocation = *r; /* it may be gone when it is lifted */
    o->wish.revocation.value = arena_dup(a, r->value);
    o->wish.revocation.issuer = arena_dup(a, r->issuer);
    o->wish.revocation.reason = SPAN_NULL;
    write_revocation(o);
}
