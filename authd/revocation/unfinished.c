#include "authd/revocation/unfinished.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"

enum {
    MAX_OURS = 4096,
    SWEEP_S = 5, /* so often, and for what is so old */
};

#define KEY SPAN("cs:revoking")

/* An event that was announced here, and not heard yet. */
struct own {
    struct list link;
    char token[EVENT_TOKEN_LEN + 1];
};

struct unfinished {
    struct loop *loop;
    struct redis *redis;
    struct list ours;
    size_t n_ours;
    struct redis_call *call;
    bool complained; /* of what the last look could not read */
    struct timer sweep;
};

static const struct log lg = { .module = "unfinished" };

static void no_reply(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    if (reply && reply->type == REDIS_ERROR)
        log_error(&lg, "redis refuses what belongs to a revocation", kv_s("reply", reply->str));
}

/* ---- ours ---- */

static void own_free(struct unfinished *u, struct own *o)
{
    list_remove(&o->link);
    free(o);
    u->n_ours--;
}

bool unfinished_is_ours(struct unfinished *u, const char *token)
{
    list_for_each (it, &u->ours) {
        struct own *o = container_of(it, struct own, link);
        if (token && strcmp(o->token, token) == 0) {
            own_free(u, o);
            return true;
        }
    }
    return false;
}

/* Without memory, or where there are too many, it is left to who looks there. */
static void own_add(struct unfinished *u, const char *token)
{
    unfinished_is_ours(u, token);
    struct own *o = token && u->n_ours < MAX_OURS ? calloc(1, sizeof(*o)) : NULL;
    if (!o)
        return;
    span_copy(o->token, sizeof(o->token), span_str(token));
    list_push_back(&u->ours, &o->link);
    u->n_ours++;
}

void unfinished_begin(struct unfinished *u, const Countersign__Store__Event *e, struct span packed)
{
    own_add(u, e->token);
    redis_do(u->redis, no_reply, NULL, SPAN("HSET"), KEY, span_str(e->token), packed);
}

void unfinished_end(struct unfinished *u, const char *token)
{
    redis_do(u->redis, no_reply, NULL, SPAN("HDEL"), KEY, span_str(token));
}

/* ---- what others left ---- */

static void on_revoking(void *arg, const struct redis_reply *reply)
{
    struct unfinished *u = arg;
    int64_t old = loop_wall(u->loop).ms - SWEEP_S * 1000;
    u->call = NULL;
    if (!reply || reply->type != REDIS_ARRAY) {
        no_reply(NULL, reply);
        return;
    }
    for (size_t i = 0; i + 1 < reply->n; i += 2) {
        Countersign__Store__Event *e;
        struct arena a;
        arena_init(&a, NULL, 0, 0);
        if (event_decode(reply->element[i + 1].str, &a, &e)) { /* of a later version, perhaps */
            if (!u->complained)
                log_error(&lg, "what is left of a revocation cannot be read",
                          kv_s("token", reply->element[i].str));
            u->complained = true;
        } else if ((int64_t)e->time_ms < old) {
            log_warn(&lg, "a revocation was not finished, it is announced again",
                     kv_str("user", e->user), kv_str("revocation", e->revocation));
            own_add(u, e->token);
            events_append(u->redis, reply->element[i + 1].str, no_reply, NULL);
        }
        arena_fini(&a);
    }
}

static void on_sweep(struct timer *t)
{
    struct unfinished *u = container_of(t, struct unfinished, sweep);
    if (!u->call && redis_is_ready(u->redis))
        u->call = redis_do(u->redis, on_revoking, u, SPAN("HGETALL"), KEY);
    timer_start(u->loop, t, DURATION_S(SWEEP_S));
}

void unfinished_look(struct unfinished *u)
{
    timer_start(u->loop, &u->sweep, DURATION_MS(0));
}

/* ---- life ---- */

int unfinished_new(struct loop *l, struct redis *redis, struct unfinished **out)
{
    struct unfinished *u = calloc(1, sizeof(*u));
    *out = u;
    if (!u)
        return CS_ENOMEM;
    u->loop = l;
    u->redis = redis;
    list_init(&u->ours);
    timer_init(&u->sweep, on_sweep);
    return 0;
}

void unfinished_free(struct unfinished **up)
{
    struct unfinished *u = *up;
    *up = NULL;
    if (!u)
        return;
    timer_stop(u->loop, &u->sweep);
    if (u->call)
        redis_cancel(u->call);
    list_for_each (it, &u->ours)
        own_free(u, container_of(it, struct own, link));
    free(u);
}
