/* Why somebody was refused: the last refusals, with what to do about each, and the bans. */
#include "authd/defence.h"
#include "authd/explain.h"
#include "authd/facts.h"
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

static void set(json_t *j, const char *name, const char *text)
{
    if (*text)
        json_object_set_new(j, name, json_of(span_str(text)));
}

static void on_found(void *arg, const struct explained *x)
{
    struct search *s = arg;
    char time[WALL_STRLEN], source[ADDR_STRLEN];
    if (json_array_size(s->list) >= s->limit || !is_wanted(s, x))
        return;
    json_t *j = json_object();
    wall_format(x->time, time);
    set(j, "id", x->decision);
    set(j, "time", time);
    json_object_set_new(j, "verdict", json_of(decision_kind(x->kind)));
    if (x->status)
        json_object_set_new(j, "status", json_integer(x->status));
    json_object_set_new(j, "cause", json_of(cause_name(x->cause)));
    if (x->because != CAUSE(CAUSE_NONE))
        json_object_set_new(j, "because", json_of(cause_name(x->because)));
    Countersign__Auth__Cause root = x->because != CAUSE(CAUSE_NONE) ? x->because : x->cause;
    json_object_set_new(j, "text", json_of(cause_text(root)));
    json_object_set_new(j, "remedy", json_of(cause_remedy(root)));
    set(j, "revoked", x->revoked);
    set(j, "limit", x->limit);
    set(j, "group", x->group);
    set(j, "trunk", x->trunk);
    set(j, "device", x->device);
    set(j, "method", x->method);
    set(j, "user", x->user);
    set(j, "realm", x->realm);
    set(j, "aor", x->aor);
    set(j, "from", x->from);
    set(j, "call_id", x->call_id);
    set(j, "user_agent", x->user_agent);
    set(j, "algorithm", x->algorithm);
    set(j, "listener", x->listener);
    set(j, "transport", facts_transport(x->transport).p);
    set(j, "country", x->country);
    if (x->source.sa.sa_family != AF_UNSPEC)
        set(j, "source", addr_format(&x->source, source));
    json_array_append_new(s->list, j);
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
