#include "b2bua/desk/devices.h"

#include <openssl/x509.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/rand.h"

enum { RETRY_MS = 1000, RETRY_SPREAD_MS = 2000, TAG_LEN = 8 /* of Grant.rests_on */ };

struct devices {
    struct loop *loop;
    struct gate *gate;
    struct list all;
};

struct device_grant {
    struct list link;
    struct devices *owner;
    struct arena arena; /* of facts and certificates' references */
    struct gate_device facts;
    struct addr source;
    device_grant_fn *fn;
    void *arg;
    struct gate_attach *ask;
    struct timer again;
    bool stands;      /* it was accepted */
    bool stale;       /* something changed while it was asked about */
    struct buf lines; /* its users, each ended by a NUL; owned */
    struct buf rests; /* tags; owned */
};

static const struct log dlog = { .module = "devices" };

static void ask(struct device_grant *d);

static void on_again(struct timer *t)
{
    ask(container_of(t, struct device_grant, again));
}

static void ask_later(struct device_grant *d, struct duration in)
{
    timer_stop(d->owner->loop, &d->again);
    timer_start(d->owner->loop, &d->again, in);
}

/* Not all at once where many were lost at once. */
static struct duration soon(void)
{
    return DURATION_MS(RETRY_MS + (int64_t)rand_below(RETRY_SPREAD_MS));
}

/* ---- what it rests on ---- */

static int replace(struct buf *b, size_t size)
{
    free(b->p);
    *b = buf_of(malloc(size ? size : 1), size);
    return b->p ? 0 : CS_ENOMEM;
}

static int keep(struct device_grant *d, const Countersign__Auth__Attached *m)
{
    size_t size = 0;
    for (size_t i = 0; i < m->record->n_line; i++)
        size += strlen(m->record->line[i]->user) + 1;
    if (replace(&d->lines, size) || replace(&d->rests, m->rests_on.len))
        return CS_ENOMEM;
    for (size_t i = 0; i < m->record->n_line; i++)
        buf_put(&d->lines, span_of(m->record->line[i]->user, strlen(m->record->line[i]->user) + 1));
    buf_put(&d->rests, span_of(m->rests_on.data, m->rests_on.len));
    return 0;
}

static bool has_line(const struct device_grant *d, const char *user)
{
    for (size_t at = 0; at < d->lines.n; at += strlen(d->lines.p + at) + 1) {
        if (strcmp(d->lines.p + at, user) == 0)
            return true;
    }
    return false;
}

static bool is_concerned(const struct device_grant *d, const Countersign__Auth__Revoked *r)
{
    const struct span tags = buf_span(&d->rests);
    if (r->has_lost && r->lost)
        return true;
    for (size_t i = 0; r->has_rests_on && i + TAG_LEN <= tags.n; i += TAG_LEN) {
        if (span_eq(span_of(tags.p + i, TAG_LEN), span_of(r->rests_on.data, r->rests_on.len)))
            return true;
    }
    return r->user && has_line(d, r->user);
}

/* ---- the answer ---- */

static void on_attached(void *arg, enum verdict kind, const Countersign__Auth__Attached *m)
{
    struct device_grant *d = arg;
    d->ask = NULL;
    if (kind == VERDICT_ACCEPT && keep(d, m))
        kind = VERDICT_LATER;
    if (d->stale) { /* what it says may be no longer so: only the next answer counts */
        d->stale = false;
        ask(d);
        return;
    }
    if (kind == VERDICT_ACCEPT) {
        d->stands = true;
        ask_later(d, DURATION_S(CS_MAX((int64_t)m->valid_s / 2, (int64_t)1)));
    } else if (kind == VERDICT_LATER && d->stands) {
        ask_later(d, soon());
        return;
    }
    d->fn(d->arg, kind, m);
}

static void ask(struct device_grant *d)
{
    timer_stop(d->owner->loop, &d->again);
    if (d->ask) {
        d->stale = true;
        return;
    }
    d->ask = gate_attach(d->owner->gate, &d->facts, on_attached, d);
    if (!d->ask) {
        log_error(&dlog, "out of memory: a device is not asked about",
                  kv_s("device", d->facts.name));
        ask_later(d, soon());
    }
}

/* ---- what changes ---- */

static void on_changed(void *arg, struct span name)
{
    struct devices *all = arg;
    list_for_each (it, &all->all) {
        struct device_grant *d = container_of(it, struct device_grant, link);
        if (!name.p || span_eq(d->facts.name, name))
            ask(d);
    }
}

void devices_revoked(struct devices *all, const Countersign__Auth__Revoked *r)
{
    list_for_each (it, &all->all) {
        struct device_grant *d = container_of(it, struct device_grant, link);
        if (!d->ask && is_concerned(d, r)) /* else the answer rests on what stands now */
            ask(d);
    }
}

/* ---- life ---- */

int device_grant_open(struct devices *all, const struct gate_device *facts, device_grant_fn *fn,
                      void *arg, struct device_grant **out)
{
    struct device_grant *d = *out = calloc(1, sizeof(*d));
    if (!d)
        return CS_ENOMEM;
    d->owner = all;
    d->fn = fn;
    d->arg = arg;
    arena_init(&d->arena, NULL, 0, 0);
    timer_init(&d->again, on_again);
    list_push_back(&all->all, &d->link);
    d->facts = *facts;
    d->source = *facts->source;
    d->facts.source = &d->source;
    d->facts.name = arena_dup(&d->arena, facts->name);
    d->facts.listener = arena_dup(&d->arena, facts->listener);
    d->facts.software = arena_dup(&d->arena, facts->software);
    if (facts->certificate)
        X509_up_ref(facts->certificate);
    if (facts->issuer)
        X509_up_ref(facts->issuer);
    if (!d->facts.name.p || !d->facts.listener.p) {
        device_grant_close(out);
        return CS_ENOMEM;
    }
    ask(d);
    return 0;
}

void device_grant_close(struct device_grant **dp)
{
    struct device_grant *d = *dp;
    *dp = NULL;
    if (!d)
        return;
    if (d->ask)
        gate_attach_cancel(d->ask);
    timer_stop(d->owner->loop, &d->again);
    list_remove(&d->link);
    X509_free(d->facts.certificate);
    X509_free(d->facts.issuer);
    free(d->lines.p);
    free(d->rests.p);
    arena_fini(&d->arena);
    free(d);
}

void device_grant_refused(struct device_grant *d)
{
    if (!d->ask)
        ask_later(d, soon());
}

void device_registers(struct device_grant *d)
{
    d->facts.token = false;
}

int devices_open(struct loop *l, struct gate *g, struct devices **out)
{
    struct devices *all = *out = calloc(1, sizeof(*all));
    if (!all)
        return CS_ENOMEM;
    all->loop = l;
    all->gate = g;
    list_init(&all->all);
    gate_on_changed(g, on_changed, all);
    return 0;
}

void devices_close(struct devices **dp)
{
    struct devices *all = *dp;
    *dp = NULL;
    if (!all)
        return;
    gate_on_changed(all->gate, NULL, NULL);
    free(all);
}
