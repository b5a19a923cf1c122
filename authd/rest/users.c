/* One user: created, read, changed, removed; and lists of them. A change reads the record, puts
 * the new one in its place if nobody was faster, and begins again if somebody was. */
#include <stdio.h>

#include "authd/rest/forget.h"
#include "authd/rest/op.h"
#include "authd/rest/reuse.h"

enum { TRIES = 4, PAGE = 100 };

struct user_op {
    struct op op;
    const struct realm_conf *realm;
    struct span name;
    struct wish wish;
    struct user old, now;
    bool former; /* it is found under the realm's former name */
    struct forget forget;
    struct reuse reuse;
    struct span reused; /* the realm whose namesake has this password; absent: none */
    enum { READ, CREATE, PATCH, PASSWORD, DELETE } what;
    unsigned tries;
    bool weak;
    char generated[USER_PASSWORD_LEN + 1];
};

static const struct span messages[] = {
    [CREATE] = SPAN_INIT("user created"),
    [PATCH] = SPAN_INIT("user changed"),
    [PASSWORD] = SPAN_INIT("password changed"),
    [DELETE] = SPAN_INIT("user removed"),
};

static void drop(struct op *op)
{
    struct user_op *u = container_of(op, struct user_op, op);
    forget_cancel(&u->forget);
    reuse_cancel(&u->reuse);
    ct_wipe(u->generated, sizeof(u->generated));
}

/* An operation on the user of the path; NULL: it replied. */
static struct user_op *user_op_new(struct http_req *req, struct rest *rest, int what)
{
    struct fault f;
    struct user_op *u = op_new(rest, req, sizeof(*u));
    if (!u)
        return NULL;
    u->op.drop = drop;
    u->what = what;
    u->name = http_param(req, "user");
    u->realm = realm_of(rest, http_query(req, "realm"), &f);
    if (u->realm)
        return u;
    op_fault(&u->op, &f);
    return NULL;
}

/* Reads the body into the wish; false: it replied. */
static bool read_wish(struct user_op *u, unsigned allowed)
{
    struct fault f;
    struct op *op = &u->op;
    if (!op_body(op))
        return false;
    int err = wish_parse(op->body, allowed, http_arena(op->req), &u->wish, &f);
    if (!err && !u->wish.name.p)
        u->wish.name = u->name; /* that of the path */
    if (!err && (allowed & WISH_SECRET))
        err = wish_check_secret(&u->wish, u->generated, &u->weak, &f);
    if (!err)
        err = wish_check_overlap(&u->wish, loop_wall(op->rest->loop), &f);
    if (!err)
        return true;
    op_fault(op, &f);
    return false;
}

/* ---- what comes back ---- */

static void locate(struct user_op *u)
{
    char text[6 * USER_MAX_NAME + 64];
    struct buf b = BUF_INIT(text);
    struct span part[] = { u->now.name, u->now.realm };
    for (size_t i = 0; i < CS_LEN(part); i++) {
        buf_put(&b, i ? SPAN("?realm=") : SPAN("/v1/users/"));
        for (size_t k = 0; k < part[i].n; k++) {
            char c = part[i].p[k];
            if (ascii_alpha(c) || ascii_digit(c) || span_find(SPAN("-._~"), c) >= 0)
                buf_putc(&b, c); /* RFC 3986, 2.3 */
            else
                buf_printf(&b, "%%%02X", (unsigned char)c);
        }
    }
    buf_putc(&b, '\0');
    if (buf_ok(&b))
        http_reply_header(u->op.req, "Location", text);
}

/* The record says all of it, verifiers included, so its hash is the tag of what is shown. */
static void tag_user(struct user_op *u, const struct user *user)
{
    char *room = user->record.p ? NULL : arena_alloc(http_arena(u->op.req), USER_MAX_RECORD);
    struct buf b = buf_of(room, room ? USER_MAX_RECORD : 0);
    if (!user->record.p && (!room || user_encode(user, &b)))
        return; /* none is better than a wrong one */
    op_tag(&u->op, user->record.p ? user->record : buf_span(&b));
}

static void reply_user(struct user_op *u, unsigned status, const struct user *user)
{
    tag_user(u, user);
    json_t *j = user_to_json(user);
    if (u->wish.generate)
        json_object_set_new(j, "password", json_of(u->wish.password)); /* shown this once */
    if (u->reused.p)
        json_object_set_new(j, "warnings", reuse_warning(u->reused));
    op_reply(&u->op, status, j);
}

static void begin(struct user_op *u);

static void finish(struct user_op *u)
{
    log_change(&u->op, messages[u->what], u->what == DELETE ? &u->old : &u->now, u->weak);
    if (u->what == CREATE)
        locate(u);
    if (u->what == DELETE)
        op_reply(&u->op, 204, NULL);
    else
        reply_user(u, u->what == CREATE ? 201 : 200, &u->now);
}

static void on_forgotten(void *arg, int err)
{
    struct user_op *u = arg;
    if (err)
        op_store_error(&u->op, err);
    else
        finish(u);
}

/* Is there a record under the former name that this one stands for now? */
static bool replaces(const struct user_op *u)
{
    return u->realm->formerly && (u->what == CREATE || (u->what == PASSWORD && u->former));
}

static void on_done(void *arg, int err)
{
    struct user_op *u = arg;
    u->op.call = NULL;
    if (err == CS_ECONFLICT && u->what == CREATE) {
        struct fault f;
        fault_set(&f, 409, "user-exists", "User exists",
                  "There is a user of this name in this realm already.");
        op_fault(&u->op, &f);
    } else if (err == CS_ECONFLICT && ++u->tries < TRIES) {
        u->former = false;
        begin(u);
    } else if (err) {
        op_store_error(&u->op, err);
    } else if (replaces(u)) {
        forget_user(&u->forget, u->op.rest->conf.store, u->now.name, u->realm->formerly->name,
                    on_forgotten, u);
    } else {
        finish(u);
    }
}

static void put_now(void *arg, struct span reused)
{
    struct user_op *u = arg;
    const bool is_new = u->what == CREATE || (u->what == PASSWORD && u->former);
    u->reused = reused;
    u->now.changed = loop_wall(u->op.rest->loop);
    u->op.call =
        store_put_user(u->op.rest->conf.store, is_new ? NULL : &u->old, &u->now, on_done, u);
    if (!u->op.call)
        op_no_memory(&u->op);
}

static void put(struct user_op *u)
{
    const struct rest_conf *conf = &u->op.rest->conf;
    if (!u->wish.password.p || u->wish.generate) {
        put_now(u, SPAN_NULL);
        return;
    }
    u->reuse = (struct reuse){ .store = conf->store,
                               .vault = conf->vault,
                               .realms = conf->realms,
                               .own = u->realm,
                               .n = conf->n_realms };
    reuse_find(&u->reuse, u->now.name, u->wish.password, put_now, u);
}

/* Of the realm's former name: under the new one it has no verifier yet. */
static int adopt(struct user_op *u, struct arena *a)
{
    int err = user_retire(&u->now, u->wish.keep_old_until, a);
    u->now.realm = u->realm->name;
    memset(u->now.sealed, 0, sizeof(u->now.sealed));
    return err;
}

static int set_password(struct user_op *u, struct arena *a, struct fault *f)
{
    const struct rest *rest = u->op.rest;
    const struct wish_realm realm = wish_realm_of(rest, u->realm);
    if (u->former && adopt(u, a))
        return fault_no_memory(f);
    return wish_apply_secret(&u->wish, rest->conf.vault, &realm, a, &u->now, f);
}

static void on_user(void *arg, int err, const struct user *found)
{
    struct user_op *u = arg;
    struct rest *rest = u->op.rest;
    struct arena *a = http_arena(u->op.req);
    struct fault f;
    u->op.call = NULL;
    if (err == CS_ENOENT && u->realm->formerly && !u->former) {
        u->former = true;
        begin(u);
        return;
    }
    if (err) {
        op_store_error(&u->op, err);
        return;
    }
    if (u->what == READ) {
        reply_user(u, 200, found);
        return;
    }
    if (op_check_match(&u->op, found->record, "user", &f)) {
        op_fault(&u->op, &f);
        return;
    }
    if (user_copy(found, a, &u->old)) {
        op_no_memory(&u->op);
        return;
    }
    if (u->what == DELETE) {
        u->op.call = store_remove_user(rest->conf.store, &u->old, on_done, u);
        if (!u->op.call)
            op_no_memory(&u->op);
        return;
    }
    u->now = u->old;
    u->now.record = SPAN_NULL; /* it will have another */
    if (u->what == PASSWORD)
        err = set_password(u, a, &f);
    else
        err = wish_apply(&u->wish, false, a, &u->now, &f);
    if (err)
        op_fault(&u->op, &f);
    else
        put(u);
}

static void begin(struct user_op *u)
{
    const struct span realm = u->former ? u->realm->formerly->name : u->realm->name;
    u->op.call = store_get_user(u->op.rest->conf.store, u->name, realm, on_user, u);
    if (!u->op.call)
        op_no_memory(&u->op);
}

/* ---- the routes ---- */

void rest_user_get(struct http_req *req, void *arg)
{
    struct user_op *u = user_op_new(req, arg, READ);
    if (u)
        begin(u);
}

void rest_user_patch(struct http_req *req, void *arg)
{
    struct user_op *u = user_op_new(req, arg, PATCH);
    if (u && read_wish(u, WISH_FIELDS))
        begin(u);
}

void rest_user_password(struct http_req *req, void *arg)
{
    struct user_op *u = user_op_new(req, arg, PASSWORD);
    if (u && read_wish(u, WISH_SECRET | WISH_OVERLAP))
        begin(u);
}

void rest_user_delete(struct http_req *req, void *arg)
{
    struct user_op *u = user_op_new(req, arg, DELETE);
    if (u)
        begin(u);
}

void rest_user_create(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    struct user_op *u = op_new(rest, req, sizeof(*u));
    if (!u)
        return;
    u->op.drop = drop;
    u->what = CREATE;
    if (!read_wish(u, WISH_NAME | WISH_FIELDS | WISH_SECRET | WISH_NO_SECRET))
        return;
    struct arena *a = http_arena(req);
    u->realm = realm_of(rest, u->wish.realm, &f);
    int err = u->realm ? 0 : CS_ENOENT;
    if (!err) {
        u->now.name = u->wish.name;
        u->now.realm = u->realm->name;
        u->now.created = loop_wall(rest->loop);
        err = wish_apply(&u->wish, true, a, &u->now, &f);
    }
    if (!err)
        err = set_password(u, a, &f);
    if (err)
        op_fault(&u->op, &f);
    else
        put(u);
}

/* ---- lists ---- */

static void on_list(void *arg, int err, const struct user *users, size_t n, struct span next)
{
    struct op *op = arg;
    op->call = NULL;
    if (err) {
        op_store_error(op, err);
        return;
    }
    json_t *body = json_object(), *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, user_to_json(&users[i]));
    json_object_set_new(body, "users", list);
    if (next.p)
        json_object_set_new(body, "next", json_of(next));
    op_reply(op, 200, body);
}

void rest_users_list(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    size_t limit;
    struct span realm = http_query(req, "realm");
    struct op *op = op_new(rest, req, sizeof(*op));
    if (!op)
        return;
    if ((realm.p && !realm_of(rest, realm, &f)) ||
        limit_of(req, PAGE, STORE_PAGE_MAX, &limit, &f)) {
        op_fault(op, &f);
        return;
    }
    op->call =
        store_list_users(rest->conf.store, realm, http_query(req, "after"), limit, on_list, op);
    if (!op->call)
        op_no_memory(op);
}
