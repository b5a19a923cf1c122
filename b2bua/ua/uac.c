#include "b2bua/ua/uac.h"

#include <stdlib.h>

#include "b2bua/ua/proofs.h"
#include "sip/write.h"

enum { MESSAGE_MAX = 70000, CHALLENGES_MAX = 8, VIA_ABOUT = 110 };

struct aim {
    struct hop *hop;
    struct span uri;
};

struct wish { /* what is sent, in the arena */
    struct duration answer;
    unsigned max_forwards;
    struct span lines, type, body;
    struct span to, uri; /* of what begins a dialog, for each time it goes out */
    struct aim *aims;    /* hops with a Request-URI of their own */
    size_t n_aims;
};

struct uac {
    const struct uac_means *means;
    struct dialog *dialog;
    struct arena arena;
    enum sip_method method;
    struct span trunk, route;
    struct wish *wish; /* NULL: it will not be sent again */
    struct hop_walk *walk;
    struct flow *flow;
    struct tx *tx;
    struct timer silence; /* of the hop that was tried last */
    uint32_t cseq;
    unsigned failure; /* of the hop that was tried last; 0: none was */
    bool cancelled;
    struct proofs proofs;
    struct sip_msg *challenge; /* that is being answered */
    bool asked_www;            /* of it the WWW-Authenticate was dealt with */
    struct gate_sign *sign;
    struct turn turn; /* to fail outside of uac_send() */
    const struct uac_events *events;
    void *arg;
};

static char out[MESSAGE_MAX]; /* one loop, one message at a time */

uint32_t uac_cseq(const struct uac *r)
{
    return r->cseq;
}

struct span uac_credentials(const struct uac *r)
{
    return proofs_lines(&r->proofs);
}

struct flow *uac_flow(const struct uac *r)
{
    return r->flow;
}

struct hop *uac_hop(const struct uac *r)
{
    return r->walk ? hop_walk_hop(r->walk) : NULL;
}

static void drop_tx(struct uac *r)
{
    timer_stop(r->means->loop, &r->silence);
    if (r->tx)
        tx_forget(r->tx);
    tx_unref(&r->tx);
}

void uac_free(struct uac **rp)
{
    struct uac *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    drop_tx(r);
    hop_walk_free(&r->walk);
    if (r->sign)
        gate_sign_cancel(r->sign);
    sip_msg_unref(&r->challenge);
    flow_unref(&r->flow);
    turn_cancel(&r->turn);
    proofs_fini(&r->proofs);
    arena_fini(&r->arena);
    free(r);
}

/* ---- sending ---- */

static void on_response(void *arg, struct tx *tx, struct sip_msg *resp);
static void on_failed(void *arg, struct tx *tx, int err);
static void on_over(void *arg, struct tx *tx);

static const struct tx_client_events tx_events = { on_response, on_failed, on_over };

/* Another target is another Request-URI, which no credentials were made for (RFC 7616, 3.4). */
static void take_uri(struct uac *r)
{
    const struct hop *hop = r->walk ? hop_walk_hop(r->walk) : NULL;
    for (size_t i = 0; i < r->wish->n_aims; i++) {
        if (r->wish->aims[i].hop != hop || span_eq(r->wish->uri, r->wish->aims[i].uri))
            continue;
        r->wish->uri = r->wish->aims[i].uri;
        proofs_fini(&r->proofs);
    }
}

static int send_to(struct uac *r, struct flow *flow)
{
    struct siptx *x = r->means->tx;
    char branch[SIP_BRANCH_LEN], via[512];
    struct buf bb = BUF_INIT(branch), vb = BUF_INIT(via), ob = BUF_INIT(out);
    struct flow *before = r->flow;
    siptx_branch(&bb);
    flow_write_via(&vb, flow, buf_span(&bb));
    r->flow = flow_ref(flow);
    flow_unref(&before);
    take_uri(r);
    if (r->wish->to.p &&
        (r->dialog->established || !span_eq(r->wish->uri, span_str(r->dialog->target))) &&
        dialog_begin_again(r->dialog, r->wish->to, r->wish->uri))
        return CS_ENOMEM;
    r->cseq = ++r->dialog->local_cseq;
    dialog_write(&ob, r->dialog, sip_method_name(r->method), r->cseq, buf_span(&vb),
                 r->wish->max_forwards);
    buf_put(&ob, r->wish->lines);
    buf_put(&ob, proofs_lines(&r->proofs));
    sip_write_end(&ob, r->wish->type, r->wish->body);
    if (!buf_ok(&vb) || !buf_ok(&ob))
        return CS_ELIMIT;
    return tx_send(x, flow, r->method, buf_span(&bb), buf_span(&ob), &tx_events, r, &r->tx);
}

/* The next hop or address, in a transaction of its own (RFC 3263, 4.3). */
static void try_next(struct uac *r, unsigned failure)
{
    hop_walk_failed(r->walk);
    drop_tx(r);
    r->failure = failure;
    hop_walk_next(r->walk);
}

static void on_hop(void *arg, int err, struct flow *flow)
{
    struct uac *r = arg;
    if (err || r->cancelled) {
        r->events->failed(r->arg, r, r->cancelled ? 487 : r->failure ? r->failure : 503);
        return;
    }
    if (send_to(r, flow))
        try_next(r, 503);
    else if (r->wish->answer.ms)
        timer_start(r->means->loop, &r->silence, r->wish->answer);
}

static void on_silence(struct timer *t)
{
    struct uac *r = container_of(t, struct uac, silence);
    tx_cancel(r->tx, SPAN_NULL); /* should it have arrived, it shall not ring there */
    if (r->method == SIP_INVITE && r->events->silent)
        r->events->silent(r->arg, r);
    try_next(r, 408);
}

/* ---- challenges ---- */

static void sign_next(struct uac *r);

static void give_up(struct uac *r)
{
    struct sip_msg *resp = r->challenge;
    r->challenge = NULL;
    r->events->response(r->arg, r, resp);
    sip_msg_unref(&resp);
}

static void repeat(struct uac *r)
{
    struct flow *flow = flow_ref(r->flow); /* the same server (RFC 3263, 4) */
    sip_msg_unref(&r->challenge);
    drop_tx(r);
    if (r->cancelled || send_to(r, flow))
        r->events->failed(r->arg, r, r->cancelled ? 487 : 503);
    flow_unref(&flow);
}

static void on_signed(void *arg, enum verdict kind, Countersign__Auth__Cause cause,
                      struct span value)
{
    struct uac *r = arg;
    bool proxy = r->asked_www;
    r->sign = NULL;
    if (kind == VERDICT_LATER) {
        r->events->failed(r->arg, r, 503);
        return;
    }
    if (kind != VERDICT_ACCEPT) {
        log_warn(flow_log(r->flow), "a challenge is not answered", kv_s("trunk", r->trunk),
                 kv_u("cause", cause));
        give_up(r);
        return;
    }
    if (!proofs_add(&r->proofs, proxy, value)) {
        give_up(r); /* it was answered before, and was not good */
        return;
    }
    if (proxy)
        repeat(r);
    else {
        r->asked_www = true;
        sign_next(r);
    }
}

/* Of both kinds, where both are there, each in its turn. */
static void sign_next(struct uac *r)
{
    struct span values[CHALLENGES_MAX];
    struct gate_challenge c = { .trunk = r->trunk,
                                .method = sip_method_name(r->method),
                                .uri = dialog_request_uri(r->dialog),
                                .route = r->route,
                                .call_id = r->dialog->call_id,
                                .body = r->wish->body,
                                .challenges = values,
                                .proxy = r->asked_www };
    enum sip_hdr_id id = r->asked_www ? SIP_HDR_PROXY_AUTHENTICATE : SIP_HDR_WWW_AUTHENTICATE;
    for (struct sip_values it = sip_values(r->challenge, id);
         sip_next(&it) && c.n_challenges < CHALLENGES_MAX;)
        values[c.n_challenges++] = it.value;
    if (!c.n_challenges && !r->asked_www) {
        r->asked_www = true;
        sign_next(r);
    } else if (!c.n_challenges) {
        repeat(r);
    } else {
        r->sign = gate_sign(r->means->gate, &c, on_signed, r);
        if (!r->sign)
            give_up(r);
    }
}

static bool is_challenge(const struct sip_msg *resp)
{
    return (resp->status == 401 && sip_has(resp, SIP_HDR_WWW_AUTHENTICATE)) ||
           (resp->status == 407 && sip_has(resp, SIP_HDR_PROXY_AUTHENTICATE));
}

/* It is not sent again: for as long as a call lasts, that need not be kept. */
static void forget_request(struct uac *r)
{
    hop_walk_free(&r->walk);
    arena_fini(&r->arena);
    r->wish = NULL;
}

static void on_response(void *arg, struct tx *tx, struct sip_msg *resp)
{
    struct uac *r = arg;
    (void)tx;
    timer_stop(r->means->loop, &r->silence);
    if (r->walk && resp->status != 503)
        hop_walk_answered(r->walk);
    if (resp->status == 100)
        return;
    if (resp->status == 503 && r->walk && !r->cancelled) {
        try_next(r, 503);
        return;
    }
    if (is_challenge(resp) && r->trunk.n && !r->cancelled) {
        r->challenge = sip_msg_ref(resp);
        r->asked_www = false;
        proofs_next(&r->proofs, resp);
        sign_next(r);
        return;
    }
    if (r->method == SIP_INVITE && resp->status >= 200 && resp->status < 300)
        forget_request(r);
    r->events->response(r->arg, r, resp);
}

static void on_failed(void *arg, struct tx *tx, int err)
{
    struct uac *r = arg;
    (void)tx;
    unsigned status = err == CS_ETIMEOUT ? 408 : 503;
    if (r->walk && !r->cancelled)
        try_next(r, status);
    else
        r->events->failed(r->arg, r, status);
}

static void on_over(void *arg, struct tx *tx)
{
    struct uac *r = arg;
    (void)tx;
    if (r->events->over)
        r->events->over(r->arg, r);
}

/* ---- the owner ---- */

static void on_turn(struct turn *t)
{
    struct uac *r = container_of(t, struct uac, turn);
    r->events->failed(r->arg, r, 500);
}

void uac_cancel(struct uac *r, struct span reason)
{
    if (r->cancelled)
        return;
    r->cancelled = true;
    if (r->sign) {
        gate_sign_cancel(r->sign);
        r->sign = NULL;
        hop_walk_next(r->walk); /* says that it is over */
    } else if (r->tx) {
        tx_cancel(r->tx, reason);
    }
}

int uac_again(struct uac *r, struct span lines)
{
    struct span kept = arena_dup(&r->arena, lines);
    if (!kept.p)
        return CS_ENOMEM;
    r->wish->lines = kept;
    struct flow *flow = flow_ref(r->flow);
    drop_tx(r);
    int err = send_to(r, flow);
    flow_unref(&flow);
    return err;
}

static int copy(struct uac *r, const struct uac_conf *c)
{
    struct wish *w = r->wish = arena_zalloc(&r->arena, sizeof(*w));
    if (!w)
        return CS_ENOMEM;
    r->trunk = c->trunk;
    r->route = c->route;
    *w = (struct wish){ .answer = c->answer,
                        .max_forwards = c->max_forwards,
                        .lines = arena_dup(&r->arena, c->lines),
                        .type = arena_dup(&r->arena, c->type),
                        .body = arena_dup(&r->arena, c->body) };
    w->aims = c->uris ? arena_alloc(&r->arena, c->n_hops * sizeof(*w->aims)) : NULL;
    for (size_t i = 0; c->uris && i < c->n_hops; i++) {
        struct span uri = w->aims ? arena_dup(&r->arena, c->uris[i]) : SPAN_NULL;
        if (!uri.p)
            return CS_ENOMEM;
        w->aims[w->n_aims++] = (struct aim){ c->hops[i], uri };
    }
    if ((c->method == SIP_INVITE || c->uris) && !c->dialog->remote_tag.p) {
        w->to = arena_dup(&r->arena, c->dialog->remote);
        w->uri = arena_dup(&r->arena, span_str(c->dialog->target));
        if (!w->to.p || !w->uri.p)
            return CS_ENOMEM;
    }
    return (c->lines.p && !w->lines.p) || (c->body.p && !w->body.p) ? CS_ENOMEM : 0;
}

const struct trunk_conf *uac_trunk(const struct uac_means *m, struct span name)
{
    for (size_t i = 0; name.n && i < m->n_trunks; i++) {
        if (span_eq(m->trunks[i].name, name))
            return &m->trunks[i];
    }
    return NULL;
}

void uac_bind(const struct uac_means *m, struct span trunk, struct hop *hop, struct hop_ask *ask)
{
    const struct trunk_conf *t = uac_trunk(m, trunk);
    if (t) {
        hop->peer = t->peer;
        ask->sips = t->only_tls;
    }
}

/* Bytes of the request: for a long one TCP comes first (RFC 3261, 18.1.1), but one that just fits
 * is not to lose a round by that. */
static size_t size_of(const struct uac *r)
{
    struct buf b = BUF_INIT(out);
    dialog_write(&b, r->dialog, sip_method_name(r->method), r->dialog->local_cseq + 1, SPAN_NULL,
                 r->wish->max_forwards);
    buf_put(&b, r->wish->lines);
    sip_write_end(&b, r->wish->type, r->wish->body);
    return VIA_ABOUT + b.n;
}

/* Of what goes to no hop of a trunk: a node, or the dialog's next hop, whose texts may change while
 * it is on its way. NULL: there is none. */
static struct hop *own_hop(struct uac *r, uint32_t node)
{
    struct hop *own = arena_zalloc(&r->arena, sizeof(*own));
    if (!own)
        return NULL;
    own->node = node;
    own->text = SPAN("node");
    if (node)
        return own;
    if (dialog_next_hop(r->dialog, &own->uri))
        return NULL;
    own->text = arena_dup(&r->arena, own->uri.text);
    return own->text.p && sip_uri_parse(own->text, &own->uri) == 0 ? own : NULL;
}

static void start_walk(struct uac *r, const struct uac_conf *c)
{
    const bool by_hops = c->n_hops && !c->node;
    struct hop *own = by_hops ? NULL : own_hop(r, c->node);
    struct hop_ask ask = { .hops = by_hops ? c->hops : &own,
                           .n = by_hops ? c->n_hops : own != NULL,
                           .size = size_of(r),
                           .seed = hops_seed(r->dialog->call_id) };
    if (own && !own->node)
        uac_bind(r->means, r->trunk, own, &ask);
    r->walk = ask.n ? hop_walk_new(&r->means->hops, &ask, on_hop, r) : NULL;
    if (r->walk)
        hop_walk_next(r->walk);
    else
        turn_queue(r->means->loop, &r->turn);
}

static struct uac *uac_new(const struct uac_means *m, struct dialog *d, enum sip_method method,
                           const struct uac_events *events, void *arg)
{
    struct uac *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->means = m;
    r->dialog = d;
    r->method = method;
    r->events = events;
    r->arg = arg;
    timer_init(&r->silence, on_silence);
    turn_init(&r->turn, on_turn);
    arena_init_small(&r->arena);
    return r;
}

struct uac *uac_part(struct uac *r, struct dialog *dialog, const struct uac_events *events,
                     void *arg)
{
    struct uac *part = uac_new(r->means, dialog, r->method, events, arg);
    if (!part)
        return NULL;
    part->cseq = r->cseq;
    part->cancelled = true;
    part->flow = flow_ref(r->flow);
    for (size_t i = 0; i < r->proofs.n; i++)
        (void)proofs_add(&part->proofs, r->proofs.proof[i].proxy,
                         span_str(r->proofs.proof[i].value));
    part->tx = r->tx;
    r->tx = NULL;
    tx_hand_over(part->tx, &tx_events, part);
    return part;
}

struct uac *uac_send(const struct uac_means *m, const struct uac_conf *conf,
                     const struct uac_events *events, void *arg)
{
    struct uac *r = uac_new(m, conf->dialog, conf->method, events, arg);
    if (!r)
        return NULL;
    if (copy(r, conf)) {
        uac_free(&r);
        return NULL;
    }
    start_walk(r, conf);
    return r;
}
