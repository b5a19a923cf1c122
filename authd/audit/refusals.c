#include "authd/audit/refusals.h"

#include <stdlib.h>

#include "authd/check/facts.h"
#include "authd/rest/wish.h"

#define KEY    "cs:{refusals}"
#define KEEP_S "86400"

enum { EVERY_S = 2, AT_ONCE = 100 };

struct refusals {
    struct loop *loop;
    struct redis *redis;
    const struct explain *explain;
    struct timer timer;
    uint64_t told; /* of explain_total() */
};

/* ---- shown ---- */

static void set(json_t *j, const char *name, const char *text)
{
    if (*text)
        json_object_set_new(j, name, json_of(span_str(text)));
}

json_t *refusal_to_json(const struct explained *x)
{
    char time[WALL_STRLEN], source[ADDR_STRLEN];
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
    return j;
}

/* ---- written ---- */

struct fresh { /* the newest is found first, and has to be pushed last */
    char *text[AT_ONCE];
    size_t n;
};

static void on_fresh(void *arg, const struct explained *x)
{
    struct fresh *f = arg;
    json_t *j = refusal_to_json(x);
    char *text = json_dumps(j, JSON_COMPACT);
    if (text)
        f->text[f->n++] = text;
    json_decref(j);
}

static void push(struct refusals *r, const struct fresh *f)
{
    struct span argv[2 + AT_ONCE] = { SPAN("LPUSH"), SPAN(KEY) };
    char text[24];
    struct buf last = BUF_INIT(text);
    for (size_t i = 0; i < f->n; i++)
        argv[2 + i] = span_str(f->text[f->n - 1 - i]);
    buf_u64(&last, REFUSALS_MAX - 1);
    redis_command(r->redis, redis_ignore, NULL, 2 + f->n, argv);
    redis_do(r->redis, redis_ignore, NULL, SPAN("LTRIM"), SPAN(KEY), SPAN("0"), buf_span(&last));
    redis_do(r->redis, redis_ignore, NULL, SPAN("EXPIRE"), SPAN(KEY), SPAN(KEEP_S));
}

static void on_timer(struct timer *t)
{
    struct refusals *r = container_of(t, struct refusals, timer);
    const uint64_t total = explain_total(r->explain);
    struct fresh f = { .n = 0 };
    timer_start_about(r->loop, t, DURATION_S(EVERY_S));
    if (total == r->told || !redis_is_ready(r->redis))
        return;
    explain_find(r->explain, SPAN_NULL, CS_MIN((size_t)(total - r->told), (size_t)AT_ONCE),
                 on_fresh, &f);
    r->told = total;
    if (f.n)
        push(r, &f);
    for (size_t i = 0; i < f.n; i++)
        free(f.text[i]);
}

/* ---- read ---- */

struct redis_call *refusals_ask(struct refusals *r, size_t limit, redis_fn *fn, void *arg)
{
    char text[24];
    struct buf last = BUF_INIT(text);
    buf_u64(&last, limit - 1);
    return redis_do(r->redis, fn, arg, SPAN("LRANGE"), SPAN(KEY), SPAN("0"), buf_span(&last));
}

json_t *refusals_read(const struct redis_reply *reply)
{
    if (!reply || reply->type != REDIS_ARRAY)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < reply->n; i++) {
        const struct span text = reply->element[i].str;
        json_t *j = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;
        if (json_is_object(j))
            json_array_append(list, j);
        json_decref(j);
    }
    return list;
}

/* ---- life ---- */

int refusals_new(struct loop *l, struct redis *redis, const struct explain *explain,
                 struct refusals **out)
{
    struct refusals *r = calloc(1, sizeof(*r));
    *out = r;
    if (!r)
        return CS_ENOMEM;
    r->loop = l;
    r->redis = redis;
    r->explain = explain;
    timer_init(&r->timer, on_timer);
    timer_start(l, &r->timer, DURATION_S(EVERY_S));
    return 0;
}

void refusals_free(struct refusals **rp)
{
    struct refusals *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    timer_stop(r->loop, &r->timer);
    free(r);
}
