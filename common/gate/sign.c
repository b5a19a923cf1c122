/* Challenges of trunks. */
#include <stdlib.h>

#include "base/ct.h"
#include "gate/question.h"

#define AUTH(name) Countersign__Auth__##name

struct gate_sign {
    struct question q;
    gate_signed_fn *fn;
    void *arg;
    AUTH(Sign) msg;
};

static void sign_free(struct gate_sign *g)
{
    ct_wipe(g->msg.body_secret.data, g->msg.body_secret.len);
    question_end(&g->q);
    free(g);
}

static void answer(struct gate_sign *g, enum verdict kind, AUTH(Cause) cause, struct span value)
{
    gate_signed_fn *fn = g->fn;
    void *arg = g->arg;
    sign_free(g);
    fn(arg, kind, cause, value);
}

static void later(struct question *q)
{
    answer(container_of(q, struct gate_sign, q), VERDICT_LATER,
           COUNTERSIGN__AUTH__CAUSE__CAUSE_NONE, SPAN_NULL);
}

static void send_sign(struct question *q, AUTH(ToAuthd) * msg)
{
    msg->body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_SIGN;
    msg->sign = &container_of(q, struct gate_sign, q)->msg;
}

/* A body is long, and of interest to auth-int alone. */
static bool wants_body(const AUTH(Sign) * m)
{
    for (size_t i = 0; i < m->n_challenge; i++) {
        if (strcasestr(m->challenge[i], "auth-int"))
            return true;
    }
    return false;
}

static int fill(struct gate_sign *g, const struct gate_challenge *c)
{
    AUTH(Sign) *m = &g->msg;
    struct arena *a = &g->q.arena;
    struct {
        struct span from;
        char **to;
    } const texts[] = {
        { c->trunk, &m->trunk },     { c->method, &m->method }, { c->uri, &m->uri },
        { c->realm, &m->realm },     { c->user, &m->user },     { c->route, &m->route },
        { c->call_id, &m->call_id },
    };
    for (size_t i = 0; i < CS_LEN(texts); i++) {
        if (!question_text(&g->q, texts[i].from, texts[i].to))
            return CS_ENOMEM;
    }
    m->challenge = arena_alloc(a, c->n_challenges * sizeof(*m->challenge));
    for (; m->challenge && m->n_challenge < c->n_challenges; m->n_challenge++) {
        m->challenge[m->n_challenge] = arena_str(a, c->challenges[m->n_challenge]);
        if (!m->challenge[m->n_challenge])
            return CS_ENOMEM;
    }
    m->has_proxy = true;
    m->proxy = c->proxy;
    if (c->body.p && m->challenge && wants_body(m)) {
        struct span body = arena_dup(a, c->body);
        m->has_body_secret = body.p != NULL;
        m->body_secret.data = (uint8_t *)body.p;
        m->body_secret.len = body.n;
    }
    return m->challenge && m->has_body_secret == (c->body.p && wants_body(m)) ? 0 : CS_ENOMEM;
}

struct gate_sign *signs_ask(struct questions *s, const struct gate_challenge *c, gate_signed_fn *fn,
                            void *arg)
{
    struct gate_sign *g = s->closing ? NULL : calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->q.send = send_sign;
    g->q.later = later;
    g->fn = fn;
    g->arg = arg;
    countersign__auth__sign__init(&g->msg);
    question_begin(s, &g->q);
    if (fill(g, c)) {
        sign_free(g);
        return NULL;
    }
    g->msg.id = g->q.id;
    question_ask(&g->q);
    return g;
}

void gate_sign_cancel(struct gate_sign *g)
{
    sign_free(g);
}

void signs_answer(struct questions *s, const AUTH(Signed) * m)
{
    struct question *q = question_of(s, m->id);
    if (!q || q->send != send_sign)
        return;
    struct gate_sign *g = container_of(q, struct gate_sign, q);
    if (m->value_secret)
        answer(g, VERDICT_ACCEPT, COUNTERSIGN__AUTH__CAUSE__OK, span_str(m->value_secret));
    else if (m->cause == COUNTERSIGN__AUTH__CAUSE__STORE_UNAVAILABLE ||
             m->cause == COUNTERSIGN__AUTH__CAUSE__OVERLOADED)
        answer(g, VERDICT_LATER, m->cause, SPAN_NULL);
    else
        answer(g, VERDICT_REJECT, m->cause, SPAN_NULL);
}
