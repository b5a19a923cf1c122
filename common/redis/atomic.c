#include <stdlib.h>

#include "redis/cluster.h"

/* The transactions of a turn share one MULTI and EXEC, which cost Redis as much as what stands
 * between them. Their commands are collected and leave at the end of the turn. */

enum { SHARED_MAX = 64 /* transactions */ };

struct shared { /* what one EXEC answers */
    struct redis *r;
    struct list calls;
};

static const struct redis_reply *share_of(const struct redis_reply *exec,
                                          const struct redis_call *c, struct redis_reply *out)
{
    if (!exec || exec->type != REDIS_ARRAY)
        return exec;
    if (c->first + c->commands > exec->n)
        return NULL;
    *out = (struct redis_reply){ .type = REDIS_ARRAY,
                                 .element = exec->element + c->first,
                                 .n = c->commands };
    return out;
}

static void on_exec(void *arg, const struct redis_reply *reply)
{
    struct shared *s = arg;
    struct redis *r = s->r;
    struct list *it;
    list_splice(&r->executed, &s->calls);
    free(s);
    while ((it = list_pop(&r->executed))) {
        struct redis_call *c = container_of(it, struct redis_call, link);
        struct redis_reply mine;
        redis_fn *fn = c->fn;
        void *fn_arg = c->arg;
        const struct redis_reply *share = share_of(reply, c, &mine);
        redis_call_free(c);
        if (fn)
            fn(fn_arg, share);
    }
}

static void collect(struct redis *r, struct redis_call *c, size_t n,
                    const struct redis_argv *commands)
{
    c->collected = true;
    c->first = r->n_commands;
    c->commands = n;
    r->n_commands += n;
    r->n_transactions++;
    resp_put(&r->transactions, n, commands);
    list_push_back(&r->collected, &c->link);
    turn_queue_first(r->loop, &r->atomic_turn);
}

static bool make_room(struct redis *r, size_t more)
{
    struct buf *b = &r->transactions;
    size_t cap = CS_MAX(2 * b->cap, b->n + more);
    if (b->n + more <= b->cap)
        return true;
    char *p = realloc(b->p, cap);
    if (!p)
        return false;
    b->p = p;
    b->cap = cap;
    return true;
}

static void send_collected(struct redis *r)
{
    struct shared *s = malloc(sizeof(*s));
    struct redis_call *exec = s ? redis_call_new(r, on_exec, s) : NULL;
    bool confirm = false;
    list_for_each (it, &r->collected)
        confirm |= container_of(it, struct redis_call, link)->confirm;
    if (exec && redis_is_ready(r) && resp_send_multi(r, buf_span(&r->transactions))) {
        *s = (struct shared){ .r = r };
        list_init(&s->calls);
        list_splice(&s->calls, &r->collected);
        exec->before = 1 + r->n_commands;
        redis_call_push(r, exec);
        if (confirm)
            confirm_mark(r, exec);
    } else {
        if (exec)
            redis_call_free(exec);
        free(s);
        struct list *it;
        while ((it = list_pop(&r->collected)))
            redis_lose_later(r, container_of(it, struct redis_call, link));
    }
    r->transactions.n = r->n_commands = r->n_transactions = 0;
}

void atomic_flush(struct redis *r)
{
    if (!list_empty(&r->collected))
        send_collected(r);
}

static void on_turn(struct turn *t)
{
    atomic_flush(container_of(t, struct redis, atomic_turn));
}

void atomic_init(struct redis *r)
{
    list_init(&r->collected);
    list_init(&r->executed);
    turn_init(&r->atomic_turn, on_turn);
}

void atomic_close(struct redis *r, struct list *unanswered)
{
    turn_cancel(&r->atomic_turn);
    list_splice(unanswered, &r->executed);
    list_splice(unanswered, &r->collected);
}

void atomic_fini(struct redis *r)
{
    free(r->transactions.p);
}

struct redis_call *redis_atomic(struct redis *r, redis_fn *fn, void *arg, size_t n,
                                const struct redis_argv *commands)
{
    if (r->cluster)
        return cluster_send(r->cluster, fn, arg, NULL, -1, n, commands);
    struct redis_call *c = r->closing ? NULL : redis_call_new(r, fn, arg);
    if (!c)
        return NULL;
    if (r->n_transactions == SHARED_MAX)
        send_collected(r);
    if (redis_can_send(r) && make_room(r, resp_size(n, commands)))
        collect(r, c, n, commands);
    else
        redis_lose_later(r, c);
    return c;
}
