#include "redis/guide.h"

#include <stdlib.h>

#include "redis/impl.h"

enum {
    POLL = 500,     /* ms: how soon a failover is seen when the connection to the old one stays */
    PATIENCE = 300, /* ms for one to be connected, and to answer */
    SOON = 20,      /* ms */
};

struct guide {
    struct loop *loop;
    struct redis_conf conf; /* of the connection to the one that is asked */
    struct guide_kind kind;
    size_t i;      /* the one that is asked */
    size_t silent; /* asked in vain one after the other */
    struct redis *at;
    struct redis_call *question; /* not answered yet */
    struct timer timer;
    struct mono since;   /* when it was turned to */
    uint32_t complained; /* bit i: of i's answer, in the log */
    uint32_t turned_to;  /* bit i: i, whose connection may have been complained of */
    bool doubted, told;  /* told: that none answers */
    guide_fn *fn;
    void *arg;
    struct log log;
};

static void drop(struct guide *s)
{
    if (s->question)
        redis_cancel(s->question);
    s->question = NULL;
    redis_close(&s->at);
}

static void useless(struct guide *s, const char *message)
{
    if (!(s->complained >> s->i & 1))
        log_error(&s->log, message, kv_addr(s->kind.noun, &s->conf.addr));
    s->complained |= UINT32_C(1) << s->i;
    timer_start(s->loop, &s->timer, DURATION_MS(SOON));
    s->doubted = true;
}

static void on_answer(void *arg, const struct redis_reply *reply)
{
    struct guide *s = arg;
    s->question = NULL;
    if (!reply) {
        timer_start(s->loop, &s->timer, DURATION_MS(0));
        s->doubted = true;
        return;
    }
    timer_start(s->loop, &s->timer, DURATION_MS(POLL));
    const char *why = s->fn(s->arg, &s->conf.addr, reply);
    if (why) {
        useless(s, why);
        return;
    }
    s->silent = 0;
    s->told = false;
    s->complained &= ~(UINT32_C(1) << s->i);
    s->turned_to &= ~(UINT32_C(1) << s->i);
}

static void ask(struct guide *s)
{
    timer_start(s->loop, &s->timer, DURATION_MS(PATIENCE));
    if (!s->question)
        s->question = redis_command(s->at, on_answer, s, s->kind.argc, s->kind.argv);
}

static void on_ready(void *arg, bool ready)
{
    struct guide *s = arg;
    if (ready) {
        ask(s);
    } else {
        s->doubted = true;
        timer_start(s->loop, &s->timer, DURATION_MS(0));
    }
}

static void next(struct guide *s)
{
    drop(s);
    s->doubted = false;
    s->since = loop_now(s->loop);
    if (++s->silent > s->kind.n && !s->told) {
        s->told = true;
        log_error(&s->log, s->kind.silence);
    }
    s->i = (s->i + 1) % s->kind.n;
    s->conf.addr = s->kind.addrs[s->i];
    const struct redis_kind kind = { .role = s->kind.role,
                                     .helper = true,
                                     .complained = s->turned_to >> s->i & 1 };
    s->turned_to |= UINT32_C(1) << s->i;
    timer_start(s->loop, &s->timer, DURATION_MS(SOON));
    if (redis_new(s->loop, &s->conf, &kind, &s->at) == 0)
        redis_on_ready(s->at, on_ready, s);
}

static bool is_connecting(const struct guide *s)
{
    return s->at && s->at->stream && mono_since(s->since, loop_now(s->loop)).ms < PATIENCE;
}

static void on_timer(struct timer *t)
{
    struct guide *s = container_of(t, struct guide, timer);
    if (!s->doubted && !s->question && s->at && redis_is_ready(s->at))
        ask(s);
    else if (!s->doubted && !s->question && is_connecting(s))
        timer_start(s->loop, &s->timer, DURATION_MS(SOON));
    else
        next(s);
}

int guide_open(struct loop *l, const struct redis_conf *conf, const struct guide_kind *kind,
               guide_fn *fn, void *arg, struct guide **out)
{
    struct guide *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    s->loop = l;
    s->kind = *kind;
    s->conf = *conf;
    s->conf.deadline = DURATION_MS(PATIENCE);
    s->i = s->kind.n - 1; /* the first is next */
    s->fn = fn;
    s->arg = arg;
    s->log = (struct log){ .module = "redis" };
    if (kind->master)
        s->log.ctx[0] = kv_str("master", kind->master);
    timer_init(&s->timer, on_timer);
    timer_start(l, &s->timer, DURATION_MS(0));
    return 0;
}

void guide_close(struct guide **sp)
{
    struct guide *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    timer_stop(s->loop, &s->timer);
    drop(s);
    free(s);
}

void guide_doubt(struct guide *s)
{
    if (s->doubted)
        return;
    s->doubted = true;
    timer_start(s->loop, &s->timer, DURATION_MS(SOON));
}
