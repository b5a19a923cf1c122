#include "authd/defence/drift.h"

#include <stdlib.h>

#include "authd/store/user.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memo.h"
#include "base/metric.h"

enum { OPEN_MAX = 1024, AGAIN_S = 3600, BITS_4 = 24, BITS_6 = 48 };
enum { IDENTITY_MAX = 600, NETWORK_MAX = ADDR_STRLEN + 4 };

/* A question to Redis, with what an alarm would say. */
struct sighting {
    struct list link;
    struct drift *drift;
    struct redis_call *call;
    struct span group; /* of the configuration */
    char user[USER_MAX_NAME + 1], realm[USER_MAX_NAME + 1];
    struct addr source;
    char network[NETWORK_MAX];
    struct memo_key pair;
};

struct drift {
    struct loop *loop;
    struct redis *redis;
    const struct drift_conf *conf;
    struct audit *audit;
    struct memo recent; /* when a pair was told to Redis, a struct mono */
    struct list open;
    size_t n_open;
};

static const struct mono never = { 0 }; /* as the clock has it */
static const struct log lg = { .module = "drift" };

/* How many other networks were known, if this one was not. */
static struct redis_script see_script = {
    .lua = "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[3]) "
           "local known = redis.call('ZCARD', KEYS[1]) "
           "if redis.call('ZSCORE', KEYS[1], ARGV[1]) then known = 0 end "
           "redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) "
           "redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -ARGV[5] - 1) "
           "redis.call('PEXPIRE', KEYS[1], ARGV[4]) "
           "return known",
};

static void sighting_free(struct sighting *s)
{
    list_remove(&s->link);
    s->drift->n_open--;
    free(s);
}

static void tell(const struct sighting *s, int64_t known)
{
    struct drift *d = s->drift;
    char note[64];
    struct buf b = BUF_INIT(note);
    buf_i64(&b, known);
    buf_lit(&b, " other networks are known");
    log_warn(&lg, "a known identity comes from another network", kv_s("group", s->group),
             kv_str("user", s->user), kv_str("realm", s->realm), kv_addr("source", &s->source),
             kv_str("network", s->network), kv_i("known", known));
    metric_inc(M_AUTHD_DRIFT, 0);
    const struct alarm a = { .time = loop_wall(d->loop),
                             .what = SPAN("source_drift"),
                             .group = s->group,
                             .user = s->user[0] ? span_str(s->user) : SPAN_NULL,
                             .realm = s->user[0] ? span_str(s->realm) : SPAN_NULL,
                             .source = &s->source,
                             .target = span_str(s->network),
                             .note = buf_span(&b) };
    audit_alarm(d->audit, &a);
}

static void on_seen(void *arg, const struct redis_reply *r)
{
    struct sighting *s = arg;
    if (r && r->type == REDIS_INTEGER && r->integer > 0)
        tell(s, r->integer);
    if (r && r->type == REDIS_ERROR)
        log_warn(&lg, "redis refuses to remember a network", kv_s("reply", r->str));
    if (!r || r->type == REDIS_ERROR)
        memo_put(&s->drift->recent, &s->pair, &never, sizeof(never));
    sighting_free(s);
}

bool drift_concerns(const struct group_conf *g)
{
    return g->drift == DRIFT_ALARM || (g->drift == DRIFT_BY_PROOF &&
                                       ((g->require.all_of | g->require.any_of) & PROOF_ADDRESS));
}

static struct span identity_of(const struct group_conf *g, struct span user, struct span realm,
                               struct buf *b)
{
    buf_put(b, user.p ? SPAN("u:") : SPAN("g:"));
    buf_put(b, user.p ? user : g->name);
    if (user.p) {
        buf_putc(b, '@');
        buf_put(b, realm);
    }
    return buf_span(b);
}

static void ask(struct sighting *s, struct span identity, struct wall now)
{
    const struct drift_conf *conf = s->drift->conf;
    char key[IDENTITY_MAX + 32], numbers[4][24];
    struct buf k = BUF_INIT(key);
    const int64_t values[] = { now.ms, now.ms - conf->remember.ms, conf->remember.ms,
                               (int64_t)conf->networks };
    struct span argv[2 + CS_LEN(values)];
    buf_lit(&k, "cs:drift:{");
    buf_put(&k, identity);
    buf_putc(&k, '}');
    argv[0] = buf_span(&k);
    argv[1] = span_str(s->network);
    for (size_t i = 0; i < CS_LEN(values); i++) {
        struct buf b = BUF_INIT(numbers[i]);
        buf_i64(&b, values[i]);
        argv[2 + i] = buf_span(&b);
    }
    s->call = redis_script(s->drift->redis, &see_script, on_seen, s, 1, CS_LEN(argv), argv);
    if (!s->call)
        sighting_free(s);
}

/* Whether Redis was told of the pair lately; if not, it counts as told now. */
static bool is_recent(struct drift *d, const struct memo_key *pair)
{
    const struct mono now = loop_now(d->loop);
    struct mono told;
    if (memo_get(&d->recent, pair, &told, sizeof(told)) && told.ns != never.ns &&
        mono_before(now, mono_add(told, DURATION_S(AGAIN_S))))
        return true;
    memo_put(&d->recent, pair, &now, sizeof(now));
    return false;
}

void drift_seen(struct drift *d, const struct group_conf *g, struct span user, struct span realm,
                const struct addr *source)
{
    char space[IDENTITY_MAX], text[NETWORK_MAX];
    struct buf b = BUF_INIT(space), n = BUF_INIT(text);
    const bool is_4 = source->sa.sa_family == AF_INET;
    if (source->sa.sa_family == AF_UNSPEC)
        return;
    const struct cidr net = cidr_of(source, is_4 ? BITS_4 : BITS_6);
    struct span identity = identity_of(g, user, realm, &b);
    cidr_write(&n, &net);
    const struct memo_key pair = memo_key_of(identity, buf_span(&n));
    /* Not where Redis is away: the pair would be forgotten by both. */
    if (!buf_ok(&b) || d->n_open == OPEN_MAX || !redis_is_ready(d->redis) || is_recent(d, &pair))
        return;
    struct sighting *s = calloc(1, sizeof(*s));
    if (!s)
        return;
    s->drift = d;
    s->group = g->name;
    s->pair = pair;
    s->source = *source;
    span_copy(s->user, sizeof(s->user), user);
    span_copy(s->realm, sizeof(s->realm), realm);
    span_copy(s->network, sizeof(s->network), buf_span(&n));
    list_push_back(&d->open, &s->link);
    d->n_open++;
    ask(s, identity, loop_wall(d->loop));
}

int drift_new(struct loop *l, struct redis *redis, const struct authd_conf *conf,
              struct audit *audit, struct drift **out)
{
    bool wanted = false;
    for (size_t i = 0; i < conf->n_peer_groups; i++)
        wanted |= drift_concerns(&conf->peer_groups[i]);
    struct drift *d = *out = wanted ? calloc(1, sizeof(*d)) : NULL;
    if (!wanted)
        return 0;
    int err = d ? memo_init(&d->recent, conf->drift.recent) : CS_ENOMEM;
    if (err) {
        free(d);
        *out = NULL;
        return err;
    }
    d->loop = l;
    d->redis = redis;
    d->conf = &conf->drift;
    d->audit = audit;
    list_init(&d->open);
    return 0;
}

void drift_free(struct drift **dp)
{
    struct drift *d = *dp;
    *dp = NULL;
    if (!d)
        return;
    list_for_each (it, &d->open) {
        struct sighting *s = container_of(it, struct sighting, link);
        redis_cancel(s->call);
        sighting_free(s);
    }
    memo_fini(&d->recent);
    free(d);
}
