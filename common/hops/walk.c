#include "hops/walk.h"

#include <stdlib.h>

enum {
    TRIES_MAX = 8,      /* addresses in all: the caller does not wait for ever */
    DATAGRAM_MAX = 1300 /* RFC 3261, 18.1.1: what is longer goes over TCP, if they take it */
};

static const struct log hop_log = { .module = "route" };

struct hop_walk {
    const struct hop_means *means;
    struct hop *hops[HOPS_MAX];
    size_t n, at; /* hops; how many were begun */
    struct hop *hop;
    const struct flow *from;
    bool sips, large;
    uint64_t seed;
    struct locate_target targets[LOCATE_TARGETS_MAX]; /* of hop */
    size_t n_targets, at_target;                      /* how many were given out */
    struct locate_call *locate;
    size_t alive; /* the one of these that answered last, from 1; 0: none has */
    bool gave;    /* something of hop, that may yet fail or answer */
    unsigned tries;
    struct turn turn;
    hop_fn *fn;
    void *arg;
};

static void hop_down(struct hop_walk *w)
{
    struct mono now = loop_now(w->means->loop);
    if (!mono_before(now, w->hop->down))
        log_warn(&hop_log, "next hop is down", kv_s("next_hop", w->hop->text));
    w->hop->down = mono_add(now, w->means->avoid);
}

static void step(struct hop_walk *w);

static void add_target(struct hop_walk *w, struct locate_target t)
{
    if (w->n_targets < LOCATE_TARGETS_MAX)
        w->targets[w->n_targets++] = t;
}

static void bind_first(struct hop_walk *w)
{
    const struct hop_address *bound = &w->hop->bound;
    for (size_t i = 0; bound->known && i < w->n_targets; i++) {
        struct locate_target t = w->targets[i];
        if (t.transport != bound->transport || !addr_eq(&t.addr, &bound->addr))
            continue;
        memmove(&w->targets[1], &w->targets[0], i * sizeof(t));
        w->targets[0] = t;
        return;
    }
}

static void on_targets(void *arg, int err, const struct locate_target *targets, size_t n)
{
    struct hop_walk *w = arg;
    w->locate = NULL;
    w->at_target = w->alive = 0;
    w->n_targets = 0;
    for (size_t i = 0; !err && i < n; i++) {
        struct locate_target t = targets[i];
        if (w->large && t.transport == SIP_UDP && !w->hop->uri.transport.p) {
            t.transport = SIP_TCP;
            add_target(w, t);
        }
        add_target(w, targets[i]);
    }
    if (err)
        hop_down(w);
    bind_first(w);
    step(w);
}

static bool is_back(const struct hop_walk *w, const struct locate_target *t)
{
    return w->from && w->from->transport == t->transport && addr_eq(&w->from->remote, &t->addr);
}

/* A name or a maddr of somebody else's may lead to us, or to another registrar of ours, where the
 * request would begin anew. */
static bool is_us(const struct hop_walk *w, const struct locate_target *t)
{
    const struct hop_means *m = w->means;
    return siptp_hears(m->tp, t->transport, &t->addr) ||
           (w->hop->is_contact && m->is_ours && m->is_ours(m->arg, &t->addr));
}

static void give(struct hop_walk *w, struct flow *flow)
{
    w->gave = true;
    w->tries++;
    w->fn(w->arg, 0, flow);
    flow_unref(&flow);
}

/* The next address of this hop to which there is a flow. Over TLS its certificate must say the
 * domain that was looked up, not what SRV made of it (RFC 5922, 4); or, of a peer with names of its
 * own, one of those. */
static struct flow *next_flow(struct hop_walk *w)
{
    while (w->at_target < w->n_targets) {
        const struct locate_target *t = &w->targets[w->at_target++];
        struct flow *flow;
        if (is_back(w, t) || is_us(w, t) ||
            siptp_flow_to_peer(w->means->tp, t->transport, &t->addr, w->hop->uri.host, w->hop->peer,
                               NULL, &flow))
            continue;
        if (flow != w->from)
            return flow;
        flow_unref(&flow); /* the connection by which it came serves for its address, too */
    }
    return NULL;
}

static struct flow *node_flow(struct hop_walk *w)
{
    struct flow *flow = NULL;
    if (w->from && w->from->transport == SIP_LINK && w->from->peer == w->hop->node)
        return NULL;
    if (w->means->link(w->means->arg, w->hop->node, &flow))
        hop_down(w);
    return flow;
}

/* Of a hop that is a URI. False: it leads nowhere. */
static bool look_up(struct hop_walk *w)
{
    struct locate_ask ask;
    if (locate_ask_of(&w->hop->uri, &ask))
        return false;
    ask.speaks = w->means->speaks;
    ask.ipv4 = w->means->ipv4;
    ask.ipv6 = w->means->ipv6;
    if (w->sips && ask.has_transport)
        ask.transport = SIP_TLS;
    ask.sips |= w->sips;
    ask.seed = w->seed;
    w->locate = locate(w->means->locator, &ask, on_targets, w);
    return w->locate;
}

static void step(struct hop_walk *w)
{
    while (w->tries < TRIES_MAX) {
        struct flow *flow = next_flow(w);
        if (flow) {
            give(w, flow);
            return;
        }
        if (w->at == w->n)
            break;
        w->hop = w->hops[w->at++];
        w->n_targets = w->at_target = w->alive = 0;
        if (!w->hop->node && look_up(w))
            return;
        flow = w->hop->node ? node_flow(w) : NULL;
        if (flow) {
            give(w, flow);
            return;
        }
    }
    w->fn(w->arg, CS_ENOENT, NULL);
}

static void on_turn(struct turn *t)
{
    step(container_of(t, struct hop_walk, turn));
}

struct hop_walk *hop_walk_new(const struct hop_means *m, const struct hop_ask *ask, hop_fn *fn,
                              void *arg)
{
    struct hop_walk *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->means = m;
    w->from = ask->from;
    w->sips = ask->sips;
    w->large = ask->size > DATAGRAM_MAX;
    w->seed = ask->seed;
    w->fn = fn;
    w->arg = arg;
    w->n = CS_MIN(ask->n, (size_t)HOPS_MAX);
    for (size_t i = 0; i < w->n; i++)
        w->hops[i] = ask->hops[i];
    turn_init(&w->turn, on_turn);
    return w;
}

void hop_walk_next(struct hop_walk *w)
{
    w->gave = false;
    turn_queue(w->means->loop, &w->turn);
}

struct span hop_walk_domain(const struct hop_walk *w)
{
    return w->hop->node ? SPAN_NULL : w->hop->uri.host;
}

struct hop *hop_walk_hop(const struct hop_walk *w)
{
    return w->gave ? w->hop : NULL;
}

void hop_walk_failed(struct hop_walk *w)
{
    if (!w->gave)
        return;
    if (!w->hop->node)
        locator_avoid(w->means->locator, &w->targets[w->at_target - 1]);
    if (w->alive == w->at_target)
        w->alive = 0;
    if (!w->alive && w->at_target == w->n_targets)
        hop_down(w);
}

void hop_walk_answered(struct hop_walk *w)
{
    if (!w->gave)
        return;
    if (!w->hop->node)
        locator_trust(w->means->locator, &w->targets[w->at_target - 1]);
    if (mono_before(loop_now(w->means->loop), w->hop->down))
        log_info(&hop_log, "next hop is up again", kv_s("next_hop", w->hop->text));
    w->hop->down.ns = 0;
    w->alive = w->at_target;
}

void hop_walk_free(struct hop_walk **wp)
{
    struct hop_walk *w = *wp;
    *wp = NULL;
    if (!w)
        return;
    turn_cancel(&w->turn);
    if (w->locate)
        locate_cancel(w->locate);
    free(w);
}
