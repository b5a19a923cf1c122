#include "redis/sentinel.h"

#include <stdlib.h>

#include "redis/impl.h"

enum {
    POLL = 500,     /* ms: how soon a failover is seen when the connection to the old one stays */
    PATIENCE = 300, /* ms for a sentinel to be connected, and to answer */
    SOON = 20,      /* ms */
};

struct sentinel {
    struct loop *loop;
    struct redis_conf conf; /* of the connection to the one that is asked */
    const struct redis_sentinels *all;
    size_t i;      /* the one that is asked */
    size_t silent; /* asked in vain one after the other */
    struct redis *at;
    struct redis_call *question; /* not answered yet */
    struct timer timer;
    struct mono since;   /* when it was turned to */
    uint32_t complained; /* bit i: of sentinel i's answer, in the log */
    uint32_t turned_to;  /* bit i: sentinel i, which may have complained of its connection */
    bool doubted, told;  /* told: that none answers */
    sentinel_fn *fn;
    void *arg;
    struct log log;
};

static void drop(struct sentinel *s)
{
    if (s->question)
        redis_cancel(s->question);
    s->question = NULL;
    redis_close(&s->at);
}

static void useless(struct sentinel *s, const char *message)
{
    if (!(s->complained >> s->i & 1))
        log_error(&s->log, message, kv_addr("sentinel", &s->conf.addr));
    s->complained |= UINT32_C(1) << s->i;
    timer_start(s->loop, &s->timer, DURATION_MS(SOON));
    s->doubted = true;
}

/* [host, port] */
static void on_master(void *arg, const struct redis_reply *reply)
{
    struct sentinel *s = arg;
    struct addr master;
    uint64_t port = 0;
    s->question = NULL;
    if (!reply) {
        timer_start(s->loop, &s->timer, DURATION_MS(0));
        s->doubted = true;
    } else if (reply->type == REDIS_NIL) {
        useless(s, "the sentinel does not know this master");
    } else if (reply->type != REDIS_ARRAY || reply->n != 2 ||
               span_u64(reply->element[1].str, UINT16_MAX, &port) ||
               addr_parse_host(reply->element[0].str, (uint16_t)port, &master)) {
        useless(s, "the sentinel names no address (announce-hostnames must be off, and we must be "
                   "allowed to ask)");
    } else {
        s->silent = 0;
        s->told = false;
        s->complained &= ~(UINT32_C(1) << s->i);
        s->turned_to &= ~(UINT32_C(1) << s->i);
        timer_start(s->loop, &s->timer, DURATION_MS(POLL));
        s->fn(s->arg, &master);
    }
}

static void ask(struct sentinel *s)
{
    timer_start(s->loop, &s->timer, DURATION_MS(PATIENCE));
    if (!s->question)
        s->question = redis_do(s->at, on_master, s, SPAN("SENTINEL"),
                               SPAN("GET-MASTER-ADDR-BY-NAME"), span_str(s->all->master));
}

static void on_ready(void *arg, bool ready)
{
    struct sentinel *s = arg;
    if (ready) {
        ask(s);
    } else {
        s->doubted = true;
        timer_start(s->loop, &s->timer, DURATION_MS(0));
    }
}

static void next(struct sentinel *s)
{
    drop(s);
    s->doubted = false;
    s->since = loop_now(s->loop);
    if (++s->silent > s->all->n && !s->told) {
        s->told = true;
        log_error(&s->log, "no sentinel names a master that serves us");
    }
    s->i = (s->i + 1) % s->all->n;
    s->conf.addr = s->all->addrs[s->i];
    const struct redis_kind kind = { "sentinel", .helper = true,
                                     .complained = s->turned_to >> s->i & 1 };
    s->turned_to |= UINT32_C(1) << s->i;
    timer_start(s->loop, &s->timer, DURATION_MS(SOON));
    if (redis_new(s->loop, &s->conf, &kind, &s->at) == 0)
        redis_on_ready(s->at, on_ready, s);
}

static bool is_connecting(const struct sentinel *s)
{
    return s->at && s->at->stream && mono_since(s->since, loop_now(s->loop)).ms < PATIENCE;
}

static void on_timer(struct timer *t)
{
    struct sentinel *s = container_of(t, struct sentinel, timer);
    if (!s->doubted && !s->question && s->at && redis_is_ready(s->at))
        ask(s);
    else if (!s->doubted && !s->question && is_connecting(s))
        timer_start(s->loop, &s->timer, DURATION_MS(SOON));
    else
        next(s);
}

int sentinel_open(struct loop *l, const struct redis_conf *conf, sentinel_fn *fn, void *arg,
                  struct sentinel **out)
{
    struct sentinel *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    s->loop = l;
    s->all = conf->sentinels;
    s->conf = (struct redis_conf){ .username = s->all->username,
                                   .password = s->all->password,
                                   .deadline = DURATION_MS(PATIENCE),
                                   .tls = conf->tls,
                                   .server_name = conf->server_name };
    s->i = s->all->n - 1; /* the first is next */
    s->fn = fn;
    s->arg = arg;
    s->log = (struct log){ .module = "redis", .ctx = { kv_str("master", s->all->master) } };
    timer_init(&s->timer, on_timer);
    timer_start(l, &s->timer, DURATION_MS(0));
    return 0;
}

void sentinel_close(struct sentinel **sp)
{
    struct sentinel *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    timer_stop(s->loop, &s->timer);
    drop(s);
    free(s);
}

void sentinel_doubt(struct sentinel *s)
{
    if (s->doubted)
        return;
    s->doubted = true;
    timer_start(s->loop, &s->timer, DURATION_MS(SOON));
}
