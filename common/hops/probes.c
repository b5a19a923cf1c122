#include "hops/probes.h"

#include <stdlib.h>

#include "base/metric.h"
#include "base/rand.h"

enum { REQUEST_MAX = 2048, SPREAD_MS = 1000 };

struct probe {
    struct hop_probes *all;
    struct hop_probe_conf conf;
    struct timer timer; /* to the next round, or of an answer */
    struct hop_walk *walk;
    struct tx *tx;
    struct flow *flow; /* that is asked by */
    struct mono sent;
    bool answered; /* an address of this round did */
    struct hop_health health;
};

struct hop_probes {
    struct hop_probes_conf conf;
    size_t n;
    struct probe probe[];
};

static void on_hop(void *arg, int err, struct flow *flow);

static void drop_tx(struct probe *p)
{
    if (p->tx)
        tx_forget(p->tx);
    tx_unref(&p->tx);
    flow_unref(&p->flow);
}

/* ---- rounds ---- */

static void end_round(struct probe *p)
{
    struct loop *l = p->all->conf.loop;
    struct hop_health *h = &p->health;
    enum hop_state state = p->answered ? HOP_UP : HOP_DOWN;
    hop_walk_free(&p->walk);
    if (p->conf.interval.ms)
        timer_start(l, &p->timer, p->conf.interval);
    if (!p->answered) { /* until it is asked again, however long that is */
        struct mono until = mono_add(loop_now(l), DURATION_MS(2 * p->conf.interval.ms));
        if (mono_before(p->conf.hop->down, until))
            p->conf.hop->down = until;
    }
    if (h->state == state)
        return;
    h->state = state;
    h->since = loop_wall(l);
    if (p->all->conf.changed)
        p->all->conf.changed(p->all->conf.arg, (size_t)(p - p->all->probe), state);
}

static void next_address(struct probe *p)
{
    timer_stop(p->all->conf.loop, &p->timer);
    drop_tx(p);
    if (p->conf.hop->bound.known) /* of the others nothing is wanted */
        end_round(p);
    else
        hop_walk_next(p->walk);
}

/* ---- answers ---- */

static void on_response(void *arg, struct tx *tx, struct sip_msg *resp)
{
    struct probe *p = arg;
    (void)tx;
    if (resp->status < 200)
        return;
    p->health.status = resp->status;
    p->health.took = mono_since(p->sent, loop_now(p->all->conf.loop));
    if (resp->status == 503) {
        hop_walk_failed(p->walk);
    } else {
        hop_walk_answered(p->walk);
        p->answered = true;
    }
    metric_inc(M_HOP_PROBES, resp->status == 503);
    next_address(p);
}

static void fail(struct probe *p)
{
    metric_inc(M_HOP_PROBES, 1);
    p->health.status = 0;
    p->health.reason = p->flow ? p->flow->reason : 0;
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
    const struct sip_uri *uri = &p->conf.hop->uri;
    char text[REQUEST_MAX], branch[SIP_BRANCH_LEN];
    struct buf b = BUF_INIT(text), bb = BUF_INIT(branch);
    siptx_branch(&bb);
    buf_lit(&b, "OPTIONS ");
    buf_put(&b, uri->text);
    buf_lit(&b, " SIP/2.0\r\nVia: ");
    flow_write_via(&b, flow, buf_span(&bb));
    buf_lit(&b, "\r\nMax-Forwards: 70\r\nFrom: <sip:");
    buf_put(&b, p->conf.from.n ? p->conf.from : siptp_listener_sent_by(flow->listener));
    buf_printf(&b, ">;tag=%016lx\r\nTo: <", (unsigned long)rand_u64());
    buf_put(&b, uri->text);
    buf_printf(&b, ">\r\nCall-ID: %016lx%016lx\r\nCSeq: 1 OPTIONS\r\n", (unsigned long)rand_u64(),
               (unsigned long)rand_u64());
    if (p->conf.contact.n) {
        buf_lit(&b, "Contact: <");
        buf_put(&b, p->conf.contact);
        buf_lit(&b, ">\r\n");
    }
    buf_lit(&b, "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n");
    if (!buf_ok(&b))
        return CS_ELIMIT;
    p->flow = flow_ref(flow);
    p->sent = loop_now(p->all->conf.loop);
    return tx_send(p->all->conf.tx, flow, SIP_OPTIONS, buf_span(&bb), buf_span(&b), &events, p,
                   &p->tx);
}

static void begin_round(struct probe *p)
{
    struct hop_ask ask = { .hops = &p->conf.hop, .n = 1, .seed = rand_u64() };
    p->answered = false;
    p->health.status = 0;
    p->health.reason = 0;
    p->health.address = (struct addr){ 0 };
    p->health.asked = loop_wall(p->all->conf.loop);
    p->walk = hop_walk_new(p->all->conf.means, &ask, on_hop, p);
    if (p->walk)
        hop_walk_next(p->walk);
    else
        timer_start(p->all->conf.loop, &p->timer, p->conf.interval);
}

static void on_timer(struct timer *t)
{
    struct probe *p = container_of(t, struct probe, timer);
    if (p->tx) /* the answer is late */
        fail(p);
    else
        begin_round(p);
}

/* The next address of it, or the end of this round. */
static void on_hop(void *arg, int err, struct flow *flow)
{
    struct probe *p = arg;
    if (err) {
        end_round(p);
        return;
    }
    p->health.transport = flow->transport;
    p->health.address = flow->remote;
    p->health.reason = 0;
    if (send_options(p, flow))
        fail(p);
    else
        timer_start(p->all->conf.loop, &p->timer, p->conf.answer);
}

/* ---- the owner ---- */

int hop_probes_open(const struct hop_probes_conf *conf, struct hop_probes **out)
{
    struct hop_probes *all = *out = calloc(1, sizeof(*all) + conf->n * sizeof(all->probe[0]));
    if (!all)
        return CS_ENOMEM;
    all->conf = *conf;
    all->conf.hops = NULL;
    all->n = conf->n;
    for (size_t i = 0; i < conf->n; i++) {
        struct probe *p = &all->probe[i];
        *p = (struct probe){ .all = all, .conf = conf->hops[i] };
        timer_init(&p->timer, on_timer);
        if (p->conf.interval.ms)
            timer_start(conf->loop, &p->timer, DURATION_MS((int64_t)rand_below(SPREAD_MS)));
    }
    return 0;
}

const struct hop_health *hop_probes_health(const struct hop_probes *p, size_t i)
{
    return &p->probe[i].health;
}

void hop_probes_now(struct hop_probes *all, size_t i)
{
    struct probe *p = &all->probe[i];
    if (p->walk) /* it is being asked */
        return;
    timer_stop(all->conf.loop, &p->timer);
    begin_round(p);
}

bool hop_probes_is_asking(const struct hop_probes *p, size_t i)
{
    return p->probe[i].walk != NULL;
}

void hop_probes_close(struct hop_probes **pp)
{
    struct hop_probes *all = *pp;
    *pp = NULL;
    for (size_t i = 0; all && i < all->n; i++) {
        struct probe *p = &all->probe[i];
        timer_stop(all->conf.loop, &p->timer);
        drop_tx(p);
        hop_walk_free(&p->walk);
    }
    free(all);
}
