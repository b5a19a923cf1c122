#include "redis/redis.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/metric.h"
#include "redis/cluster.h"
#include "redis/sentinel.h"

enum {
    MAX_CALLS = 65536,   /* unanswered; more get no answer */
    UNUSED_CALLS = 1024, /* kept for reuse */
    KEPT_ARGS = 2048,    /* bytes of script arguments that a kept call may hold */
    SILENCE = 3,         /* deadlines without a byte, after which the connection is given up */
};

/* The label of REDIS_COMMANDS. */
enum outcome { OUTCOME_OK, OUTCOME_ERROR, OUTCOME_LOST, OUTCOME_UNCONFIRMED };

/* ---- calls ---- */

static void count(const struct redis *r, enum outcome outcome)
{
    if (!r->helper)
        metric_inc(M_REDIS_COMMANDS, outcome);
}

static void call_destroy(struct redis_call *c)
{
    free(c->args.p);
    free(c);
}

struct redis_call *redis_call_new(struct redis *r, redis_fn *fn, void *arg)
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
    c->confirm = c->collected = false;
    c->kept = NULL;
    c->script = NULL;
    c->errand = NULL;
    c->sent = loop_now(r->loop);
    return c;
}

void redis_call_free(struct redis_call *c)
{
    struct redis *r = c->r;
    r->n_calls--;
    if (c->kept)
        arena_fini(&c->memory);
    if (r->n_unused == UNUSED_CALLS || c->args.cap > KEPT_ARGS) {
        call_destroy(c);
        return;
    }
    list_push_front(&r->unused, &c->link);
    r->n_unused++;
}

void redis_lose_later(struct redis *r, struct redis_call *c)
{
    list_push_back(&r->lost, &c->link);
    if (!timer_is_running(&r->lost_timer))
        timer_start(r->loop, &r->lost_timer, DURATION_MS(0));
}

void redis_calls_lose(struct redis *r, struct list *calls)
{
    struct list *it;
    list_splice(&r->losing, calls);
    while ((it = list_pop(&r->losing))) {
        struct redis_call *c = container_of(it, struct redis_call, link);
        redis_fn *fn = c->fn;
        void *arg = c->arg;
        if (!c->late)
            count(r, c->kept ? OUTCOME_UNCONFIRMED : OUTCOME_LOST);
        redis_call_free(c);
        if (fn)
            fn(arg, NULL);
    }
}

void redis_call_push(struct redis *r, struct redis_call *c)
{
    list_push_back(&r->calls, &c->link);
    if (r->fresh == &r->calls)
        r->fresh = &c->link;
    if (!r->ready || timer_is_running(&r->timer))
        return;
    if (r->watch) /* nobody waits for what it asks */
        timer_start_about(r->loop, &r->timer, r->conf.deadline);
    else
        timer_start(r->loop, &r->timer, r->conf.deadline);
}

static void pop(struct redis *r)
{
    struct list *first = list_pop(&r->calls);
    if (first == r->fresh)
        r->fresh = r->calls.next;
}

/* ---- the client ---- */

void redis_leave(struct redis *r)
{
    if (--r->busy || !r->closing || r->stream)
        return;
    struct list *it;
    while ((it = list_pop(&r->unused)))
        call_destroy(container_of(it, struct redis_call, link));
    reply_reader_fini(&r->reader);
    atomic_fini(r);
    free(r->unix_path);
    free(r->username);
    tls_context_unref(&r->conf.tls);
    free(r);
}

void redis_call_end(struct redis_call *c, const struct redis_reply *reply)
{
    struct redis *r = c->r;
    redis_fn *fn = c->fn;
    void *arg = c->arg;
    count(r, !reply ? OUTCOME_LOST : reply->type == REDIS_ERROR ? OUTCOME_ERROR : OUTCOME_OK);
    if (reply && !r->helper)
        metric_observe(M_REDIS_SECONDS, c->sent, loop_now(r->loop));
    redis_call_free(c);
    if (fn)
        fn(arg, reply);
}

/* The server has forgotten the script (it restarted, or somebody flushed them): sends its text. */
static bool resend(struct redis *r, struct redis_call *c)
{
    if (!c->fn || !r->ready || !resp_send_script(r, c, SPAN("EVAL"), span_str(c->script->lua)))
        return false;
    c->script = NULL;
    c->sent = loop_now(r->loop);
    redis_call_push(r, c);
    if (c->confirm)
        confirm_mark(r, c);
    return true;
}

int redis_answer(struct redis *r, const struct redis_reply *reply)
{
    if (watch_heard(r, reply))
        return 0;
    if (list_empty(&r->calls)) /* nobody asked */
        return CS_EPROTO;
    struct redis_call *c = container_of(r->calls.next, struct redis_call, link);
    if (c->before) {
        c->before--;
        if (r->ready && reply_cannot_serve(reply))
            link_complain(r, "redis cannot serve us any more", reply->str);
        return 0;
    }
    pop(r);
    if (list_empty(&r->calls) && r->ready && !r->watch)
        timer_stop(r->loop, &r->timer);
    if (c->script && reply_is(reply, SPAN("NOSCRIPT")) && resend(r, c))
        return 0;
    if (!c->late) {
        count(r, reply->type == REDIS_ERROR ? OUTCOME_ERROR : OUTCOME_OK);
        if (!r->helper)
            metric_observe(M_REDIS_SECONDS, c->sent, loop_now(r->loop));
    }
    if (r->ready && reply->type != REDIS_ERROR)
        r->backoff_ms = REDIS_BACKOFF_MIN;
    if (c->confirm && c->fn && reply->type != REDIS_ERROR) {
        if (confirm_keep(r, c, reply))
            return 0;
        reply = NULL; /* whether replicas have it nobody would know */
    }
    redis_fn *fn = c->fn;
    void *fn_arg = c->arg;
    redis_call_free(c);
    if (fn)
        fn(fn_arg, reply);
    if (reply && r->ready && reply_cannot_serve(reply))
        link_complain(r, "redis cannot serve us any more", reply->str);
    return 0;
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
        count(r, OUTCOME_LOST);
        if (fn)
            fn(c->arg, NULL);
    }
    if (r->closing || list_empty(&r->calls))
        return;
    struct mono oldest = container_of(r->calls.next, struct redis_call, link)->sent;
    struct mono since = mono_before(oldest, r->heard) ? r->heard : oldest;
    if (mono_since(since, now).ms >= SILENCE * r->conf.deadline.ms) {
        link_give_up(r, CS_ETIMEOUT);
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
        link_attempt(r);
    else if (!r->ready)
        link_give_up(r, CS_ETIMEOUT);
    else
        expire(r);
    if (r->watch && redis_is_ready(r) && list_empty(&r->calls))
        watch_beat(r);
    redis_leave(r);
}

static void on_lost_timer(struct timer *t)
{
    struct redis *r = container_of(t, struct redis, lost_timer);
    r->busy++;
    redis_calls_lose(r, &r->lost);
    redis_leave(r);
}

/* ---- entry points ---- */

static int copy_names(struct redis *r, const struct redis_conf *conf)
{
    r->unix_path = conf->unix_path ? strdup(conf->unix_path) : NULL;
    r->username = conf->username ? strdup(conf->username) : NULL;
    return (conf->unix_path && !r->unix_path) || (conf->username && !r->username) ? CS_ENOMEM : 0;
}

int redis_new(struct loop *l, const struct redis_conf *conf, const struct redis_kind *kind,
              struct redis **out)
{
    *out = NULL;
    struct redis *r = calloc(1, sizeof(*r));
    if (!r)
        return CS_ENOMEM;
    r->loop = l;
    r->conf = *conf;
    r->role = kind->role;
    r->helper = kind->helper;
    r->complained = kind->complained;
    r->watch_prefix = kind->watch_prefix;
    r->watch = kind->watch;
    r->watch_arg = kind->watch_arg;
    if (r->conf.tls)
        tls_context_ref(r->conf.tls);
    if (r->conf.deadline.ms == 0)
        r->conf.deadline = DURATION_S(2);
    r->backoff_ms = REDIS_BACKOFF_MIN;
    r->fresh = &r->calls;
    r->log = (struct log){ .module = "redis" };
    list_init(&r->calls);
    list_init(&r->lost);
    list_init(&r->losing);
    list_init(&r->unused);
    confirm_init(r);
    atomic_init(r);
    timer_init(&r->timer, on_timer);
    timer_init(&r->lost_timer, on_lost_timer);
    int err = copy_names(r, conf);
    if (!err && conf->cluster)
        err = cluster_open(r, &r->cluster);
    if (!err && conf->sentinels)
        err = sentinel_open(l, conf, link_follow, r, &r->sentinel);
    if (err) {
        r->closing = true;
        r->busy = 1;
        cluster_close(&r->cluster, &r->calls);
        redis_leave(r);
        return err;
    }
    if (r->unix_path)
        r->log.ctx[0] = kv_str("server", r->unix_path);
    else
        r->log.ctx[0] = kv_addr("server", conf->cluster ? conf->cluster : &r->conf.addr);
    if (!r->cluster)
        link_attempt(r);
    *out = r;
    return 0;
}

int redis_open(struct loop *l, const struct redis_conf *conf, struct redis **out)
{
    return redis_new(l, conf, &(struct redis_kind){ .role = "master" }, out);
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
    turn_cancel(&r->wait_turn);
    atomic_close(r, &r->calls);
    sentinel_close(&r->sentinel);
    cluster_close(&r->cluster, &r->calls);
    if (r->ready && !r->helper)
        metric_set(M_REDIS_CONNECTED, 0, 0);
    r->ready = false;
    r->on_ready = NULL;
    r->fresh = &r->calls;
    list_splice(&r->calls, &r->replied);
    list_splice(&r->calls, &r->confirmed);
    list_splice(&r->calls, &r->lost);
    redis_calls_lose(r, &r->calls);
    if (r->stream)
        stream_close(r->stream, 0);
    redis_leave(r);
}

bool redis_is_ready(const struct redis *r)
{
    return r->ready && (r->cluster || stream_is_open(r->stream));
}

uint64_t redis_generation(const struct redis *r)
{
    return r->generation;
}

struct mono redis_heard(const struct redis *r)
{
    return r->cluster ? cluster_heard(r->cluster) : r->heard;
}

void redis_on_ready(struct redis *r, void (*fn)(void *arg, bool ready), void *arg)
{
    r->on_ready = fn;
    r->on_ready_arg = arg;
}

bool redis_can_send(const struct redis *r)
{
    return redis_is_ready(r) && r->n_calls <= MAX_CALLS;
}

struct redis_call *redis_command(struct redis *r, redis_fn *fn, void *arg, size_t argc,
                                 const struct span *argv)
{
    const struct redis_argv command = { argc, argv };
    if (r->cluster)
        return cluster_send(r->cluster, fn, arg, NULL, 0, 1, &command);
    struct redis_call *c = r->closing ? NULL : redis_call_new(r, fn, arg);
    if (!c)
        return NULL;
    if (redis_can_send(r) && resp_send_one(r, argc, argv))
        redis_call_push(r, c);
    else
        redis_lose_later(r, c);
    return c;
}

size_t redis_masters(const struct redis *r)
{
    return r->cluster ? cluster_masters(r->cluster) : 1;
}

unsigned redis_master_slot(const struct redis *r, size_t master)
{
    return r->cluster ? cluster_first_slot(r->cluster, master) : 0;
}

struct redis_call *redis_ask_master(struct redis *r, size_t master, redis_fn *fn, void *arg,
                                    size_t argc, const struct span *argv)
{
    struct redis *at = r->cluster ? cluster_master(r->cluster, master) : r;
    return at ? redis_command(at, fn, arg, argc, argv) : NULL;
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

struct redis_call *redis_script(struct redis *r, struct redis_script *script, redis_fn *fn,
                                void *arg, size_t n_keys, size_t argc, const struct span *argv)
{
    const struct redis_argv command = { argc, argv };
    if (r->cluster)
        return cluster_send(r->cluster, fn, arg, script, (ptrdiff_t)n_keys, 1, &command);
    struct redis_call *c = r->closing ? NULL : redis_call_new(r, fn, arg);
    if (!c)
        return NULL;
    if (!script_hash(script) || !resp_keep_args(c, n_keys, argc, argv)) {
        redis_call_free(c);
        return NULL;
    }
    c->script = script;
    if (redis_can_send(r) && resp_send_script(r, c, SPAN("EVALSHA"), span_of(script->sha, 40)))
        redis_call_push(r, c);
    else
        redis_lose_later(r, c);
    return c;
}
