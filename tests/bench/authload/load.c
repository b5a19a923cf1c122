#include "load.h"

#include <stdlib.h>

#include "net/timer.h"

struct slot {
    struct question question;
    struct mono asked;
    enum kind kind; /* what it is for, whatever has to be asked before */
    bool busy, beside;
};

struct load {
    const struct load_options *o;
    struct asker *asker;
    struct loop loop;
    struct way *way;
    struct usage *usage;
    struct load_result *out;
    struct slot *slots;
    unsigned *free, n_free;
    struct timer tick;
    size_t next_phone;
    struct mono begun, measured_from, end;
    uint64_t arrived, arrived_beside;
    enum { WARMING, MEASURING, DONE } phase;
    bool broken;
};

static void wrong(struct load *l, struct span text)
{
    if (l->out->wrong++ == 0)
        snprintf(l->out->first_wrong, sizeof(l->out->first_wrong), SPAN_FMT, SPAN_ARG(text));
}

static void finish(struct load *l)
{
    if (l->phase == MEASURING) {
        usage_end(l->usage);
        l->out->seconds = (double)(clock_mono().ns - l->measured_from.ns) / 1e9;
    }
    l->phase = DONE;
    timer_start(&l->loop, &l->tick, DURATION_MS(0)); /* closes the way, from its own turn */
}

static struct phone *idle_phone(struct load *l)
{
    struct phones *ps = l->asker->phones;
    for (size_t i = 0; i < ps->n; i++) {
        struct phone *p = &ps->p[l->next_phone++ % ps->n];
        if (!p->busy)
            return p;
    }
    return NULL;
}

static void ask(struct load *l, unsigned number)
{
    struct slot *s = &l->slots[number];
    if (!question_make(l->asker, s->kind, &s->question)) {
        wrong(l, SPAN("a text of the question is too long"));
        finish(l);
        return;
    }
    s->asked = clock_mono();
    l->way->ask(l->way, number, &s->question);
}

static void begin(struct load *l, enum kind kind, bool beside)
{
    struct phone *p = l->n_free ? idle_phone(l) : NULL;
    if (!p) {
        l->out->overrun += l->phase == MEASURING;
        return;
    }
    unsigned number = l->free[--l->n_free];
    struct slot *s = &l->slots[number];
    s->kind = kind;
    s->beside = beside;
    s->question.phone = p;
    p->busy = true;
    ask(l, number);
}

static void count(struct load *l, const struct slot *s)
{
    if (l->phase != MEASURING || s->asked.ns < l->measured_from.ns)
        return;
    if (s->beside) {
        l->out->beside++;
        return;
    }
    l->out->ops++;
    latency_add(&l->out->latency, clock_mono().ns - s->asked.ns);
}

static void on_answered(void *arg, unsigned number, enum answer a, struct span text)
{
    struct load *l = arg;
    struct slot *s = &l->slots[number];
    if (l->phase == DONE)
        return;
    enum kind asked = s->question.kind;
    if (asked == KIND_CHALLENGE && a == ANSWER_CHALLENGE &&
        question_challenged(s->question.phone, text)) {
        if (s->kind != KIND_CHALLENGE) { /* now with a response */
            ask(l, number);
            return;
        }
    } else if (asked == KIND_CHALLENGE || a != ANSWER_ACCEPT) {
        wrong(l, text);
        s->question.phone->nonce_n = 0;
    }
    count(l, s);
    s->question.phone->busy = false;
    l->free[l->n_free++] = number;
    if (l->o->rate == 0 && !s->beside)
        begin(l, l->o->kind, false);
}

/* Whatever is due by now, in an open loop. */
static void arrive(struct load *l, double rate, uint64_t *arrived, enum kind kind, bool beside)
{
    const uint64_t due = (uint64_t)(rate * (double)(clock_mono().ns - l->begun.ns) / 1e9);
    for (; *arrived < due && l->phase != DONE; ++*arrived)
        begin(l, kind, beside);
}

static void on_tick(struct timer *t)
{
    struct load *l = container_of(t, struct load, tick);
    struct mono now = clock_mono();
    if (l->phase == DONE) {
        l->way->close(l->way);
        return;
    }
    if (l->begun.ns == 0) {
        fputs("authload: authd does not answer\n", stderr);
        l->broken = true;
        finish(l);
        return;
    }
    if (l->phase == WARMING && now.ns >= l->measured_from.ns) {
        l->phase = MEASURING;
        l->measured_from = now;
        l->end = (struct mono){ now.ns + (int64_t)(l->o->duration_s * 1e9) };
        usage_begin(l->usage);
    }
    if (l->phase == MEASURING && now.ns >= l->end.ns) {
        finish(l);
        return;
    }
    arrive(l, l->o->rate, &l->arrived, l->o->kind, false);
    arrive(l, l->o->beside, &l->arrived_beside, KIND_TOKEN, true);
    timer_start(&l->loop, t, DURATION_MS(1));
}

static void on_ready(void *arg)
{
    struct load *l = arg;
    l->begun = clock_mono();
    l->measured_from = (struct mono){ l->begun.ns + (int64_t)(l->o->warmup_s * 1e9) };
    timer_start(&l->loop, &l->tick, DURATION_MS(1));
    for (unsigned i = 0; l->o->rate == 0 && i < l->o->inflight; i++)
        begin(l, l->o->kind, false);
}

static void on_broken(void *arg)
{
    struct load *l = arg;
    l->broken = true;
    finish(l);
}

static const struct way_events way_events = { on_ready, on_answered, on_broken };

int load_run(const struct load_options *o, struct asker *asker, load_open_fn *open, void *open_arg,
             struct usage *usage, struct load_result *out)
{
    struct load l = { .o = o, .asker = asker, .usage = usage, .out = out };
    *out = (struct load_result){ 0 };
    int err = loop_init(&l.loop);
    if (err)
        return err;
    timer_init(&l.tick, on_tick);
    l.slots = calloc(SLOTS_MAX, sizeof(*l.slots));
    l.free = calloc(SLOTS_MAX, sizeof(*l.free));
    err = l.slots && l.free ? 0 : CS_ENOMEM;
    l.n_free = o->rate > 0 || o->beside > 0 ? SLOTS_MAX : o->inflight;
    for (unsigned i = 0; !err && i < l.n_free; i++)
        l.free[i] = l.n_free - 1 - i;
    if (!err)
        l.way = open(open_arg, &l.loop, &way_events, &l);
    if (!err && !l.way)
        err = CS_ECLOSED;
    if (!err) {
        timer_start(&l.loop, &l.tick, DURATION_S(5));
        loop_run(&l.loop);
        err = l.broken ? CS_ECLOSED : 0;
    }
    free(l.slots);
    free(l.free);
    int left = loop_fini(&l.loop);
    return err ? err : left;
}
