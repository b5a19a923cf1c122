#include "gate/question.h"

/* So that no id of theirs is one of a Check's on the same connection. */
#define ID_BIT (UINT64_C(1) << 63)

static struct question *oldest(const struct questions *s)
{
    return list_empty(&s->open) ? NULL : container_of(s->open.next, struct question, link);
}

static void watch_deadline(struct questions *s)
{
    const struct question *first = oldest(s);
    timer_stop(s->loop, &s->timer);
    if (!first)
        return;
    struct duration left = mono_since(loop_now(s->loop), mono_add(first->asked, s->deadline));
    timer_start(s->loop, &s->timer, (struct duration){ CS_MAX(left.ms, 0) + 1 });
}

static void on_deadline(struct timer *t)
{
    struct questions *s = container_of(t, struct questions, timer);
    struct mono now = loop_now(s->loop);
    for (struct question *q; (q = oldest(s)) && !mono_before(now, mono_add(q->asked, s->deadline));)
        q->later(q);
    watch_deadline(s);
}

/* Gives LATER to those for which which() holds; what callbacks ask meanwhile is left alone. */
static void give_up(struct questions *s, bool (*which)(const struct question *q))
{
    struct list taken, *it;
    list_init(&taken);
    list_for_each (l, &s->open) {
        if (!which(container_of(l, struct question, link)))
            continue;
        list_remove(l);
        list_push_back(&taken, l);
    }
    while ((it = list_pop(&taken))) {
        struct question *q = container_of(it, struct question, link);
        q->later(q);
    }
}

static bool was_sent(const struct question *q)
{
    return q->sent;
}

static bool was_refused(const struct question *q)
{
    return q->refused;
}

static void on_turn(struct turn *t)
{
    give_up(container_of(t, struct questions, turn), was_refused);
}

/* ---- one ---- */

static void send_question(struct question *q)
{
    Countersign__Auth__ToAuthd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    q->send(q, &msg);
    q->sent = ipc_client_send(q->all->ipc, &msg) == 0;
    q->refused = !q->sent;
    if (q->refused)
        turn_queue(q->all->loop, &q->all->turn);
}

void question_begin(struct questions *s, struct question *q)
{
    q->all = s;
    q->asked = loop_now(s->loop);
    q->id = ID_BIT | ++s->last_id;
    arena_init(&q->arena, NULL, 0, 0);
    list_push_back(&s->open, &q->link);
    s->n++;
}

void question_ask(struct question *q)
{
    struct questions *s = q->all;
    q->refused = s->n > s->max;
    if (q->refused)
        turn_queue(s->loop, &s->turn);
    else if (s->ready)
        send_question(q);
    if (!timer_is_running(&s->timer))
        watch_deadline(s);
}

void question_end(struct question *q)
{
    list_remove(&q->link);
    q->all->n--;
    arena_fini(&q->arena);
}

struct question *question_of(struct questions *s, uint64_t id)
{
    list_for_each (it, &s->open) {
        struct question *q = container_of(it, struct question, link);
        if (q->id == id && q->sent)
            return q;
    }
    return NULL;
}

bool question_text(struct question *q, struct span from, char **to)
{
    *to = from.p ? arena_str(&q->arena, from) : NULL;
    return *to || !from.p;
}

/* ---- all of them ---- */

void questions_ready(struct questions *s, struct ipc_client *ipc, bool ready)
{
    s->ready = ready;
    s->ipc = ipc;
    if (!ready) { /* what authd did not answer it will never answer */
        give_up(s, was_sent);
        return;
    }
    list_for_each (it, &s->open) {
        struct question *q = container_of(it, struct question, link);
        if (!q->sent && !q->refused)
            send_question(q);
    }
}

void questions_init(struct questions *s, struct loop *l, struct duration deadline, size_t max)
{
    *s = (struct questions){ .loop = l, .deadline = deadline, .max = max };
    list_init(&s->open);
    timer_init(&s->timer, on_deadline);
    turn_init(&s->turn, on_turn);
}

void questions_fini(struct questions *s)
{
    s->closing = true;
    for (struct question *q; (q = oldest(s));)
        q->later(q);
    timer_stop(s->loop, &s->timer);
    turn_cancel(&s->turn);
}
