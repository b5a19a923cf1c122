#include "authd/calls/webhook.h"

#include "authd/token/json.h"

static void set(json_t *j, const char *name, struct span s)
{
    if (s.p)
        json_object_set_new(j, name, json_stringn(s.p, s.n)); /* not UTF-8: not said */
}

char *webhook_question(const struct webhook_call *c)
{
    const struct destination *to = c->call->to;
    json_t *j = json_object(), *call = json_object();
    set(call, "call_id", c->call_id);
    set(call, "caller", c->call->caller);
    set(call, "from_trunk", c->from_trunk);
    set(call, "trunk", c->call->trunk);
    set(call, "number", to->number);
    set(call, "e164", to->form);
    set(call, "country", to->country);
    json_object_set_new(call, "first_time", json_boolean(c->call->first_time));
    set(j, "id", c->id);
    set(j, "rule", c->rule);
    json_object_set_new(j, "call", call);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    return text;
}

int webhook_answer_read(struct span body, struct span id, bool *allow)
{
    json_t *j = json_read_object(body);
    const struct span of = json_member(j, "id"), verdict = json_member(j, "verdict");
    const bool yes = span_eq(verdict, SPAN("allow")), no = span_eq(verdict, SPAN("block"));
    const bool is_answer = j && of.p && span_eq(of, id) && verdict.p && (yes || no);
    *allow = is_answer && yes;
    json_decref(j);
    return is_answer ? 0 : CS_EPROTO;
}
