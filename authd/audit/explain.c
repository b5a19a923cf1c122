#include "authd/audit/explain.h"

#include <stdlib.h>

struct explain {
    size_t max, n, next;
    uint64_t total;
    struct explained ring[];
};

int explain_new(size_t max, struct explain **out)
{
    struct explain *e = calloc(1, sizeof(*e) + max * sizeof(e->ring[0]));
    *out = e;
    if (!e)
        return CS_ENOMEM;
    e->max = max;
    return 0;
}

void explain_free(struct explain **e)
{
    free(*e);
    *e = NULL;
}

void explain_add(struct explain *e, const struct decision *d)
{
    if (d->kind == COUNTERSIGN__AUTH__VERDICT_KIND__ACCEPT || d->cause == CAUSE(NO_CREDENTIALS))
        return;
    struct explained *x = &e->ring[e->next];
    e->next = (e->next + 1) % e->max;
    e->n += e->n < e->max;
    e->total++;

    const struct facts *f = d->facts;
    x->time = d->time;
    x->kind = d->kind;
    x->cause = d->cause;
    x->because = d->because;
    x->transport = f->transport;
    x->status = d->status;
    x->source = f->source;
    span_copy(x->country, sizeof(x->country), span_str(f->country));
    span_copy(x->decision, sizeof(x->decision), d->id);
    span_copy(x->group, sizeof(x->group), d->group);
    span_copy(x->trunk, sizeof(x->trunk), d->trunk);
    span_copy(x->method, sizeof(x->method), f->method);
    span_copy(x->algorithm, sizeof(x->algorithm), d->algorithm);
    span_copy(x->listener, sizeof(x->listener), f->listener);
    span_copy(x->user, sizeof(x->user), d->user);
    span_copy(x->realm, sizeof(x->realm), d->realm);
    span_copy(x->aor, sizeof(x->aor), f->is_register ? f->to_aor : f->target_aor);
    span_copy(x->from, sizeof(x->from), f->from_aor);
    span_copy(x->call_id, sizeof(x->call_id), f->call_id);
    span_copy(x->user_agent, sizeof(x->user_agent), f->user_agent);
    span_copy(x->revoked, sizeof(x->revoked), d->revoked);
    span_copy(x->limit, sizeof(x->limit), d->limit);
    span_copy(x->device, sizeof(x->device), d->device);
}

uint64_t explain_total(const struct explain *e)
{
    return e->total;
}

/* key may be longer than what was kept of a text. */
static bool is(const char *text, size_t cap, struct span key)
{
    return text[0] && span_eq(span_str(text), span_head(key, cap - 1));
}

static bool is_user(const struct explained *x, struct span key)
{
    struct span user = span_str(x->user), realm = span_str(x->realm);
    return user.n > 0 && key.n == user.n + 1 + realm.n && span_starts(key, user) &&
           key.p[user.n] == '@' && span_ends(key, realm);
}

static bool concerns(const struct explained *x, struct span key, const struct addr *host)
{
    if (host)
        return addr_same_host(&x->source, host);
    return is(x->decision, sizeof(x->decision), key) || is(x->call_id, sizeof(x->call_id), key) ||
           is(x->user, sizeof(x->user), key) || is(x->aor, sizeof(x->aor), key) ||
           is(x->from, sizeof(x->from), key) || is(x->trunk, sizeof(x->trunk), key) ||
           is(x->device, sizeof(x->device), key) || is_user(x, key);
}

void explain_find(const struct explain *e, struct span key, size_t limit,
                  void (*fn)(void *arg, const struct explained *x), void *arg)
{
    struct addr a;
    bool is_addr = key.p && addr_parse(key, 1, &a) == 0;
    for (size_t i = 0; i < e->n && limit > 0; i++) {
        const struct explained *x = &e->ring[(e->next + e->max - 1 - i) % e->max];
        if (key.p && !concerns(x, key, is_addr ? &a : NULL))
            continue;
        fn(arg, x);
        limit--;
    }
}
