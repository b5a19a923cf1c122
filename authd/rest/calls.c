/* How many calls a user, a domain or a trunk has in the whole installation. */
#include "authd/calls/call_leases.h"
#include "authd/rest/op.h"

enum { SHOWN = 1000 };

struct calls_op {
    struct op op;
    struct span name;
};

/* [lease, when it lapses, ...] */
static void on_leases(void *arg, const struct redis_reply *r)
{
    struct calls_op *c = arg;
    c->op.redis = NULL;
    if (!r || r->type != REDIS_ARRAY) {
        op_store_error(&c->op, CS_ECLOSED);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i + 1 < r->n; i += 2) {
        char until[WALL_STRLEN];
        uint64_t ms = 0;
        if (span_u64(r->element[i + 1].str, INT64_MAX, &ms))
            ms = 0;
        wall_format((struct wall){ (int64_t)ms }, until);
        json_array_append_new(
            list, json_pack("{s:o, s:s}", "decision", json_of(r->element[i].str), "until", until));
    }
    op_reply(&c->op, 200, json_pack("{s:o, s:o}", "name", json_of(c->name), "calls", list));
}

void rest_calls(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    struct calls_op *c = op_new(rest, req, sizeof(*c));
    if (!c)
        return;
    c->name = arena_dup(http_arena(req), http_param(req, "name"));
    if (!call_lease_is_name(c->name)) {
        fault_set(&f, 400, "name", "Invalid name",
                  "Say user:alice@example.com, tenant:example.com or trunk:carrier.");
        op_fault(&c->op, &f);
        return;
    }
    c->op.redis =
        call_lease_list(rest->conf.redis, c->name, loop_wall(rest->loop), SHOWN, on_leases, c);
    if (!c->op.redis)
        op_no_memory(&c->op);
}
