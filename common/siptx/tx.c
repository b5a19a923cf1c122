#include <assert.h>
#include <stdlib.h>

#include "base/metric.h"
#include "siptx/impl.h"

static void on_retry(struct timer *timer)
{
    tx_move(container_of(timer, struct tx, retry), TX_EV_RETRY, NULL);
}

static void on_deadline(struct timer *timer)
{
    tx_move(container_of(timer, struct tx, deadline), TX_EV_DEADLINE, NULL);
}

/* ---- memory ---- */

struct tx *tx_new(struct siptx *x, enum tx_kind kind, struct tx_key key, struct flow *f)
{
    struct list *it = list_pop(&x->spare);
    struct tx *t = it ? container_of(it, struct tx, link) : calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    x->n_spare -= it != NULL;
    if (map_insert(&x->live, &t->node, key.a)) {
        tx_free(t);
        return NULL;
    }
    t->key = key;
    t->refs = 1;
    t->x = x;
    t->kind = kind;
    t->state = TX_IDLE;
    t->linked = true;
    t->broken = t->forwarded = t->once = false;
    t->data = NULL;
    t->flow = flow_ref(f);
    t->text_n = 0;
    t->msg = NULL;
    t->out = NULL;
    t->events = NULL;
    t->arg = NULL;
    timer_init(&t->retry, on_retry);
    timer_init(&t->deadline, on_deadline);
    list_init(&t->waiting);
    list_init(&t->link);
    list_push_back(&x->all, &t->link);
    x->n_open++;
    metric_inc(M_SIP_TRANSACTIONS, tx_is_server(t));
    return t;
}

void tx_free(struct tx *t)
{
    free(t->reason);
    free(t->text);
    free(t);
}

static void drop_text(struct tx *t)
{
    free(t->text);
    t->text = NULL;
    t->text_n = t->text_cap = 0;
}

static void recycle(struct tx *t)
{
    struct siptx *x = t->x;
    list_remove(&t->link);
    sip_msg_unref(&t->msg);
    flow_unref(&t->out);
    flow_unref(&t->flow);
    free(t->reason);
    t->reason = NULL;
    if (!x || x->n_spare >= TX_SPARE) {
        tx_free(t);
        return;
    }
    if (t->text_cap > TX_SPARE_TEXT)
        drop_text(t);
    list_push_front(&x->spare, &t->link); /* the warmest first */
    x->n_spare++;
}

struct tx *tx_ref(struct tx *t)
{
    t->refs++;
    return t;
}

/* While an INVITE's refusal waits for its ACK, or its retransmissions are taken in behind a 2xx,
 * nobody needs the request any more, unless the ACK is to be told by its fields (17.2.3). The 2xx
 * is repeated by who gave it, if by anybody. */
static void drop_request(struct tx *t)
{
    if (t->kind != TX_INVITE_SERVER || (t->state != TX_COMPLETED && t->state != TX_ACCEPTED))
        return;
    if (t->state == TX_ACCEPTED)
        drop_text(t);
    if (t->out && t->msg && tx_has_branch(t->msg))
        sip_msg_unref(&t->msg);
}

void tx_unref(struct tx **pt)
{
    struct tx *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    assert(t->refs);
    if (t->refs == 1 && t->x && tx_is_server(t) && !tx_is_answered(t))
        tx_reply(t, 500, SPAN_NULL);
    if (--t->refs)
        return;
    if (!t->linked)
        recycle(t);
    else
        drop_request(t);
}

/* ---- the state ---- */

/* Nobody finds it any more. */
static void unlink_tx(struct tx *t)
{
    struct siptx *x = t->x;
    if (!t->linked)
        return;
    t->linked = false;
    timer_stop(x->loop, &t->retry);
    timer_stop(x->loop, &t->deadline);
    list_remove(&t->waiting);
    map_remove(&x->live, &t->node);
    x->n_open--;
    metric_add(M_SIP_TRANSACTIONS, tx_is_server(t), -1);
}

void tx_end(struct tx *t)
{
    t->state = TX_TERMINATED;
    unlink_tx(t);
}

void tx_orphan(struct tx *t)
{
    t->events = NULL;
    tx_end(t);
    t->x = NULL;
    list_remove(&t->link);
    if (!t->refs)
        recycle(t);
}

static void set_retry(struct tx *t, enum tx_retry how)
{
    const struct siptx_conf *c = &t->x->conf;
    bool reliable = flow_is_reliable(t->flow);
    struct duration twice = { t->retry_after.ms * 2 };
    switch (how) {
    case RETRY_KEEP:
        return;
    case RETRY_STOP:
        timer_stop(t->x->loop, &t->retry);
        return;
    case RETRY_200MS:
        timer_start(t->x->loop, &t->retry, DURATION_MS(200));
        return;
    case RETRY_T1:
        t->retry_after = c->t1;
        break;
    case RETRY_T2:
        t->retry_after = c->t2;
        break;
    case RETRY_DOUBLE:
        t->retry_after = twice;
        break;
    case RETRY_DOUBLE_T2:
        t->retry_after.ms = CS_MIN(twice.ms, c->t2.ms);
        break;
    }
    if (reliable)
        timer_stop(t->x->loop, &t->retry);
    else
        timer_start(t->x->loop, &t->retry, t->retry_after);
}

/* False when the deadline is now: timers D, I, J and K are zero on reliable transports. */
static bool set_deadline(struct tx *t, enum tx_deadline how)
{
    const struct siptx_conf *c = &t->x->conf;
    struct duration d = { 64 * c->t1.ms };
    switch (how) {
    case DEADLINE_KEEP:
        return true;
    case DEADLINE_64T1:
        break;
    case DEADLINE_C:
        d = c->invite_timeout;
        break;
    case DEADLINE_T4_UNLESS:
        d = c->t4;
        /* fallthrough */
    case DEADLINE_64T1_UNLESS:
        if (flow_is_reliable(t->flow))
            return false;
        break;
    }
    if (t->state == TX_COMPLETED || t->state == TX_CONFIRMED || t->state == TX_ACCEPTED)
        timer_start_about(t->x->loop, &t->deadline, d); /* nobody waits for its end */
    else
        timer_start(t->x->loop, &t->deadline, d);
    return true;
}

/* A server transaction over UDP that has been answered is no more than its answer. */
static bool shrink(struct tx *t, struct span text)
{
    struct siptx *x = t->x;
    struct mono now = loop_now(x->loop);
    struct mono until = mono_add(now, DURATION_MS(64 * x->conf.t1.ms)); /* timer J */
    unlink_tx(t);
    return answers_keep(&x->answers, t->key, text, now, until);
}

void tx_remember(struct tx *t, struct span text)
{
    t->text_n = 0;
    if (text.n > t->text_cap) {
        char *p = realloc(t->text, text.n);
        if (!p)
            return;
        t->text = p;
        t->text_cap = text.n;
    }
    if (text.n)
        memcpy(t->text, text.p, text.n);
    t->text_n = text.n;
}

static void send_text(struct tx *t, struct span text)
{
    if (tx_is_server(t))
        server_send(t, text);
    else
        client_send(t, text);
}

static void resend(struct tx *t)
{
    if (!t->text_n)
        return;
    metric_inc(M_SIP_RETRANSMITS, 1);
    send_text(t, span_of(t->text, t->text_n));
}

static void tell(struct tx *t, const struct tx_input *in)
{
    if (tx_is_server(t)) {
        if (t->x->events->ack)
            t->x->events->ack(t->x->arg, in->flow, in->msg);
    } else if (t->events && t->events->response) {
        t->events->response(t->arg, t, in->msg);
    }
}

static void tell_failed(struct tx *t, int err)
{
    const struct tx_client_events *events = t->events;
    t->events = NULL; /* the last call */
    if (events && events->failed)
        events->failed(t->arg, t, err);
}

static void tell_over(struct tx *t)
{
    const struct tx_client_events *events = t->events;
    t->events = NULL;
    if (events && events->over)
        events->over(t->arg, t);
}

void tx_move(struct tx *t, enum tx_event ev, const struct tx_input *in)
{
    static const struct tx_input nothing = { 0 };
    const struct tx_cell *cell = tx_cell(t->kind, t->state, ev);
    if (!cell->next || !t->x)
        return;
    if (!in)
        in = &nothing;
    log_debug(flow_log(t->flow), "transaction moves", kv_str("from", tx_state_name(t->state)),
              kv_str("event", tx_event_name(ev)), kv_str("to", tx_state_name(cell->next)));
    struct tx *self = tx_ref(t);
    bool to_completed = cell->next == TX_COMPLETED && t->state != TX_COMPLETED;
    bool reliable = flow_is_reliable(t->flow);
    t->state = cell->next;

    if (cell->actions & TX_SEND)
        send_text(t, in->text);
    if (t->kind == TX_SERVER && to_completed && !reliable) {
        if (!shrink(t, in->text))
            log_warn(flow_log(t->flow), "no memory to keep an answer");
    } else {
        if (cell->actions & TX_SEND && (!reliable || t->kind == TX_INVITE_CLIENT))
            tx_remember(t, in->text);
        set_retry(t, cell->retry);
        if (!set_deadline(t, cell->deadline))
            t->state = TX_TERMINATED;
    }
    if (cell->actions & TX_RESEND)
        resend(t);
    if (cell->actions & TX_ACK)
        client_ack(t, in->msg);
    if (cell->actions & TX_CANCEL)
        client_send_cancel(t);
    if (cell->actions & TX_100)
        server_100(t);
    if (t->state == TX_TERMINATED)
        unlink_tx(t);
    if (t->kind == TX_INVITE_CLIENT && t->state == TX_ACCEPTED)
        drop_text(t);

    /* The owner last: it may do anything to this transaction. */
    if (cell->actions & TX_TELL)
        tell(t, in);
    if (cell->actions & TX_TIMEOUT)
        tell_failed(t, CS_ETIMEOUT);
    if (cell->actions & TX_FAILED)
        tell_failed(t, CS_ECLOSED);
    if (cell->actions & TX_OVER)
        tell_over(t);
    if (t->broken && ev != TX_EV_START) { /* of START, tx_send() tells its caller */
        t->broken = false;
        tx_move(t, TX_EV_ERROR, NULL);
    }
    tx_unref(&self);
}

/* ---- the owner ---- */

struct sip_msg *tx_request(const struct tx *t)
{
    return t->msg;
}

struct flow *tx_flow(const struct tx *t)
{
    return t->flow;
}

void tx_set_data(struct tx *t, void *data)
{
    t->data = data;
}

void *tx_data(const struct tx *t)
{
    return t->data;
}
