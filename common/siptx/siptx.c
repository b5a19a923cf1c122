#include "siptx/siptx.h"

#include <stdlib.h>

#include "siptx/impl.h"

enum { ANSWER_MEMORY_MIN = 256 * 1024 }; /* the longest answer fits */

static void or_else(struct duration *d, struct duration value)
{
    if (!d->ms)
        *d = value;
}

int siptx_new(struct loop *l, const struct siptx_conf *conf, const struct siptx_events *events,
              void *arg, struct siptx **out)
{
    *out = NULL;
    struct siptx *x = calloc(1, sizeof(*x));
    if (!x)
        return CS_ENOMEM;
    x->loop = l;
    x->conf = *conf;
    or_else(&x->conf.t1, DURATION_MS(500));
    or_else(&x->conf.t2, DURATION_S(4));
    or_else(&x->conf.t4, DURATION_S(5));
    or_else(&x->conf.invite_timeout, DURATION_S(180));
    if (!x->conf.max_transactions)
        x->conf.max_transactions = 100000;
    if (!x->conf.answer_memory)
        x->conf.answer_memory = 32 << 20;
    x->events = events;
    x->arg = arg;
    map_init(&x->live);
    list_init(&x->all);
    list_init(&x->spare);
    if (answers_init(&x->answers, CS_MAX(x->conf.answer_memory, (size_t)ANSWER_MEMORY_MIN))) {
        free(x);
        return CS_ENOMEM;
    }
    *out = x;
    return 0;
}

void siptx_free(struct siptx **px)
{
    struct siptx *x = *px;
    struct list *it;
    *px = NULL;
    if (!x)
        return;
    x->n_spare = TX_SPARE; /* no more of them */
    while ((it = list_pop(&x->all)))
        tx_orphan(container_of(it, struct tx, link));
    while ((it = list_pop(&x->spare)))
        tx_free(container_of(it, struct tx, link));
    map_fini(&x->live);
    answers_fini(&x->answers);
    free(x);
}

size_t siptx_unanswered(const struct siptx *x)
{
    size_t n = 0;
    list_for_each (it, &x->all)
        n += container_of(it, struct tx, link)->state < TX_COMPLETED;
    return n;
}

static void on_message(void *arg, struct flow *f, struct sip_msg *m)
{
    struct siptx *x = arg;
    if (m->is_request)
        server_request(x, f, m);
    else
        client_response(x, f, m);
}

static void on_closed(void *arg, struct flow *f)
{
    struct siptx *x = arg;
    client_flow_closed(f);
    if (x->events->flow_closed)
        x->events->flow_closed(x->arg, f);
}

const struct siptp_events *siptx_transport_events(void)
{
    static const struct siptp_events events = { .message = on_message, .closed = on_closed };
    return &events;
}
