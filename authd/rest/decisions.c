/* Why somebody was refused: the last refusals, with what to do about each, and the bans. */
#include "authd/audit/explain.h"
#include "authd/audit/refusals.h"
#include "authd/check/check.h"
#include "authd/defence/defence.h"
#include "authd/rest/op.h"

enum { PAGE = 20, MAX = 1000 };

struct search {
    enum { ANY, ID, CALL_ID, USER, ADDRESS } by;
    struct span key;
    size_t limit;
    json_t *list, *bans;
};

static const char *const params[] = { "q", "id", "call_id", "user", "address" };

/* explain_find() looks everywhere; here only where it was asked. */
static bool is_wanted(const struct search *s, const struct explained *x)
{
    struct addr a;
    struct span name = s->key, at = SPAN_NULL;
    switch (s->by) {
    case ID:
        return span_eq(s->key, span_str(x->decision));
    case CALL_ID:
        return span_eq(s->key, span_str(x->call_id));
    case ADDRESS:
        return addr_parse(s->key, 0, &a) == 0 && addr_same_host(&a, &x->source);
    case USER:
        if (span_eq(name, span_str(x->user)))
            return true;
        at = name;
        name = span_cut(&at, '@');
        return at.p && span_eq(name, span_str(x->user)) && span_eq(at, span_str(x->realm));
    case ANY:
        return true;
    }
    return false;
}

static void on_found(void *arg, const struct explained *x)
{
    struct search *s = arg;
    if (json_array_size(s->list) < s->limit && is_wanted(s, x))
        json_array_append_new(s->list, refusal_to_json(x));
}

/* Those that shut out this address, or this user somewhere. */
static void on_ban(void *arg, const struct ban *b)
{
    struct search *s = arg;
    struct addr a;
    struct span name = b->user;
    bool address = (s->by == ANY || s->by == ADDRESS) && s->key.p &&
                   addr_parse(s->key, 0, &a) == 0 && cidr_contains(&b->net, &a);
    bool user = (s->by == ANY || s->by == USER) && s->key.p && b->user.p &&
                (span_eq(s->key, b->user) || span_eq(s->key, span_cut(&name, '@')));
    if ((address || user) && json_array_size(s->bans) < s->limit)
        json_array_append_new(s->bans, ban_to_json(b));
}

void rest_decisions(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    struct search s = { 0 };
    unsigned given = 0;
    for (size_t i = 0; i < CS_LEN(params); i++) {
        struct span value = http_query(req, params[i]);
        if (!value.p)
            continue;
        given++;
        s.by = (int)i;
        s.key = value;
    }
    if (given > 1) {
        http_problem(req, 400, "search", "Invalid search",
                     "Give one of id, call_id, user, address and q.");
        return;
    }
    if (limit_of(req, PAGE, MAX, &s.limit, &f)) {
        http_problem(req, f.status, f.type, f.title, "%s", f.detail);
        return;
    }
    s.list = json_array();
    explain_find(rest->conf.explain, s.key, SIZE_MAX, on_found, &s);
    s.bans = json_array();
    bans_each(defence_bans(rest->conf.defence), on_ban, &s);
    http_reply_json(req, 200, json_pack("{s:o, s:o}", "decisions", s.list, "bans", s.bans));
}

/* ---- of all authds ---- */

static void on_refusals(void *arg, const struct redis_reply *reply)
{
    struct op *op = arg;
    op->redis = NULL;
    json_t *list = refusals_read(reply);
    if (list)
        op_reply(op, 200, json_pack("{s:o}", "refusals", list));
    else
        op_store_error(op, CS_ECLOSED);
}

void rest_refusals(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    size_t limit;
    if (limit_of(req, 100, REFUSALS_MAX, &limit, &f)) {
        http_problem(req, f.status, f.type, f.title, "%s", f.detail);
        return;
    }
    struct op *op = op_new(rest, req, sizeof(*op));
    if (!op)
        return;
    op->redis = refusals_ask(rest->conf.checker->refusals, limit, on_refusals, op);
    if (!op->redis)
        op_no_memory(op);
}
