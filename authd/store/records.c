#include "authd/store/records.h"

#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"

enum { KEY_MAX = RECORD_NAME_MAX + 64 };

/* One question to Redis of an operation. */
struct part {
    struct record_call *call;
    struct redis_call *redis; /* NULL: answered */
    struct record *into;      /* of a list */
};

struct record_call {
    struct list link; /* in open */
    struct records *records;
    struct arena arena;
    struct part first, *parts;
    size_t n_parts, pending;
    int err; /* the first one of its parts */
    union {
        record_fn *get;
        record_done_fn *done;
        record_list_fn *list;
    } fn;
    void *arg;
    struct span name; /* of a put or removal */
    struct {
        struct record *all;
        size_t limit, n;
        struct span next;
    } list;
};

static const struct log rlog = { .module = "records" };

static struct redis_script replace_script = {
    .lua = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
           "redis.call('SET', KEYS[1], ARGV[2]) return 1",
};
static struct redis_script remove_script = {
    .lua = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
           "return redis.call('DEL', KEYS[1])",
};

/* ---- operations ---- */

static struct record_call *call_new(struct records *r, struct span name, void *arg)
{
    struct record_call *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->records = r;
    c->arg = arg;
    c->parts = &c->first;
    arena_init(&c->arena, NULL, 0, 0);
    list_push_back(&r->open, &c->link);
    c->name = arena_dup(&c->arena, name);
    if (c->name.p || !name.p)
        return c;
    record_cancel(c);
    return NULL;
}

void record_cancel(struct record_call *c)
{
    for (size_t i = 0; i < c->n_parts; i++) {
        if (c->parts[i].redis)
            redis_cancel(c->parts[i].redis);
    }
    list_remove(&c->link);
    arena_fini(&c->arena);
    free(c);
}

/* Takes note of what was sent for a part. */
static int asked(struct record_call *c, struct part *p, struct redis_call *sent)
{
    p->call = c;
    p->redis = sent;
    if (!sent)
        return CS_ENOMEM;
    c->n_parts++;
    c->pending++;
    return 0;
}

/* Of a call that is being made: NULL for its caller when err is set. */
static struct record_call *begun(struct record_call *c, int err)
{
    if (!err)
        return c;
    record_cancel(c);
    return NULL;
}

/* Takes a reply: its operation, with err of the reply in *err. */
static struct record_call *answered(struct part *p, const struct redis_reply *r, int *err)
{
    p->redis = NULL;
    p->call->pending--;
    *err = 0;
    if (!r) {
        *err = CS_ECLOSED;
    } else if (r->type == REDIS_ERROR) {
        log_warn(&rlog, "redis refuses a command", kv_s("reply", r->str));
        *err = CS_ECLOSED;
    }
    return p->call;
}

static struct span key_of(const struct records *r, struct span name, struct buf *b)
{
    assert(name.n <= RECORD_NAME_MAX);
    b->n = 0;
    buf_put(b, r->prefix);
    buf_putc(b, '{');
    buf_put(b, name);
    buf_putc(b, '}');
    return buf_span(b);
}

void records_init(struct records *r, struct redis *redis, struct span prefix, struct span index)
{
    *r = (struct records){ .redis = redis, .prefix = prefix, .index = index };
    list_init(&r->open);
}

void records_fini(struct records *r)
{
    while (!list_empty(&r->open))
        record_cancel(container_of(r->open.next, struct record_call, link));
}

/* ---- one ---- */

static void on_got(void *arg, const struct redis_reply *r)
{
    int err;
    struct record_call *c = answered(arg, r, &err);
    if (!err && r->type != REDIS_STRING)
        err = r->type == REDIS_NIL ? CS_ENOENT : CS_EPROTO;
    c->fn.get(c->arg, err, err ? SPAN_NULL : r->str);
    record_cancel(c);
}

struct record_call *record_get(struct records *r, struct span name, record_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct record_call *c = call_new(r, SPAN_NULL, arg);
    if (!c)
        return NULL;
    c->fn.get = fn;
    return begun(c, asked(c, &c->first,
                          redis_do(r->redis, on_got, &c->first, SPAN("GET"), key_of(r, name, &b))));
}

/* ---- changes ---- */

static void on_index(void *arg, const struct redis_reply *r)
{
    (void)arg;
    if (r && r->type == REDIS_ERROR)
        log_error(&rlog, "redis refuses a change of an index", kv_s("reply", r->str));
}

/* A name may stand in the index without its record, which lists leave out; a record never without
 * its name, not even when it is removed and made anew at the same time: so the name goes in before
 * the record and behind it, and comes back when its removal was overtaken. */
static void index_add(struct records *r, struct span name)
{
    redis_do(r->redis, on_index, NULL, SPAN("ZADD"), r->index, SPAN("0"), name);
}

static void done(struct record_call *c, int err)
{
    c->fn.done(c->arg, err);
    record_cancel(c);
}

static bool is_done(const struct redis_reply *r)
{
    return r->type == REDIS_STATUS || (r->type == REDIS_INTEGER && r->integer == 1);
}

static void on_put(void *arg, const struct redis_reply *r)
{
    int err;
    struct record_call *c = answered(arg, r, &err);
    if (!err && !is_done(r))
        err = CS_ECONFLICT;
    if (!err)
        index_add(c->records, c->name);
    done(c, err);
}

struct record_call *record_put(struct records *r, struct span name, struct span old,
                               struct span bytes, record_done_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct record_call *c = call_new(r, name, arg);
    if (!c)
        return NULL;
    c->fn.done = fn;
    struct span key = key_of(r, name, &b);
    const struct span replace[] = { key, old, bytes };
    index_add(r, name);
    struct redis_call *sent =
        old.p ? redis_script(r->redis, &replace_script, on_put, &c->first, 1, CS_LEN(replace),
                             replace)
              : redis_do(r->redis, on_put, &c->first, SPAN("SET"), key, bytes, SPAN("NX"));
    redis_confirm(sent);
    return begun(c, asked(c, &c->first, sent));
}

static void on_overtaken(void *arg, const struct redis_reply *r)
{
    int err;
    struct record_call *c = answered(arg, r, &err);
    if (!err && r->type == REDIS_INTEGER && r->integer)
        index_add(c->records, c->name);
    done(c, 0);
}

static void on_removed(void *arg, const struct redis_reply *r)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    int err;
    struct record_call *c = answered(arg, r, &err);
    struct records *all = c->records;
    if (err || !is_done(r)) {
        done(c, err ? err : CS_ECONFLICT);
        return;
    }
    redis_do(all->redis, on_index, NULL, SPAN("ZREM"), all->index, c->name);
    c->n_parts = 0;
    if (asked(c, &c->first,
              redis_do(all->redis, on_overtaken, &c->first, SPAN("EXISTS"),
                       key_of(all, c->name, &b))))
        done(c, 0);
}

struct record_call *record_remove(struct records *r, struct span name, struct span old,
                                  record_done_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct record_call *c = call_new(r, name, arg);
    if (!c)
        return NULL;
    c->fn.done = fn;
    const struct span argv[] = { key_of(r, name, &b), old };
    struct redis_call *sent =
        redis_script(r->redis, &remove_script, on_removed, &c->first, 1, CS_LEN(argv), argv);
    redis_confirm(sent);
    return begun(c, asked(c, &c->first, sent));
}

/* ---- lists ---- */

static void list_done(struct record_call *c)
{
    size_t n = 0;
    for (size_t i = 0; !c->err && i < c->list.n; i++) {
        if (c->list.all[i].bytes.p)
            c->list.all[n++] = c->list.all[i];
    }
    c->fn.list(c->arg, c->err, c->list.all, n, c->list.next);
    record_cancel(c);
}

static void on_listed(void *arg, const struct redis_reply *r)
{
    struct part *p = arg;
    int err;
    struct record_call *c = answered(p, r, &err);
    if (!err && r->type == REDIS_STRING) { /* else it was removed meanwhile */
        p->into->bytes = arena_dup(&c->arena, r->str);
        err = p->into->bytes.p ? 0 : CS_ENOMEM;
    }
    c->err = c->err ? c->err : err;
    if (c->pending == 0)
        list_done(c);
}

static int ask_for(struct record_call *c, struct span name)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct part *p = &c->parts[c->n_parts];
    p->into = &c->list.all[c->list.n++];
    p->into->name = arena_dup(&c->arena, name);
    return asked(
        c, p, redis_do(c->records->redis, on_listed, p, SPAN("GET"), key_of(c->records, name, &b)));
}

static void on_names(void *arg, const struct redis_reply *r)
{
    int err;
    struct record_call *c = answered(arg, r, &err);
    if (!err && r->type != REDIS_ARRAY)
        err = CS_EPROTO;
    const size_t n = err ? 0 : r->n;
    c->n_parts = 0;
    c->list.all = arena_zalloc(&c->arena, n * sizeof(*c->list.all));
    struct part *parts = arena_zalloc(&c->arena, n * sizeof(*parts));
    c->err = err ? err : !parts || !c->list.all ? CS_ENOMEM : 0;
    if (!c->err)
        c->parts = parts;
    if (n == c->list.limit && !c->err)
        c->list.next = arena_dup(&c->arena, r->element[n - 1].str);
    for (size_t i = 0; i < n && !c->err; i++) {
        if (r->element[i].str.n <= RECORD_NAME_MAX)
            c->err = ask_for(c, r->element[i].str);
    }
    if (c->pending == 0)
        list_done(c);
}

struct record_call *record_list(struct records *r, struct span after, size_t limit,
                                record_list_fn *fn, void *arg)
{
    char from[KEY_MAX], count[24];
    struct buf min = BUF_INIT(from), n = BUF_INIT(count);
    struct record_call *c = call_new(r, SPAN_NULL, arg);
    if (!c)
        return NULL;
    c->fn.list = fn;
    c->list.limit = CS_MAX(1, CS_MIN(limit, (size_t)RECORDS_PAGE_MAX));
    buf_putc(&min, after.p ? '(' : '-');
    buf_put(&min, span_head(after, RECORD_NAME_MAX));
    buf_u64(&n, c->list.limit);
    return begun(
        c, asked(c, &c->first,
                 redis_do(r->redis, on_names, &c->first, SPAN("ZRANGEBYLEX"), r->index,
                          buf_span(&min), SPAN("+"), SPAN("LIMIT"), SPAN("0"), buf_span(&n))));
}
