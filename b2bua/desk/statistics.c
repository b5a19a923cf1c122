#include "b2bua/desk/statistics.h"

#include <stdlib.h>

#include "b2bua/sccp/text.h"

enum { ANSWER_MS = 1000 };

struct statistics {
    struct list link; /* desk.statistics */
    struct desk *desk;
    uint32_t call;
    unsigned awaited; /* answers */
    bool over, said;
    struct timer timer;
    struct phone_counts counts;
    statistics_fn *fn; /* NULL: nobody waits */
    void *arg;
};

static void tell(struct statistics *s)
{
    list_remove(&s->link);
    timer_stop(s->desk->session->sccp->loop, &s->timer);
    if (s->fn)
        s->fn(s->arg, s->said ? &s->counts : NULL);
    free(s);
}

static void on_timer(struct timer *t)
{
    tell(container_of(t, struct statistics, timer));
}

struct statistics *statistics_new(struct desk *d, uint32_t call)
{
    struct statistics *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->desk = d;
    s->call = call;
    timer_init(&s->timer, on_timer);
    list_push_back(&d->statistics, &s->link);
    return s;
}

void statistics_ask(struct statistics *s, struct span number)
{
    s->awaited++;
    SCCP_SEND(s->desk->session, connection_statistics_req, .number = number, .call = s->call,
              .mode = SCCP_COUNTERS_CLEAR);
}

void statistics_end(struct statistics **sp)
{
    struct statistics *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    s->over = true;
    if (s->awaited && s->fn)
        timer_start(s->desk->session->sccp->loop, &s->timer, DURATION_MS(ANSWER_MS));
    else
        tell(s);
}

void statistics_wait(struct statistics *s, statistics_fn *fn, void *arg)
{
    s->fn = fn;
    s->arg = arg;
}

static void count(struct statistics *s, const struct sccp_connection_statistics_res *m)
{
    struct phone_counts *c = &s->counts;
    char text[sizeof(c->quality)];
    struct buf quality = BUF_INIT(text);
    s->said = true;
    c->packets_sent += m->packets_sent;
    c->octets_sent += m->octets_sent;
    c->packets_received += m->packets_received;
    c->octets_received += m->octets_received;
    c->lost += m->packets_lost;
    c->jitter = CS_MAX(c->jitter, m->jitter);
    c->latency = CS_MAX(c->latency, m->latency);
    sccp_text_read(&quality, m->quality, false);
    span_copy(c->quality, sizeof(c->quality), buf_ok(&quality) ? buf_span(&quality) : SPAN_NULL);
}

void statistics_heard(struct desk *d, const struct sccp_connection_statistics_res *m)
{
    list_for_each (it, &d->statistics) {
        struct statistics *s = container_of(it, struct statistics, link);
        if (s->call != m->call || !s->awaited)
            continue;
        count(s, m);
        if (!--s->awaited && s->over)
            tell(s);
        return;
    }
}

void statistics_keep(struct desk *d, struct desk *was)
{
    for (struct list *it; (it = list_pop(&was->statistics));) {
        container_of(it, struct statistics, link)->desk = d;
        list_push_back(&d->statistics, it);
    }
}

void statistics_drop(struct desk *d)
{
    while (!list_empty(&d->statistics))
        tell(container_of(d->statistics.next, struct statistics, link));
}
