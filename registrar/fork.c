#include "registrar/fork.h"

#include <assert.h>
#include <stdlib.h>

#include "base/metric.h"
#include "registrar/loops.h"
#include "registrar/outcome.h"
#include "registrar/record_route.h"
#include "sip/write.h"

enum {
    MESSAGE_MAX = 70000,
    BREADTH = 60,
    LINES_MAX = 8192,
    ROUTE_MAX = 2600, /* two values, each with two tokens and a host */
    OUR_HEADERS = 300 /* Via and Record-Route, about */
};

struct branch {
    struct fork *fork;
    struct flow *flow;
    struct fork_target target;
    struct tx *tx;
    struct hop_walk *walk; /* NULL: the flow is all there is */
    struct timer silence;  /* of the hop that was tried last */
    unsigned status;       /* final, 0 while it is out */
    bool heard, rang;      /* anything came; more than a 100 */
    bool dead, given_up;   /* its registrar says that the flow is gone; it rang for long enough */
    uint32_t breadth;      /* its share of Max-Breadth */
    unsigned failure;      /* of the hop that was tried last; 0: none was */
    struct sip_msg *resp;  /* final answer, if one came */
};

/* A hop that was given up in silence. It was told not to ring; if it has taken the call all the
 * same, the caller shall know (RFC 3261, 16.7 step 5). */
struct late {
    struct list link;
    struct fork *fork;
    struct tx *tx;
};

struct fork {
    struct list link; /* front.forks */
    struct front *front;
    struct fork_request rq; /* without its targets */
    struct branch *branches;
    size_t n, n_spare, started, finals; /* spares stand behind the n branches */
    uint32_t breadth;
    bool answered, cancelled, won; /* won: a 2xx came */
    struct list late;
    struct timer timer; /* next group, or the end of a won INVITE */
    struct turn end;
};

static char out[MESSAGE_MAX]; /* one loop, one message at a time */

/* Whatever comes of what was sent last, nobody is told. */
static void drop_tx(struct branch *b)
{
    timer_stop(b->fork->front->loop, &b->silence);
    if (b->tx)
        tx_forget(b->tx);
    tx_unref(&b->tx);
}

/* Nowhere else is tried. A request that is out may still be answered. */
static void stop_walking(struct branch *b)
{
    timer_stop(b->fork->front->loop, &b->silence);
    hop_walk_free(&b->walk);
}

static void late_free(struct late *l)
{
    list_remove(&l->link);
    tx_forget(l->tx);
    tx_unref(&l->tx);
    free(l);
}

static void fork_free(struct fork *k)
{
    struct loop *l = k->front->loop;
    list_remove(&k->link);
    list_for_each (it, &k->late)
        late_free(container_of(it, struct late, link));
    timer_stop(l, &k->timer);
    turn_cancel(&k->end);
    if (tx_data(k->rq.tx))
        tx_set_data(k->rq.tx, NULL);
    for (size_t i = 0; i < k->n + k->n_spare; i++) {
        struct branch *b = &k->branches[i];
        drop_tx(b);
        hop_walk_free(&b->walk);
        sip_msg_unref(&b->resp);
        flow_unref(&b->flow);
    }
    tx_unref(&k->rq.tx);
    free(k->branches);
    free(k);
}

static void on_end(struct turn *t)
{
    fork_free(container_of(t, struct fork, end));
}

/* ---- requests ---- */

static void on_response(void *arg, struct tx *tx, struct sip_msg *resp);
static void on_failed(void *arg, struct tx *tx, int err);
static void on_silence(struct timer *t);
static void try_next(struct branch *b, unsigned failure, struct sip_msg *resp);

static int send_once(struct branch *b)
{
    static const struct tx_client_events events = { on_response, on_failed };
    struct fork *k = b->fork;
    const struct sip_msg *m = k->rq.msg;
    char branch[LOOPS_BRANCH_LEN], via[512], route[ROUTE_MAX], lines[LINES_MAX];
    struct buf bb = BUF_INIT(branch), vb = BUF_INIT(via), rb = BUF_INIT(route),
               lb = BUF_INIT(lines), ob = BUF_INIT(out);
    loops_branch(&bb, k->rq.loop_hash, siptp_node(k->front->tp));
    flow_write_via(&vb, b->flow, buf_span(&bb));
    buf_put(&lb, k->rq.append);
    buf_lit(&lb, "Max-Breadth: ");
    buf_u64(&lb, b->breadth);
    buf_lit(&lb, "\r\n");
    const bool inside = k->rq.from->transport == SIP_LINK && b->flow->transport == SIP_LINK;
    struct sip_edit edit = {
        .uri = b->target.uri,
        .via = buf_span(&vb),
        .max_forwards = m->max_forwards < 0 ? 70 : m->max_forwards - 1,
        .routes = b->target.routes,
        .n_routes = b->target.n_routes,
        .strip = k->rq.strip | SIP_HDR_BIT(SIP_HDR_ROUTE) | SIP_HDR_BIT(SIP_HDR_MAX_BREADTH),
        .append = buf_span(&lb),
    };
    if (!inside)
        edit.strip |= SIP_HDR_BIT(SIP_HDR_ORIGIN);
    if (k->rq.record_route) {
        record_route_write(&rb, k->front, k->rq.from, b->flow,
                           b->walk ? hop_walk_domain(b->walk) : SPAN_NULL, b->target.tag, m);
        edit.record_route = buf_span(&rb);
    }
    sip_write_request(&ob, m, &edit);
    if (!buf_ok(&vb) || !buf_ok(&rb) || !buf_ok(&lb) || !buf_ok(&ob))
        return UV_EMSGSIZE;
    metric_inc(M_REG_FORWARDED, 0);
    return tx_send(k->front->tx, b->flow, m->method, buf_span(&bb), buf_span(&ob), &events, b,
                   &b->tx);
}

/* Puts the next flow of the same phone in the place of one that failed. */
static bool take_spare(struct branch *b)
{
    struct fork *k = b->fork;
    struct branch *spare = b->target.spare ? &k->branches[b->target.spare] : NULL;
    if (!spare || !spare->flow || b->walk) /* who is reached at his Contact has no flows */
        return false;
    drop_tx(b);
    flow_unref(&b->flow);
    b->flow = spare->flow;
    spare->flow = NULL;
    b->target = spare->target;
    b->heard = b->rang = b->dead = false;
    metric_inc(M_REG_FLOWS_TRIED, 0);
    return true;
}

static int send_branch(struct branch *b)
{
    int err = send_once(b);
    while (err && take_spare(b))
        err = send_once(b);
    return err;
}

/* ---- answers ---- */

static void forward(struct fork *k, struct sip_msg *resp, struct span append)
{
    struct buf ob = BUF_INIT(out);
    sip_write_response(&ob, resp, FRONT_IDENTITY | SIP_HDR_BIT(SIP_HDR_RESTS_ON), append);
    metric_inc(M_REG_FORWARDED, 1);
    if (resp->status >= 200 && !tx_is_answered(k->rq.tx)) /* a 2xx comes more than once */
        outcome_count(k->rq.msg->method, resp->status);
    else if (k->rq.msg->method == SIP_INVITE && resp->status < 200)
        outcome_provisional(resp);
    if (buf_ok(&ob))
        tx_forward(k->rq.tx, resp->status, buf_span(&ob));
    else
        front_reply(k->rq.tx, 500, NULL, SPAN_NULL);
}

static unsigned unreachable(const struct branch *b)
{
    return b->target.unreachable ? b->target.unreachable : 480;
}

/* Status of what could not be sent: what we lack ourselves says nothing of the phone. */
static unsigned unsent(const struct branch *b, int err)
{
    switch (err) {
    case CS_ELIMIT:
    case CS_ENOMEM:
        return 503;
    case UV_EMSGSIZE:
        return 513;
    default:
        return unreachable(b);
    }
}

static bool is_challenge(unsigned status)
{
    return status == 401 || status == 407;
}

/* A caller who must answer several challenges needs to see them all (16.7 step 7). */
static void add_challenges(struct fork *k, const struct branch *best, struct buf *b)
{
    for (size_t i = 0; i < k->started; i++) {
        const struct sip_msg *resp = k->branches[i].resp;
        if (&k->branches[i] == best || !resp || !is_challenge(resp->status))
            continue;
        for (size_t h = 0; h < resp->n_hdr; h++) {
            if (resp->hdr[h].id == SIP_HDR_WWW_AUTHENTICATE ||
                resp->hdr[h].id == SIP_HDR_PROXY_AUTHENTICATE)
                sip_write_hdr(b, resp->hdr[h].name, resp->hdr[h].value);
        }
    }
}

static void answer_best(struct fork *k)
{
    char lines[LINES_MAX];
    struct buf lb = BUF_INIT(lines);
    struct branch *best = &k->branches[0];
    for (size_t i = 1; i < k->started; i++) {
        if (sip_status_rank(k->branches[i].status) < sip_status_rank(best->status))
            best = &k->branches[i];
    }
    k->answered = true;
    if (!best->resp && best->status == 503) {
        front_reply_later(k->rq.tx);
    } else if (!best->resp) {
        front_reply(k->rq.tx, best->status, NULL, SPAN_NULL);
    } else if (best->status == 503) { /* it speaks of the phone, not of us (16.7 step 6) */
        front_reply(k->rq.tx, 500, NULL, SPAN_NULL);
    } else {
        if (is_challenge(best->status))
            add_challenges(k, best, &lb);
        forward(k, best->resp, buf_ok(&lb) ? buf_span(&lb) : SPAN_NULL);
    }
}

/* Those that ring answer soon with a 487. The CANCEL of an INVITE that met silence waits for a
 * provisional (9.1), and nobody waits for that, nor for what comes behind the answer to another
 * request; such a request cannot be cancelled, and is silent until its answer (RFC 4320). */
static void cancel_branches(struct fork *k, struct span reason)
{
    bool invite = k->rq.msg->method == SIP_INVITE;
    for (size_t i = 0; i < k->started; i++) {
        struct branch *b = &k->branches[i];
        if (b->status)
            continue;
        stop_walking(b);
        if (b->tx)
            tx_cancel(b->tx, reason);
        if (invite ? !b->heard : k->answered) {
            b->status = 487;
            k->finals++;
        }
    }
}

static void start_group(struct fork *k);

static void advance(struct fork *k)
{
    if (k->finals < k->started)
        return;
    if (!k->won && !k->cancelled && k->started < k->n) {
        start_group(k);
        return;
    }
    if (!k->answered)
        answer_best(k);
    if (k->won && k->rq.msg->method == SIP_INVITE) /* 2xx come again until the ACK (RFC 6026) */
        timer_start_about(k->front->loop, &k->timer,
                          DURATION_MS(64 * k->front->conf->timers.t1.ms));
    else
        turn_queue(k->front->loop, &k->end);
}

/* Whether it says nothing of the phone, but that it was not reached by this flow (RFC 5626, 7). */
static bool is_of_flow(const struct branch *b, unsigned status, const struct sip_msg *resp)
{
    return b->dead || status == 430 || status == 408 || (!resp && !b->rang);
}

static void finalize(struct branch *b, unsigned status, struct sip_msg *resp)
{
    struct fork *k = b->fork;
    if (is_of_flow(b, status, resp) && !b->given_up && !k->cancelled && !k->won && take_spare(b) &&
        send_branch(b) == 0)
        return;
    if (b->given_up && status == 487) { /* it was not the caller who terminated it */
        status = 408;
        resp = NULL;
    }
    stop_walking(b);
    b->status = status;
    if (resp && resp != b->resp) {
        sip_msg_unref(&b->resp);
        b->resp = sip_msg_ref(resp);
    }
    k->finals++;
    if (status >= 600) { /* nobody else is to be asked (16.7 step 5) */
        char text[16];
        struct buf reason = BUF_INIT(text);
        buf_printf(&reason, "SIP;cause=%u", status);
        k->cancelled = true;
        timer_stop(k->front->loop, &k->timer);
        cancel_branches(k, buf_span(&reason));
    }
    advance(k);
}

/* Nobody took it: the 487 of those that ring start the next group. Those that never said a word
 * would hold it up until 64*T1. */
static void give_up(struct fork *k)
{
    for (size_t i = 0, n = k->started; i < n; i++) {
        struct branch *b = &k->branches[i];
        if (b->status)
            continue;
        b->given_up = true;
        stop_walking(b);
        if (b->tx)
            tx_cancel(b->tx, SPAN_NULL);
        if (!b->heard)
            finalize(b, 408, NULL);
    }
}

static void on_timer(struct timer *t)
{
    struct fork *k = container_of(t, struct fork, timer);
    if (k->answered)
        fork_free(k);
    else
        give_up(k);
}

/* Without a Via behind ours it would have nowhere to go (16.7 step 3). */
static bool is_last_hop(const struct sip_msg *resp)
{
    struct sip_values it = sip_values(resp, SIP_HDR_VIA);
    return !sip_next(&it) || !sip_next(&it);
}

/* A 2xx; counted: what it is the answer of is one of those that are final. */
static void win(struct fork *k, struct sip_msg *resp, bool counted, struct span rests)
{
    bool first = !k->won;
    k->won = true;
    if (k->rq.msg->method == SIP_INVITE || !k->answered) {
        k->answered = true;
        forward(k, resp, k->rq.from->transport == SIP_LINK ? rests : SPAN_NULL);
    }
    if (first) {
        timer_stop(k->front->loop, &k->timer);
        cancel_branches(k, SPAN(SIP_ELSEWHERE)); /* no call that anybody missed */
    }
    if (first || !counted)
        advance(k);
}

static void on_response(void *arg, struct tx *tx, struct sip_msg *resp)
{
    struct branch *b = arg;
    struct fork *k = b->fork;
    (void)tx;
    b->heard = true;
    b->rang |= resp->status > 100;
    timer_stop(k->front->loop, &b->silence);
    if (b->walk && resp->status != 503)
        hop_walk_answered(b->walk);
    if (resp->status == 100 || is_last_hop(resp))
        return;
    if (resp->status < 200) {
        /* Of a phone that refuses alone nobody behind the link makes use, and it has ours. */
        bool ours = resp->status == 199 && tx_flow(k->rq.tx)->transport == SIP_LINK;
        if (!k->answered && !b->status && !ours)
            forward(k, resp, SPAN_NULL);
        return;
    }
    if (resp->status == 430 && b->target.token.p) { /* for us, not for the caller */
        bound_remove(&k->front->bound, b->target.aor, b->target.token);
        b->dead = true;
        if (!b->status)
            finalize(b, 480, NULL);
        return;
    }
    if (resp->status == 503 && b->walk) {
        try_next(b, 503, resp);
        return;
    }
    if (resp->status >= 300) {
        if (!b->status)
            finalize(b, resp->status, resp);
        return;
    }
    bool counted = b->status;
    b->status = resp->status;
    k->finals += !counted;
    win(k, resp, counted, b->target.rests);
}

static void on_failed(void *arg, struct tx *tx, int err)
{
    struct branch *b = arg;
    (void)tx;
    unsigned status = err == CS_ETIMEOUT ? 408 : unreachable(b);
    if (b->walk)
        try_next(b, status, NULL);
    else if (!b->status)
        finalize(b, status, NULL);
}

/* ---- next hops ---- */

static void on_late(void *arg, struct tx *tx, struct sip_msg *resp)
{
    struct late *l = arg;
    (void)tx;
    if (resp->status >= 200 && resp->status < 300 && !is_last_hop(resp))
        win(l->fork, resp, true, SPAN_NULL);
}

static void on_late_end(void *arg, struct tx *tx, int err)
{
    (void)tx;
    (void)err;
    late_free(arg);
}

/* Without memory nobody waits for it. */
static void keep_late(struct branch *b)
{
    static const struct tx_client_events events = { on_late, on_late_end };
    struct late *l = malloc(sizeof(*l));
    if (!l)
        return;
    *l = (struct late){ .fork = b->fork, .tx = b->tx };
    b->tx = NULL;
    tx_hand_over(l->tx, &events, l);
    list_push_back(&b->fork->late, &l->link);
}

static void on_silence(struct timer *t)
{
    struct branch *b = container_of(t, struct branch, silence);
    tx_cancel(b->tx, SPAN_NULL); /* should it have arrived, it shall not ring there */
    keep_late(b);
    try_next(b, 408, NULL);
}

/* The next hop or address, in a transaction of its own (RFC 3263, 4.3). */
static void try_next(struct branch *b, unsigned failure, struct sip_msg *resp)
{
    struct sip_msg *old = b->resp;
    hop_walk_failed(b->walk);
    drop_tx(b);
    b->resp = resp ? sip_msg_ref(resp) : NULL;
    sip_msg_unref(&old);
    b->failure = failure;
    b->heard = false;
    hop_walk_next(b->walk);
}

static void on_hop(void *arg, int err, struct flow *flow)
{
    struct branch *b = arg;
    struct fork *k = b->fork;
    if (err) {
        finalize(b, b->failure ? b->failure : unreachable(b), b->resp);
        return;
    }
    flow_unref(&b->flow);
    b->flow = flow_ref(flow);
    err = send_branch(b);
    if (err)
        try_next(b, unsent(b, err), NULL);
    else if (b->target.answer.ms)
        timer_start(k->front->loop, &b->silence, b->target.answer);
}

static int start_branch(struct branch *b)
{
    struct fork *k = b->fork;
    struct hop_ask ask = { .hops = b->target.hops,
                           .n = b->target.n_hops,
                           .from = k->rq.from,
                           .sips = k->rq.msg->uri.scheme == SIP_SCHEME_SIPS,
                           .size = k->rq.msg->raw.n + k->rq.append.n + OUR_HEADERS,
                           .seed = hops_seed(k->rq.msg->call_id) };
    if (b->flow)
        return send_branch(b);
    b->walk = hop_walk_new(&k->front->means, &ask, on_hop, b);
    if (!b->walk)
        return CS_ENOMEM;
    hop_walk_next(b->walk);
    return 0;
}

/* ---- groups ---- */

static void start_group(struct fork *k)
{
    size_t first = k->started, last = first + 1;
    assert(first < k->n);
    while (last < k->n && k->branches[last].target.q == k->branches[first].target.q)
        last++;
    uint32_t share = k->breadth / (uint32_t)(last - first);
    k->started = last;
    for (size_t i = first; i < last; i++) {
        struct branch *b = &k->branches[i];
        b->breadth = share;
        int err = share ? start_branch(b) : 0;
        if (err || !share) {
            b->status = share ? unsent(b, err) : 440; /* RFC 5393, 5.3.3 */
            k->finals++;
        }
    }
    timer_stop(k->front->loop, &k->timer);
    if (last < k->n && k->rq.msg->method == SIP_INVITE)
        timer_start(k->front->loop, &k->timer, k->front->conf->timers.ring);
    advance(k);
}

struct fork *fork_start(struct front *f, const struct fork_request *rq)
{
    uint32_t breadth;
    struct fork *k = calloc(1, sizeof(*k));
    struct branch *branches = calloc(rq->n_targets + rq->n_spare, sizeof(*branches));
    if (!k || !branches) {
        free(k);
        free(branches);
        return NULL;
    }
    *k = (struct fork){
        .front = f, .rq = *rq, .branches = branches, .n = rq->n_targets, .n_spare = rq->n_spare
    };
    k->rq.tx = tx_ref(rq->tx);
    k->rq.targets = NULL;
    k->breadth = sip_hdr_u32(rq->msg, SIP_HDR_MAX_BREADTH, &breadth) ? BREADTH : breadth;
    list_init(&k->late);
    timer_init(&k->timer, on_timer);
    turn_init(&k->end, on_end);
    list_push_back(&f->forks, &k->link);
    for (size_t i = 0; i < k->n + k->n_spare; i++) {
        struct flow *flow = rq->targets[i].flow;
        branches[i] = (struct branch){ .fork = k,
                                       .flow = flow ? flow_ref(flow) : NULL,
                                       .target = rq->targets[i] };
        timer_init(&branches[i].silence, on_silence);
    }
    start_group(k);
    return k;
}

void fork_cancel(struct fork *k, struct span reason)
{
    if (k->answered)
        return;
    k->cancelled = true;
    timer_stop(k->front->loop, &k->timer);
    cancel_branches(k, reason);
    advance(k);
}

void fork_end_all(struct front *f)
{
    while (!list_empty(&f->forks))
        fork_free(container_of(f->forks.next, struct fork, link));
}
