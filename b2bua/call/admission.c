#include "b2bua/call/admission.h"

#include <stdlib.h>

#include "b2bua/call/call_impl.h"
#include "b2bua/leg/leg_sccp.h"
#include "base/rand.h"
#include "sip/uri.h"

#define AUTH(name) Countersign__Auth__##name

enum { COUNTED_MAX = 4, BATCH = 50 }; /* a frame holds as many, with the longest names */

struct held {
    struct list link;
    size_t n;
    char *counted[COUNTED_MAX];
    char id[24];
    char texts[];
};

static const struct log alog = { .module = "admission" };

/* ---- what is held ---- */

static void tell_ended(struct ua *u, struct held *h)
{
    AUTH(CallLeases) m = COUNTERSIGN__AUTH__CALL_LEASES__INIT;
    AUTH(CallLease) lease = COUNTERSIGN__AUTH__CALL_LEASE__INIT, *list = &lease;
    lease.id = h->id;
    lease.n_counted = h->n;
    lease.counted = h->counted;
    m.n_ended = 1;
    m.ended = &list;
    if (u->gate && h->n)
        gate_tell_leases(u->gate, &m);
}

static void hold(struct call *c, const AUTH(Admitted) * m)
{
    const AUTH(CallLease) *l = m->lease;
    size_t size = 0;
    if (!l || !l->id)
        return;
    for (size_t i = 0; i < CS_MIN(l->n_counted, (size_t)COUNTED_MAX); i++)
        size += strlen(l->counted[i]) + 1;
    struct held *h = calloc(1, sizeof(*h) + size);
    if (!h)
        return; /* it lapses */
    span_copy(h->id, sizeof(h->id), span_str(l->id));
    if (!c->admission.lease[0])
        span_copy(c->admission.lease, sizeof(c->admission.lease), span_str(l->id));
    list_push_back(&c->admission.held, &h->link);
    c->admission.last = h;
    for (char *at = h->texts; h->n < CS_MIN(l->n_counted, (size_t)COUNTED_MAX); h->n++) {
        const size_t n = strlen(l->counted[h->n]) + 1;
        h->counted[h->n] = memcpy(at, l->counted[h->n], n);
        at += n;
    }
    c->ua->lease = DURATION_S(m->has_lease_s ? m->lease_s : 60);
    if (!timer_is_running(&c->ua->leases))
        timer_start(c->ua->loop, &c->ua->leases, DURATION_MS(c->ua->lease.ms / 3));
}

void admission_left(struct call *c)
{
    struct held *h = c->admission.last, gone = { .n = 0 };
    c->admission.last = NULL;
    if (!h || !c->admission.last_trunk.p)
        return;
    memcpy(gone.id, h->id, sizeof(gone.id));
    for (size_t i = 0; i < h->n;) {
        struct span name = span_str(h->counted[i]), kind = span_cut(&name, ':');
        if (!span_eq(kind, SPAN("trunk")) || !span_eq(name, c->admission.last_trunk)) {
            i++;
            continue;
        }
        gone.counted[gone.n++] = h->counted[i];
        h->counted[i] = h->counted[--h->n];
    }
    tell_ended(c->ua, &gone);
}

void admission_move(struct call *c, struct call *from)
{
    for (struct list *it; (it = list_pop(&from->admission.held));)
        list_push_back(&c->admission.held, it);
}

void admission_end(struct call *c)
{
    if (c->admission.ask)
        gate_admit_cancel(c->admission.ask);
    c->admission.ask = NULL;
    timer_stop(c->ua->loop, &c->admission.refused);
    for (struct list *it; (it = list_pop(&c->admission.held));) {
        struct held *h = container_of(it, struct held, link);
        tell_ended(c->ua, h);
        free(h);
    }
    free(c->admission.asker);
    free(c->admission.limit);
    c->admission.asker = c->admission.limit = NULL;
}

/* ---- keeping it ---- */

static void on_leases(struct timer *t)
{
    struct ua *u = container_of(t, struct ua, leases);
    AUTH(CallLeases) m = COUNTERSIGN__AUTH__CALL_LEASES__INIT;
    AUTH(CallLease) leases[BATCH], *list[BATCH];
    bool any = false;
    m.kept = list;
    list_for_each (it, &u->calls) {
        const struct call *c = container_of(it, struct call, link);
        list_for_each (k, &c->admission.held) {
            struct held *h = container_of(k, struct held, link);
            AUTH(CallLease) *l = &leases[m.n_kept];
            if (!h->n)
                continue;
            countersign__auth__call_lease__init(l);
            l->id = h->id;
            l->n_counted = h->n;
            l->counted = h->counted;
            list[m.n_kept++] = l;
            any = true;
            if (m.n_kept == BATCH) {
                gate_tell_leases(u->gate, &m);
                m.n_kept = 0;
            }
        }
    }
    if (m.n_kept)
        gate_tell_leases(u->gate, &m);
    if (any)
        timer_start_about(u->loop, t, DURATION_MS(u->lease.ms / 3));
}

void admissions_open(struct ua *u)
{
    timer_init(&u->leases, on_leases);
}

void admissions_close(struct ua *u)
{
    timer_stop(u->loop, &u->leases);
}

/* ---- asking ---- */

static void note(struct admission *a, enum verdict kind, const AUTH(Admitted) * m)
{
    const ProtobufCEnumValue *v =
        protobuf_c_enum_descriptor_get_value(&countersign__auth__cause__descriptor, (int)m->cause);
    a->cause = kind == VERDICT_ACCEPT ? NULL : m->decision && v ? v->name : "AUTHD_UNAVAILABLE";
    span_copy(a->decision, sizeof(a->decision), span_str(m->decision));
    free(a->limit);
    a->limit = m->limit && m->limit[0] ? strdup(m->limit) : NULL;
}

static void on_admitted(void *arg, enum verdict kind, const AUTH(Admitted) * m)
{
    struct call *c = arg;
    struct admission *a = &c->admission;
    admission_fn *fn = a->fn;
    char text[64];
    struct buf b = BUF_INIT(text);
    a->ask = NULL;
    note(a, kind, m);
    if (kind == VERDICT_ACCEPT)
        hold(c, m);
    if (!fn) /* a call for help: whatever it is, it goes on */
        return;
    a->uncounted = kind == VERDICT_LATER && a->stays;
    if (a->uncounted)
        log_info(&alog, "authd is away: a call within the house is not counted",
                 kv_s("call_id", c->call_id[SIDE_A]));
    if (kind == VERDICT_ACCEPT || a->uncounted) {
        fn(c, NULL, false);
        return;
    }
    log_info(&alog, "a call is not admitted", kv_s("call_id", c->call_id[SIDE_A]),
             kv_str("cause", a->cause), kv_str("decision", a->decision));
    struct leg_end why = { .status = 503, .retry_after = 1 + (unsigned)rand_below(5) };
    if (kind == VERDICT_REJECT) {
        why.status = m->status >= 400 && m->status < 700 ? m->status : 403;
        why.retry_after = m->has_retry_after_s ? m->retry_after_s : 0;
    }
    if (a->decision[0]) { /* the cause stays inside; the id finds it there, as of all refusals */
        buf_printf(&b, "Countersign;text=\"%s\"", a->decision);
        why.reason = buf_span(&b);
    }
    fn(c, &why, kind == VERDICT_REJECT && m->next);
}

static void on_refused(struct timer *t)
{
    struct admission *a = container_of(t, struct admission, refused);
    a->fn(container_of(a, struct call, admission), &(struct leg_end){ .status = 500 }, false);
}

static bool stays_in_the_house(const struct call *c, const struct party *by,
                               const struct dialplan_candidate *to)
{
    return by == &c->party[SIDE_A] && c->leg[SIDE_A] && leg_is_sccp(c->leg[SIDE_A]) &&
           to->kind != DIALPLAN_TRUNK;
}

bool admission_ask(struct call *c, const struct party *by, const struct dialplan_candidate *to,
                   const struct trunk_conf *trunk, admission_fn *fn)
{
    struct admission *a = &c->admission;
    struct gate_call ask = { .call_id = c->call_id[SIDE_A],
                             .caller = by->who,
                             .from_trunk = by->trunk ? by->trunk->name : SPAN_NULL,
                             .to_trunk = trunk ? trunk->name : SPAN_NULL,
                             .destination = trunk ? to->called : to->name,
                             .emergency = to->entry && to->entry->emergency };
    if (a->ask) /* one call for help behind the other */
        gate_admit_cancel(a->ask);
    struct span asker = ask.caller.p ? ask.caller : ask.from_trunk;
    if (a->lease[0] && a->asker && span_eq(asker, span_str(a->asker)))
        ask.lease = span_str(a->lease); /* it is another candidate of the same call */
    else
        a->lease[0] = '\0';
    free(a->asker);
    a->asker = asker.p ? strndup(asker.p, asker.n) : NULL;
    a->last = NULL;
    a->last_trunk = trunk == by->trunk ? SPAN_NULL : ask.to_trunk;
    a->fn = ask.emergency ? NULL : fn;
    a->stays = stays_in_the_house(c, by, to);
    a->ask = c->ua->gate ? gate_admit(c->ua->gate, &ask, on_admitted, c) : NULL; /* we stop */
    if (!a->ask && !ask.emergency)
        timer_start(c->ua->loop, &a->refused, DURATION_MS(0)); /* never from inside */
    return ask.emergency;
}

void admission_init(struct admission *a)
{
    list_init(&a->held);
    timer_init(&a->refused, on_refused);
}
