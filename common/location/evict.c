#include "location/evict.h"

#include <assert.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"

enum {
    PORTION = 1000,     /* keys that Redis looks at for one SCAN */
    PORTION_MAX = 4000, /* records it names for one at most */
    REMOVALS_MAX = 256, /* under way; more wait */
    KEY_MAX = 320,
    AOR_MAX = KEY_MAX - 10,
};

#define PREFIX SPAN("cs:loc:{")

/* One record that is looked at, or from which something is removed. */
struct look {
    struct list link; /* in looks or removals */
    struct eviction *eviction;
    struct redis_call *call;
    struct location_removal *removal;
    size_t n;
    char aor[];
};

struct eviction {
    struct locations *locations;
    struct redis *redis;
    unsigned char tags[EVICT_MAX][REST_TAG_LEN];
    struct fallen what[EVICT_MAX];
    size_t n_what;
    eviction_fn *fn;
    void *arg;
    struct redis_call *scan;
    size_t master;       /* whose records are listed */
    uint64_t generation; /* of the masters that there were at the beginning */
    char cursor[24];     /* of the next portion, which waits; "": it is on its way, or the last */
    struct list looks, removals;
    size_t n_removals, removed;
    int err;
};

static const struct log lg = { .module = "evict" };

static void scan(struct eviction *e, struct span cursor);

static void look_free(struct look *k)
{
    list_remove(&k->link);
    free(k);
}

static void eviction_free(struct eviction *e)
{
    if (e->scan)
        redis_cancel(e->scan);
    list_for_each (it, &e->looks) {
        struct look *k = container_of(it, struct look, link);
        redis_cancel(k->call);
        look_free(k);
    }
    list_for_each (it, &e->removals) {
        struct look *k = container_of(it, struct look, link);
        location_remove_cancel(k->removal);
        look_free(k);
    }
    free(e);
}

/* Whatever there is to do next: the next portion, when there is room, or the end. */
static void go_on(struct eviction *e)
{
    if (e->cursor[0] && e->n_removals < REMOVALS_MAX && !e->err) {
        char cursor[sizeof(e->cursor)];
        memcpy(cursor, e->cursor, sizeof(cursor));
        e->cursor[0] = '\0';
        scan(e, span_str(cursor));
    }
    if (e->scan || !list_empty(&e->looks) || !list_empty(&e->removals) || (e->cursor[0] && !e->err))
        return;
    eviction_fn *fn = e->fn;
    void *arg = e->arg;
    /* Others serve now: what was listed may not be all. */
    const bool same = redis_generation(e->redis) == e->generation;
    const int err = same ? e->err : CS_ECLOSED;
    const size_t n = e->removed;
    eviction_free(e);
    fn(arg, err, n);
}

/* ---- removing ---- */

static bool goes(void *arg, const Countersign__Store__Binding *b)
{
    const struct look *k = arg;
    const struct eviction *e = k->eviction;
    const struct rests r = rests_of_binding(b);
    bool fallen = false;
    for (size_t i = 0; i < e->n_what && !fallen; i++)
        fallen = rests_fall(&r, &e->what[i]);
    return fallen;
}

static void on_removed(void *arg, int err, size_t n)
{
    struct look *k = arg;
    struct eviction *e = k->eviction;
    e->removed += n;
    e->n_removals--;
    if (err == CS_EPROTO) /* serves nobody */
        log_error(&lg, "a record of bindings cannot be read", kv_s("aor", span_of(k->aor, k->n)));
    else if (err)
        e->err = CS_ECLOSED;
    look_free(k);
    go_on(e);
}

static void remove_from(struct look *k)
{
    struct eviction *e = k->eviction;
    list_remove(&k->link);
    k->removal = location_remove(e->locations, span_of(k->aor, k->n), goes, on_removed, k);
    if (!k->removal) {
        e->err = CS_ECLOSED;
        free(k);
        return;
    }
    list_push_back(&e->removals, &k->link);
    e->n_removals++;
}

/* ---- looking ---- */

/* The record need not be read to know that the tags are nowhere in it. */
static bool holds_one(const struct eviction *e, struct span record)
{
    for (size_t i = 0; record.n && i < e->n_what; i++) {
        if (memmem(record.p, record.n, e->tags[i], REST_TAG_LEN))
            return true;
    }
    return false;
}

static bool may_hold(const struct eviction *e, const struct redis_reply *values)
{
    bool found = false;
    for (size_t i = 0; i < values->n && !found; i++)
        found = holds_one(e, values->element[i].str);
    return found;
}

static void on_values(void *arg, const struct redis_reply *reply)
{
    struct look *k = arg;
    struct eviction *e = k->eviction;
    k->call = NULL;
    if (reply && reply->type == REDIS_ARRAY && may_hold(e, reply)) {
        remove_from(k);
    } else {
        bool odd = reply && reply->type == REDIS_ERROR &&
                   span_starts(reply->str, SPAN("WRONGTYPE ")); /* none of ours */
        if (!reply || (reply->type == REDIS_ERROR && !odd))
            e->err = CS_ECLOSED;
        look_free(k);
    }
    go_on(e);
}

static void look_at(struct eviction *e, struct span key)
{
    struct span aor = span_skip(key, PREFIX.n);
    if (!span_starts(key, PREFIX) || !span_ends(aor, SPAN("}")) || aor.n > AOR_MAX)
        return; /* none of ours */
    aor.n--;
    struct look *k = malloc(sizeof(*k) + aor.n);
    if (!k) {
        e->err = CS_ECLOSED;
        return;
    }
    *k = (struct look){ .eviction = e, .n = aor.n };
    memcpy(k->aor, aor.p, aor.n);
    k->call = redis_do(e->redis, on_values, k, SPAN("HVALS"), key);
    if (!k->call) {
        e->err = CS_ECLOSED;
        free(k);
        return;
    }
    list_push_back(&e->looks, &k->link);
}

/* [cursor, [key, ...]]. The next portion is asked for behind the records of this one, so that
 * Redis is never without work, and never has more than two portions of it. */
static void on_portion(void *arg, const struct redis_reply *reply)
{
    struct eviction *e = arg;
    e->scan = NULL;
    if (!reply || reply->type != REDIS_ARRAY || reply->n != 2 ||
        reply->element[0].str.n >= sizeof(e->cursor) || reply->element[1].n > PORTION_MAX) {
        if (reply && reply->type == REDIS_ERROR)
            log_error(&lg, "redis refuses to list what is registered", kv_s("reply", reply->str));
        e->err = CS_ECLOSED;
        go_on(e);
        return;
    }
    const struct redis_reply *keys = &reply->element[1];
    for (size_t i = 0; i < keys->n && !e->err; i++)
        look_at(e, keys->element[i].str);
    if (!span_eq(reply->element[0].str, SPAN("0")) || ++e->master < redis_masters(e->redis))
        span_copy(e->cursor, sizeof(e->cursor), reply->element[0].str);
    go_on(e);
}

static void scan(struct eviction *e, struct span cursor)
{
    char digits[24];
    struct buf n = BUF_INIT(digits);
    buf_u64(&n, PORTION);
    const struct span argv[] = { SPAN("SCAN"),      cursor,        SPAN("MATCH"),
                                 SPAN("cs:loc:{*"), SPAN("COUNT"), buf_span(&n) };
    e->scan = redis_ask_master(e->redis, e->master, on_portion, e, CS_LEN(argv), argv);
    if (!e->scan)
        e->err = CS_ECLOSED;
}

/* ---- entry points ---- */

struct eviction *location_evict(struct locations *l, struct redis *redis, const struct fallen *what,
                                size_t n, eviction_fn *fn, void *arg)
{
    assert(n <= EVICT_MAX);
    struct eviction *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->locations = l;
    e->redis = redis;
    e->generation = redis_generation(redis);
    for (e->n_what = 0; e->n_what < n; e->n_what++) {
        struct fallen *own = &e->what[e->n_what];
        *own = what[e->n_what];
        memcpy(e->tags[e->n_what], own->tag.p, CS_MIN(own->tag.n, (size_t)REST_TAG_LEN));
        own->tag = span_of(e->tags[e->n_what], REST_TAG_LEN);
    }
    e->fn = fn;
    e->arg = arg;
    list_init(&e->looks);
    list_init(&e->removals);
    scan(e, SPAN("0"));
    if (e->scan)
        return e;
    eviction_free(e);
    return NULL;
}

void location_evict_cancel(struct eviction *e)
{
    eviction_free(e);
}
