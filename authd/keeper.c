#include "authd/keeper.h"

#include <stdlib.h>

#include "authd/audit/cause.h"
#include "authd/store/device.h"
#include "authd/store/records.h"
#include "base/log.h"

enum { TRIES = 4, OPEN_MAX = 1000 };

struct keeper {
    struct keeper_conf conf;
    struct records devices;
    size_t open;
};

struct keeping {
    struct list link; /* in the asker's list */
    struct keeper *k;
    struct record_call *call;
    struct arena arena;
    kept_fn *fn;
    void *arg;
    Countersign__Auth__Keep wish; /* its texts are the arena's */
    struct span node;
    struct span *names; /* of devices: the one that asks, and those that have its line, too */
    size_t n_names, at;
    struct device device; /* as it will be */
    unsigned tries;
};

static const struct log klog = { .module = "keeper" };

static void keeping_free(struct keeping *w)
{
    if (w->call)
        record_cancel(w->call);
    list_remove(&w->link);
    w->k->open--;
    arena_fini(&w->arena);
    free(w);
}

static void answer(struct keeping *w, Countersign__Auth__Cause cause)
{
    Countersign__Auth__Kept m = COUNTERSIGN__AUTH__KEPT__INIT;
    m.id = w->wish.id;
    m.has_cause = true;
    m.cause = cause;
    list_remove(&w->link); /* the asker may leave while he is told */
    list_init(&w->link);
    w->fn(w->arg, &m);
    keeping_free(w);
}

/* ---- the change ---- */

/* What is said; an empty text takes it away. */
static void set(const char *said, struct span *to)
{
    if (said)
        *to = said[0] ? span_str(said) : SPAN_NULL;
}

static int change_forward(struct keeping *w, struct device *d)
{
    const struct span user = span_str(w->wish.user);
    struct device_forward *list = arena_alloc(&w->arena, (d->n_forwards + 1) * sizeof(*list));
    size_t n = 0;
    if (!list)
        return CS_ENOMEM;
    struct device_forward own = { .user = user };
    for (size_t i = 0; i < d->n_forwards; i++) {
        if (span_eq(d->forwards[i].user, user))
            own = d->forwards[i];
        else
            list[n++] = d->forwards[i];
    }
    set(w->wish.forward_all, &own.all);
    set(w->wish.forward_busy, &own.busy);
    set(w->wish.forward_no_answer, &own.no_answer);
    if (own.all.p || own.busy.p || own.no_answer.p)
        list[n++] = own;
    d->forwards = list;
    d->n_forwards = n;
    return 0;
}

static Countersign__Auth__Cause change(struct keeping *w, struct device *d)
{
    const char *member;
    if (w->wish.has_do_not_disturb && !w->at)
        d->dnd = (enum device_dnd)w->wish.do_not_disturb;
    if (w->wish.user && !device_has_line(d, span_str(w->wish.user)))
        return CAUSE(AOR_NOT_ALLOWED);
    if (w->wish.user && change_forward(w, d))
        return CAUSE(OVERLOADED);
    return device_fault(d, &member) || d->dnd > DEVICE_DND_REJECT ? CAUSE(AOR_NOT_ALLOWED)
                                                                  : CAUSE(OK);
}

/* ---- reading and writing ---- */

static void begin(struct keeping *w);

static void next(struct keeping *w)
{
    w->tries = 0;
    if (++w->at < w->n_names)
        begin(w);
    else
        answer(w, CAUSE(OK));
}

static void on_put(void *arg, int err)
{
    struct keeping *w = arg;
    w->call = NULL;
    if (err == CS_ECONFLICT && ++w->tries < TRIES) {
        begin(w);
        return;
    }
    if (!err) {
        const struct deed d = { .time = loop_wall(w->k->conf.loop),
                                .what = SPAN("device changed"),
                                .by = w->node,
                                .target = w->names[w->at],
                                .note = SPAN("at the phone") };
        audit_deed(w->k->conf.audit, &d);
        next(w);
        return;
    }
    answer(w, CAUSE(STORE_UNAVAILABLE));
}

static void put(struct keeping *w, const struct device *d)
{
    char *space = malloc(DEVICE_MAX_RECORD);
    struct buf b = buf_of(space, space ? DEVICE_MAX_RECORD : 0);
    int err = space ? device_encode(d, &b) : CS_ENOMEM;
    w->call = err ? NULL : record_put(&w->k->devices, d->name, d->record, buf_span(&b), on_put, w);
    free(space);
    if (!w->call)
        answer(w, CAUSE(OVERLOADED));
}

static void on_device(void *arg, int err, struct span bytes)
{
    struct keeping *w = arg;
    w->call = NULL;
    if (!err)
        err = device_decode(bytes, &w->arena, &w->device);
    if (err == CS_EPROTO)
        log_error(&klog, "a device's record cannot be read", kv_s("device", w->names[w->at]));
    if (err == CS_ENOENT && w->at) { /* it is gone meanwhile */
        next(w);
        return;
    }
    if (err) {
        answer(w, err == CS_ENOENT ? CAUSE(UNKNOWN_DEVICE) : CAUSE(STORE_UNAVAILABLE));
        return;
    }
    const Countersign__Auth__Cause cause = change(w, &w->device);
    w->device.changed = loop_wall(w->k->conf.loop);
    if (cause == CAUSE(OK))
        put(w, &w->device);
    else if (cause == CAUSE(AOR_NOT_ALLOWED) && w->at) /* it has the line no more */
        next(w);
    else
        answer(w, cause);
}

static void begin(struct keeping *w)
{
    w->call = record_get(&w->k->devices, w->names[w->at], on_device, w);
    if (!w->call)
        answer(w, CAUSE(OVERLOADED));
}

/* ---- the question ---- */

static int name_devices(struct keeping *w)
{
    const struct span name = span_str(w->wish.device);
    struct span *sharing = NULL;
    size_t n = 0;
    int err = w->wish.user ? directory_line_names(w->k->conf.directory, span_str(w->wish.user),
                                                  &w->arena, &sharing, &n)
                           : 0;
    w->names = err ? NULL : arena_alloc(&w->arena, (n + 1) * sizeof(*w->names));
    if (!w->names)
        return CS_ENOMEM;
    w->names[w->n_names++] = name;
    for (size_t i = 0; i < n; i++) {
        if (!span_eq(sharing[i], name))
            w->names[w->n_names++] = sharing[i];
    }
    return 0;
}

static bool keep(struct keeping *w, const Countersign__Auth__Keep *m, const char *node)
{
    char **const texts[] = { &w->wish.device, &w->wish.user, &w->wish.forward_all,
                             &w->wish.forward_busy, &w->wish.forward_no_answer };
    w->wish = *m;
    w->node = arena_dup(&w->arena, span_str(node));
    for (size_t i = 0; i < CS_LEN(texts); i++) {
        const char *from = *texts[i];
        *texts[i] = from ? arena_str(&w->arena, span_str(from)) : NULL;
        if (from && !*texts[i])
            return false;
    }
    return w->node.p && name_devices(w) == 0;
}

bool keeper_ask(struct keeper *k, const Countersign__Auth__Keep *m, bool allowed, const char *node,
                struct list *open, kept_fn *fn, void *arg)
{
    struct keeping *w = calloc(1, sizeof(*w));
    if (!w)
        return false;
    w->k = k;
    w->fn = fn;
    w->arg = arg;
    arena_init(&w->arena, NULL, 0, 0);
    list_push_back(open, &w->link);
    k->open++;
    if (!keep(w, m, node)) {
        keeping_free(w);
        return false;
    }
    if (!allowed)
        answer(w, CAUSE(DEVICE_NOT_ASKED_BY_B2BUA));
    else if (device_name_fault(w->names[0]))
        answer(w, CAUSE(UNKNOWN_DEVICE));
    else if (k->open > OPEN_MAX)
        answer(w, CAUSE(OVERLOADED));
    else
        begin(w);
    return true;
}

void keeper_forget(struct list *open)
{
    while (!list_empty(open))
        keeping_free(container_of(open->next, struct keeping, link));
}

int keeper_new(const struct keeper_conf *conf, struct keeper **out)
{
    struct keeper *k = *out = calloc(1, sizeof(*k));
    if (!k)
        return CS_ENOMEM;
    k->conf = *conf;
    records_init(&k->devices, conf->redis, SPAN(DEVICE_PREFIX), SPAN(DEVICE_INDEX));
    return 0;
}

void keeper_free(struct keeper **kp)
{
    struct keeper *k = *kp;
    *kp = NULL;
    if (!k)
        return;
    records_fini(&k->devices);
    free(k);
}
