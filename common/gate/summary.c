#include "gate/summary.h"

#include <stdlib.h>

#define AUTH(x) Countersign__Auth__##x

enum { EVERY_S = 5, NAME_MAX_ = 48 };

struct message {
    AUTH(Count) count[SUMMARY_COUNTS], *list[SUMMARY_COUNTS];
    char name[SUMMARY_COUNTS][NAME_MAX_]; /* of those of a histogram */
    int64_t now[SUMMARY_COUNTS];
    size_t n, seen;
};

/* n: of the counter now, since this process began. */
static void put(const struct summary *s, struct message *m, const char *name, int64_t n)
{
    const size_t i = m->seen++;
    m->now[i] = n;
    if (n <= s->told[i])
        return;
    AUTH(Count) *c = &m->count[m->n];
    *c = (AUTH(Count))COUNTERSIGN__AUTH__COUNT__INIT;
    c->name = (char *)name;
    c->has_n = true;
    c->n = (uint64_t)(n - s->told[i]);
    m->list[m->n++] = c;
}

static void put_times(const struct summary *s, struct message *m)
{
    int64_t n;
    uint32_t bound;
    for (unsigned i = 0;
         m->seen < SUMMARY_COUNTS && metric_bucket(s->what->histogram, i, &n, &bound) == 0; i++) {
        struct buf b = buf_of(m->name[m->seen], NAME_MAX_);
        if (bound)
            buf_printf(&b, "%s.%u", s->what->times, bound);
        else
            buf_printf(&b, "%s.more", s->what->times);
        buf_putc(&b, '\0');
        put(s, m, m->name[m->seen], n);
    }
}

static void tell(struct summary *s)
{
    struct message m = { .n = 0 };
    AUTH(Summary) body = COUNTERSIGN__AUTH__SUMMARY__INIT;
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    for (const struct gate_count *c = s->what->counts; c->name && m.seen < SUMMARY_COUNTS; c++)
        put(s, &m, c->name, metric_get(c->metric, c->i));
    if (s->what->times)
        put_times(s, &m);
    body.n_count = m.n;
    body.count = m.list;
    body.state = s->what->state ? s->what->state(s->what->arg) : NULL;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_SUMMARY;
    msg.summary = &body;
    if (ipc_client_send(s->authd, &msg) == 0)
        memcpy(s->told, m.now, m.seen * sizeof(m.now[0]));
    free(body.state);
}

static void on_timer(struct timer *t)
{
    struct summary *s = container_of(t, struct summary, timer);
    timer_start_about(s->loop, t, DURATION_S(EVERY_S));
    if (s->authd)
        tell(s);
}

void summary_init(struct summary *s, struct loop *l)
{
    *s = (struct summary){ .loop = l };
    timer_init(&s->timer, on_timer);
}

void summary_fini(struct summary *s)
{
    timer_stop(s->loop, &s->timer);
}

void summary_begin(struct summary *s, const struct gate_summary *what)
{
    s->what = what;
    timer_start(s->loop, &s->timer, DURATION_S(s->authd ? 0 : EVERY_S));
}

void summary_ready(struct summary *s, struct ipc_client *authd)
{
    s->authd = authd;
    if (authd && s->what)
        timer_start(s->loop, &s->timer, DURATION_S(0));
}
