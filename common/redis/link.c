#include "base/metric.h"
#include "base/rand.h"
#include "redis/impl.h"
#include "redis/sentinel.h"

enum {
    BACKOFF_MAX = 1000,          /* ms */
    BACKOFF_MAX_SENTINELS = 200, /* ms: they name another master soon */
    MAX_UNSENT = 64 * 1024 * 1024,
};

static const struct stream_limits limits = { .max_unread = 0, .max_unsent = MAX_UNSENT };

/* ---- readiness ---- */

static void count_masters(struct redis *r)
{
    bool same = r->cluster ? !r->masters_changed : !r->sentinel || addr_eq(&r->last, &r->conf.addr);
    if (r->generation && same)
        return;
    r->masters_changed = false;
    r->last = r->conf.addr;
    r->generation++;
    if (!r->helper)
        metric_inc(M_REDIS_MASTERS, 0);
}

void link_set_ready(struct redis *r, bool ready)
{
    if (r->ready == ready)
        return;
    r->ready = ready;
    if (ready)
        count_masters(r);
    if (r->watch)
        r->watch(r->watch_arg, SPAN_NULL);
    if (!r->helper)
        metric_set(M_REDIS_CONNECTED, 0, ready);
    if (ready) {
        r->complained = false;
        if (!r->helper || r->watch)
            log_info(&r->log, "redis is ready");
    }
    if (r->on_ready)
        r->on_ready(r->on_ready_arg, ready);
}

void link_give_up(struct redis *r, int reason)
{
    if (r->stream)
        stream_close(r->stream, reason);
}

bool reply_is(const struct redis_reply *reply, struct span error_prefix)
{
    return reply->type == REDIS_ERROR && span_starts(reply->str, error_prefix);
}

bool reply_cannot_serve(const struct redis_reply *reply)
{
    return reply_is(reply, SPAN("LOADING ")) || reply_is(reply, SPAN("READONLY ")) ||
           reply_is(reply, SPAN("MASTERDOWN "));
}

void link_complain(struct redis *r, const char *message, struct span detail)
{
    if (!r->complained)
        log_error(&r->log, message, kv_s("reply", detail));
    r->complained = true;
    link_give_up(r, CS_EDENIED);
}

static void not_connected(struct redis *r, int reason)
{
    if (!r->complained)
        log_warn(&r->log, "redis is not connected", kv_err(reason));
    r->complained = true;
}

/* ---- getting ready ---- */

void link_ask(struct redis *r, redis_fn *fn, size_t argc, const struct span *argv)
{
    struct redis_call *c = redis_call_new(r, fn, r);
    if (c && resp_send_one(r, argc, argv)) {
        redis_call_push(r, c);
        return;
    }
    if (c)
        redis_call_free(c);
    link_give_up(r, CS_ENOMEM);
}

static void on_auth(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (reply && reply->type == REDIS_ERROR)
        link_complain(r, "redis refuses our password", reply->str);
}

/* A user who may not PING or ask for the ROLE learns that much from its commands. */
static bool tells_nothing(const struct redis_reply *reply)
{
    return reply_is(reply, SPAN("NOPERM ")) || reply_is(reply, SPAN("ERR unknown command"));
}

static void on_ping(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (reply && reply->type == REDIS_ERROR && !tells_nothing(reply))
        link_complain(r, "redis is not ready to serve us", reply->str);
}

static void on_role(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (!reply || !stream_is_open(r->stream))
        return;
    if (r->role && reply->type == REDIS_ARRAY && reply->n &&
        !span_eq(reply->element[0].str, span_str(r->role))) {
        link_complain(r, "redis has another role than it should", reply->element[0].str);
    } else if (reply->type == REDIS_ERROR && !tells_nothing(reply)) {
        link_complain(r, "redis is not ready to serve us", reply->str);
    } else if (r->watch) {
        watch_begin(r);
    } else {
        timer_stop(r->loop, &r->timer);
        link_set_ready(r, true);
    }
}

static void on_opened(struct stream *s, void *arg)
{
    struct redis *r = arg;
    (void)s;
    if (r->conf.password) {
        struct span auth[3] = { SPAN("AUTH"), span_str(r->username), { 0 } };
        size_t n = r->username ? 2 : 1;
        auth[n++] = secret_span(r->conf.password);
        link_ask(r, on_auth, n, auth);
    }
    link_ask(r, on_ping, 1, (const struct span[]){ SPAN("PING") });
    link_ask(r, on_role, 1, (const struct span[]){ SPAN("ROLE") });
}

/* ---- the connection ---- */

static void retry_later(struct redis *r)
{
    unsigned half = r->backoff_ms / 2;
    unsigned ms = half + (unsigned)rand_below(half + 1);
    unsigned most = r->sentinel ? BACKOFF_MAX_SENTINELS : BACKOFF_MAX;
    r->backoff_ms = CS_MIN(r->backoff_ms * 2, most);
    timer_start(r->loop, &r->timer, DURATION_MS(CS_MAX(ms, (unsigned)REDIS_BACKOFF_MIN)));
    if (r->sentinel)
        sentinel_doubt(r->sentinel);
}

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    struct redis *r = arg;
    const struct redis_reply *reply;
    struct span rest = in;
    int err = 0;
    r->busy++;
    r->heard = loop_now(r->loop);
    while (!err && rest.n && stream_is_open(s)) {
        struct span chunk = span_head(rest, REPLY_CHUNK);
        rest = span_skip(rest, chunk.n);
        err = reply_reader_feed(&r->reader, chunk);
        while (!err && stream_is_open(s) && !(err = reply_reader_next(&r->reader, &reply)) &&
               reply) {
            err = redis_answer(r, reply);
            reply_reader_drop(&r->reader);
        }
    }
    redis_leave(r);
    return err ? err : (ptrdiff_t)in.n;
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct redis *r = arg;
    (void)s;
    r->stream = NULL;
    r->busy++;
    timer_stop(r->loop, &r->timer);
    if (!r->closing) {
        not_connected(r, reason);
        retry_later(r);
        link_set_ready(r, false);
        r->fresh = &r->calls;
        redis_calls_lose(r, &r->calls);
        confirm_reset(r);
    }
    redis_leave(r);
}

static const struct stream_events events = { on_opened, on_data, on_closed };

static int open_stream(struct redis *r)
{
    int err = reply_reader_init(&r->reader);
    if (!err && r->unix_path)
        err = stream_connect_unix(r->loop, r->unix_path, &limits, &events, r, &r->stream);
    else if (!err)
        err = stream_connect_tcp(r->loop, &r->conf.addr, NULL, &limits, &events, r, &r->stream);
    if (err)
        r->stream = NULL;
    return err;
}

void link_attempt(struct redis *r)
{
    if (r->sentinel && !r->found)
        return; /* link_follow() will be called */
    reply_reader_fini(&r->reader);
    int err = open_stream(r);
    if (err) {
        not_connected(r, err);
        retry_later(r);
        return;
    }
    timer_start(r->loop, &r->timer, r->conf.deadline);
    err = r->conf.tls ? stream_start_tls(r->stream, r->conf.tls, r->conf.server_name) : 0;
    if (err)
        link_give_up(r, err);
}

void link_follow(void *arg, const struct addr *master)
{
    struct redis *r = arg;
    if (r->found && addr_eq(master, &r->conf.addr))
        return; /* connected there, or at it */
    r->conf.addr = *master;
    r->found = true;
    r->backoff_ms = REDIS_BACKOFF_MIN;
    r->complained = true; /* of the old one's end */
    log_info(&r->log, "the sentinels name this master");
    if (r->stream)
        link_give_up(r, CS_ECLOSED);
    else
        timer_start(r->loop, &r->timer, DURATION_MS(0));
}
