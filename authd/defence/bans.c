#include "authd/defence/bans.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/netset.h"

enum { BATCH = 128, FETCHES_MAX = 256, SWEEP_MS = 1000, WATCHED_WITHIN_MS = 1000 };

#define INDEX  SPAN("cs:ban:{all}")
#define PREFIX SPAN("cs:ban:{all}:")
enum { KEY_MAX = 48 };

struct standing {
    struct netset_member at;
    struct map_node by_id;
    char id[BAN_ID_LEN + 1];
    struct ban ban; /* its texts live behind it */
    unsigned look;  /* the last one that saw it */
    char texts[];
};

/* A record on its way here. */
struct fetch {
    struct list link;
    struct bans *bans;
    struct redis_call *call;
    char id[BAN_ID_LEN + 1];
};

struct bans {
    struct loop *loop;
    struct redis *redis, *watcher;
    size_t max;
    struct netset nets;
    struct map by_id;
    bans_fn *fn;
    void *arg;
    struct list fetches;
    size_t n_fetches;
    struct redis_call *reading; /* all of them */
    unsigned look;
    size_t offset, batch;
    char ids[BATCH][BAN_ID_LEN + 1];
    bool known, again; /* all were read; something changed while they were */
    bool complained;
    struct timer timer;
};

static const struct log lg = { .module = "bans" };

/* ---- what stands ---- */

static bool has_id(const struct map_node *n, const void *key)
{
    const struct standing *s = container_of(n, struct standing, by_id);
    return span_eq(span_str(s->id), *(const struct span *)key);
}

static struct standing *by_id(const struct bans *s, struct span id)
{
    struct map_node *n = map_find(&s->by_id, map_hash(id), has_id, &id);
    return n ? container_of(n, struct standing, by_id) : NULL;
}

static bool has_ended(const struct bans *s, const struct ban *b)
{
    return b->until.ms <= loop_wall(s->loop).ms;
}

static void tell(const struct bans *s, const struct ban *b, bool stands)
{
    if (s->fn)
        s->fn(s->arg, b, stands);
}

static void count(const struct bans *s)
{
    metric_set(M_AUTHD_BANS, 0, (int64_t)s->by_id.n);
}

static void forget(struct bans *s, struct standing *x)
{
    netset_remove(&s->nets, &x->at);
    map_remove(&s->by_id, &x->by_id);
    free(x);
    count(s);
}

static bool same(const struct ban *a, const struct ban *b)
{
    return a->until.ms == b->until.ms && a->since.ms == b->since.ms &&
           span_eq(a->reason, b->reason) && span_eq(a->class_, b->class_);
}

static struct span keep(char **room, struct span text)
{
    if (!text.p)
        return text;
    memcpy(*room, text.p, text.n);
    struct span kept = span_of(*room, text.n);
    *room += text.n;
    return kept;
}

static struct standing *standing_new(const struct ban *b)
{
    struct standing *x = calloc(1, sizeof(*x) + b->user.n + b->class_.n + b->reason.n);
    if (!x)
        return NULL;
    char *room = x->texts;
    x->ban = *b;
    x->ban.user = keep(&room, b->user);
    x->ban.class_ = keep(&room, b->class_);
    x->ban.reason = keep(&room, b->reason);
    x->at.net = b->net;
    x->at.port = b->port;
    x->at.tag = ban_tag(b->user);
    ban_id(b, x->id);
    return x;
}

/* CS_ELIMIT, CS_ENOMEM. What stands already is replaced. */
static int apply(struct bans *s, const struct ban *b)
{
    struct standing *x = standing_new(b);
    if (!x)
        return CS_ENOMEM;
    struct standing *old = by_id(s, span_str(x->id));
    if (old && same(&old->ban, b)) {
        old->look = s->look;
        free(x);
        return 0;
    }
    if (!old && s->by_id.n >= s->max) {
        free(x);
        return CS_ELIMIT;
    }
    if (old)
        forget(s, old);
    x->look = s->look;
    int err = netset_add(&s->nets, &x->at);
    if (!err) {
        err = map_insert(&s->by_id, &x->by_id, map_hash(span_str(x->id)));
        if (err)
            netset_remove(&s->nets, &x->at);
    }
    if (err) {
        free(x);
        return err;
    }
    count(s);
    tell(s, &x->ban, true);
    if (!timer_is_running(&s->timer))
        timer_start(s->loop, &s->timer, DURATION_MS(SWEEP_MS));
    return 0;
}

static void drop(struct bans *s, struct span id)
{
    struct standing *x = by_id(s, id);
    if (!x)
        return;
    tell(s, &x->ban, false);
    forget(s, x);
}

static void take_record(struct bans *s, struct span id, const struct redis_reply *r)
{
    char space[2 * BAN_RECORD_MAX], own[BAN_ID_LEN + 1];
    struct arena a;
    struct ban b;
    if (r->type == REDIS_NIL) {
        drop(s, id);
        return;
    }
    arena_init(&a, space, sizeof(space), 0);
    int err = r->type == REDIS_STRING ? ban_decode(r->str, &a, &b) : CS_EPROTO;
    if (!err)
        ban_id(&b, own);
    if (!err && !span_eq(span_str(own), id))
        err = CS_EPROTO; /* under another name it could not be lifted */
    if (!err && !has_ended(s, &b))
        err = apply(s, &b);
    if (err && !s->complained)
        log_error(&lg, "a ban cannot be taken from redis", kv_s("id", id), kv_err(err));
    s->complained = err != 0;
    arena_fini(&a);
}

/* ---- reading all ---- */

static struct span key_of(struct buf *b, struct span id)
{
    b->n = 0;
    buf_put(b, PREFIX);
    buf_put(b, id);
    return buf_span(b);
}

/* What was not seen is gone, if no page was moved by a change; else all is read once more, soon. */
static void all_read(struct bans *s)
{
    s->known = !s->again;
    if (s->again)
        return;
    map_for_each (it, &s->by_id) {
        struct standing *x = container_of(it, struct standing, by_id);
        if (x->look == s->look)
            continue;
        tell(s, &x->ban, false);
        forget(s, x);
    }
}

static void ask_index(struct bans *s);

static void on_records(void *arg, const struct redis_reply *r)
{
    struct bans *s = arg;
    s->reading = NULL;
    if (!r || r->type != REDIS_ARRAY || r->n != s->batch)
        return; /* the timer looks again */
    for (size_t i = 0; i < r->n; i++) {
        if (r->element[i].type != REDIS_NIL)
            take_record(s, span_str(s->ids[i]), &r->element[i]);
    }
    s->offset += s->batch;
    if (s->batch < BATCH)
        all_read(s);
    else
        ask_index(s);
}

static void on_index(void *arg, const struct redis_reply *r)
{
    struct bans *s = arg;
    struct span argv[1 + BATCH] = { SPAN("MGET") };
    char keys[BATCH][KEY_MAX];
    s->reading = NULL;
    if (!r || r->type != REDIS_ARRAY || r->n > BATCH)
        return;
    for (s->batch = 0; s->batch < r->n; s->batch++) {
        struct buf b = BUF_INIT(keys[s->batch]);
        struct span id = r->element[s->batch].str;
        span_copy(s->ids[s->batch], sizeof(s->ids[0]), ban_is_id(id) ? id : SPAN("none"));
        argv[1 + s->batch] = key_of(&b, span_str(s->ids[s->batch]));
    }
    if (s->batch == 0)
        all_read(s);
    else
        s->reading = redis_command(s->redis, on_records, s, 1 + s->batch, argv);
}

static void ask_index(struct bans *s)
{
    char now[24], offset[24], n[24];
    struct buf b = BUF_INIT(now), o = BUF_INIT(offset), c = BUF_INIT(n);
    buf_i64(&b, loop_wall(s->loop).ms);
    buf_u64(&o, s->offset);
    buf_u64(&c, BATCH);
    s->reading = redis_do(s->redis, on_index, s, SPAN("ZRANGEBYSCORE"), INDEX, buf_span(&b),
                          SPAN("+inf"), SPAN("LIMIT"), buf_span(&o), buf_span(&c));
}

static void read_all(struct bans *s)
{
    if (s->reading) {
        s->again = true;
        return;
    }
    s->known = s->again = false;
    s->look++;
    s->offset = 0;
    ask_index(s);
}

/* ---- hearing of one ---- */

static void fetch_free(struct fetch *f)
{
    list_remove(&f->link);
    f->bans->n_fetches--;
    free(f);
}

static void on_record(void *arg, const struct redis_reply *r)
{
    struct fetch *f = arg;
    struct bans *s = f->bans;
    if (r && r->type != REDIS_ERROR)
        take_record(s, span_str(f->id), r);
    else
        s->known = false;
    fetch_free(f);
}

static void fetch(struct bans *s, struct span id)
{
    char key[KEY_MAX];
    struct buf b = BUF_INIT(key);
    struct fetch *f = s->n_fetches < FETCHES_MAX ? calloc(1, sizeof(*f)) : NULL;
    s->again |= s->reading != NULL;
    if (!f) {
        read_all(s); /* it is among them */
        return;
    }
    f->bans = s;
    span_copy(f->id, sizeof(f->id), id);
    list_push_back(&s->fetches, &f->link);
    s->n_fetches++;
    f->call = redis_do(s->redis, on_record, f, SPAN("GET"), key_of(&b, id));
    if (!f->call) {
        fetch_free(f);
        s->known = false;
    }
}

/* key absent: the watcher was connected or lost. */
static void on_written(void *arg, struct span key)
{
    struct bans *s = arg;
    struct span id = span_skip(key, PREFIX.n);
    if (!key.p)
        s->known = false;
    else if (span_starts(key, PREFIX) && ban_is_id(id))
        fetch(s, id);
    if (!key.p && s->watcher && redis_is_ready(s->redis)) /* else it is being opened */
        read_all(s);
}

static void on_timer(struct timer *t)
{
    struct bans *s = container_of(t, struct bans, timer);
    map_for_each (it, &s->by_id) {
        struct standing *x = container_of(it, struct standing, by_id);
        if (has_ended(s, &x->ban))
            forget(s, x);
    }
    if (!s->known && !s->reading && redis_is_ready(s->redis) && redis_is_ready(s->watcher))
        read_all(s);
    timer_start_about(s->loop, &s->timer, DURATION_MS(SWEEP_MS));
}

/* ---- entry points ---- */

int bans_new(struct loop *l, struct redis *redis, const struct redis_conf *conf, size_t max,
             struct bans **out)
{
    struct redis_conf watch = *conf;
    struct bans *s = calloc(1, sizeof(*s));
    *out = NULL;
    if (!s)
        return CS_ENOMEM;
    if (watch.deadline.ms == 0 || watch.deadline.ms > WATCHED_WITHIN_MS)
        watch.deadline = DURATION_MS(WATCHED_WITHIN_MS);
    s->loop = l;
    s->redis = redis;
    s->max = max;
    netset_init(&s->nets);
    map_init(&s->by_id);
    list_init(&s->fetches);
    timer_init(&s->timer, on_timer);
    int err = redis_watch(l, &watch, "cs:ban:", on_written, s, &s->watcher);
    if (err) {
        free(s);
        return err;
    }
    timer_start(l, &s->timer, DURATION_MS(0));
    *out = s;
    return 0;
}

void bans_free(struct bans **sp)
{
    struct bans *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    redis_close(&s->watcher);
    timer_stop(s->loop, &s->timer);
    if (s->reading)
        redis_cancel(s->reading);
    list_for_each (it, &s->fetches) {
        struct fetch *f = container_of(it, struct fetch, link);
        redis_cancel(f->call);
        fetch_free(f);
    }
    map_for_each (it, &s->by_id)
        free(container_of(it, struct standing, by_id));
    map_fini(&s->by_id);
    netset_fini(&s->nets);
    free(s);
}

void bans_listen(struct bans *s, bans_fn *fn, void *arg)
{
    s->fn = fn;
    s->arg = arg;
}

const struct ban *bans_find(const struct bans *s, const struct addr *source, struct span user)
{
    struct netset_member *m = s->by_id.n ? netset_find(&s->nets, source, ban_tag(user)) : NULL;
    const struct standing *x = m ? container_of(m, struct standing, at) : NULL;
    return x && !has_ended(s, &x->ban) ? &x->ban : NULL;
}

const struct ban *bans_by_id(const struct bans *s, struct span id)
{
    const struct standing *x = by_id(s, id);
    return x && !has_ended(s, &x->ban) ? &x->ban : NULL;
}

bool bans_are_full(const struct bans *s)
{
    return s->by_id.n >= s->max;
}

size_t bans_count(const struct bans *s)
{
    return s->by_id.n;
}

void bans_each(const struct bans *s, void (*fn)(void *arg, const struct ban *b), void *arg)
{
    map_for_each (it, &s->by_id) {
        const struct standing *x = container_of(it, struct standing, by_id);
        if (!has_ended(s, &x->ban))
            fn(arg, &x->ban);
    }
}

static struct span id_of(const struct ban *b)
{
    return span_str(container_of(b, struct standing, ban)->id);
}

/* The n smallest behind `after`, kept sorted: a page is short. */
size_t bans_page(const struct bans *s, struct span after, const struct ban **page, size_t n)
{
    size_t kept = 0;
    map_for_each (it, &s->by_id) {
        const struct standing *x = container_of(it, struct standing, by_id);
        struct span id = span_str(x->id);
        if ((after.p && span_cmp(id, after) <= 0) || has_ended(s, &x->ban))
            continue;
        size_t at = kept;
        while (at > 0 && span_cmp(id, id_of(page[at - 1])) < 0)
            at--;
        if (at == n)
            continue;
        kept += kept < n;
        memmove(&page[at + 1], &page[at], (kept - at - 1) * sizeof(*page));
        page[at] = &x->ban;
    }
    return kept;
}

struct redis_call *bans_put(struct bans *s, const struct ban *b, redis_fn *fn, void *arg)
{
    char id[BAN_ID_LEN + 1], record[BAN_RECORD_MAX], key[KEY_MAX], ms[24], until[24], now[24];
    struct buf r = BUF_INIT(record), k = BUF_INIT(key), m = BUF_INIT(ms), u = BUF_INIT(until),
               n = BUF_INIT(now);
    int64_t left = b->until.ms - loop_wall(s->loop).ms;
    if (left <= 0 || ban_encode(b, &r) || apply(s, b))
        return NULL;
    ban_id(b, id);
    buf_i64(&m, left);
    buf_i64(&u, b->until.ms);
    buf_i64(&n, loop_wall(s->loop).ms);
    const struct redis_argv commands[] = {
        REDIS_ARGV(SPAN("ZREMRANGEBYSCORE"), INDEX, SPAN("-inf"), buf_span(&n)),
        REDIS_ARGV(SPAN("ZADD"), INDEX, buf_span(&u), span_str(id)),
        REDIS_ARGV(SPAN("SET"), key_of(&k, span_str(id)), buf_span(&r), SPAN("PX"), buf_span(&m)),
    };
    struct redis_call *call = redis_atomic(s->redis, fn, arg, CS_LEN(commands), commands);
    redis_confirm(call);
    return call;
}

struct redis_call *bans_lift(struct bans *s, struct span id, redis_fn *fn, void *arg)
{
    char key[KEY_MAX];
    struct buf k = BUF_INIT(key);
    const struct redis_argv commands[] = {
        REDIS_ARGV(SPAN("ZREM"), INDEX, id),
        REDIS_ARGV(SPAN("DEL"), key_of(&k, id)),
    };
    struct redis_call *call = redis_atomic(s->redis, fn, arg, CS_LEN(commands), commands);
    redis_confirm(call);
    if (call)
        drop(s, id);
    return call;
}
