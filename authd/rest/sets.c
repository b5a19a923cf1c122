/* One address set: created, read, changed, removed; and lists of them. A change reads the record,
 * puts the new one in its place if nobody was faster, and begins again if somebody was. */
#include <stdlib.h>

#include "authd/rest/op.h"
#include "authd/rest/set_wish.h"
#include "http/etag.h"

enum { TRIES = 4 };

struct set_op {
    struct op op;
    struct span name;
    struct set_wish wish;
    struct address_set set;
    enum { READ, CREATE, PATCH, DELETE } what;
    unsigned tries;
    char tag[ETAG_LEN + 1]; /* of what is being written */
};

static const struct span messages[] = {
    [CREATE] = SPAN_INIT("address set created"),
    [PATCH] = SPAN_INIT("address set changed"),
    [DELETE] = SPAN_INIT("address set removed"),
};

static struct set_op *set_op_new(struct http_req *req, struct rest *rest, int what)
{
    struct set_op *s = op_new(rest, req, sizeof(*s));
    if (!s)
        return NULL;
    s->what = what;
    s->name = http_param(req, "set");
    return s;
}

/* Reads the body into the wish; false: it replied. */
static bool read_wish(struct set_op *s)
{
    struct fault f;
    struct op *op = &s->op;
    if (!op_body(op))
        return false;
    if (set_wish_parse(op->body, s->what == CREATE, http_arena(op->req), &s->wish, &f) == 0)
        return true;
    op_fault(op, &f);
    return false;
}

static void no_such(struct op *op)
{
    struct fault f;
    fault_set(&f, 404, "no-such-set", "No such address set", "There is no such address set.");
    op_fault(op, &f);
}

static json_t *to_json(const struct set_op *s)
{
    return address_set_to_json(&s->set, loop_wall(s->op.rest->loop));
}

/* ---- writing ---- */

static void begin(struct set_op *s);

static void on_done(void *arg, int err)
{
    struct set_op *s = arg;
    struct op *op = &s->op;
    op->record = NULL;
    if (err == CS_ECONFLICT && s->what == CREATE) {
        struct fault f;
        fault_set(&f, 409, "set-exists", "Address set exists",
                  "There is an address set of this name already.");
        op_fault(op, &f);
    } else if (err == CS_ECONFLICT && ++s->tries < TRIES) {
        begin(s);
    } else if (err) {
        op_store_error(op, err);
    } else {
        log_action(op, messages[s->what], s->set.name, s->set.owner);
        if (s->what == DELETE) {
            op_reply(op, 204, NULL);
            return;
        }
        http_reply_header(op->req, "ETag", s->tag);
        op_reply(op, s->what == CREATE ? 201 : 200, to_json(s));
    }
}

static void put(struct set_op *s)
{
    struct rest *rest = s->op.rest;
    char *space = malloc(ADDRESS_SET_MAX_RECORD);
    struct buf b = buf_of(space, space ? ADDRESS_SET_MAX_RECORD : 0);
    s->set.changed = loop_wall(rest->loop);
    if (space && address_set_encode(&s->set, &b) == 0) {
        s->op.record =
            record_put(&rest->sets, s->set.name, s->set.record, buf_span(&b), on_done, s);
        etag_of(buf_span(&b), s->tag);
    }
    free(space);
    if (!s->op.record)
        op_no_memory(&s->op);
    else if (s->what == CREATE)
        op_locate(&s->op, "/v1/address-sets/", s->set.name);
}

static void on_set(void *arg, int err, struct span bytes)
{
    struct set_op *s = arg;
    struct op *op = &s->op;
    struct fault f;
    op->record = NULL;
    if (!err)
        err = address_set_decode(bytes, http_arena(op->req), &s->set);
    if (err == CS_ENOENT) {
        no_such(op);
    } else if (err) {
        op_store_error(op, err);
    } else if (s->what == READ) {
        op_tag(op, s->set.record);
        op_reply(op, 200, to_json(s));
    } else if (op_check_match(op, s->set.record, "address set", &f)) {
        op_fault(op, &f);
    } else if (s->what == DELETE) {
        op->record = record_remove(&op->rest->sets, s->set.name, s->set.record, on_done, s);
        if (!op->record)
            op_no_memory(op);
    } else {
        set_wish_apply(&s->wish, &s->set);
        put(s);
    }
}

static void begin(struct set_op *s)
{
    if (address_set_name_fault(s->name)) {
        no_such(&s->op);
        return;
    }
    s->op.record = record_get(&s->op.rest->sets, s->name, on_set, s);
    if (!s->op.record)
        op_no_memory(&s->op);
}

/* ---- the routes ---- */

void rest_set_get(struct http_req *req, void *arg)
{
    struct set_op *s = set_op_new(req, arg, READ);
    if (s)
        begin(s);
}

void rest_set_patch(struct http_req *req, void *arg)
{
    struct set_op *s = set_op_new(req, arg, PATCH);
    if (s && read_wish(s))
        begin(s);
}

void rest_set_delete(struct http_req *req, void *arg)
{
    struct set_op *s = set_op_new(req, arg, DELETE);
    if (s)
        begin(s);
}

void rest_set_create(struct http_req *req, void *arg)
{
    struct set_op *s = set_op_new(req, arg, CREATE);
    if (!s || !read_wish(s))
        return;
    s->set.name = s->wish.name;
    s->set.created = loop_wall(s->op.rest->loop);
    set_wish_apply(&s->wish, &s->set);
    put(s);
}

/* ---- lists ---- */

static json_t *show(struct op *op, struct span bytes)
{
    struct address_set s;
    if (address_set_decode(bytes, http_arena(op->req), &s))
        return NULL;
    return address_set_to_json(&s, loop_wall(op->rest->loop));
}

void rest_sets_list(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    rest_list_records(req, rest, &rest->sets, "sets", show);
}
