#include "gate/guard.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/metric.h"

#define AUTH(name) Countersign__Auth__##name

enum { DROPPED_BANNED, DROPPED_STRANGER }; /* of GATE_DROPPED */
enum { SIGHTINGS_MAX = 512, SOURCES_DEFAULT = 65536, SECOND_MS = 1000, FINE = 10 };

struct ban {
    struct netset_member at;
    struct mono until;
};

/* Known by its hash alone, SipHash under a secret key of the process. */
struct source {
    struct map_node node;
    struct list age; /* in ages, oldest first */
    struct mono last;
    int64_t budget; /* thousandths of a message */
    bool known;
};

struct sighting {
    struct map_node node;
    AUTH(Abuse) abuse;
    struct addr from;
    bool proven;
    uint32_t count;
};

struct guard {
    struct loop *loop;
    struct cidr *exempt;
    size_t n_exempt;
    int64_t rate, burst; /* of strangers, messages a second; 0: any number */
    struct netset bans;
    struct map sources;
    struct list ages;
    size_t max_sources;
    struct map seen;
    size_t n_seen;
    struct sighting sightings[SIGHTINGS_MAX];
    guard_send_fn *send;
    void *send_arg;
    struct timer timer;
};

static const struct log lg = { .module = "guard" };

/* ---- bans ---- */

static void ban_free(struct guard *g, struct ban *b)
{
    netset_remove(&g->bans, &b->at);
    free(b);
    metric_set(M_GATE_BANS, 0, (int64_t)g->bans.map.n);
}

static void forget_bans(struct guard *g)
{
    map_for_each (it, &g->bans.map)
        ban_free(g, container_of(container_of(it, struct netset_member, node), struct ban, at));
}

static void watch(struct guard *g)
{
    if (!timer_is_running(&g->timer))
        timer_start(g->loop, &g->timer, DURATION_MS(SECOND_MS));
}

static bool overlaps_exempt(const struct guard *g, const struct cidr *net)
{
    for (size_t i = 0; i < g->n_exempt; i++) {
        if (cidr_contains(&g->exempt[i], &net->net) || cidr_contains(net, &g->exempt[i].net))
            return true;
    }
    return false;
}

bool guard_take(struct guard *g, const AUTH(Ban) * m, struct gate_ban *out)
{
    struct addr a;
    if (!m->has_source_ip || addr_from_bytes(span_of(m->source_ip.data, m->source_ip.len), &a))
        return false;
    out->net = cidr_of(&a, m->has_prefix_bits ? m->prefix_bits : 128);
    out->port = m->has_source_port ? (uint16_t)m->source_port : 0;
    out->rest = DURATION_S(m->has_seconds ? m->seconds : 0);
    out->partly = overlaps_exempt(g, &out->net);
    struct netset_member *old = netset_get(&g->bans, &out->net, out->port, 0);
    if (old)
        ban_free(g, container_of(old, struct ban, at));
    if (!out->rest.ms)
        return true;
    struct ban *b = calloc(1, sizeof(*b));
    if (b) {
        b->at.net = out->net;
        b->at.port = out->port;
        b->until = mono_add(loop_now(g->loop), out->rest);
    }
    if (!b || netset_add(&g->bans, &b->at)) {
        log_error(&lg, "a ban cannot be kept");
        free(b);
        return false;
    }
    metric_set(M_GATE_BANS, 0, (int64_t)g->bans.map.n);
    watch(g);
    return true;
}

static bool is_exempt(const struct guard *g, const struct addr *from)
{
    for (size_t i = 0; i < g->n_exempt; i++) {
        if (cidr_contains(&g->exempt[i], from))
            return true;
    }
    return false;
}

static bool is_banned(const struct guard *g, const struct addr *from)
{
    struct netset_member *m = g->bans.map.n ? netset_find(&g->bans, from, 0) : NULL;
    return m && mono_before(loop_now(g->loop), container_of(m, struct ban, at)->until);
}

/* ---- strangers ---- */

static bool any(const struct map_node *n, const void *key)
{
    (void)n;
    (void)key;
    return true;
}

static void forget_source(struct guard *g, struct source *s)
{
    map_remove(&g->sources, &s->node);
    list_remove(&s->age);
    free(s);
}

static void forget_sources(struct guard *g)
{
    list_for_each (it, &g->ages)
        forget_source(g, container_of(it, struct source, age));
}

/* NULL: out of memory. */
static struct source *source_of(struct guard *g, uint64_t hash)
{
    struct map_node *n = map_find(&g->sources, hash, any, NULL);
    struct source *s = n ? container_of(n, struct source, node) : NULL;
    if (!s) {
        if (g->sources.n >= g->max_sources)
            forget_source(g, container_of(g->ages.next, struct source, age));
        s = calloc(1, sizeof(*s));
        if (!s || map_insert(&g->sources, &s->node, hash)) {
            free(s);
            return NULL;
        }
        list_init(&s->age);
        s->last = loop_now(g->loop);
        s->budget = g->burst * 1000;
    }
    list_remove(&s->age);
    list_push_back(&g->ages, &s->age);
    return s;
}

/* Of one that is not exempt. */
static uint64_t account_of(const struct guard *g, const struct addr *from)
{
    uint64_t hash = g->rate ? map_hash(addr_net_bytes(from)) : 0;
    return g->rate && !hash ? 1 : hash;
}

uint64_t guard_source(const struct guard *g, const struct addr *from)
{
    return is_exempt(g, from) ? 0 : account_of(g, from);
}

void guard_know(struct guard *g, uint64_t hash)
{
    struct source *s = hash ? source_of(g, hash) : NULL;
    if (s)
        s->known = true;
}

/* It is filled in thousandths: a message a second is one in each millisecond. */
static bool spend(struct guard *g, struct source *s, int64_t cost)
{
    struct mono now = loop_now(g->loop);
    int64_t ms = CS_MIN(mono_since(s->last, now).ms, (int64_t)60 * 60 * 1000);
    if (ms > 0) {
        s->budget = CS_MIN(s->budget + ms * g->rate, g->burst * 1000);
        s->last = now;
    }
    bool enough = s->budget >= cost * 1000;
    s->budget = CS_MAX(s->budget - cost * 1000, 0);
    return enough;
}

bool guard_admits(struct guard *g, const struct addr *from)
{
    if (is_exempt(g, from))
        return true;
    if (is_banned(g, from)) {
        metric_inc(M_GATE_DROPPED, DROPPED_BANNED);
        return false;
    }
    uint64_t hash = account_of(g, from);
    struct source *s = hash ? source_of(g, hash) : NULL;
    if (!s || s->known || spend(g, s, 1))
        return true;
    metric_inc(M_GATE_DROPPED, DROPPED_STRANGER);
    return false;
}

/* ---- sightings ---- */

static bool is_same(const struct map_node *n, const void *key)
{
    const struct sighting *s = container_of(n, struct sighting, node), *k = key;
    return s->abuse == k->abuse && s->proven == k->proven && addr_eq(&s->from, &k->from);
}

void guard_saw(struct guard *g, AUTH(Abuse) abuse, const struct addr *from, bool proven)
{
    const struct sighting key = { .abuse = abuse, .from = *from, .proven = proven };
    const uint32_t rest[] = { (uint32_t)abuse, proven, addr_port(from) };
    if (is_exempt(g, from))
        return;
    uint64_t source = account_of(g, from);
    struct source *stranger = source ? source_of(g, source) : NULL;
    if (stranger && !stranger->known && abuse == COUNTERSIGN__AUTH__ABUSE__ABUSE_MALFORMED)
        (void)spend(g, stranger, FINE);
    uint64_t hash = map_hash2(addr_host_bytes(from), span_of(rest, sizeof(rest)));
    struct map_node *n = map_find(&g->seen, hash, is_same, &key);
    if (n) {
        container_of(n, struct sighting, node)->count++;
        return;
    }
    if (g->n_seen == SIGHTINGS_MAX)
        return;
    struct sighting *s = &g->sightings[g->n_seen];
    *s = key;
    s->count = 1;
    if (map_insert(&g->seen, &s->node, hash))
        return;
    g->n_seen++;
    watch(g);
}

static void tell_sightings(struct guard *g)
{
    static const AUTH(Sighting) empty = COUNTERSIGN__AUTH__SIGHTING__INIT;
    AUTH(Observed) o = COUNTERSIGN__AUTH__OBSERVED__INIT;
    AUTH(Sighting) list[SIGHTINGS_MAX], *refs[SIGHTINGS_MAX];
    for (size_t i = 0; i < g->n_seen; i++) {
        struct sighting *s = &g->sightings[i];
        struct span ip = addr_host_bytes(&s->from);
        AUTH(Sighting) *m = refs[i] = &list[i];
        *m = empty;
        m->has_abuse = m->has_source_ip = m->has_source_port = m->has_count = m->has_proven = true;
        m->abuse = s->abuse;
        m->source_ip.data = (uint8_t *)ip.p;
        m->source_ip.len = ip.n;
        m->source_port = addr_port(&s->from);
        m->count = s->count;
        m->proven = s->proven;
        map_remove(&g->seen, &s->node);
    }
    o.sighting = refs;
    o.n_sighting = g->n_seen;
    if (g->n_seen && g->send)
        g->send(g->send_arg, &o);
    g->n_seen = 0;
}

static void on_timer(struct timer *t)
{
    struct guard *g = container_of(t, struct guard, timer);
    struct mono now = loop_now(g->loop);
    map_for_each (it, &g->bans.map) {
        struct ban *b = container_of(container_of(it, struct netset_member, node), struct ban, at);
        if (!mono_before(now, b->until))
            ban_free(g, b);
    }
    tell_sightings(g);
    if (g->bans.map.n)
        watch(g);
}

/* ---- entry points ---- */

struct guard *guard_new(struct loop *l)
{
    struct guard *g = calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->loop = l;
    g->max_sources = SOURCES_DEFAULT;
    netset_init(&g->bans);
    map_init(&g->sources);
    map_init(&g->seen);
    list_init(&g->ages);
    timer_init(&g->timer, on_timer);
    return g;
}

void guard_free(struct guard **gp)
{
    struct guard *g = *gp;
    *gp = NULL;
    if (!g)
        return;
    timer_stop(g->loop, &g->timer);
    forget_bans(g);
    forget_sources(g);
    netset_fini(&g->bans);
    map_fini(&g->sources);
    map_fini(&g->seen);
    free(g->exempt);
    free(g);
}

void guard_set(struct guard *g, const AUTH(Guard) * m)
{
    struct cidr *nets = calloc(m->n_exempt + 1, sizeof(*nets));
    struct addr a;
    forget_bans(g);
    if (!nets)
        return; /* the old ones hold */
    free(g->exempt);
    g->exempt = nets;
    g->n_exempt = 0;
    for (size_t i = 0; i < m->n_exempt; i++) {
        const AUTH(Network) *x = m->exempt[i];
        if (x->has_ip && x->has_bits && addr_from_bytes(span_of(x->ip.data, x->ip.len), &a) == 0)
            g->exempt[g->n_exempt++] = cidr_of(&a, x->bits);
    }
    g->rate = m->has_stranger_rate ? m->stranger_rate : 0;
    g->burst = m->has_stranger_burst ? m->stranger_burst : g->rate;
    g->max_sources = m->has_sources && m->sources ? m->sources : SOURCES_DEFAULT;
    while (g->sources.n > g->max_sources)
        forget_source(g, container_of(g->ages.next, struct source, age));
}

void guard_on_send(struct guard *g, guard_send_fn *fn, void *arg)
{
    g->send = fn;
    g->send_arg = arg;
}
