/* How the installation does, whichever authd is asked: its nodes, and counts by the minute. And who
 * asks. */
#include "authd/audit/summaries.h"
#include "authd/check/check.h"
#include "authd/rest/op.h"

enum { MINUTES = 60 };

void rest_operator(struct http_req *req, void *arg)
{
    (void)arg;
    http_reply_json(req, 200,
                    json_pack("{s:o, s:o}", "name", json_of(http_who(req)), "role",
                              json_of(role_name(http_role(req)))));
}

static void on_nodes(void *arg, const struct redis_reply *reply)
{
    struct op *op = arg;
    op->redis = NULL;
    json_t *nodes = summaries_read_nodes(op->rest->conf.checker->summaries, reply);
    if (nodes)
        op_reply(op, 200, json_pack("{s:o}", "nodes", nodes));
    else
        op_store_error(op, CS_ECLOSED);
}

void rest_nodes(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct op *op = op_new(rest, req, sizeof(*op));
    if (!op)
        return;
    op->redis = summaries_ask_nodes(rest->conf.checker->summaries, on_nodes, op);
    if (!op->redis)
        op_no_memory(op);
}

/* ---- history ---- */

struct history_op { /* asks for one minute after the other */
    struct op op;
    json_t *list;
    uint64_t next, end; /* minutes */
};

static void drop_history(struct op *op)
{
    json_decref(container_of(op, struct history_op, op)->list);
}

static void ask_minute(struct history_op *h);

static void on_minute(void *arg, const struct redis_reply *reply)
{
    struct history_op *h = arg;
    char time[WALL_STRLEN];
    h->op.redis = NULL;
    json_t *counts = summaries_read_minute(reply);
    if (!counts) {
        op_store_error(&h->op, CS_ECLOSED);
        return;
    }
    wall_format((struct wall){ (int64_t)h->next * 60000 }, time);
    json_array_append_new(h->list, json_pack("{s:s, s:o}", "time", time, "counts", counts));
    h->next++;
    ask_minute(h);
}

static void ask_minute(struct history_op *h)
{
    if (h->next > h->end) {
        op_reply(&h->op, 200, json_pack("{s:O}", "minutes", h->list));
        return;
    }
    h->op.redis = summaries_ask_minute(h->op.rest->conf.checker->summaries, h->next, on_minute, h);
    if (!h->op.redis)
        op_no_memory(&h->op);
}

void rest_history(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    const struct span text = http_query(req, "minutes");
    uint64_t n = MINUTES;
    if (text.p && (span_u64(text, SUMMARIES_MINUTES, &n) || n == 0)) {
        http_problem(req, 400, "minutes", "Invalid minutes", "minutes must be 1 to %d.",
                     SUMMARIES_MINUTES);
        return;
    }
    struct history_op *h = op_new(rest, req, sizeof(*h));
    if (!h)
        return;
    h->op.drop = drop_history;
    h->list = json_array();
    h->end = (uint64_t)loop_wall(rest->loop).ms / 60000;
    h->next = h->end - n + 1;
    ask_minute(h);
}
