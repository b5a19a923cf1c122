#include "base/metric.h"
#include "redis/cluster.h"

/* Redis takes no further command of a connection while its WAIT is under way, so there is one for
 * all writes of a turn, and the next one is sent when it was answered. Replies come in order:
 * whoever is in r->replied then wrote before it. */

/* ---- replies that wait ---- */

static bool copy(struct arena *a, const struct redis_reply *from, struct redis_reply *to)
{
    *to = *from;
    to->str = arena_dup(a, from->str);
    if (from->str.p && !to->str.p)
        return false;
    if (from->type != REDIS_ARRAY)
        return true;
    struct redis_reply *elements = arena_zalloc(a, from->n * sizeof(*elements));
    to->element = elements;
    for (size_t i = 0; elements && i < from->n; i++) {
        if (!copy(a, &from->element[i], &elements[i]))
            return false;
    }
    return elements != NULL;
}

bool confirm_keep(struct redis *r, struct redis_call *c, const struct redis_reply *reply)
{
    arena_init(&c->memory, NULL, 0, REPLY_MAX);
    struct redis_reply *kept = arena_alloc(&c->memory, sizeof(*kept));
    if (!kept || !copy(&c->memory, reply, kept)) {
        arena_fini(&c->memory);
        return false;
    }
    c->kept = kept;
    list_push_back(&r->replied, &c->link);
    return true;
}

static void answer_kept(struct redis *r)
{
    struct list *it;
    list_splice(&r->confirmed, &r->replied);
    while ((it = list_pop(&r->confirmed))) {
        struct redis_call *c = container_of(it, struct redis_call, link);
        if (c->fn)
            c->fn(c->arg, c->kept);
        redis_call_free(c);
    }
}

/* ---- WAIT ---- */

static void tell(struct redis *r, const struct redis_reply *reply, bool enough)
{
    if (!enough && reply->type == REDIS_ERROR && !r->too_few)
        log_error(&r->log, "redis does not let us WAIT: nothing is acknowledged",
                  kv_s("reply", reply->str));
    else if (!enough && !r->too_few)
        log_error(&r->log, "too few replicas have what was written: nothing is acknowledged",
                  kv_i("replicas", reply->integer), kv_u("wanted", r->conf.wait));
    else if (enough && r->too_few)
        log_info(&r->log, "replicas follow again", kv_i("replicas", reply->integer));
    r->too_few = !enough;
}

static void on_waited(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    bool enough = reply && reply->type == REDIS_INTEGER && reply->integer >= (int64_t)r->conf.wait;
    r->waiting = false;
    if (reply)
        tell(r, reply, enough);
    if (enough)
        answer_kept(r);
    else
        redis_calls_lose(r, &r->replied);
    if (r->unconfirmed && !r->closing)
        turn_queue_first(r->loop, &r->wait_turn);
}

static void on_turn(struct turn *t)
{
    struct redis *r = container_of(t, struct redis, wait_turn);
    char digits[2][24];
    struct buf n = BUF_INIT(digits[0]), ms = BUF_INIT(digits[1]);
    if (!r->unconfirmed || r->waiting || !redis_is_ready(r))
        return;
    buf_u64(&n, r->conf.wait);
    buf_i64(&ms, r->conf.wait_timeout.ms);
    r->unconfirmed = false;
    r->waiting = true;
    link_ask(r, on_waited, 3, (const struct span[]){ SPAN("WAIT"), buf_span(&n), buf_span(&ms) });
}

void confirm_init(struct redis *r)
{
    list_init(&r->replied);
    list_init(&r->confirmed);
    turn_init(&r->wait_turn, on_turn);
}

void confirm_reset(struct redis *r)
{
    r->waiting = r->unconfirmed = false;
    redis_calls_lose(r, &r->replied);
}

void confirm_mark(struct redis *r, struct redis_call *c)
{
    c->confirm = true;
    r->unconfirmed = true;
    if (!r->waiting)
        turn_queue_first(r->loop, &r->wait_turn);
}

void redis_confirm(struct redis_call *c)
{
    if (!c || !c->r->conf.wait)
        return;
    if (c->r->cluster) {
        if (c->errand)
            cluster_confirm(c->errand);
        return;
    }
    if (c->collected)
        c->confirm = true; /* marked when it is sent */
    else
        confirm_mark(c->r, c);
}
