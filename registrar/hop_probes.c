#include "registrar/hop_probes.h"

#include <stdlib.h>

#include "base/metric.h"
#include "base/rand.h"

enum { REQUEST_MAX = 2048 };

struct probe {
    struct front *front;
    const struct route_conf *route;
    struct hop *hop;
    struct timer timer; /* to the next round, or of an answer */
    struct hop_walk *walk;
    struct tx *tx;
};

struct hop_probes {
    size_t n;
    struct probe probe[];
};

static void on_hop(void *arg, int err, struct flow *flow);

static void next_address(struct probe *p)
{
    timer_stop(p->front->loop, &p->timer);
    if (p->tx)
        tx_forget(p->tx);
    tx_unref(&p->tx);
    hop_walk_next(p->walk);
}

/* ---- answers ---- */

static void on_response(void *arg, struct tx *tx, struct sip_msg *resp)
{
    struct probe *p = arg;
    (void)tx;
    if (resp->status < 200)
        return;
    if (resp->status == 503)
        hop_walk_failed(p->walk);
    else
        hop_walk_answered(p->walk);
    metric_inc(M_REG_HOP_PROBES, resp->status == 503);
    next_address(p);
}

static void fail(struct probe *p)
{
    metric_inc(M_REG_HOP_PROBES, 1);
    hop_walk_failed(p->walk);
    next_address(p);
}

static void on_failed(void *arg, struct tx *tx, int err)
{
    (void)tx;
    (void)err;
    fail(arg);
}

/* ---- questions ---- */

static int send_options(struct probe *p, struct flow *flow)
{
    static const struct tx_client_events events = { on_response, on_failed };
    const struct sip_uri *uri = &p->hop->uri;
    char text[REQUEST_MAX], branch[SIP_BRANCH_LEN];
    struct buf b = BUF_INIT(text), bb = BUF_INIT(branch);
    struct span us = siptp_listener_sent_by(flow->listener);
    siptx_branch(&bb);
    buf_lit(&b, "OPTIONS ");
    buf_put(&b, uri->text);
    buf_lit(&b, " SIP/2.0\r\nVia: ");
    flow_write_via(&b, flow, buf_span(&bb));
    buf_lit(&b, "\r\nMax-Forwards: 70\r\nFrom: <sip:");
    buf_put(&b, us);
    buf_printf(&b, ">;tag=%016lx\r\nTo: <", (unsigned long)rand_u64());
    buf_put(&b, uri->text);
    buf_printf(&b, ">\r\nCall-ID: %016lx%016lx\r\nCSeq: 1 OPTIONS\r\n", (unsigned long)rand_u64(),
               (unsigned long)rand_u64());
    buf_lit(&b, "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n");
    if (!buf_ok(&b))
        return CS_ELIMIT;
    return tx_send(p->front->tx, flow, SIP_OPTIONS, buf_span(&bb), buf_span(&b), &events, p,
                   &p->tx);
}

static void on_timer(struct timer *t)
{
    struct probe *p = container_of(t, struct probe, timer);
    struct hop_ask ask = { .hops = &p->hop, .n = 1, .seed = rand_u64() };
    if (p->tx) { /* the answer is late */
        fail(p);
        return;
    }
    p->walk = hop_walk_new(&p->front->means, &ask, on_hop, p);
    if (p->walk)
        hop_walk_next(p->walk);
    else
        timer_start(p->front->loop, &p->timer, p->route->probe);
}

/* The next address of it, or the end of this round. */
static void on_hop(void *arg, int err, struct flow *flow)
{
    struct probe *p = arg;
    if (err) {
        hop_walk_free(&p->walk);
        timer_start(p->front->loop, &p->timer, p->route->probe);
    } else if (send_options(p, flow)) {
        fail(p);
    } else {
        timer_start(p->front->loop, &p->timer, p->route->answer);
    }
}

int hop_probes_open(struct front *f, struct hop_probes **out)
{
    const struct registrar_conf *c = f->conf;
    size_t n = 0;
    for (size_t i = 0; i < c->n_routes; i++)
        n += c->routes[i].n_next_hops;
    struct hop_probes *all = *out = calloc(1, sizeof(*all) + n * sizeof(all->probe[0]));
    if (!all)
        return CS_ENOMEM;
    for (size_t i = 0; i < c->n_routes; i++) {
        const struct route_conf *r = &c->routes[i];
        for (size_t j = 0; j < r->n_next_hops && r->probe.ms; j++) {
            if (r->hops[j].node) /* nodes say themselves that they are there */
                continue;
            struct probe *p = &all->probe[all->n++];
            *p = (struct probe){ .front = f, .route = r, .hop = &r->hops[j] };
            timer_init(&p->timer, on_timer);
            timer_start(f->loop, &p->timer, DURATION_MS((int64_t)rand_below(1000)));
        }
    }
    return 0;
}

void hop_probes_close(struct hop_probes **pp)
{
    struct hop_probes *all = *pp;
    *pp = NULL;
    for (size_t i = 0; all && i < all->n; i++) {
        struct probe *p = &all->probe[i];
        timer_stop(p->front->loop, &p->timer);
        if (p->tx)
            tx_forget(p->tx);
        tx_unref(&p->tx);
        hop_walk_free(&p->walk);
    }
    free(all);
}
