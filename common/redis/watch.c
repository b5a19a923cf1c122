#include "redis/impl.h"

enum { PREFIXES_MAX = 4 };

static void on_subscribed(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (!reply || !stream_is_open(r->stream))
        return;
    if (reply->type == REDIS_ERROR) {
        link_complain(r, "redis does not let us watch", reply->str);
        return;
    }
    timer_stop(r->loop, &r->timer);
    link_set_ready(r, true);
    timer_start(r->loop, &r->timer, r->conf.deadline);
}

static void on_tracking(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (reply && reply->type == REDIS_ERROR)
        link_complain(r, "redis does not let us watch", reply->str);
}

static void on_id(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    char id[24];
    struct buf b = BUF_INIT(id);
    if (!reply || !stream_is_open(r->stream))
        return;
    if (reply->type != REDIS_INTEGER) {
        link_complain(r, "redis does not let us watch", reply->str);
        return;
    }
    buf_i64(&b, reply->integer);
    struct span argv[6 + 2 * PREFIXES_MAX] = { SPAN("CLIENT"),   SPAN("TRACKING"), SPAN("ON"),
                                               SPAN("REDIRECT"), buf_span(&b),     SPAN("BCAST") };
    size_t argc = 6;
    for (struct span rest = span_str(r->watch_prefix); rest.n && argc < CS_LEN(argv);) {
        argv[argc++] = SPAN("PREFIX");
        argv[argc++] = span_cut(&rest, ' ');
    }
    link_ask(r, on_tracking, argc, argv);
    link_ask(r, on_subscribed, 2,
             (const struct span[]){ SPAN("SUBSCRIBE"), SPAN("__redis__:invalidate") });
}

void watch_begin(struct redis *r)
{
    link_ask(r, on_id, 2, (const struct span[]){ SPAN("CLIENT"), SPAN("ID") });
}

/* ["message", "__redis__:invalidate", [key, ...] or nil] */
static bool is_change(const struct redis_reply *reply)
{
    return reply->type == REDIS_ARRAY && reply->n == 3 &&
           span_eq(reply->element[0].str, SPAN("message"));
}

static void tell_change(struct redis *r, const struct redis_reply *keys)
{
    if (keys->type != REDIS_ARRAY)
        r->watch(r->watch_arg, SPAN_NULL);
    for (size_t i = 0; i < keys->n; i++)
        r->watch(r->watch_arg, keys->element[i].str);
}

bool watch_heard(struct redis *r, const struct redis_reply *reply)
{
    if (!r->watch || !r->ready || !is_change(reply))
        return false;
    tell_change(r, &reply->element[2]);
    return true;
}

/* A watcher that hears nothing cannot know whether nothing changed or its server is gone: it asks
 * once in a deadline, and the usual silence ends the connection. */
void watch_beat(struct redis *r)
{
    link_ask(r, redis_ignore, 1, (const struct span[]){ SPAN("PING") });
}

int redis_watch(struct loop *l, const struct redis_conf *conf, const char *prefix,
                redis_watch_fn *fn, void *arg, struct redis **out)
{
    const struct redis_kind kind = {
        .role = "master", .helper = true, .watch_prefix = prefix, .watch = fn, .watch_arg = arg
    };
    return redis_new(l, conf, &kind, out);
}
