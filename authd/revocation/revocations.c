#include "authd/revocation/revocations.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metric.h"

enum { PRUNE_S = 60, RETRY_MS = 200 };

#define KEY SPAN("cs:revoked")

struct standing {
    struct map_node node;
    unsigned char tag[REST_TAG_LEN];
    char id[REVOCATION_ID_LEN + 1];
    unsigned look; /* the last reading of all that saw it */
    struct revocation r;
    struct arena arena; /* of its texts */
};

struct revocation_look {
    struct list link;
    struct revocations *set;
    struct redis_call *call;
    revocation_look_fn *fn;
    void *arg;
    char id[REVOCATION_ID_LEN + 1];
};

struct revocations {
    struct loop *loop;
    struct redis *redis;
    struct map by_tag;
    struct list looks;
    struct redis_call *reading;
    unsigned look;
    bool known, complained;
    void (*loaded)(void *arg);
    void *loaded_arg;
    struct timer retry, prune;
};

static const struct log lg = { .module = "revocations" };

/* Field and value as it was read: whoever put another there in the meantime keeps it. */
static struct redis_script prune_script = {
    .lua = "if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end "
           "return redis.call('HDEL', KEYS[1], ARGV[1])",
};

/* ---- what stands ---- */

static bool has_tag(const struct map_node *n, const void *key)
{
    return memcmp(container_of(n, struct standing, node)->tag, key, REST_TAG_LEN) == 0;
}

static struct standing *by_tag(const struct revocations *s, const void *tag)
{
    struct map_node *n =
        s->by_tag.n ? map_find(&s->by_tag, map_hash(span_of(tag, REST_TAG_LEN)), has_tag, tag)
                    : NULL;
    return n ? container_of(n, struct standing, node) : NULL;
}

static void count(const struct revocations *s)
{
    metric_set(M_AUTHD_REVOCATIONS, 0, (int64_t)s->by_tag.n);
}

static void standing_free(struct standing *x)
{
    arena_fini(&x->arena);
    free(x);
}

static void forget(struct revocations *s, struct standing *x)
{
    map_remove(&s->by_tag, &x->node);
    standing_free(x);
    count(s);
}

/* What stood under the same tag makes room. */
static int keep(struct revocations *s, struct span id, struct span packed, struct standing **out)
{
    struct standing *x = calloc(1, sizeof(*x));
    *out = NULL;
    if (!x)
        return CS_ENOMEM;
    arena_init(&x->arena, NULL, 0, 0);
    int err = revocation_decode(packed, &x->arena, &x->r);
    if (!err) {
        revocation_id(&x->r, x->id);
        err = span_eq(span_str(x->id), id) ? 0 : CS_EPROTO; /* else it could not be lifted */
    }
    if (!err)
        err = revocation_of_id(id, x->tag);
    struct standing *old = err ? NULL : by_tag(s, x->tag);
    if (!err)
        err = map_insert(&s->by_tag, &x->node, map_hash(span_of(x->tag, sizeof(x->tag))));
    if (err) {
        standing_free(x);
        return err;
    }
    if (old)
        forget(s, old);
    x->look = s->look;
    count(s);
    *out = x;
    return 0;
}

static bool stands(const struct revocations *s, const struct standing *x)
{
    return x && !revocation_has_ended(&x->r, loop_wall(s->loop));
}

/* ---- reading all ---- */

static void ask(struct revocations *s, struct span cursor);

static void failed(struct revocations *s, const struct redis_reply *reply)
{
    if (reply && !s->complained)
        log_error(&lg, "the revocations cannot be read",
                  kv_s("reply", reply->type == REDIS_ERROR ? reply->str : SPAN("of another type")));
    s->complained = reply != NULL;
    timer_start(s->loop, &s->retry, DURATION_MS(RETRY_MS));
}

static void all_read(struct revocations *s)
{
    map_for_each (it, &s->by_tag) {
        struct standing *x = container_of(it, struct standing, node);
        if (x->look != s->look)
            forget(s, x);
    }
    s->known = true;
    s->complained = false;
    s->loaded(s->loaded_arg);
}

/* [cursor, [id, record, ...]]. What stands throughout is seen, and what comes and goes meanwhile
 * comes as an event. */
static void on_page(void *arg, const struct redis_reply *reply)
{
    struct revocations *s = arg;
    s->reading = NULL;
    if (!reply || reply->type != REDIS_ARRAY || reply->n != 2 ||
        reply->element[0].type != REDIS_STRING || reply->element[1].type != REDIS_ARRAY) {
        failed(s, reply);
        return;
    }
    const struct redis_reply *list = &reply->element[1];
    for (size_t i = 0; i + 1 < list->n; i += 2) {
        struct standing *x;
        int err = keep(s, list->element[i].str, list->element[i + 1].str, &x);
        if (err == CS_ENOMEM) {
            failed(s, NULL);
            return;
        }
        if (err)
            log_error(&lg, "a revocation cannot be read", kv_s("id", list->element[i].str));
    }
    if (span_eq(reply->element[0].str, SPAN("0")))
        all_read(s);
    else
        ask(s, reply->element[0].str);
}

static void ask(struct revocations *s, struct span cursor)
{
    s->reading =
        redis_do(s->redis, on_page, s, SPAN("HSCAN"), KEY, cursor, SPAN("COUNT"), SPAN("500"));
    if (!s->reading)
        failed(s, NULL);
}

static void on_retry(struct timer *t)
{
    struct revocations *s = container_of(t, struct revocations, retry);
    s->look++;
    ask(s, SPAN("0"));
}

void revocations_load(struct revocations *s, void (*fn)(void *arg), void *arg)
{
    s->known = false;
    s->loaded = fn;
    s->loaded_arg = arg;
    if (s->reading)
        redis_cancel(s->reading);
    s->reading = NULL;
    timer_stop(s->loop, &s->retry);
    on_retry(&s->retry);
}

bool revocations_are_known(const struct revocations *s)
{
    return s->known;
}

/* ---- looking at one ---- */

static int take(struct revocations *s, struct span id, const struct redis_reply *reply,
                struct standing **out)
{
    unsigned char tag[REST_TAG_LEN];
    *out = NULL;
    if (!reply || reply->type == REDIS_ERROR)
        return CS_ECLOSED;
    if (reply->type == REDIS_STRING)
        return keep(s, id, reply->str, out);
    struct standing *gone = revocation_of_id(id, tag) ? NULL : by_tag(s, tag);
    if (gone)
        forget(s, gone);
    return 0;
}

static void on_looked(void *arg, const struct redis_reply *reply)
{
    struct revocation_look *k = arg;
    struct revocation_look said = *k;
    struct standing *x;
    int err = take(k->set, span_str(k->id), reply, &x);
    list_remove(&k->link);
    free(k);
    said.fn(said.arg, err, stands(said.set, x) ? &x->r : NULL);
}

struct revocation_look *revocations_look(struct revocations *s, struct span id,
                                         revocation_look_fn *fn, void *arg)
{
    struct revocation_look *k = calloc(1, sizeof(*k));
    if (!k)
        return NULL;
    k->set = s;
    k->fn = fn;
    k->arg = arg;
    span_copy(k->id, sizeof(k->id), id);
    k->call = redis_do(s->redis, on_looked, k, SPAN("HGET"), KEY, id);
    if (!k->call) {
        free(k);
        return NULL;
    }
    list_push_back(&s->looks, &k->link);
    return k;
}

void revocation_look_cancel(struct revocation_look *k)
{
    redis_cancel(k->call);
    list_remove(&k->link);
    free(k);
}

/* ---- what has ended ---- */

static void prune(struct revocations *s, const struct standing *x)
{
    char record[REVOCATION_RECORD_MAX];
    struct buf b = BUF_INIT(record);
    if (revocation_encode(&x->r, &b))
        return;
    const struct span argv[] = { KEY, span_str(x->id), buf_span(&b) };
    redis_script(s->redis, &prune_script, redis_ignore, NULL, 1, CS_LEN(argv), argv);
}

static void on_prune(struct timer *t)
{
    struct revocations *s = container_of(t, struct revocations, prune);
    const struct wall now = loop_wall(s->loop);
    map_for_each (it, &s->by_tag) {
        struct standing *x = container_of(it, struct standing, node);
        if (!revocation_has_ended(&x->r, now))
            continue;
        prune(s, x);
        forget(s, x);
    }
    timer_start(s->loop, t, DURATION_S(PRUNE_S));
}

/* ---- asking ---- */

const struct revocation *revocations_find(const struct revocations *s, const struct rests *on)
{
    struct span rest = on->tags;
    for (; s->by_tag.n && rest.n >= REST_TAG_LEN; rest = span_skip(rest, REST_TAG_LEN)) {
        const struct standing *x = by_tag(s, rest.p);
        const struct fallen what = x ? revocation_fallen(&x->r, x->tag) : (struct fallen){ 0 };
        if (stands(s, x) && rests_fall(on, &what))
            return &x->r;
    }
    return NULL;
}

const struct revocation *revocations_by_id(const struct revocations *s, struct span id)
{
    unsigned char tag[REST_TAG_LEN];
    const struct standing *x = revocation_of_id(id, tag) ? NULL : by_tag(s, tag);
    return stands(s, x) ? &x->r : NULL;
}

size_t revocations_count(const struct revocations *s)
{
    return s->by_tag.n;
}

static struct span id_of(const struct revocation *r)
{
    return span_str(container_of(r, struct standing, r)->id);
}

/* Kept sorted: a page is short. */
size_t revocations_page(const struct revocations *s, struct span after,
                        const struct revocation **page, size_t n)
{
    size_t kept = 0;
    map_for_each (it, &s->by_tag) {
        const struct standing *x = container_of(it, struct standing, node);
        struct span id = span_str(x->id);
        if ((after.p && span_cmp(id, after) <= 0) || !stands(s, x))
            continue;
        size_t at = kept;
        while (at > 0 && span_cmp(id, id_of(page[at - 1])) < 0)
            at--;
        if (at == n)
            continue;
        kept += kept < n;
        memmove(&page[at + 1], &page[at], (kept - at - 1) * sizeof(*page));
        page[at] = &x->r;
    }
    return kept;
}

void revocations_each(const struct revocations *s,
                      void (*fn)(void *arg, const struct revocation *r), void *arg)
{
    map_for_each (it, &s->by_tag) {
        const struct standing *x = container_of(it, struct standing, node);
        if (stands(s, x))
            fn(arg, &x->r);
    }
}

/* ---- changes ---- */

struct redis_call *revocations_put(struct revocations *s, const struct revocation *r, redis_fn *fn,
                                   void *arg)
{
    char id[REVOCATION_ID_LEN + 1], record[REVOCATION_RECORD_MAX];
    struct buf b = BUF_INIT(record);
    if (revocation_encode(r, &b))
        return NULL;
    revocation_id(r, id);
    struct redis_call *call =
        redis_do(s->redis, fn, arg, SPAN("HSET"), KEY, span_str(id), buf_span(&b));
    redis_confirm(call);
    return call;
}

struct redis_call *revocations_lift(struct revocations *s, struct span id, redis_fn *fn, void *arg)
{
    struct redis_call *call = redis_do(s->redis, fn, arg, SPAN("HDEL"), KEY, id);
    redis_confirm(call);
    return call;
}

/* ---- life ---- */

int revocations_new(struct loop *l, struct redis *redis, struct revocations **out)
{
    struct revocations *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    s->loop = l;
    s->redis = redis;
    map_init(&s->by_tag);
    list_init(&s->looks);
    timer_init(&s->retry, on_retry);
    timer_init(&s->prune, on_prune);
    timer_start(l, &s->prune, DURATION_S(PRUNE_S));
    return 0;
}

void revocations_free(struct revocations **sp)
{
    struct revocations *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    timer_stop(s->loop, &s->retry);
    timer_stop(s->loop, &s->prune);
    if (s->reading)
        redis_cancel(s->reading);
    list_for_each (it, &s->looks)
        revocation_look_cancel(container_of(it, struct revocation_look, link));
    map_for_each (it, &s->by_tag)
        standing_free(container_of(it, struct standing, node));
    map_fini(&s->by_tag);
    free(s);
}
