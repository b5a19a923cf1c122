#include "base/metric.h"
#include "base/rand.h"
#include "sip/write.h"
#include "siptx/impl.h"

void siptx_branch(struct buf *b)
{
    unsigned char random[12];
    rand_bytes(random, sizeof(random));
    buf_lit(b, "z9hG4bK");
    buf_base64url(b, random, sizeof(random));
}

void siptx_tag(struct buf *b, uint32_t node)
{
    const uint64_t random = rand_u64();
    buf_hex(b, &random, sizeof(random));
    const unsigned char name[] = { (unsigned char)(node >> 24), (unsigned char)(node >> 16),
                                   (unsigned char)(node >> 8), (unsigned char)node };
    if (node)
        buf_hex(b, name, sizeof(name));
}

uint32_t siptx_tag_node(struct span tag)
{
    uint64_t node;
    if (tag.n != SIPTX_TAG_LEN || span_hex(span_skip(tag, 16), &node))
        return 0;
    return (uint32_t)node;
}

static int start(struct siptx *x, struct flow *f, enum sip_method method, struct span branch,
                 struct span request, const struct tx_client_events *events, void *arg,
                 struct tx **out)
{
    enum tx_kind kind = method == SIP_INVITE ? TX_INVITE_CLIENT : TX_CLIENT;
    struct tx_input in = { .text = request };
    struct tx *t = tx_new(x, kind, tx_key_client(branch, method), f);
    if (!t)
        return CS_ENOMEM;
    tx_move(t, TX_EV_START, &in);
    if (t->broken || (kind == TX_INVITE_CLIENT && !t->text_n)) {
        int err = t->broken ? CS_ECLOSED : CS_ENOMEM;
        tx_end(t);
        tx_unref(&t);
        return err;
    }
    t->events = events;
    t->arg = arg;
    if (flow_is_reliable(f))
        list_push_back(&f->waiting, &t->waiting);
    *out = t;
    return 0;
}

int tx_send(struct siptx *x, struct flow *f, enum sip_method method, struct span branch,
            struct span request, const struct tx_client_events *events, void *arg, struct tx **out)
{
    *out = NULL;
    if (x->n_open >= x->conf.max_transactions)
        return CS_ELIMIT;
    return start(x, f, method, branch, request, events, arg, out);
}

void client_send(struct tx *t, struct span text)
{
    if (flow_send(t->flow, text) == CS_ECLOSED)
        t->broken = true;
}

/* The INVITE as it was sent, for what is derived from it. */
static struct sip_msg *sent_invite(const struct tx *t)
{
    static const struct sip_limits ours = { TX_SCRATCH, TX_SCRATCH, 4096 };
    struct sip_msg *m;
    return sip_msg_parse(span_of(t->text, t->text_n), true, &ours, &m) ? NULL : m;
}

void client_ack(struct tx *t, const struct sip_msg *resp)
{
    struct sip_msg *invite = sent_invite(t);
    if (!invite)
        return;
    struct buf b = BUF_INIT(tx_scratch);
    sip_write_ack(&b, invite, resp);
    sip_msg_unref(&invite);
    if (!buf_ok(&b))
        return;
    client_send(t, buf_span(&b));
    tx_remember(t, buf_span(&b)); /* from now on it is the ACK that is repeated */
}

void client_send_cancel(struct tx *t)
{
    struct sip_msg *invite = sent_invite(t);
    struct tx *cancel;
    if (!invite)
        return;
    struct buf b = BUF_INIT(tx_scratch);
    sip_write_cancel(&b, invite, span_str(t->reason));
    if (buf_ok(&b) && start(t->x, t->flow, SIP_CANCEL, invite->via.branch, buf_span(&b), NULL, NULL,
                            &cancel) == 0)
        tx_unref(&cancel);
    sip_msg_unref(&invite);
}

void tx_cancel(struct tx *t, struct span reason)
{
    if (reason.p && !t->reason)
        t->reason = strndup(reason.p, reason.n);
    tx_move(t, TX_EV_CANCEL, NULL);
}

void tx_hand_over(struct tx *t, const struct tx_client_events *events, void *arg)
{
    t->events = events;
    t->arg = arg;
}

void tx_forget(struct tx *t)
{
    t->events = NULL;
}

void client_response(struct siptx *x, struct flow *f, struct sip_msg *m)
{
    struct tx *t = tx_find(x, tx_key_client(m->via.branch, m->method));
    struct tx_input in = { .msg = m, .flow = f };
    if (t) {
        if (t->state == TX_COMPLETED)
            metric_inc(M_SIP_RETRANSMITS, 0);
        tx_move(t, m->status < 200 ? TX_EV_1XX : m->status < 300 ? TX_EV_2XX : TX_EV_FINAL, &in);
        return;
    }
    /* RFC 3261, 18.1.2: a response whose topmost Via is not ours is dropped. */
    if (x->events->stray && siptp_is_us(f->tp, m->via.host, m->via.port))
        x->events->stray(x->arg, f, m);
}

void client_flow_closed(struct flow *f)
{
    struct list *it;
    while ((it = list_pop(&f->waiting)))
        tx_move(container_of(it, struct tx, waiting), TX_EV_ERROR, NULL);
}
