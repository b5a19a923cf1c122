#include "authd/defence/defence.h"

#include <stdio.h>
#include <stdlib.h>

#include "authd/defence/tally.h"
#include "base/log.h"
#include "base/metric.h"

/* Values of AUTHD_DEFENCE, in the order of metrics.def. */
enum {
    DID_FAILURE,
    DID_UNPROVEN,
    DID_OBSERVED,
    DID_COOL_OFF,
    DID_BAN,
    DID_BAN_PORT,
    DID_LIFT,
    DID_ALARM,
    DID_UNTOLD
};

enum { DOUBTS = 3 }; /* where a group says nothing of attempts */

struct defence {
    struct defence_env env;
    const struct defence_conf *conf;
    struct penalty *penalty;
    struct tallies *tallies;
    struct bans *bans;
    bool complained;
};

static const struct log lg = { .module = "defence" };

/* ---- what follows ---- */

static void written(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    if (!reply || reply->type == REDIS_ERROR)
        log_error(&lg, "a ban is not in redis: other nodes do not know of it",
                  kv_s("reply", reply ? reply->str : SPAN("none")));
}

static bool lasts(const struct defence *d, const struct ban *b)
{
    char id[BAN_ID_LEN + 1];
    ban_id(b, id);
    const struct ban *standing = bans_by_id(d->bans, span_str(id));
    return standing && standing->until.ms >= b->until.ms - 1000;
}

static void put(struct defence *d, const struct ban *b, unsigned did)
{
    if (lasts(d, b))
        return;
    if (!defence_ban(d, b, written, NULL)) {
        metric_inc(M_AUTHD_DEFENCE, DID_UNTOLD);
        if (!d->complained)
            log_error(&lg, "no more bans find room; raise defence.bans, or look who attacks",
                      kv_u("bans", bans_count(d->bans)));
        d->complained = true;
        return;
    }
    d->complained = false;
    metric_inc(M_AUTHD_DEFENCE, did);
}

static struct ban ban_of(const struct defence *d, const struct cidr *net, enum abuse a,
                         struct duration length, struct span reason)
{
    const struct wall now = loop_wall(d->env.loop);
    return (struct ban){ .net = *net,
                         .class_ = abuse_name(a),
                         .reason = reason,
                         .since = now,
                         .until = wall_add(now, length) };
}

static void cool_off(struct defence *d, const struct misdeed *m, const struct tally *t,
                     struct duration length)
{
    char reason[BAN_REASON_MAX], name[BAN_USER_MAX];
    const struct cidr net = cidr_of_subscriber(&m->source);
    struct buf user = BUF_INIT(name), b = BUF_INIT(reason);
    buf_printf(&b, "%u failures within %lld s", t->pair, (long long)m->pair_window.ms / 1000);
    struct ban ban = ban_of(d, &net, m->abuse, length, buf_span(&b));
    buf_put(&user, span_head(m->user, BAN_USER_MAX / 2));
    buf_putc(&user, '@');
    buf_put(&user, span_head(m->realm, BAN_USER_MAX / 2));
    ban.user = buf_span(&user);
    put(d, &ban, DID_COOL_OFF);
    tally_strike(d->tallies, m);
}

static void ban(struct defence *d, const struct misdeed *m, const struct tally *t,
                const struct ruling *r)
{
    char reason[BAN_REASON_MAX];
    struct buf b = BUF_INIT(reason);
    const struct defence_rule *rule = ruling_rule(d->conf, m->rules, m->abuse);
    const struct cidr net = r->ban_port ? cidr_of(&m->source, 128) : cidr_of_subscriber(&m->source);
    if (r->by_users)
        buf_printf(&b, "failures of %u users", t->users);
    else
        buf_printf(&b, "%u of class %s", r->ban_port ? t->port : t->address,
                   abuse_name(m->abuse).p);
    buf_printf(&b, " within %lld s", (long long)rule->window.ms / 1000);
    struct ban x = ban_of(d, &net, m->abuse, rule->ban, buf_span(&b));
    if (r->ban_port)
        x.port = addr_port(&m->source);
    put(d, &x, r->ban_port ? DID_BAN_PORT : DID_BAN);
    tally_reset(d->tallies, m, r->ban_port);
}

static void on_tally(void *arg, const struct misdeed *m, const struct tally *t)
{
    struct defence *d = arg;
    const struct ruling r = ruling_of(d->conf, m->rules, m->abuse, m->attempts, t);
    if (r.alarm) {
        metric_inc(M_AUTHD_DEFENCE, DID_ALARM);
        log_error(&lg,
                  "the installation is attacked, or something is wrong with many of its phones",
                  kv_s("class", abuse_name(m->abuse)), kv_u("count", t->installation));
    }
    if (r.cool_off)
        cool_off(d, m, t, r.cool_off_for);
    if (r.ban_address || r.ban_port)
        ban(d, m, t, &r);
}

static void add(struct defence *d, const struct misdeed *m)
{
    if (!tally_add(d->tallies, m) && !d->complained)
        log_warn(&lg, "misdeeds come faster than they can be counted");
}

/* Of an exempt network, or of our own gateways, wherever their addresses stand. */
static bool is_spared(const struct defence *d, const struct addr *source)
{
    const uint64_t ours = d->env.conf->gateway_sets;
    return ruling_spares(d->conf, source) || (ours && (sets_of(d->env.sets, source) & ours));
}

/* ---- checks ---- */

bool defence_spares(const struct defence *d, const struct group_conf *g, const struct addr *source)
{
    return group_is_ours(g) || is_spared(d, source);
}

const struct ban *defence_stands(const struct defence *d, const struct group_conf *g,
                                 const struct suspect *s)
{
    char name[BAN_USER_MAX];
    struct buf user = BUF_INIT(name);
    if (bans_count(d->bans) == 0 || defence_spares(d, g, s->source))
        return NULL;
    if (!s->user.p)
        return bans_find(d->bans, s->source, SPAN_NULL);
    buf_put(&user, span_head(s->user, BAN_USER_MAX / 2));
    buf_putc(&user, '@');
    buf_put(&user, span_head(s->realm, BAN_USER_MAX / 2));
    return bans_find(d->bans, s->source, buf_span(&user));
}

bool defence_wants_proof(const struct defence *d, const struct group_conf *g,
                         const struct suspect *s)
{
    const struct digest_conf *c = &g->digest;
    return penalty_doubts(d->penalty, s->source, loop_now(d->env.loop), c->attempt_window) >=
               (c->attempts ? c->attempts : DOUBTS) &&
           !defence_spares(d, g, s->source);
}

unsigned defence_failed(struct defence *d, const struct group_conf *g, const struct suspect *s,
                        enum failure kind)
{
    const struct digest_conf *c = &g->digest;
    const struct mono now = loop_now(d->env.loop);
    unsigned n = penalty_fail(d->penalty, s, now, c->attempt_window);
    if (kind == FAILURE_FORMAL || defence_spares(d, g, s->source))
        return n;
    metric_inc(M_AUTHD_DEFENCE, kind == FAILURE_PROVEN ? DID_FAILURE : DID_UNPROVEN);
    const struct misdeed m = { .abuse = ABUSE_AUTHENTICATION,
                               .rules = &g->defence,
                               .source = *s->source,
                               .user = s->user,
                               .realm = s->realm,
                               .pair_window = c->attempt_window,
                               .attempts = c->attempts,
                               .count = 1 };
    if (kind == FAILURE_PROVEN)
        add(d, &m);
    else
        penalty_doubt(d->penalty, s->source, now, c->attempt_window);
    return n;
}

void defence_guessed(struct defence *d, const struct group_conf *g, const struct suspect *s)
{
    const struct mono now = loop_now(d->env.loop);
    const struct misdeed m = { .abuse = ABUSE_AUTHENTICATION,
                               .rules = &g->defence,
                               .source = *s->source,
                               .user = s->user,
                               .realm = s->realm,
                               .pair_window = g->digest.attempt_window,
                               .count = 1 };
    if (penalty_fail(d->penalty, s, now, g->digest.attempt_window) > 1 ||
        defence_spares(d, g, s->source))
        return;
    metric_inc(M_AUTHD_DEFENCE, DID_FAILURE);
    add(d, &m);
}

void defence_succeeded(struct defence *d, const struct group_conf *g, const struct suspect *s,
                       bool registers)
{
    bool failed = penalty_clear(d->penalty, s);
    if (!defence_spares(d, g, s->source))
        tally_success(d->tallies, s->source, s->user, s->realm,
                      registers ? g->expires.max : DURATION_MS(0), failed);
}

void defence_astray(struct defence *d, const struct group_conf *g, const struct suspect *s)
{
    const struct misdeed m = {
        .abuse = ABUSE_DIALOG, .rules = &g->defence, .source = *s->source, .count = 1
    };
    if (!defence_spares(d, g, s->source))
        add(d, &m);
}

/* ---- fronts ---- */

void defence_observed(struct defence *d, const Countersign__Auth__Observed *o)
{
    for (size_t i = 0; i < o->n_sighting; i++) {
        const Countersign__Auth__Sighting *x = o->sighting[i];
        struct misdeed m = { .count = x->has_count ? CS_MIN(x->count, 1000000u) : 1 };
        if (!x->has_abuse || abuse_of(x->abuse, &m.abuse) || m.abuse == ABUSE_AUTHENTICATION ||
            !x->has_source_ip ||
            addr_from_bytes(span_of(x->source_ip.data, x->source_ip.len), &m.source) ||
            is_spared(d, &m.source) || m.count == 0)
            continue;
        addr_set_port(&m.source, (uint16_t)x->source_port);
        metric_add(M_AUTHD_DEFENCE, DID_OBSERVED, m.count);
        if (x->has_proven && x->proven)
            add(d, &m);
    }
}

int defence_guard(const struct defence *d, struct arena *a, Countersign__Auth__Guard *out)
{
    const struct defence_conf *c = d->conf;
    countersign__auth__guard__init(out);
    Countersign__Auth__Network *nets = arena_alloc(a, c->n_exempt * sizeof(*nets));
    out->exempt = arena_alloc(a, c->n_exempt * sizeof(*out->exempt));
    if (!nets || !out->exempt)
        return CS_ENOMEM;
    for (size_t i = 0; i < c->n_exempt; i++) {
        struct span ip = addr_host_bytes(&c->exempt[i].net);
        countersign__auth__network__init(&nets[i]);
        nets[i].has_ip = nets[i].has_bits = true;
        nets[i].ip.data = (uint8_t *)ip.p;
        nets[i].ip.len = ip.n;
        nets[i].bits = c->exempt[i].bits;
        out->exempt[out->n_exempt++] = &nets[i];
    }
    out->has_stranger_rate = out->has_stranger_burst = out->has_sources = true;
    out->stranger_rate = c->strangers.rate;
    out->stranger_burst = c->strangers.burst;
    out->sources = (uint32_t)c->sources;
    return 0;
}

bool defence_ban_message(const struct defence *d, const struct ban *b, bool stands,
                         Countersign__Auth__Ban *out)
{
    int64_t left = b->until.ms - loop_wall(d->env.loop).ms;
    struct span ip = addr_host_bytes(&b->net.net);
    countersign__auth__ban__init(out);
    if (b->user.p || left <= 0)
        return false;
    out->has_source_ip = out->has_prefix_bits = out->has_seconds = true;
    out->source_ip.data = (uint8_t *)ip.p;
    out->source_ip.len = ip.n;
    out->prefix_bits = b->net.bits;
    out->seconds = stands ? (uint32_t)CS_MIN((left + 999) / 1000, UINT32_MAX) : 0;
    out->has_source_port = b->port != 0;
    out->source_port = b->port;
    return true;
}

void defence_listen(struct defence *d, bans_fn *fn, void *arg)
{
    bans_listen(d->bans, fn, arg);
}

/* ---- operators ---- */

const struct bans *defence_bans(const struct defence *d)
{
    return d->bans;
}

int defence_may_ban(const struct defence *d, const struct cidr *net)
{
    if (ruling_spares_some(d->conf, net) || sets_touch(d->env.sets, d->env.conf->gateway_sets, net))
        return CS_EDENIED;
    return bans_are_full(d->bans) ? CS_ELIMIT : 0;
}

struct redis_call *defence_ban(struct defence *d, const struct ban *b, redis_fn *fn, void *arg)
{
    char source[ADDR_STRLEN];
    struct buf s = BUF_INIT(source);
    struct redis_call *call = bans_put(d->bans, b, fn, arg);
    if (!call)
        return NULL;
    ban_write_source(&s, b);
    audit_ban(d->env.audit, loop_wall(d->env.loop), b->user.p ? "cooled_off" : "banned", b);
    log_warn(&lg, b->user.p ? "cooled off" : "banned", kv_s("source", buf_span(&s)),
             kv_s("user", b->user), kv_s("reason", b->reason),
             kv_u("seconds", (uint64_t)(b->until.ms - b->since.ms) / 1000));
    return call;
}

struct redis_call *defence_lift(struct defence *d, const struct ban *b, redis_fn *fn, void *arg)
{
    char id[BAN_ID_LEN + 1], source[ADDR_STRLEN];
    struct buf s = BUF_INIT(source);
    ban_id(b, id);
    ban_write_source(&s, b);
    audit_ban(d->env.audit, loop_wall(d->env.loop), "lifted", b);
    log_info(&lg, "lifted", kv_s("source", buf_span(&s)), kv_s("user", b->user));
    metric_inc(M_AUTHD_DEFENCE, DID_LIFT);
    return bans_lift(d->bans, span_str(id), fn, arg); /* b may be gone now */
}

/* ---- entry points ---- */

int defence_new(const struct defence_env *env, struct defence **out)
{
    struct defence *d = calloc(1, sizeof(*d));
    *out = d;
    if (!d)
        return CS_ENOMEM;
    d->env = *env;
    d->conf = &env->conf->defence;
    int err = penalty_new(env->conf->limits.penalties, &d->penalty);
    if (!err)
        err = tallies_new(env->loop, env->redis, d->conf, &d->tallies);
    if (!err)
        err = bans_new(env->loop, env->redis, env->watch, d->conf->bans, &d->bans);
    if (err)
        defence_free(out);
    else
        tallies_listen(d->tallies, on_tally, d);
    return err;
}

void defence_free(struct defence **dp)
{
    struct defence *d = *dp;
    *dp = NULL;
    if (!d)
        return;
    bans_free(&d->bans);
    tallies_free(&d->tallies);
    penalty_free(&d->penalty);
    free(d);
}
