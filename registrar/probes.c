#include "registrar/probes.h"

#include <stdlib.h>

#include "base/metric.h"
#include "base/rand.h"
#include "registrar/binding.h"

enum { SENT, ANSWERED, UNANSWERED, REMOVED, NO_ROOM }; /* of REG_PROBES */

struct probe {
    struct list link; /* of its AOR */
    struct probed *aor;
    struct flow *flow;
    struct timer timer;
    struct wall until;
    struct tx *tx; /* an OPTIONS under way */
    unsigned unanswered;
    bool seen; /* in the record at hand */
    char token[FLOW_TOKEN_UDP + 1];
    char contact[]; /* as the Request-URI */
};

struct probed { /* an AOR with probes */
    struct map_node node;
    struct probes *all;
    struct list probes;
    size_t aor_n;
    char aor[];
};

struct probes {
    struct front *front;
    struct map aors;
    size_t n;
};

static const struct log probes_log = { .module = "probes" };

#define CONF(p) (&(p)->front->conf->flows.probe)

/* ---- life ---- */

static void probe_free(struct probe *it)
{
    struct probes *p = it->aor->all;
    timer_stop(p->front->loop, &it->timer);
    list_remove(&it->link);
    if (it->tx)
        tx_forget(it->tx);
    tx_unref(&it->tx);
    flow_unref(&it->flow);
    free(it);
    p->n--;
}

static void drop_if_empty(struct probed *a)
{
    if (!list_empty(&a->probes))
        return;
    map_remove(&a->all->aors, &a->node);
    free(a);
}

/* ---- sending ---- */

static void on_answer(void *arg, struct tx *tx, struct sip_msg *resp)
{
    struct probe *it = arg;
    (void)tx;
    it->unanswered = 0; /* whatever it says: somebody is there */
    if (resp->status < 200)
        return;
    metric_inc(M_REG_PROBES, ANSWERED);
    tx_unref(&it->tx);
}

static void on_silence(void *arg, struct tx *tx, int err)
{
    struct probe *it = arg;
    struct probed *a = it->aor;
    struct probes *p = a->all;
    (void)tx;
    (void)err;
    tx_unref(&it->tx);
    metric_inc(M_REG_PROBES, UNANSWERED);
    if (++it->unanswered < CONF(p)->remove_after || !CONF(p)->remove_after)
        return;
    log_info(&probes_log, "a phone answers no more: its binding goes",
             kv_s("aor", span_of(a->aor, a->aor_n)), kv_str("contact", it->contact),
             kv_addr("peer", &it->flow->remote));
    metric_inc(M_REG_PROBES, REMOVED);
    bound_remove(&p->front->bound, span_of(a->aor, a->aor_n), span_str(it->token));
    probe_free(it);
    drop_if_empty(a);
}

static void write_options(struct buf *b, const struct probe *it, struct span branch)
{
    const struct front *f = it->aor->all->front;
    const uint64_t id[2] = { rand_u64(), rand_u64() };
    struct span server = siptp_listener_sent_by(it->flow->listener);
    buf_printf(b, "OPTIONS %s SIP/2.0\r\nVia: ", it->contact);
    flow_write_via(b, it->flow, branch);
    buf_printf(b, "\r\nMax-Forwards: 70\r\nTo: <%s>\r\nFrom: <sip:" SPAN_FMT ">;tag=", it->contact,
               SPAN_ARG(f->conf->domains[0]));
    buf_hex(b, &id[0], sizeof(id[0]));
    buf_lit(b, "\r\nCall-ID: ");
    buf_hex(b, &id[1], sizeof(id[1]));
    buf_printf(b, "\r\nCSeq: 1 OPTIONS\r\nContact: <sip:" SPAN_FMT ">\r\n", SPAN_ARG(server));
    buf_lit(b, "Content-Length: 0\r\n\r\n");
}

static int send_options(struct probe *it)
{
    static const struct tx_client_events events = { on_answer, on_silence };
    char branch[SIP_BRANCH_LEN], text[2048];
    struct buf bb = BUF_INIT(branch), b = BUF_INIT(text);
    siptx_branch(&bb);
    write_options(&b, it, buf_span(&bb));
    return buf_ok(&b) ? tx_send(it->aor->all->front->tx, it->flow, SIP_OPTIONS, buf_span(&bb),
                                buf_span(&b), &events, it, &it->tx)
                      : CS_ELIMIT;
}

/* Not all at once: each somewhere in the last part of the interval that jitter is. */
static struct duration pause_of(const struct probes *p)
{
    int64_t ms = CONF(p)->interval.ms, part = ms * (int64_t)CONF(p)->jitter / 100;
    return DURATION_MS(ms - (int64_t)rand_below((uint64_t)part + 1));
}

static void on_timer(struct timer *t)
{
    struct probe *it = container_of(t, struct probe, timer);
    struct probed *a = it->aor;
    struct probes *p = a->all;
    if (it->until.ms <= loop_wall(p->front->loop).ms) {
        probe_free(it);
        drop_if_empty(a);
        return;
    }
    timer_start(p->front->loop, &it->timer, pause_of(p));
    if (it->tx || p->front->draining) /* the last one still waits */
        return;
    int err =
        CONF(p)->method == PROBE_OPTIONS ? send_options(it) : flow_send(it->flow, SPAN("\r\n"));
    if (err)
        log_debug(&probes_log, "a probe was not sent", kv_err(err));
    else
        metric_inc(M_REG_PROBES, SENT);
}

/* ---- what is bound ---- */

static bool is_aor(const struct map_node *n, const void *key)
{
    const struct probed *a = container_of(n, struct probed, node);
    return span_eq(span_of(a->aor, a->aor_n), *(const struct span *)key);
}

static struct probed *find_or_add(struct probes *p, struct span aor, bool add)
{
    uint64_t hash = map_hash(aor);
    struct map_node *n = map_find(&p->aors, hash, is_aor, &aor);
    struct probed *a = n ? container_of(n, struct probed, node) : NULL;
    if (a || !add)
        return a;
    a = calloc(1, sizeof(*a) + aor.n);
    if (!a)
        return NULL;
    a->all = p;
    a->aor_n = aor.n;
    memcpy(a->aor, aor.p, aor.n);
    list_init(&a->probes);
    if (map_insert(&p->aors, &a->node, hash)) {
        free(a);
        return NULL;
    }
    return a;
}

/* Over UDP, by a flow of ours, and with no proxy between us, whose pinhole it would be; a URI with
 * headers is no Request-URI. */
static bool is_probed(const struct probes *p, const Countersign__Store__Binding *b)
{
    struct flow_token t;
    return b->flow && b->owner && strcmp(b->owner, p->front->node) == 0 && !b->n_path &&
           !strchr(b->contact, '?') && flow_token_read(p->front->tp, span_str(b->flow), &t) == 0 &&
           t.transport == SIP_UDP;
}

static struct probe *probe_of(struct probed *a, const Countersign__Store__Binding *b)
{
    list_for_each (l, &a->probes) {
        struct probe *it = container_of(l, struct probe, link);
        if (strcmp(it->token, b->flow) == 0 && strcmp(it->contact, b->contact) == 0)
            return it;
    }
    return NULL;
}

static struct probe *probe_new(struct probed *a, const Countersign__Store__Binding *b)
{
    struct probes *p = a->all;
    size_t n = strlen(b->contact);
    struct probe *it = p->n < CONF(p)->most ? calloc(1, sizeof(*it) + n + 1) : NULL;
    if (!it || siptp_flow_by_token(p->front->tp, span_str(b->flow), &it->flow)) {
        metric_inc(M_REG_PROBES, NO_ROOM);
        free(it);
        return NULL;
    }
    it->aor = a;
    memcpy(it->contact, b->contact, n + 1);
    span_copy(it->token, sizeof(it->token), span_str(b->flow));
    timer_init(&it->timer, on_timer);
    list_push_back(&a->probes, &it->link);
    p->n++;
    uint64_t spread = (uint64_t)CONF(p)->interval.ms; /* of phones that came all at once */
    timer_start(p->front->loop, &it->timer, DURATION_MS((int64_t)rand_below(spread) + 1));
    return it;
}

void probes_follow(struct probes *p, struct span aor, const Countersign__Store__Location *record)
{
    if (!p)
        return;
    struct probed *a = find_or_add(p, aor, record && record->n_binding);
    if (!a)
        return;
    list_for_each (l, &a->probes)
        container_of(l, struct probe, link)->seen = false;
    for (size_t i = 0; record && i < record->n_binding; i++) {
        const Countersign__Store__Binding *b = record->binding[i];
        struct probe *it = is_probed(p, b) ? probe_of(a, b) : NULL;
        if (!it && is_probed(p, b))
            it = probe_new(a, b);
        if (it) {
            it->seen = true;
            it->until.ms = (int64_t)b->expires_ms;
        }
    }
    list_for_each (l, &a->probes) {
        struct probe *it = container_of(l, struct probe, link);
        if (!it->seen)
            probe_free(it);
    }
    drop_if_empty(a);
}

int probes_open(struct front *f, struct probes **out)
{
    *out = NULL;
    if (f->conf->flows.probe.method == PROBE_NONE)
        return 0;
    struct probes *p = calloc(1, sizeof(*p));
    if (!p)
        return CS_ENOMEM;
    p->front = f;
    map_init(&p->aors);
    *out = p;
    return 0;
}

void probes_close(struct probes **pp)
{
    struct probes *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    map_for_each (n, &p->aors) {
        struct probed *a = container_of(n, struct probed, node);
        list_for_each (l, &a->probes)
            probe_free(container_of(l, struct probe, link));
        drop_if_empty(a);
    }
    map_fini(&p->aors);
    free(p);
}
