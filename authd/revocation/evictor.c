#include "authd/revocation/evictor.h"

#include <stdlib.h>

#include "authd/revocation/event.h"
#include "base/list.h"
#include "base/log.h"

enum { WAITING_MAX = 4096, RETRY_MS = 200 };

struct waiting {
    struct list link;
    unsigned char tag[REST_TAG_LEN];
    struct fallen what;
    char token[EVENT_TOKEN_LEN + 1];
};

struct evictor {
    struct loop *loop;
    struct redis *redis;
    struct locations *locations;
    evictor_fn *fn;
    void *arg;
    struct list waiting;
    size_t n_waiting;
    struct eviction *eviction; /* of the first of them: */
    size_t n;
    struct timer retry;
};

static const struct log lg = { .module = "evictor" };

static void look(struct evictor *e);

static void waiting_free(struct evictor *e, struct waiting *w)
{
    list_remove(&w->link);
    free(w);
    e->n_waiting--;
}

static void on_evicted(void *arg, int err, size_t n)
{
    struct evictor *e = arg;
    e->eviction = NULL;
    if (n)
        log_info(&lg, "bindings removed, what they rest on is revoked", kv_u("revocations", e->n),
                 kv_u("bindings", n));
    for (; !err && e->n > 0; e->n--) {
        struct waiting *w = container_of(e->waiting.next, struct waiting, link);
        e->fn(e->arg, w->token);
        waiting_free(e, w);
    }
    if (err)
        timer_start(e->loop, &e->retry, DURATION_MS(RETRY_MS));
    else
        look(e);
}

static void look(struct evictor *e)
{
    struct fallen what[EVICT_MAX];
    if (e->eviction || list_empty(&e->waiting))
        return;
    e->n = 0;
    list_for_each (it, &e->waiting) {
        if (e->n == EVICT_MAX)
            break;
        what[e->n++] = container_of(it, struct waiting, link)->what;
    }
    e->eviction = location_evict(e->locations, e->redis, what, e->n, on_evicted, e);
    if (!e->eviction)
        timer_start(e->loop, &e->retry, DURATION_MS(RETRY_MS));
}

static void on_retry(struct timer *t)
{
    look(container_of(t, struct evictor, retry));
}

int evictor_new(struct loop *l, struct redis *redis, struct locations *locations, evictor_fn *fn,
                void *arg, struct evictor **out)
{
    struct evictor *e = calloc(1, sizeof(*e));
    *out = e;
    if (!e)
        return CS_ENOMEM;
    *e = (struct evictor){ l, redis, locations, fn, arg };
    list_init(&e->waiting);
    timer_init(&e->retry, on_retry);
    return 0;
}

void evictor_free(struct evictor **ep)
{
    struct evictor *e = *ep;
    *ep = NULL;
    if (!e)
        return;
    timer_stop(e->loop, &e->retry);
    if (e->eviction)
        location_evict_cancel(e->eviction);
    list_for_each (it, &e->waiting)
        waiting_free(e, container_of(it, struct waiting, link));
    free(e);
}

bool evictor_is_full(const struct evictor *e)
{
    return e->n_waiting >= WAITING_MAX;
}

int evictor_add(struct evictor *e, const struct fallen *what, const char *token)
{
    struct waiting *w = calloc(1, sizeof(*w));
    if (!w)
        return CS_ENOMEM;
    w->what = *what;
    memcpy(w->tag, what->tag.p, CS_MIN(what->tag.n, sizeof(w->tag)));
    w->what.tag = span_of(w->tag, sizeof(w->tag));
    span_copy(w->token, sizeof(w->token), span_str(token));
    list_push_back(&e->waiting, &w->link);
    e->n_waiting++;
    look(e);
    return 0;
}
