#include "authd/revocation/events.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    BATCH = 64,
    RETRY_MS = 100,
    LOOK_MS = 1000,
    WATCHED_WITHIN_MS = 1000,
    HEARD_WITHIN_MS = 1500
};

#define KEY SPAN("cs:events")

/* One reader on its way through the stream. */
struct pass {
    struct list link; /* of a replay */
    struct events *events;
    uint64_t reader;
    struct redis_call *call;
    char last[EVENT_ID_MAX]; /* "": to be found */
    bool lost;               /* it is found anew */
    bool walking, stopped;   /* its handlers are on the stack; it is to go behind them */
};

struct events {
    struct loop *loop;
    struct redis *redis, *watcher;
    const struct events_handlers *handlers;
    void *arg;
    struct pass own;
    struct list replays;
    bool current;
    bool written; /* since our own reader asked */
    bool complained;
    struct timer timer; /* the next try, or the next look without being told to */
};

static const struct log lg = { .module = "events" };

static void ask(struct pass *p);

static void pass_free(struct pass *p)
{
    if (p->call)
        redis_cancel(p->call);
    list_remove(&p->link);
    free(p);
}

static bool is_own(const struct pass *p)
{
    return p == &p->events->own;
}

static void ask_all(struct events *e)
{
    if (!e->current || e->written)
        ask(&e->own);
    if (!e->current)
        return;
    list_for_each (it, &e->replays)
        ask(container_of(it, struct pass, link));
}

static void retry_later(struct events *e)
{
    timer_start(e->loop, &e->timer, DURATION_MS(RETRY_MS));
}

/* ---- reading ---- */

static bool keep_id(struct pass *p, struct span id)
{
    if (!event_is_id(id))
        return false;
    span_copy(p->last, sizeof(p->last), id);
    return true;
}

/* Behind here our own reader knows that it has everything, if nothing was written meanwhile. */
static void at_end(struct pass *p)
{
    struct events *e = p->events;
    if (!is_own(p)) {
        pass_free(p);
    } else if (e->written) {
        ask(p);
    } else {
        timer_start_about(e->loop, &e->timer, DURATION_MS(LOOK_MS));
        if (e->current)
            return;
        e->current = true;
        e->handlers->current(e->arg);
        ask_all(e);
    }
}

static void found_end(struct pass *p)
{
    struct events *e = p->events;
    if (p->lost) {
        log_error(&lg, "events were lost: all that was accepted before may be revoked",
                  kv_str("id", p->last));
        e->handlers->lost(e->arg, p->reader, p->last);
    }
    p->lost = false;
    at_end(p);
}

/* The place is not in the stream: it was cut off behind, or the server is one that never had it. */
static void lose(struct pass *p)
{
    struct events *e = p->events;
    if (is_own(p)) {
        p->lost = true;
        p->last[0] = '\0';
        e->current = false;
        ask(p);
    } else {
        e->handlers->lost(e->arg, p->reader, e->own.last);
        pass_free(p);
    }
}

/* entry: [id, ["e", packed]] */
static bool take(struct pass *p, const struct redis_reply *entry)
{
    struct events *e = p->events;
    Countersign__Store__Event *event;
    struct arena a;
    if (entry->type != REDIS_ARRAY || entry->n != 2 || !keep_id(p, entry->element[0].str))
        return false;
    const struct redis_reply *fields = &entry->element[1];
    arena_init(&a, NULL, 0, 0);
    if (fields->type != REDIS_ARRAY || fields->n != 2 ||
        event_decode(fields->element[1].str, &a, &event))
        log_error(&lg, "an event cannot be read", kv_str("id", p->last));
    else
        e->handlers->event(e->arg, p->reader, p->last, event);
    arena_fini(&a);
    return true;
}

/* Says so once; true when the reply is not what was asked for. */
static bool failed(struct pass *p, const struct redis_reply *reply, enum redis_type wanted)
{
    struct events *e = p->events;
    if (reply && reply->type == wanted) {
        e->complained = false;
        return false;
    }
    if (reply && !e->complained) {
        log_error(&lg, "the stream of events cannot be read",
                  kv_s("reply", reply->type == REDIS_ERROR ? reply->str : SPAN("of another type")));
        e->complained = true;
    }
    if (is_own(p))
        e->current = false;
    retry_later(e);
    return true;
}

static void go_on(struct pass *p)
{
    if (is_own(p))
        p->events->written = true; /* what is behind this batch, should reading have to wait now */
    ask(p);
}

static void on_entries(void *arg, const struct redis_reply *reply)
{
    struct pass *p = arg;
    p->call = NULL;
    if (failed(p, reply, REDIS_ARRAY))
        return;
    size_t n = reply->n;
    const struct redis_reply *first = n ? &reply->element[0] : NULL;
    if (!first || first->type != REDIS_ARRAY || first->n != 2 ||
        !span_eq(first->element[0].str, span_str(p->last))) {
        lose(p);
        return;
    }
    p->walking = true;
    bool good = true;
    for (size_t i = 1; i < n && good && !p->stopped; i++)
        good = take(p, &reply->element[i]);
    p->walking = false;
    if (p->stopped)
        pass_free(p);
    else if (!good)
        lose(p);
    else if (n > BATCH)
        go_on(p);
    else
        at_end(p);
}

/* The place of a stream without an entry has no name, so there is always one. */
static void on_marked(void *arg, const struct redis_reply *reply)
{
    struct pass *p = arg;
    p->call = NULL;
    if (!failed(p, reply, REDIS_STRING) && keep_id(p, reply->str))
        found_end(p);
}

static void mark(struct pass *p)
{
    struct events *e = p->events;
    Countersign__Store__Event m = COUNTERSIGN__STORE__EVENT__INIT;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    m.kind = COUNTERSIGN__STORE__EVENT_KIND__EVENT_MARK;
    m.has_time_ms = true;
    m.time_ms = (uint64_t)loop_wall(e->loop).ms;
    struct span packed = event_encode(&m, &a);
    p->call = packed.p ? events_append(e->redis, packed, on_marked, p) : NULL;
    arena_fini(&a);
    if (!p->call)
        retry_later(e);
}

static void on_last(void *arg, const struct redis_reply *reply)
{
    struct pass *p = arg;
    p->call = NULL;
    if (failed(p, reply, REDIS_ARRAY))
        return;
    const struct redis_reply *entry = reply->n ? &reply->element[0] : NULL;
    if (!entry)
        mark(p);
    else if (entry->type == REDIS_ARRAY && entry->n == 2 && keep_id(p, entry->element[0].str))
        found_end(p);
    else
        retry_later(p->events);
}

static void ask(struct pass *p)
{
    struct events *e = p->events;
    char digits[24];
    struct buf count = BUF_INIT(digits);
    if (p->call || p->walking || e->handlers->busy(e->arg))
        return;
    if (!redis_is_ready(e->redis) || !redis_is_ready(e->watcher)) {
        if (is_own(p))
            e->current = false;
        retry_later(e);
        return;
    }
    buf_u64(&count, BATCH + 1);
    if (is_own(p))
        e->written = false;
    if (p->last[0])
        p->call = redis_do(e->redis, on_entries, p, SPAN("XRANGE"), KEY, span_str(p->last),
                           SPAN("+"), SPAN("COUNT"), buf_span(&count));
    else
        p->call = redis_do(e->redis, on_last, p, SPAN("XREVRANGE"), KEY, SPAN("+"), SPAN("-"),
                           SPAN("COUNT"), SPAN("1"));
    if (!p->call)
        retry_later(e);
}

/* Also when nothing was heard: in a failover the watcher may for a while be at another server than
 * those who write. */
static void on_timer(struct timer *t)
{
    struct events *e = container_of(t, struct events, timer);
    e->written = true;
    ask_all(e);
}

/* key absent: the watcher was connected or lost, or all was flushed. */
static void on_written(void *arg, struct span key)
{
    struct events *e = arg;
    e->written = true;
    if (!key.p)
        e->current = false;
    if (e->watcher) /* else it is being opened */
        ask_all(e);
}

/* ---- entry points ---- */

int events_open(struct loop *l, struct redis *redis, const struct redis_conf *conf,
                const struct events_handlers *handlers, void *arg, struct events **out)
{
    struct redis_conf watch = *conf;
    struct events *e = calloc(1, sizeof(*e));
    *out = NULL;
    if (!e)
        return CS_ENOMEM;
    if (watch.deadline.ms == 0 || watch.deadline.ms > WATCHED_WITHIN_MS)
        watch.deadline = DURATION_MS(WATCHED_WITHIN_MS);
    e->loop = l;
    e->redis = redis;
    e->handlers = handlers;
    e->arg = arg;
    e->own.events = e;
    list_init(&e->own.link);
    list_init(&e->replays);
    timer_init(&e->timer, on_timer);
    int err = redis_watch(l, &watch, "cs:events", on_written, e, &e->watcher);
    if (err) {
        free(e);
        return err;
    }
    *out = e;
    return 0;
}

void events_close(struct events **ep)
{
    struct events *e = *ep;
    *ep = NULL;
    if (!e)
        return;
    redis_close(&e->watcher);
    timer_stop(e->loop, &e->timer);
    if (e->own.call)
        redis_cancel(e->own.call);
    list_for_each (it, &e->replays)
        pass_free(container_of(it, struct pass, link));
    free(e);
}

bool events_are_current(const struct events *e)
{
    return e->current;
}

bool events_are_fresh(const struct events *e)
{
    return e->current &&
           mono_since(redis_heard(e->watcher), loop_now(e->loop)).ms < HEARD_WITHIN_MS;
}

const char *events_place(const struct events *e)
{
    return e->own.last;
}

void events_resume(struct events *e)
{
    ask_all(e);
}

int events_replay(struct events *e, struct span behind, uint64_t reader)
{
    struct pass *p = calloc(1, sizeof(*p));
    if (!p)
        return CS_ENOMEM;
    p->events = e;
    p->reader = reader;
    list_push_back(&e->replays, &p->link);
    if (!keep_id(p, behind))
        lose(p);
    else if (e->current)
        ask(p);
    return 0;
}

void events_stop(struct events *e, uint64_t reader)
{
    list_for_each (it, &e->replays) {
        struct pass *p = container_of(it, struct pass, link);
        if (p->reader != reader)
            continue;
        if (p->walking)
            p->stopped = true;
        else
            pass_free(p);
    }
}

struct redis_call *events_append(struct redis *redis, struct span packed, redis_fn *fn, void *arg)
{
    char digits[24];
    struct buf kept = BUF_INIT(digits);
    buf_u64(&kept, EVENTS_KEPT);
    struct redis_call *c = redis_do(redis, fn, arg, SPAN("XADD"), KEY, SPAN("MAXLEN"), SPAN("~"),
                                    buf_span(&kept), SPAN("*"), SPAN("e"), packed);
    redis_confirm(c);
    return c;
}
