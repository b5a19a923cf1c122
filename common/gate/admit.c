/* Calls that are to be made. */
#include <stdlib.h>

#include "gate/question.h"

#define AUTH(name) Countersign__Auth__##name

struct gate_admit {
    struct question q;
    gate_admitted_fn *fn;
    void *arg;
    AUTH(Admit) msg;
};

static void admit_free(struct gate_admit *g)
{
    question_end(&g->q);
    free(g);
}

static void answer(struct gate_admit *g, enum verdict kind, const AUTH(Admitted) * m)
{
    gate_admitted_fn *fn = g->fn;
    void *arg = g->arg;
    admit_free(g);
    fn(arg, kind, m);
}

static void later(struct question *q)
{
    const AUTH(Admitted) none = COUNTERSIGN__AUTH__ADMITTED__INIT;
    answer(container_of(q, struct gate_admit, q), VERDICT_LATER, &none);
}

static void send_admit(struct question *q, AUTH(ToAuthd) * msg)
{
    msg->body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_ADMIT;
    msg->admit = &container_of(q, struct gate_admit, q)->msg;
}

static bool fill(struct gate_admit *g, const struct gate_call *c)
{
    AUTH(Admit) *m = &g->msg;
    m->id = g->q.id;
    m->has_emergency = true;
    m->emergency = c->emergency;
    return question_text(&g->q, c->lease, &m->lease) &&
           question_text(&g->q, c->call_id, &m->call_id) &&
           question_text(&g->q, c->caller, &m->caller) &&
           question_text(&g->q, c->from_trunk, &m->from_trunk) &&
           question_text(&g->q, c->to_trunk, &m->to_trunk) &&
           question_text(&g->q, c->destination, &m->destination);
}

struct gate_admit *admits_ask(struct questions *s, const struct gate_call *c, gate_admitted_fn *fn,
                              void *arg)
{
    struct gate_admit *g = s->closing ? NULL : calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->q.send = send_admit;
    g->q.later = later;
    g->fn = fn;
    g->arg = arg;
    countersign__auth__admit__init(&g->msg);
    question_begin(s, &g->q);
    if (!fill(g, c)) {
        admit_free(g);
        return NULL;
    }
    question_ask(&g->q);
    return g;
}

void gate_admit_cancel(struct gate_admit *g)
{
    admit_free(g);
}

bool admits_answer(struct questions *s, const AUTH(Admitted) * m)
{
    struct question *q = question_of(s, m->id);
    if (!q || q->send != send_admit)
        return false;
    enum verdict kind = VERDICT_LATER;
    if (m->kind == COUNTERSIGN__AUTH__VERDICT_KIND__ACCEPT)
        kind = VERDICT_ACCEPT;
    else if (m->kind == COUNTERSIGN__AUTH__VERDICT_KIND__REJECT)
        kind = VERDICT_REJECT;
    answer(container_of(q, struct gate_admit, q), kind, m);
    return true;
}
