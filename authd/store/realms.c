#include "authd/store/realms.h"

#include <stdlib.h>

struct realm {
    struct realms *all;
    struct span name;
    struct store_call *call; /* open, or NULL */
    bool known, was_known, again;
    unsigned lacking;
};

struct realms {
    struct loop *loop;
    struct store *store;
    struct timer timer;
    bool held;
    size_t n;
    struct realm list[];
};

static void ask(struct realm *r);

static void answered(void *arg, int err, const uint64_t *n)
{
    struct realm *r = arg;
    r->call = NULL;
    r->known = err == 0;
    r->was_known |= r->known;
    if (r->known)
        r->lacking = 0;
    for (enum algorithm alg = 0; r->known && alg < ALG_COUNT; alg++)
        r->lacking |= n[alg] > 0 ? ALG_BIT(alg) : 0;
    if (r->again) {
        r->again = false;
        ask(r);
    }
}

static void ask(struct realm *r)
{
    if (r->call)
        r->again = true; /* the answer under way may be older than the change */
    else
        r->call = store_count_lacking(r->all->store, r->name, answered, r);
}

static void on_change(void *arg, struct span name)
{
    struct realms *r = arg;
    for (size_t i = 0; i < r->n; i++) {
        if (span_eq(r->list[i].name, name))
            ask(&r->list[i]);
    }
}

static void on_timer(struct timer *t)
{
    struct realms *r = container_of(t, struct realms, timer);
    for (size_t i = 0; i < r->n; i++) {
        if (!r->list[i].call && store_is_ready(r->store))
            ask(&r->list[i]);
    }
    timer_start_about(r->loop, t, DURATION_S(1));
}

int realms_new(struct loop *l, const struct authd_conf *conf, struct store *store,
               struct realms **out)
{
    struct realms *r = calloc(1, sizeof(*r) + 2 * conf->n_realms * sizeof(r->list[0]));
    *out = r;
    if (!r)
        return CS_ENOMEM;
    r->loop = l;
    r->store = store;
    for (size_t i = 0; i < conf->n_realms; i++) {
        const struct realm_conf *c = &conf->realms[i];
        r->list[r->n++] = (struct realm){ .all = r, .name = c->name };
        if (c->formerly)
            r->list[r->n++] = (struct realm){ .all = r, .name = c->formerly->name };
    }
    timer_init(&r->timer, on_timer);
    timer_start(l, &r->timer, DURATION_MS(0));
    store_on_change(store, on_change, r);
    return 0;
}

void realms_free(struct realms **rp)
{
    struct realms *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    timer_stop(r->loop, &r->timer);
    store_on_change(r->store, NULL, NULL);
    for (size_t i = 0; i < r->n; i++) {
        if (r->list[i].call)
            store_cancel(r->list[i].call);
    }
    free(r);
}

void realms_refresh(struct realms *r, bool redis_ready)
{
    for (size_t i = 0; i < r->n; i++) {
        if (redis_ready)
            ask(&r->list[i]);
        else
            r->list[i].known = false;
    }
}

void realms_hold(struct realms *r, bool held)
{
    r->held = held;
}

static const struct realm *find(const struct realms *r, struct span name)
{
    for (size_t i = 0; i < r->n; i++) {
        if (span_eq(r->list[i].name, name))
            return &r->list[i];
    }
    return NULL;
}

bool realms_lacking(const struct realms *r, struct span realm, unsigned *mask)
{
    const struct realm *found = find(r, realm);
    *mask = found ? found->lacking : 0;
    return found && found->known && !r->held;
}

bool realms_recall(const struct realms *r, struct span realm, unsigned *mask)
{
    const struct realm *found = find(r, realm);
    *mask = found ? found->lacking : 0;
    return found && found->was_known && !r->held;
}
