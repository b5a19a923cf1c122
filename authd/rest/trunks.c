/* One trunk: created, read, changed, removed, and its credentials; and lists of them. A change
 * reads the record, puts the new one in its place if nobody was faster, and begins again if
 * somebody was.
 */
#include <stdlib.h>

#include "authd/rest/op.h"
#include "authd/rest/trunk_wish.h"
#include "http/etag.h"

enum { TRIES = 4 };

struct trunk_op {
    struct op op;
    struct span name;
    struct trunk_wish wish;
    struct span realm, user, route; /* of the credentials that are put or forgotten */
    struct trunk trunk;
    enum { READ, CREATE, PATCH, PUT, FORGET, DELETE } what;
    unsigned tries;
    char tag[ETAG_LEN + 1]; /* of what is being written */
};

static const struct span messages[] = {
    [CREATE] = SPAN_INIT("trunk created"),         [PATCH] = SPAN_INIT("trunk changed"),
    [PUT] = SPAN_INIT("trunk's password changed"), [FORGET] = SPAN_INIT("trunk's password removed"),
    [DELETE] = SPAN_INIT("trunk removed"),
};

static struct trunk_op *trunk_op_new(struct http_req *req, struct rest *rest, int what)
{
    struct trunk_op *t = op_new(rest, req, sizeof(*t));
    if (!t)
        return NULL;
    t->what = what;
    t->name = http_param(req, "trunk");
    return t;
}

/* Reads the body into the wish; false: it replied. */
static bool read_wish(struct trunk_op *t, unsigned allowed)
{
    struct fault f;
    struct op *op = &t->op;
    if (!op_body(op))
        return false;
    if (trunk_wish_parse(op->body, allowed, http_arena(op->req), &t->wish, &f) == 0)
        return true;
    op_fault(op, &f);
    return false;
}

static void no_such(struct op *op, const char *what)
{
    struct fault f;
    fault_set(&f, 404, "no-such-trunk", "No such trunk", "There is no such %s.", what);
    op_fault(op, &f);
}

/* ---- writing ---- */

static void begin(struct trunk_op *t);

static void on_done(void *arg, int err)
{
    struct trunk_op *t = arg;
    t->op.record = NULL;
    if (err == CS_ECONFLICT && t->what == CREATE) {
        struct fault f;
        fault_set(&f, 409, "trunk-exists", "Trunk exists",
                  "There is a trunk of this name already.");
        op_fault(&t->op, &f);
    } else if (err == CS_ECONFLICT && ++t->tries < TRIES) {
        begin(t);
    } else if (err) {
        op_store_error(&t->op, err);
    } else {
        log_action(&t->op, messages[t->what], t->trunk.name, t->realm);
        if (t->what == DELETE || t->what == FORGET) {
            op_reply(&t->op, 204, NULL);
            return;
        }
        http_reply_header(t->op.req, "ETag", t->tag);
        op_reply(&t->op, t->what == CREATE ? 201 : 200, trunk_to_json(&t->trunk));
    }
}

static void put(struct trunk_op *t)
{
    struct rest *rest = t->op.rest;
    char *space = malloc(TRUNK_MAX_RECORD);
    struct buf b = buf_of(space, space ? TRUNK_MAX_RECORD : 0);
    t->trunk.changed = loop_wall(rest->loop);
    if (space && trunk_encode(&t->trunk, &b) == 0) {
        t->op.record =
            record_put(&rest->trunks, t->trunk.name, t->trunk.record, buf_span(&b), on_done, t);
        etag_of(buf_span(&b), t->tag);
    }
    free(space);
    if (!t->op.record)
        op_no_memory(&t->op);
    else if (t->what == CREATE)
        op_locate(&t->op, "/v1/trunks/", t->trunk.name);
}

static void on_trunk(void *arg, int err, struct span bytes)
{
    struct trunk_op *t = arg;
    struct rest *rest = t->op.rest;
    struct arena *a = http_arena(t->op.req);
    struct fault f;
    t->op.record = NULL;
    if (!err)
        err = trunk_decode(bytes, a, &t->trunk);
    if (err == CS_ENOENT) {
        no_such(&t->op, "trunk");
    } else if (err) {
        op_store_error(&t->op, err);
    } else if (t->what == READ) {
        op_tag(&t->op, t->trunk.record);
        op_reply(&t->op, 200, trunk_to_json(&t->trunk));
    } else if (op_check_match(&t->op, t->trunk.record, "trunk", &f)) {
        op_fault(&t->op, &f);
    } else if (t->what == DELETE) {
        t->op.record = record_remove(&rest->trunks, t->trunk.name, t->trunk.record, on_done, t);
        if (!t->op.record)
            op_no_memory(&t->op);
    } else if (t->what == FORGET && !trunk_forget(&t->trunk, t->realm, t->user, t->route)) {
        no_such(&t->op, "credential");
    } else if (trunk_wish_apply(&t->wish, rest->conf.trunk_vault, a, &t->trunk, &f)) {
        op_fault(&t->op, &f);
    } else {
        put(t);
    }
}

static void begin(struct trunk_op *t)
{
    if (trunk_name_fault(t->name)) {
        no_such(&t->op, "trunk");
        return;
    }
    t->op.record = record_get(&t->op.rest->trunks, t->name, on_trunk, t);
    if (!t->op.record)
        op_no_memory(&t->op);
}

/* ---- the routes ---- */

void rest_trunk_get(struct http_req *req, void *arg)
{
    struct trunk_op *t = trunk_op_new(req, arg, READ);
    if (t)
        begin(t);
}

void rest_trunk_patch(struct http_req *req, void *arg)
{
    struct trunk_op *t = trunk_op_new(req, arg, PATCH);
    if (t && read_wish(t, TRUNK_WISH_FIELDS))
        begin(t);
}

void rest_trunk_delete(struct http_req *req, void *arg)
{
    struct trunk_op *t = trunk_op_new(req, arg, DELETE);
    if (t)
        begin(t);
}

void rest_trunk_put_credential(struct http_req *req, void *arg)
{
    struct trunk_op *t = trunk_op_new(req, arg, PUT);
    if (!t || !read_wish(t, TRUNK_WISH_CREDENTIAL))
        return;
    t->realm = t->wish.credentials[0].realm;
    begin(t);
}

void rest_trunk_forget_credential(struct http_req *req, void *arg)
{
    struct trunk_op *t = trunk_op_new(req, arg, FORGET);
    if (!t)
        return;
    t->realm = http_query(req, "realm");
    t->user = http_query(req, "user");
    t->route = http_query(req, "route");
    if (t->realm.p && t->user.p) {
        begin(t);
        return;
    }
    struct fault f;
    fault_set(&f, 400, "which-credential", "Which credential",
              "Say realm and user, and route if "
              "it has one.");
    op_fault(&t->op, &f);
}

void rest_trunk_create(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    struct trunk_op *t = op_new(rest, req, sizeof(*t));
    if (!t)
        return;
    t->what = CREATE;
    if (!read_wish(t, TRUNK_WISH_NAME | TRUNK_WISH_FIELDS))
        return;
    t->trunk.name = t->wish.name;
    t->trunk.created = loop_wall(rest->loop);
    if (trunk_wish_apply(&t->wish, rest->conf.trunk_vault, http_arena(req), &t->trunk, &f))
        op_fault(&t->op, &f);
    else
        put(t);
}

/* ---- lists ---- */

static json_t *show(struct op *op, struct span bytes)
{
    struct trunk t;
    if (trunk_decode(bytes, http_arena(op->req), &t))
        return NULL;
    return trunk_to_json(&t);
}

void rest_trunks_list(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    rest_list_records(req, rest, &rest->trunks, "trunks", show);
}
