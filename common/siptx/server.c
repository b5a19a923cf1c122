#include "base/metric.h"
#include "base/rand.h"
#include "sip/write.h"
#include "siptx/impl.h"

enum { UDP_MAX = 65507 };

/* ---- answers ---- */

void server_send(struct tx *t, struct span text)
{
    if (!t->out || !t->out->open) {
        flow_unref(&t->out);
        if (!t->msg || flow_for_response(t->flow, t->msg, &t->out)) {
            t->broken = true;
            return;
        }
    }
    if (flow_send(t->out, text) == CS_ECLOSED)
        t->broken = true;
}

static struct buf scratch_for(const struct flow *f)
{
    return buf_of(tx_scratch, flow_is_reliable(f) ? TX_SCRATCH : UDP_MAX);
}

static void answer(struct tx *t, unsigned status, struct span text)
{
    struct tx_input in = { .text = text };
    bool hushed = t->text_n && !flow_is_reliable(t->flow); /* by a 100 */
    if (t->once && status >= 300 && !hushed) {
        server_send(t, text);
        tx_end(t);
        return;
    }
    tx_move(t, status < 200 ? TX_EV_1XX : status < 300 ? TX_EV_2XX : TX_EV_FINAL, &in);
}

void server_100(struct tx *t)
{
    tx_reply(t, 100, SPAN_NULL);
}

void tx_reply(struct tx *t, unsigned status, struct span lines)
{
    tx_reply_full(t, status, SPAN_NULL, lines, SPAN_NULL, SPAN_NULL);
}

void tx_reply_full(struct tx *t, unsigned status, struct span reason, struct span lines,
                   struct span content_type, struct span body)
{
    if (!t->x || tx_is_answered(t))
        return;
    struct buf b = scratch_for(t->flow);
    sip_write_reply(&b, t->msg, status, reason, tx_to_tag(t));
    buf_put(&b, lines);
    sip_write_end(&b, content_type, body);
    if (!buf_ok(&b)) {
        log_warn(flow_log(t->flow), "an answer is too long to be sent", kv_u("status", status));
        status = 500;
        b = scratch_for(t->flow);
        sip_write_reply(&b, t->msg, status, SPAN_NULL, tx_to_tag(t));
        sip_write_end(&b, SPAN_NULL, SPAN_NULL);
    }
    answer(t, status, buf_span(&b));
}

void tx_forward(struct tx *t, unsigned status, struct span response)
{
    if (!t->x)
        return;
    t->forwarded = true;
    answer(t, status, response);
}

bool tx_is_answered(const struct tx *t)
{
    return t->state != TX_IDLE && t->state != TX_TRYING && t->state != TX_PROCEEDING;
}

struct span tx_to_tag(const struct tx *t)
{
    return span_of(t->tag, t->tag_n);
}

/* ---- answers without a transaction ---- */

/* The same for each retransmission (RFC 3261, 8.2.7), and known again in the ACK. */
static void stateless_tag(struct buf *b, const struct sip_msg *req)
{
    struct tx_key key = tx_key_server(req, req->method == SIP_ACK ? SIP_INVITE : req->method);
    uint64_t tag = map_hash2(SPAN("stateless"), span_of(&key, sizeof(key)));
    buf_hex(b, &tag, sizeof(tag));
}

void tx_set_once(struct tx *t, bool once)
{
    struct buf tag = BUF_INIT(t->tag);
    if (t->kind != TX_INVITE_SERVER || tx_is_answered(t))
        return;
    t->once = once;
    if (once)
        stateless_tag(&tag, t->msg); /* it still ends in what names the node */
}

static void send_to(struct flow *f, const struct sip_msg *req, struct span text)
{
    struct flow *out;
    if (flow_for_response(f, req, &out))
        return;
    if (flow_send(out, text))
        log_debug(flow_log(f), "an answer was lost");
    flow_unref(&out);
}

void siptx_reply_stateless(struct flow *f, const struct sip_msg *req, unsigned status,
                           struct span lines)
{
    char tag_text[TX_TAG_LEN];
    struct buf tag = BUF_INIT(tag_text);
    if (req->method == SIP_ACK)
        return; /* 17.1.1.2: an ACK is never answered */
    stateless_tag(&tag, req);
    struct buf b = scratch_for(f);
    sip_write_reply(&b, req, status, SPAN_NULL, buf_span(&tag));
    buf_put(&b, lines);
    sip_write_end(&b, SPAN_NULL, SPAN_NULL);
    if (buf_ok(&b))
        send_to(f, req, buf_span(&b));
}

static void refuse_for_now(struct flow *f, const struct sip_msg *m)
{
    char text[40];
    struct buf lines = BUF_INIT(text);
    buf_lit(&lines, "Retry-After: ");
    buf_u64(&lines, 1 + rand_below(10)); /* not all at once */
    buf_lit(&lines, "\r\n");
    metric_inc(M_SIP_REFUSED, REFUSED_MEMORY);
    siptx_reply_stateless(f, m, 503, buf_span(&lines));
}

/* ---- requests ---- */

static void on_ack(struct siptx *x, struct flow *f, struct sip_msg *m, struct tx *t)
{
    struct tx_input in = { .msg = m, .flow = f };
    char tag_text[TX_TAG_LEN];
    struct buf tag = BUF_INIT(tag_text);
    /* By RFC 2543's rules the To tag counts too (17.2.3). */
    if (t && !tx_has_branch(m) && !t->forwarded && !t->msg->to.tag.p &&
        !span_eq(m->to.tag, tx_to_tag(t)))
        t = NULL;
    if (t) {
        tx_move(t, TX_EV_ACK, &in);
        return;
    }
    stateless_tag(&tag, m);
    if (!span_eq(span_head(m->to.tag, TX_RANDOM_LEN), buf_span(&tag)) && x->events->ack)
        x->events->ack(x->arg, f, m);
}

static bool is_same_hop(const struct tx *t, const struct flow *f)
{
    return t->flow == f ||
           (t->flow->transport == f->transport && addr_same_host(&t->flow->remote, &f->remote));
}

/* RFC 3261, 9.2. The CANCEL's own transaction is over at once: it is no more than its answer. */
static void on_cancel(struct siptx *x, struct flow *f, struct sip_msg *m, struct tx_key key)
{
    struct tx *t = tx_find(x, tx_key_server(m, SIP_INVITE));
    if (!t || !is_same_hop(t, f)) {
        siptx_reply_stateless(f, m, 481, SPAN_NULL);
        return;
    }
    struct buf b = scratch_for(f);
    sip_write_reply(&b, m, 200, SPAN_NULL, tx_to_tag(t));
    sip_write_end(&b, SPAN_NULL, SPAN_NULL);
    if (!buf_ok(&b))
        return;
    send_to(f, m, buf_span(&b));
    if (!flow_is_reliable(f)) {
        struct mono now = loop_now(x->loop);
        struct mono until = mono_add(now, DURATION_MS(64 * x->conf.t1.ms));
        if (!answers_keep(&x->answers, key, buf_span(&b), now, until))
            log_warn(flow_log(f), "no memory to keep an answer");
    }
    if (tx_is_answered(t) || !x->events->cancelled)
        return;
    struct tx *held = tx_ref(t);
    x->events->cancelled(x->arg, t, m);
    tx_unref(&held);
}

/* The request of a live transaction again, or of one of which the answer is left. */
static bool is_repeated(struct siptx *x, struct flow *f, struct sip_msg *m, struct tx *t,
                        struct tx_key key)
{
    struct tx_input in = { .msg = m, .flow = f };
    if (t) {
        metric_inc(M_SIP_RETRANSMITS, 0);
        tx_move(t, TX_EV_REQUEST, &in);
        return true;
    }
    struct span answer_kept = answers_find(&x->answers, key, loop_now(x->loop));
    if (!answer_kept.p)
        return false;
    metric_inc(M_SIP_RETRANSMITS, 0);
    metric_inc(M_SIP_RETRANSMITS, 1);
    send_to(f, m, answer_kept);
    return true;
}

static void begin(struct siptx *x, struct flow *f, struct sip_msg *m, struct tx_key key)
{
    enum tx_kind kind = m->method == SIP_INVITE ? TX_INVITE_SERVER : TX_SERVER;
    if (x->events->stateless && x->events->stateless(x->arg, f, m))
        return;
    struct tx *t = x->n_open < x->conf.max_transactions ? tx_new(x, kind, key, f) : NULL;
    if (!t) {
        refuse_for_now(f, m);
        return;
    }
    t->msg = sip_msg_ref(m);
    struct buf tag = BUF_INIT(t->tag);
    siptx_tag(&tag, x->conf.node);
    t->tag_n = (unsigned char)tag.n;
    tx_move(t, TX_EV_START, NULL);
    x->events->request(x->arg, t, f, m);
    tx_unref(&t);
}

void server_request(struct siptx *x, struct flow *f, struct sip_msg *m)
{
    if (m->bad) {
        siptx_reply_stateless(f, m, m->bad, SPAN_NULL);
        return;
    }
    struct tx_key key = tx_key_server(m, m->method == SIP_ACK ? SIP_INVITE : m->method);
    struct tx *t = tx_find(x, key);
    if (m->method == SIP_ACK)
        on_ack(x, f, m, t);
    else if (is_repeated(x, f, m, t, key))
        return;
    else if (m->method == SIP_CANCEL)
        on_cancel(x, f, m, key);
    else
        begin(x, f, m, key);
}
