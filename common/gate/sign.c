#include "gate/sign.h"

#include <stdlib.h>

#include "base/ct.h"

#define AUTH(name) Countersign__Auth__##name

/* So that no id of theirs is one of a Check's on the same connection. */
#define ID_BIT (UINT64_C(1) << 63)

struct gate_sign {
    struct list link;
    struct signs *signs;
    gate_signed_fn *fn;
    void *arg;
    struct mono asked;
    bool sent, refused; /* refused: LATER at the end of this turn */
    AUTH(Sign) msg;
    struct arena arena; /* msg's texts */
};

static void sign_free(struct gate_sign *g)
{
    struct signs *s = g->signs;
    list_remove(&g->link);
    s->n--;
    ct_wipe(g->msg.body_secret.data, g->msg.body_secret.len);
    arena_fini(&g->arena);
    free(g);
}

static void answer(struct gate_sign *g, enum verdict kind, AUTH(Cause) cause, struct span value)
{
    gate_signed_fn *fn = g->fn;
    void *arg = g->arg;
    sign_free(g);
    fn(arg, kind, cause, value);
}

static void later(struct gate_sign *g)
{
    answer(g, VERDICT_LATER, COUNTERSIGN__AUTH__CAUSE__CAUSE_NONE, SPAN_NULL);
}

static struct gate_sign *oldest(const struct signs *s)
{
    return list_empty(&s->open) ? NULL : container_of(s->open.next, struct gate_sign, link);
}

static void watch_deadline(struct signs *s)
{
    const struct gate_sign *first = oldest(s);
    timer_stop(s->loop, &s->timer);
    if (!first)
        return;
    struct duration left = mono_since(loop_now(s->loop), mono_add(first->asked, s->deadline));
    timer_start(s->loop, &s->timer, (struct duration){ CS_MAX(left.ms, 0) + 1 });
}

static void on_deadline(struct timer *t)
{
    struct signs *s = container_of(t, struct signs, timer);
    struct mono now = loop_now(s->loop);
    for (struct gate_sign *g;
         (g = oldest(s)) && !mono_before(now, mono_add(g->asked, s->deadline));)
        later(g);
    watch_deadline(s);
}

/* Gives LATER to those for which which() holds; what callbacks ask meanwhile is left alone. */
static void give_up(struct signs *s, bool (*which)(const struct gate_sign *g))
{
    struct list taken, *it;
    list_init(&taken);
    list_for_each (l, &s->open) {
        if (!which(container_of(l, struct gate_sign, link)))
            continue;
        list_remove(l);
        list_push_back(&taken, l);
    }
    while ((it = list_pop(&taken)))
        later(container_of(it, struct gate_sign, link));
}

static bool was_sent(const struct gate_sign *g)
{
    return g->sent;
}

static bool was_refused(const struct gate_sign *g)
{
    return g->refused;
}

static void on_turn(struct turn *t)
{
    give_up(container_of(t, struct signs, turn), was_refused);
}

/* ---- asking ---- */

static void send_sign(struct gate_sign *g)
{
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_SIGN;
    msg.sign = &g->msg;
    g->sent = ipc_client_send(g->signs->ipc, &msg) == 0;
    g->refused = !g->sent;
    if (g->refused)
        turn_queue(g->signs->loop, &g->signs->turn);
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

static int fill(AUTH(Sign) * m, const struct gate_challenge *c, struct arena *a)
{
    struct {
        struct span from;
        char **to;
    } const texts[] = {
        { c->trunk, &m->trunk },     { c->method, &m->method }, { c->uri, &m->uri },
        { c->realm, &m->realm },     { c->user, &m->user },     { c->route, &m->route },
        { c->call_id, &m->call_id },
    };
    for (size_t i = 0; i < CS_LEN(texts); i++) {
        *texts[i].to = texts[i].from.p ? arena_str(a, texts[i].from) : NULL;
        if (texts[i].from.p && !*texts[i].to)
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

struct gate_sign *signs_ask(struct signs *s, const struct gate_challenge *c, gate_signed_fn *fn,
                            void *arg)
{
    struct gate_sign *g = s->closing ? NULL : calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->signs = s;
    g->fn = fn;
    g->arg = arg;
    g->asked = loop_now(s->loop);
    arena_init(&g->arena, NULL, 0, 0);
    countersign__auth__sign__init(&g->msg);
    list_push_back(&s->open, &g->link);
    s->n++;
    if (fill(&g->msg, c, &g->arena)) {
        sign_free(g);
        return NULL;
    }
    g->msg.id = ID_BIT | ++s->last_id;
    g->refused = s->n > s->max;
    if (g->refused)
        turn_queue(s->loop, &s->turn);
    else if (s->ready)
        send_sign(g);
    if (!timer_is_running(&s->timer))
        watch_deadline(s);
    return g;
}

void gate_sign_cancel(struct gate_sign *g)
{
    sign_free(g);
}

/* ---- hearing ---- */

void signs_answer(struct signs *s, const AUTH(Signed) * m)
{
    list_for_each (it, &s->open) {
        struct gate_sign *g = container_of(it, struct gate_sign, link);
        if (g->msg.id != m->id || !g->sent)
            continue;
        if (m->value_secret)
            answer(g, VERDICT_ACCEPT, COUNTERSIGN__AUTH__CAUSE__OK, span_str(m->value_secret));
        else if (m->cause == COUNTERSIGN__AUTH__CAUSE__STORE_UNAVAILABLE ||
                 m->cause == COUNTERSIGN__AUTH__CAUSE__OVERLOADED)
            answer(g, VERDICT_LATER, m->cause, SPAN_NULL);
        else
            answer(g, VERDICT_REJECT, m->cause, SPAN_NULL);
        return;
    }
}

void signs_ready(struct signs *s, struct ipc_client *ipc, bool ready)
{
    s->ready = ready;
    s->ipc = ipc;
    if (!ready) { /* what authd did not answer it will never answer */
        give_up(s, was_sent);
        return;
    }
    list_for_each (it, &s->open) {
        struct gate_sign *g = container_of(it, struct gate_sign, link);
        if (!g->sent && !g->refused)
            send_sign(g);
    }
}

void signs_init(struct signs *s, struct loop *l, struct duration deadline, size_t max)
{
    *s = (struct signs){ .loop = l, .deadline = deadline, .max = max };
    list_init(&s->open);
    timer_init(&s->timer, on_deadline);
    turn_init(&s->turn, on_turn);
}

void signs_fini(struct signs *s)
{
    s->closing = true;
    for (struct gate_sign *g; (g = oldest(s));)
        later(g);
    timer_stop(s->loop, &s->timer);
    turn_cancel(&s->turn);
}
