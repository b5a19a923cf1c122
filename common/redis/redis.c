#include "redis/redis.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/rand.h"
#include "net/stream.h"
#include "redis/reply.h"

enum {
    MAX_CALLS = 65536,   /* unanswered; more get no answer */
    UNUSED_CALLS = 1024, /* kept for reuse */
    KEPT_ARGS = 2048,    /* bytes of script arguments that a kept call may hold */
    HEADER = 24,         /* "$18446744073709551615\r\n" and the like */
    BACKOFF_MIN = 20,    /* ms */
    BACKOFF_MAX = 1000,  /* ms */
    ATOMIC_MAX = 4,      /* commands that run as one */
    SILENCE = 3,         /* deadlines without a byte, after which the connection is given up */
    MAX_UNSENT = 64 * 1024 * 1024,
};

enum outcome { OUTCOME_OK, OUTCOME_ERROR, OUTCOME_LOST }; /* the label of REDIS_COMMANDS */

struct redis_call {
    struct list link;
    struct redis *r;
    redis_fn *fn; /* NULL: cancelled, or answered with NULL already */
    void *arg;
    bool late;     /* the deadline passed; it waits for its reply in order to keep the order */
    size_t before; /* replies that come before its own and tell nothing */
    struct mono sent;
    const struct redis_script *script; /* sent as EVALSHA; then, in case the server forgot it: */
    struct buf args; /* what followed the script's name, encoded; kept for reuse */
    size_t argc;     /* number of those arguments */
};

struct redis {
    struct loop *loop;
    struct redis_conf conf;
    char *unix_path, *username;
    struct stream *stream; /* NULL: waiting for the next attempt */
    struct reply_reader reader;
    struct list calls;  /* sent, in the order of their replies */
    struct list *fresh; /* the first of calls that is not late; &calls: none */
    struct list lost;   /* to be answered with NULL in the next turn */
    struct list losing; /* being answered with NULL now */
    struct list unused;
    size_t n_calls, n_unused;
    struct timer timer;      /* the next attempt, the end of the handshake, or fresh's deadline */
    struct timer lost_timer; /* answers lost */
    struct mono heard;
    unsigned backoff_ms;
    bool ready, closing;
    bool complained; /* of this outage, in the log */
    unsigned busy;   /* our frames on the stack below a callback of the owner */
    void (*on_ready)(void *arg, bool ready);
    void *on_ready_arg;
    const char *watch_prefix; /* of a watcher; NULL else */
    redis_watch_fn *watch;
    void *watch_arg;
    struct log log;
};

static const struct stream_limits limits = { .max_unread = 0, .max_unsent = MAX_UNSENT };

/* ---- calls ---- */

static void call_destroy(struct redis_call *c)
{
    free(c->args.p);
    free(c);
}

static struct redis_call *call_new(struct redis *r, redis_fn *fn, void *arg)
{
    struct list *kept = list_pop(&r->unused);
    struct redis_call *c =
        kept ? container_of(kept, struct redis_call, link) : calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    r->n_unused -= kept != NULL;
    r->n_calls++;
    list_init(&c->link);
    c->r = r;
    c->fn = fn;
    c->arg = arg;
    c->late = false;
    c->before = 0;
    c->script = NULL;
    c->sent = loop_now(r->loop);
    return c;
}

static void call_free(struct redis_call *c)
{
    struct redis *r = c->r;
    r->n_calls--;
    if (r->n_unused == UNUSED_CALLS || c->args.cap > KEPT_ARGS) {
        call_destroy(c);
        return;
    }
    list_push_front(&r->unused, &c->link);
    r->n_unused++;
}

static void lose_later(struct redis_call *c)
{
    struct redis *r = c->r;
    list_push_back(&r->lost, &c->link);
    if (!timer_is_running(&r->lost_timer))
        timer_start(r->loop, &r->lost_timer, DURATION_MS(0));
}

/* Answers all of calls with NULL. What joins meanwhile is not among them. */
static void lose(struct redis *r, struct list *calls)
{
    struct list *it;
    list_splice(&r->losing, calls);
    while ((it = list_pop(&r->losing))) {
        struct redis_call *c = container_of(it, struct redis_call, link);
        redis_fn *fn = c->fn;
        void *arg = c->arg;
        if (!c->late)
            metric_inc(M_REDIS_COMMANDS, OUTCOME_LOST);
        call_free(c);
        if (fn)
            fn(arg, NULL);
    }
}

static void push(struct redis *r, struct redis_call *c)
{
    list_push_back(&r->calls, &c->link);
    if (r->fresh == &r->calls)
        r->fresh = &c->link;
    if (r->ready && !timer_is_running(&r->timer))
        timer_start(r->loop, &r->timer, r->conf.deadline);
}

static void pop(struct redis *r)
{
    struct list *first = list_pop(&r->calls);
    if (first == r->fresh)
        r->fresh = r->calls.next;
}

/* ---- writing RESP ---- */

static size_t encoded_size(size_t argc, const struct span *argv)
{
    size_t n = 0;
    for (size_t i = 0; i < argc; i++)
        n += HEADER + argv[i].n + 2;
    return n;
}

static void put_count(struct buf *b, char type, size_t n)
{
    buf_putc(b, type);
    buf_u64(b, n);
    buf_lit(b, "\r\n");
}

static void put_arg(struct buf *b, struct span arg)
{
    put_count(b, '$', arg.n);
    buf_put(b, arg);
    buf_lit(b, "\r\n");
}

static void put_args(struct buf *b, size_t argc, const struct span *argv)
{
    for (size_t i = 0; i < argc; i++)
        put_arg(b, argv[i]);
}

/* All of the commands or none. */
static bool send_commands(struct redis *r, size_t n, const struct redis_argv *commands)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += HEADER + encoded_size(commands[i].argc, commands[i].argv);
    char *room = stream_reserve(r->stream, size);
    if (!room)
        return false;
    struct buf b = buf_of(room, size);
    for (size_t i = 0; i < n; i++) {
        put_count(&b, '*', commands[i].argc);
        put_args(&b, commands[i].argc, commands[i].argv);
    }
    stream_wrote(r->stream, b.n);
    return true;
}

static bool send_command(struct redis *r, size_t argc, const struct span *argv)
{
    return send_commands(r, 1, &(struct redis_argv){ argc, argv });
}

/* EVALSHA with the hash, or EVAL with the text. */
static bool send_script(struct redis *r, struct redis_call *c, struct span verb, struct span what)
{
    size_t size = 3 * HEADER + verb.n + what.n + 4 + c->args.n;
    char *room = stream_reserve(r->stream, size);
    if (!room)
        return false;
    struct buf b = buf_of(room, size);
    put_count(&b, '*', 2 + c->argc);
    put_arg(&b, verb);
    put_arg(&b, what);
    buf_put(&b, buf_span(&c->args));
    stream_wrote(r->stream, b.n);
    return true;
}

/* ---- readiness ---- */

static void set_ready(struct redis *r, bool ready)
{
    if (r->ready == ready)
        return;
    r->ready = ready;
    if (r->watch)
        r->watch(r->watch_arg, SPAN_NULL);
    else
        metric_set(M_REDIS_CONNECTED, 0, ready);
    if (ready) {
        r->complained = false;
        log_info(&r->log, "redis is ready");
    }
    if (r->on_ready)
        r->on_ready(r->on_ready_arg, ready);
}

/* The connection is of no use; its end leads to the next attempt. */
static void give_up(struct redis *r, int reason)
{
    if (r->stream)
        stream_close(r->stream, reason);
}

static bool has_prefix(const struct redis_reply *reply, struct span prefix)
{
    return reply->type == REDIS_ERROR && span_starts(reply->str, prefix);
}

/* A server that answers so serves reads from the past, or nothing. */
static bool cannot_serve(const struct redis_reply *reply)
{
    return has_prefix(reply, SPAN("LOADING ")) || has_prefix(reply, SPAN("READONLY ")) ||
           has_prefix(reply, SPAN("MASTERDOWN "));
}

static void complain(struct redis *r, const char *message, struct span detail)
{
    if (!r->complained)
        log_error(&r->log, message, kv_s("reply", detail));
    r->complained = true;
    give_up(r, CS_EDENIED);
}

static void handshake(struct redis *r, redis_fn *fn, size_t argc, const struct span *argv)
{
    struct redis_call *c = call_new(r, fn, r);
    if (c && send_command(r, argc, argv)) {
        push(r, c);
        return;
    }
    if (c)
        call_free(c);
    give_up(r, CS_ENOMEM);
}

/* ---- watching ---- */

static void on_subscribed(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (!reply || !stream_is_open(r->stream))
        return;
    if (reply->type == REDIS_ERROR) {
        complain(r, "redis does not let us watch", reply->str);
        return;
    }
    timer_stop(r->loop, &r->timer);
    set_ready(r, true);
    timer_start(r->loop, &r->timer, r->conf.deadline);
}

static void on_tracking(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (reply && reply->type == REDIS_ERROR)
        complain(r, "redis does not let us watch", reply->str);
}

static void on_id(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    char id[24];
    struct buf b = BUF_INIT(id);
    if (!reply || !stream_is_open(r->stream))
        return;
    if (reply->type != REDIS_INTEGER) {
        complain(r, "redis does not let us watch", reply->str);
        return;
    }
    buf_i64(&b, reply->integer);
    handshake(r, on_tracking, 8,
              (const struct span[]){ SPAN("CLIENT"), SPAN("TRACKING"), SPAN("ON"), SPAN("REDIRECT"),
                                     buf_span(&b), SPAN("BCAST"), SPAN("PREFIX"),
                                     span_str(r->watch_prefix) });
    handshake(r, on_subscribed, 2,
              (const struct span[]){ SPAN("SUBSCRIBE"), SPAN("__redis__:invalidate") });
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

static void no_news(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    (void)reply; /* that it came is enough */
}

/* A watcher that hears nothing cannot know whether nothing changed or its server is gone: it asks
 * once in a deadline, and the usual silence ends the connection. */
static void beat(struct redis *r)
{
    handshake(r, no_news, 1, (const struct span[]){ SPAN("PING") });
}

static void on_auth(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (reply && reply->type == REDIS_ERROR)
        complain(r, "redis refuses our password", reply->str);
}

/* A user who may not PING or ask for the ROLE learns that much from its commands. */
static bool tells_nothing(const struct redis_reply *reply)
{
    return has_prefix(reply, SPAN("NOPERM ")) || has_prefix(reply, SPAN("ERR unknown command"));
}

static void on_ping(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (reply && reply->type == REDIS_ERROR && !tells_nothing(reply))
        complain(r, "redis is not ready to serve us", reply->str);
}

static void on_role(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (!reply || !stream_is_open(r->stream))
        return;
    if (reply->type == REDIS_ARRAY && reply->n && !span_eq(reply->element[0].str, SPAN("master"))) {
        complain(r, "redis is not a master", reply->element[0].str);
    } else if (reply->type == REDIS_ERROR && !tells_nothing(reply)) {
        complain(r, "redis is not ready to serve us", reply->str);
    } else if (r->watch) {
        handshake(r, on_id, 2, (const struct span[]){ SPAN("CLIENT"), SPAN("ID") });
    } else {
        timer_stop(r->loop, &r->timer);
        set_ready(r, true);
    }
}

/* ---- the connection ---- */

static bool leave(struct redis *r)
{
    if (--r->busy || !r->closing || r->stream)
        return false;
    struct list *it;
    while ((it = list_pop(&r->unused)))
        call_destroy(container_of(it, struct redis_call, link));
    reply_reader_fini(&r->reader);
    free(r->unix_path);
    free(r->username);
    free(r);
    return true;
}

static void retry_later(struct redis *r)
{
    unsigned half = r->backoff_ms / 2;
    unsigned ms = half + (unsigned)rand_below(half + 1);
    r->backoff_ms = CS_MIN(r->backoff_ms * 2, (unsigned)BACKOFF_MAX);
    timer_start(r->loop, &r->timer, DURATION_MS(CS_MAX(ms, (unsigned)BACKOFF_MIN)));
}

static void on_opened(struct stream *s, void *arg)
{
    struct redis *r = arg;
    (void)s;
    if (r->conf.password) {
        struct span auth[3] = { SPAN("AUTH"), span_str(r->username), { 0 } };
        size_t n = r->username ? 2 : 1;
        auth[n++] = secret_span(r->conf.password);
        handshake(r, on_auth, n, auth);
    }
    handshake(r, on_ping, 1, (const struct span[]){ SPAN("PING") });
    handshake(r, on_role, 1, (const struct span[]){ SPAN("ROLE") });
}

/* The server has forgotten the script (it restarted, or somebody flushed them): sends its text. */
static bool resend(struct redis *r, struct redis_call *c)
{
    if (!c->fn || !r->ready || !send_script(r, c, SPAN("EVAL"), span_str(c->script->lua)))
        return false;
    c->script = NULL;
    c->sent = loop_now(r->loop);
    push(r, c);
    return true;
}

static int answer(struct redis *r, const struct redis_reply *reply)
{
    if (r->watch && r->ready && is_change(reply)) {
        tell_change(r, &reply->element[2]);
        return 0;
    }
    if (list_empty(&r->calls)) /* nobody asked */
        return CS_EPROTO;
    struct redis_call *c = container_of(r->calls.next, struct redis_call, link);
    if (c->before) {
        c->before--;
        if (r->ready && cannot_serve(reply))
            complain(r, "redis cannot serve us any more", reply->str);
        return 0;
    }
    pop(r);
    if (c->script && has_prefix(reply, SPAN("NOSCRIPT")) && resend(r, c))
        return 0;
    if (!c->late) {
        metric_inc(M_REDIS_COMMANDS, reply->type == REDIS_ERROR ? OUTCOME_ERROR : OUTCOME_OK);
        metric_observe(M_REDIS_SECONDS, c->sent, loop_now(r->loop));
    }
    if (r->ready && reply->type != REDIS_ERROR)
        r->backoff_ms = BACKOFF_MIN;
    redis_fn *fn = c->fn;
    void *fn_arg = c->arg;
    call_free(c);
    if (fn)
        fn(fn_arg, reply);
    if (r->ready && cannot_serve(reply))
        complain(r, "redis cannot serve us any more", reply->str);
    return 0;
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
            err = answer(r, reply);
            reply_reader_drop(&r->reader);
        }
    }
    leave(r);
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
        if (!r->complained)
            log_warn(&r->log, "redis is not connected", kv_err(reason));
        r->complained = true;
        retry_later(r);
        set_ready(r, false);
        r->fresh = &r->calls;
        lose(r, &r->calls);
    }
    leave(r);
}

static const struct stream_events events = { on_opened, on_data, on_closed };

static void attempt(struct redis *r)
{
    reply_reader_fini(&r->reader);
    int err = reply_reader_init(&r->reader);
    if (!err && r->unix_path)
        err = stream_connect_unix(r->loop, r->unix_path, &limits, &events, r, &r->stream);
    else if (!err)
        err = stream_connect_tcp(r->loop, &r->conf.addr, NULL, &limits, &events, r, &r->stream);
    if (err) {
        r->stream = NULL;
        if (!r->complained)
            log_warn(&r->log, "redis is not connected", kv_err(err));
        r->complained = true;
        retry_later(r);
        return;
    }
    timer_start(r->loop, &r->timer, r->conf.deadline);
}

/* Calls whose deadline passed are answered with NULL and keep their place, so that later replies
 * find their own. A server that is silent for long is given up. */
static void expire(struct redis *r)
{
    struct mono now = loop_now(r->loop);
    while (!r->closing && r->fresh != &r->calls) {
        struct redis_call *c = container_of(r->fresh, struct redis_call, link);
        if (mono_before(now, mono_add(c->sent, r->conf.deadline)))
            break;
        r->fresh = c->link.next;
        redis_fn *fn = c->fn;
        c->fn = NULL;
        c->late = true;
        metric_inc(M_REDIS_COMMANDS, OUTCOME_LOST);
        if (fn)
            fn(c->arg, NULL);
    }
    if (r->closing || list_empty(&r->calls))
        return;
    struct mono oldest = container_of(r->calls.next, struct redis_call, link)->sent;
    struct mono since = mono_before(oldest, r->heard) ? r->heard : oldest;
    if (mono_since(since, now).ms >= SILENCE * r->conf.deadline.ms) {
        give_up(r, CS_ETIMEOUT);
        return;
    }
    struct duration next = r->conf.deadline; /* to look at the silence again */
    if (r->fresh != &r->calls) {
        struct mono sent = container_of(r->fresh, struct redis_call, link)->sent;
        next = mono_since(now, mono_add(sent, r->conf.deadline));
    }
    timer_start(r->loop, &r->timer, DURATION_MS(CS_MAX(next.ms, 1)));
}

static void on_timer(struct timer *t)
{
    struct redis *r = container_of(t, struct redis, timer);
    r->busy++;
    if (!r->stream)
        attempt(r);
    else if (!r->ready)
        give_up(r, CS_ETIMEOUT);
    else
        expire(r);
    if (r->watch && redis_is_ready(r) && list_empty(&r->calls))
        beat(r);
    leave(r);
}

static void on_lost_timer(struct timer *t)
{
    struct redis *r = container_of(t, struct redis, lost_timer);
    r->busy++;
    lose(r, &r->lost);
    leave(r);
}

/* ---- entry points ---- */

static int client_new(struct loop *l, const struct redis_conf *conf, const char *prefix,
                      redis_watch_fn *watch, void *watch_arg, struct redis **out)
{
    *out = NULL;
    struct redis *r = calloc(1, sizeof(*r));
    if (!r)
        return CS_ENOMEM;
    r->loop = l;
    r->conf = *conf;
    r->watch_prefix = prefix;
    r->watch = watch;
    r->watch_arg = watch_arg;
    if (r->conf.deadline.ms == 0)
        r->conf.deadline = DURATION_S(2);
    r->backoff_ms = BACKOFF_MIN;
    r->fresh = &r->calls;
    r->log = (struct log){ .module = "redis" };
    list_init(&r->calls);
    list_init(&r->lost);
    list_init(&r->losing);
    list_init(&r->unused);
    timer_init(&r->timer, on_timer);
    timer_init(&r->lost_timer, on_lost_timer);
    r->unix_path = conf->unix_path ? strdup(conf->unix_path) : NULL;
    r->username = conf->username ? strdup(conf->username) : NULL;
    if ((conf->unix_path && !r->unix_path) || (conf->username && !r->username)) {
        r->closing = true;
        r->busy = 1;
        leave(r);
        return CS_ENOMEM;
    }
    if (r->unix_path)
        r->log.ctx[0] = kv_str("server", r->unix_path);
    else
        r->log.ctx[0] = kv_addr("server", &r->conf.addr);
    attempt(r);
    *out = r;
    return 0;
}

int redis_open(struct loop *l, const struct redis_conf *conf, struct redis **out)
{
    return client_new(l, conf, NULL, NULL, NULL, out);
}

int redis_watch(struct loop *l, const struct redis_conf *conf, const char *prefix,
                redis_watch_fn *fn, void *arg, struct redis **out)
{
    return client_new(l, conf, prefix, fn, arg, out);
}

void redis_close(struct redis **rp)
{
    struct redis *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    r->closing = true;
    r->busy++;
    timer_stop(r->loop, &r->timer);
    timer_stop(r->loop, &r->lost_timer);
    if (r->ready && !r->watch)
        metric_set(M_REDIS_CONNECTED, 0, 0);
    r->ready = false;
    r->on_ready = NULL;
    r->fresh = &r->calls;
    list_splice(&r->calls, &r->lost);
    lose(r, &r->calls);
    if (r->stream)
        stream_close(r->stream, 0);
    leave(r);
}

bool redis_is_ready(const struct redis *r)
{
    return r->ready && stream_is_open(r->stream);
}

struct mono redis_heard(const struct redis *r)
{
    return r->heard;
}

void redis_on_ready(struct redis *r, void (*fn)(void *arg, bool ready), void *arg)
{
    r->on_ready = fn;
    r->on_ready_arg = arg;
}

static bool can_send(const struct redis *r)
{
    return redis_is_ready(r) && r->n_calls <= MAX_CALLS;
}

struct redis_call *redis_command(struct redis *r, redis_fn *fn, void *arg, size_t argc,
                                 const struct span *argv)
{
    struct redis_call *c = r->closing ? NULL : call_new(r, fn, arg);
    if (!c)
        return NULL;
    if (can_send(r) && send_command(r, argc, argv))
        push(r, c);
    else
        lose_later(c);
    return c;
}

struct redis_call *redis_atomic(struct redis *r, redis_fn *fn, void *arg, size_t n,
                                const struct redis_argv *commands)
{
    struct redis_argv all[2 + ATOMIC_MAX] = { REDIS_ARGV(SPAN("MULTI")) };
    struct redis_call *c = r->closing ? NULL : call_new(r, fn, arg);
    if (!c)
        return NULL;
    assert(n <= ATOMIC_MAX);
    memcpy(all + 1, commands, n * sizeof(*all));
    all[n + 1] = REDIS_ARGV(SPAN("EXEC"));
    c->before = n + 1;
    if (can_send(r) && send_commands(r, n + 2, all))
        push(r, c);
    else
        lose_later(c);
    return c;
}

void redis_cancel(struct redis_call *call)
{
    call->fn = NULL;
}

static bool script_hash(struct redis_script *s)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n;
    if (s->sha[0])
        return true;
    if (!EVP_Digest(s->lua, strlen(s->lua), hash, &n, EVP_sha1(), NULL))
        return false;
    struct buf b = buf_of(s->sha, sizeof(s->sha) - 1);
    buf_hex(&b, hash, n);
    return true;
}

/* Encodes what follows the script's name into the call, for EVALSHA and perhaps again for EVAL. */
static bool keep_args(struct redis_call *c, size_t n_keys, size_t argc, const struct span *argv)
{
    char digits[20];
    struct buf number = BUF_INIT(digits);
    buf_u64(&number, n_keys);
    size_t size = HEADER + number.n + 2 + encoded_size(argc, argv);
    if (size > c->args.cap) {
        char *p = realloc(c->args.p, size);
        if (!p)
            return false;
        c->args.p = p;
        c->args.cap = size;
    }
    c->args.n = 0;
    put_arg(&c->args, buf_span(&number));
    put_args(&c->args, argc, argv);
    c->argc = argc + 1;
    return true;
}

struct redis_call *redis_script(struct redis *r, struct redis_script *script, redis_fn *fn,
                                void *arg, size_t n_keys, size_t argc, const struct span *argv)
{
    struct redis_call *c = r->closing ? NULL : call_new(r, fn, arg);
    if (!c)
        return NULL;
    if (!script_hash(script) || !keep_args(c, n_keys, argc, argv)) {
        call_free(c);
        return NULL;
    }
    c->script = script;
    if (can_send(r) && send_script(r, c, SPAN("EVALSHA"), span_of(script->sha, 40)))
        push(r, c);
    else
        lose_later(c);
    return c;
}
