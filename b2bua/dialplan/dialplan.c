#include "b2bua/dialplan/dialplan.h"

const struct dialplan_context *dialplan_context(const struct dialplan *p, struct span name)
{
    for (size_t i = 0; i < p->n_contexts; i++) {
        if (span_eq(p->contexts[i].name, name))
            return &p->contexts[i];
    }
    return NULL;
}

/* ---- may this entry be taken ---- */

static bool is_one_of(const struct pattern *patterns, size_t n, struct span caller)
{
    for (size_t i = 0; i < n; i++) {
        if (pattern_matches(&patterns[i], caller))
            return true;
    }
    return false;
}

static bool is_refusal(const struct dialplan_entry *e)
{
    return e->n_to && e->to[0].refuse;
}

static enum dialplan_outcome judge(const struct dialplan_entry *e, struct span called,
                                   struct span caller, struct wall now, enum pattern_fit *fit,
                                   struct precision *precision)
{
    *fit = pattern_fit(&e->pattern, called, precision);
    if (*fit == PATTERN_NONE)
        return DIALPLAN_NO_MATCH;
    if (e->n_callers && !is_one_of(e->caller_patterns, e->n_callers, caller))
        return DIALPLAN_OTHER_CALLER;
    if ((e->during && !schedule_is_open(e->during, now)) ||
        (e->outside && schedule_is_open(e->outside, now)))
        return DIALPLAN_OTHER_TIME;
    if (is_one_of(e->not_caller_patterns, e->n_not_callers, caller))
        return *fit == PATTERN_PARTIAL || is_refusal(e) ? DIALPLAN_OTHER_CALLER : DIALPLAN_BARRED;
    return *fit == PATTERN_PARTIAL ? DIALPLAN_INCOMPLETE : DIALPLAN_CHOSEN;
}

/* ---- looking up ---- */

struct lookup {
    struct arena *a;
    bool explain;
    struct wall now;
    struct dialplan_answer *out;
    size_t room, room_steps; /* of trace, of steps */
};

static int translate(struct lookup *l, const struct translation *t,
                     const struct dialplan_entry *entry, const struct dialplan_target *target,
                     enum translation_number which, struct span *number, bool *rejected)
{
    struct dialplan_step step = { t, entry, target, which, *number, { .rule = NULL } };
    int err = translation_apply(t, which, *number, l->a, &step.after);
    if (err || !t)
        return err;
    *number = step.after.number;
    *rejected = *rejected || step.after.rejected;
    if (l->explain && l->out->n_steps < l->room_steps && (step.after.rule || step.after.e164))
        l->out->steps[l->out->n_steps++] = step;
    return 0;
}

/* Both numbers. */
static int translate_both(struct lookup *l, const struct translation *t,
                          const struct dialplan_entry *entry, const struct dialplan_target *target,
                          struct span *called, struct span *calling, bool *rejected)
{
    int err = translate(l, t, entry, target, TRANSLATION_CALLED, called, rejected);
    return err ? err : translate(l, t, entry, target, TRANSLATION_CALLING, calling, rejected);
}

static int plain(struct arena *a, struct span user, struct span *out)
{
    char text[NUMBER_MAX];
    struct buf b = BUF_INIT(text);
    *out = SPAN("");
    int err = number_plain(user, &b);
    if (err)
        return err;
    *out = arena_dup(a, buf_span(&b));
    return out->p ? 0 : CS_ENOMEM;
}

/* What comes in as it is matched. CS_EDENIED: a rule of the context rejects it; CS_ELIMIT and
 * CS_EPROTO: nobody is called like that. */
static int take_in(struct lookup *l, const struct dialplan_context *context,
                   const struct dialplan_call *call)
{
    struct dialplan_answer *out = l->out;
    bool rejected = false;
    int err = plain(l->a, call->caller, &out->caller);
    if (err == CS_ELIMIT || err == CS_EPROTO)
        err = 0; /* nobody we know: it is as good as anonymous */
    if (!err)
        err = plain(l->a, call->called, &out->called);
    if (!err)
        err = translate_both(l, context->translation, NULL, NULL, &out->called, &out->caller,
                             &rejected);
    return err ? err : rejected ? CS_EDENIED : 0;
}

/* It has a say in where the call goes. */
static bool counts(const struct dialplan_trace *t)
{
    return t->outcome == DIALPLAN_CHOSEN || t->outcome == DIALPLAN_BARRED;
}

static int by_merit(const void *x, const void *y)
{
    const struct dialplan_trace *a = x, *b = y;
    const bool a_counts = counts(a), b_counts = counts(b);
    if (a_counts != b_counts)
        return a_counts ? -1 : 1;
    if (a_counts && a->entry->emergency != b->entry->emergency)
        return a->entry->emergency ? -1 : 1;
    if (a_counts && a->precision.all != b->precision.all)
        return a->precision.all > b->precision.all ? -1 : 1;
    return 0;
}

/* Insertion, for what is equal stays as it was written, and few match. */
static void put_by_merit(struct dialplan_trace *list, size_t n, struct dialplan_trace one)
{
    for (; n > 0 && by_merit(&one, &list[n - 1]) < 0; n--)
        list[n] = list[n - 1];
    list[n] = one;
}

static int make_room(struct lookup *l)
{
    struct dialplan_answer *out = l->out;
    if (out->n_trace < l->room)
        return 0;
    const size_t room = l->room ? 2 * l->room : 2;
    struct dialplan_trace *more = arena_alloc(l->a, room * sizeof(*more));
    if (!more)
        return CS_ENOMEM;
    if (out->n_trace)
        memcpy(more, out->trace, out->n_trace * sizeof(*more));
    out->trace = more;
    l->room = room;
    return 0;
}

/* Those that match, best first; with explain all. Status is that of a call that none takes. */
static int find(struct lookup *l, const struct dialplan_context *context)
{
    struct dialplan_answer *out = l->out;
    bool partial = false, barred = false;
    for (size_t i = 0; i < context->n_search; i++) {
        const struct dialplan_context *c = context->search[i];
        for (size_t k = 0; k < c->n_entries; k++) {
            struct dialplan_trace t = { .context = c, .entry = &c->entries[k] };
            enum pattern_fit fit;
            t.outcome = judge(t.entry, out->called, out->caller, l->now, &fit, &t.precision);
            partial = partial || t.outcome == DIALPLAN_INCOMPLETE;
            barred = barred || (fit >= PATTERN_FULL && t.outcome != DIALPLAN_CHOSEN);
            if (!l->explain && !counts(&t))
                continue;
            if (make_room(l))
                return CS_ENOMEM;
            put_by_merit(out->trace, out->n_trace++, t);
        }
    }
    out->status = barred ? 403 : partial ? 484 : 404;
    return 0;
}

/* "{called}" stands for the number that is called. */
static int name_of(struct lookup *l, struct span text, struct span called, struct span *out)
{
    static const char placeholder[] = "{called}";
    const char *at = text.n ? memmem(text.p, text.n, placeholder, strlen(placeholder)) : NULL;
    *out = text;
    if (!at)
        return 0;
    const size_t n = text.n - strlen(placeholder) + called.n;
    char *p = arena_alloc(l->a, n + 1);
    if (!p)
        return CS_ENOMEM;
    struct buf b = buf_of(p, n);
    buf_put(&b, span_of(text.p, (size_t)(at - text.p)));
    buf_put(&b, called);
    buf_put(&b, span_skip(text, (size_t)(at - text.p) + strlen(placeholder)));
    *out = buf_span(&b);
    return 0;
}

static int name_target(struct lookup *l, const struct dialplan_target *t,
                       struct dialplan_candidate *c)
{
    if (t->refuse) {
        c->kind = DIALPLAN_REFUSE;
        c->status = t->refuse;
        return 0;
    }
    c->kind = t->trunk.p ? DIALPLAN_TRUNK : t->extension.p ? DIALPLAN_EXTENSION : DIALPLAN_LINE;
    return name_of(l,
                   t->trunk.p       ? t->trunk
                   : t->extension.p ? t->extension
                                    : t->line,
                   c->called, &c->name);
}

/* One that has failed is not tried again with the same numbers. */
static bool is_there(const struct dialplan_answer *a, const struct dialplan_candidate *c)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct dialplan_candidate *o = &a->candidates[i];
        if (o->kind == c->kind && span_eq(o->name, c->name) && span_eq(o->called, c->called) &&
            span_eq(o->calling, c->calling))
            return true;
    }
    return false;
}

/* Adds one entry's; *last when nothing may follow. */
static int add_candidates(struct lookup *l, struct dialplan_trace *t, bool *last)
{
    struct dialplan_answer *out = l->out;
    const struct dialplan_entry *e = t->entry;
    struct span called = out->called, calling = out->caller;
    bool rejected = false, any = false;
    int err = translate_both(l, e->translation, e, NULL, &called, &calling, &rejected);
    *last = e->huntstop || rejected;
    for (size_t i = 0; !err && !rejected && i < e->n_to; i++) {
        const struct dialplan_target *to = &e->to[i];
        struct dialplan_candidate c = { .called = called,
                                        .calling = calling,
                                        .priority = to->priority,
                                        .weight = to->weight,
                                        .entry = e,
                                        .context = t->context };
        bool left_out = false;
        err = translate_both(l, to->translation, e, to, &c.called, &c.calling, &left_out);
        if (!err)
            err = name_target(l, to, &c);
        if (err || left_out)
            continue;
        any = true;
        *last = *last || to->refuse;
        if (!is_there(out, &c))
            out->candidates[out->n++] = c;
        if (to->refuse)
            break;
    }
    if (!any)
        t->outcome = DIALPLAN_REJECTED;
    return err;
}

static int gather(struct lookup *l)
{
    struct dialplan_answer *out = l->out;
    size_t room = 0;
    bool last = false;
    int err = 0;
    for (size_t i = 0; i < out->n_trace; i++)
        room += out->trace[i].outcome == DIALPLAN_CHOSEN ? out->trace[i].entry->n_to : 0;
    out->candidates = arena_alloc(l->a, room * sizeof(*out->candidates));
    if (!out->candidates)
        return CS_ENOMEM;
    for (size_t i = 0; !err && i < out->n_trace; i++) {
        struct dialplan_trace *t = &out->trace[i];
        if (!counts(t))
            break;
        if (last)
            t->outcome = DIALPLAN_NOT_REACHED;
        else if (t->outcome == DIALPLAN_BARRED)
            last = true;
        else
            err = add_candidates(l, t, &last);
    }
    if (!err && out->n)
        out->emergency = out->candidates[0].entry->emergency;
    if (!out->n && room)
        out->status = 403; /* each was rejected by a rule */
    return err;
}

/* Steps there can be: two numbers in the context, in each entry and in each target. */
static size_t count_steps(const struct dialplan_context *context)
{
    size_t n = 2;
    for (size_t i = 0; i < context->n_search; i++) {
        for (size_t k = 0; k < context->search[i]->n_entries; k++)
            n += 2 + 2 * context->search[i]->entries[k].n_to;
    }
    return n;
}

int dialplan_lookup(const struct dialplan_context *context, const struct dialplan_call *call,
                    bool explain, struct arena *a, struct dialplan_answer *out)
{
    struct lookup l = { .a = a, .explain = explain, .now = call->now, .out = out };
    *out = (struct dialplan_answer){ .status = 404 };
    if (explain) {
        l.room_steps = count_steps(context);
        out->steps = arena_alloc(a, l.room_steps * sizeof(*out->steps));
        if (!out->steps)
            return CS_ENOMEM;
    }
    struct dialplan_call ended = *call;
    if (ended.called.n > 1 && span_ends(ended.called, SPAN("#")) &&
        dialplan_dialled(context, call) == DIALLED_NOWHERE)
        ended.called.n--; /* it was the end of the number, as it is on a desk phone */
    int err = take_in(&l, context, &ended);
    if (err == CS_EDENIED)
        out->status = 403;
    if (err == CS_EDENIED || err == CS_ELIMIT || err == CS_EPROTO)
        return 0;
    if (!err)
        err = find(&l, context);
    return err ? err : gather(&l);
}

/* ---- chance ---- */

/* splitmix64: the seed is good, being a hash of the call; this only draws it out. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void dialplan_draw(struct dialplan_answer *answer, uint64_t seed)
{
    struct dialplan_candidate *c = answer->candidates;
    for (size_t i = 0; i < answer->n; i++) {
        uint64_t sum = 0;
        size_t end = i;
        for (; end < answer->n && c[end].entry == c[i].entry && c[end].priority == c[i].priority &&
               c[end].weight;
             end++)
            sum += c[end].weight;
        if (end < i + 2)
            continue;
        uint64_t at = draw(&seed) % sum;
        size_t chosen = i;
        while (at >= c[chosen].weight)
            at -= c[chosen++].weight;
        const struct dialplan_candidate first = c[chosen];
        memmove(&c[i + 1], &c[i], (chosen - i) * sizeof(*c));
        c[i] = first;
    }
}

/* ---- digits that come one by one ---- */

enum dialplan_dialled dialplan_dialled(const struct dialplan_context *context,
                                       const struct dialplan_call *call)
{
    char memory[512];
    struct arena a;
    struct dialplan_answer out = { 0 };
    struct lookup l = { .a = &a, .now = call->now, .out = &out };
    bool full = false, more = false, emergency = false;
    arena_init(&a, memory, sizeof(memory), 0);
    int err = take_in(&l, context, call);
    for (size_t i = 0; !err && i < context->n_search; i++) {
        const struct dialplan_context *c = context->search[i];
        for (size_t k = 0; k < c->n_entries; k++) {
            const struct dialplan_entry *e = &c->entries[k];
            struct precision precision;
            enum pattern_fit fit;
            const enum dialplan_outcome o =
                judge(e, out.called, out.caller, call->now, &fit, &precision);
            full = full || o == DIALPLAN_CHOSEN;
            emergency = emergency || (o == DIALPLAN_CHOSEN && e->emergency);
            more = more || o == DIALPLAN_INCOMPLETE ||
                   (o == DIALPLAN_CHOSEN && fit == PATTERN_FULL_OR_MORE);
        }
    }
    arena_fini(&a);
    if (full)
        return more && !emergency ? DIALLED_UNLESS : DIALLED_COMPLETE;
    return more ? DIALLED_PARTIAL : DIALLED_NOWHERE;
}
