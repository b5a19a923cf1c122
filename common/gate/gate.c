#include "gate/gate.h"

#include <stdlib.h>

#include "base/metric.h"
#include "base/rand.h"
#include "gate/facts.h"
#include "gate/guard.h"
#include "gate/lease.h"
#include "gate/question.h"
#include "gate/report.h"
#include "gate/summary.h"
#include "ipc/ipc.h"

#define AUTH(name) Countersign__Auth__##name

enum { DEFAULT_OPEN = 20000, EVENT_MAX = 64 };

struct gate_ask {
    struct list link; /* in order of their deadlines, or on the free list */
    struct gate *gate;
    uint64_t id; /* generation << 32 | slot */
    gate_fn *fn;
    void *arg;
    struct mono asked;
    bool sent;
    uint64_t source;             /* for guard_know() */
    uint64_t class_;             /* of a request without credentials; 0: other */
    struct lease_text *text;     /* answered from a lease: what is said, */
    char nonce[LEASE_NONCE_MAX]; /* and the nonce in it */
    struct flow *flow;           /* while it waits for authd to be there: what is to be asked; */
    struct sip_msg *msg;         /* both references, and the facts live with msg */
    struct gate_facts facts;
};

struct gate {
    struct loop *loop;
    struct ipc_client *ipc;
    struct duration deadline;
    struct gate_ask **slots; /* by the low half of an id */
    size_t n_slots, n_open, max_open;
    struct list open, free, here; /* here: answered at the end of this turn, without authd */
    struct list waiting;          /* for authd to be there; counted as open */
    size_t n_waiting;
    struct lease_table *leases;
    struct reports reports;
    struct questions questions;
    struct summary summary;
    struct timer timer;
    struct turn turn;
    bool ready, closing;
    bool leasing;
    gate_revoked_fn *on_revoked;
    void *revoked_arg;
    struct guard *guard;
    gate_changed_fn *on_changed;
    void *changed_arg;
    gate_banned_fn *on_banned;
    void *banned_arg;
    gate_trace_fn *on_trace;
    void *trace_arg;
    char event[EVENT_MAX]; /* the last one heard of, over all connections; "": none */
};

static struct gate_ask *ask_new(struct gate *g)
{
    struct list *it = list_pop(&g->free);
    if (it)
        return container_of(it, struct gate_ask, link);
    struct gate_ask *ask = calloc(1, sizeof(*ask));
    struct gate_ask **slots = realloc(g->slots, (g->n_slots + 1) * sizeof(*slots));
    if (slots)
        g->slots = slots;
    if (!ask || !slots) {
        free(ask);
        return NULL;
    }
    list_init(&ask->link);
    ask->gate = g;
    ask->id = g->n_slots;
    g->slots[g->n_slots++] = ask;
    return ask;
}

/* The same slot serves again under another id, so that a late answer finds nobody. */
static void ask_free(struct gate_ask *ask)
{
    struct gate *g = ask->gate;
    list_remove(&ask->link);
    ask->id += UINT64_C(1) << 32;
    ask->fn = NULL;
    if (ask->sent)
        g->n_open--;
    if (ask->msg)
        g->n_waiting--;
    ask->sent = false;
    flow_unref(&ask->flow);
    sip_msg_unref(&ask->msg);
    lease_text_unref(&ask->text);
    list_push_front(&g->free, &ask->link);
}

static struct gate_ask *ask_find(struct gate *g, uint64_t id)
{
    size_t slot = (size_t)(id & 0xffffffff);
    struct gate_ask *ask = slot < g->n_slots ? g->slots[slot] : NULL;
    return ask && ask->id == id && ask->fn ? ask : NULL;
}

static void answer(struct gate_ask *ask, enum verdict kind, const AUTH(Verdict) * v)
{
    gate_fn *fn = ask->fn;
    void *arg = ask->arg;
    metric_inc(M_GATE_ANSWERED, kind);
    metric_observe(M_GATE_SECONDS, ask->asked, loop_now(ask->gate->loop));
    ask_free(ask);
    fn(arg, kind, v);
}

static void answer_here(struct gate_ask *ask)
{
    AUTH(Verdict) v = COUNTERSIGN__AUTH__VERDICT__INIT;
    char memory[4096];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory), 0);
    if (ask->text && lease_verdict(ask->text, ask->nonce, &arena, &v) == 0) {
        answer(ask, VERDICT_CHALLENGE, &v);
    } else {
        v.kind = COUNTERSIGN__AUTH__VERDICT_KIND__LATER;
        answer(ask, VERDICT_LATER, &v);
    }
    arena_fini(&arena);
}

static void send_cancel(struct gate *g, uint64_t id)
{
    AUTH(Cancel) cancel = COUNTERSIGN__AUTH__CANCEL__INIT;
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    cancel.id = id;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CANCEL;
    msg.cancel = &cancel;
    int ignored = ipc_client_send(g->ipc, &msg); /* not connected: it forgot already */
    (void)ignored;
}

/* The one that was asked first, or NULL. Those that are open were asked on this connection, and
 * those that wait before it or after it, so never both. */
static struct gate_ask *oldest(const struct gate *g)
{
    const struct list *l = list_empty(&g->open) ? &g->waiting : &g->open;
    return list_empty(l) ? NULL : container_of(l->next, struct gate_ask, link);
}

static void watch_deadline(struct gate *g)
{
    const struct gate_ask *first = oldest(g);
    if (!first) {
        timer_stop(g->loop, &g->timer);
    } else if (!timer_is_running(&g->timer)) {
        struct duration left = mono_since(loop_now(g->loop), mono_add(first->asked, g->deadline));
        timer_start(g->loop, &g->timer, (struct duration){ CS_MAX(left.ms, 0) + 1 });
    }
}

static void on_deadline(struct timer *t)
{
    struct gate *g = container_of(t, struct gate, timer);
    struct mono now = loop_now(g->loop);
    for (struct gate_ask *ask; (ask = oldest(g));) {
        if (mono_before(now, mono_add(ask->asked, g->deadline)))
            break;
        if (ask->sent)
            send_cancel(g, ask->id);
        answer_here(ask);
    }
    watch_deadline(g);
}

static void answer_all(struct list *asks)
{
    struct list taken;
    struct list *it;
    list_init(&taken);
    list_splice(&taken, asks); /* what the callbacks ask waits for its own turn */
    while ((it = list_pop(&taken)))
        answer_here(container_of(it, struct gate_ask, link));
}

static void on_turn(struct turn *t)
{
    struct gate *g = container_of(t, struct gate, turn);
    answer_all(&g->here);
}

static void follow(struct gate *g)
{
    AUTH(Follow) f = COUNTERSIGN__AUTH__FOLLOW__INIT;
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    f.event = g->event[0] ? g->event : NULL;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_FOLLOW;
    msg.follow = &f;
    int ignored = ipc_client_send(g->ipc, &msg); /* not connected any more: it will be said again */
    (void)ignored;
}

static bool send_check(struct gate_ask *ask, struct flow *f, const struct sip_msg *m,
                       const struct gate_facts *facts, uint32_t want);

static void ask_waiting(struct gate *g)
{
    struct list *it;
    while (g->ready && (it = list_pop(&g->waiting))) {
        struct gate_ask *ask = container_of(it, struct gate_ask, link);
        ask->sent = send_check(ask, ask->flow, ask->msg, &ask->facts, 0);
        g->n_waiting--;
        flow_unref(&ask->flow);
        sip_msg_unref(&ask->msg);
        g->n_open += ask->sent;
        list_push_back(ask->sent ? &g->open : &g->here, &ask->link);
    }
    turn_queue(g->loop, &g->turn);
    timer_stop(g->loop, &g->timer);
    watch_deadline(g);
}

static void tell_changed(struct gate *g, const char *device)
{
    if (g->on_changed)
        g->on_changed(g->changed_arg, span_str(device));
}

static void tell_trace(struct gate *g, const AUTH(Trace) * m)
{
    if (g->on_trace)
        g->on_trace(g->trace_arg, m);
}

static void on_ready(void *arg, bool ready)
{
    struct gate *g = arg;
    g->ready = ready;
    metric_set(M_GATE_CONNECTED, 0, ready);
    if (ready) {
        follow(g);
        reports_send(&g->reports, g->ipc);
        summary_ready(&g->summary, g->ipc);
        ask_waiting(g);
        questions_ready(&g->questions, g->ipc, true);
        tell_changed(g, NULL); /* of what changed meanwhile nobody heard */
    } else {                   /* what authd did not answer it will never answer */
        tell_trace(g, NULL);
        summary_ready(&g->summary, NULL);
        answer_all(&g->open);
        watch_deadline(g);
        questions_ready(&g->questions, g->ipc, false);
    }
}

static enum verdict kind_of(const AUTH(Verdict) * v)
{
    switch (v->kind) {
    case COUNTERSIGN__AUTH__VERDICT_KIND__ACCEPT:
        return v->grant ? VERDICT_ACCEPT : VERDICT_LATER;
    case COUNTERSIGN__AUTH__VERDICT_KIND__CHALLENGE:
        return v->n_challenge && (v->status == 401 || v->status == 407) ? VERDICT_CHALLENGE
                                                                        : VERDICT_LATER;
    case COUNTERSIGN__AUTH__VERDICT_KIND__REJECT:
        return VERDICT_REJECT;
    default:
        return VERDICT_LATER;
    }
}

static void on_revoked(struct gate *g, const AUTH(Revoked) * r)
{
    struct span event = span_str(r->event);
    if (event.n && event.n < sizeof(g->event))
        span_copy(g->event, sizeof(g->event), event);
    if (g->on_revoked && (r->user || r->n_aor || r->has_rests_on || (r->has_lost && r->lost)))
        g->on_revoked(g->revoked_arg, r);
}

static void on_verdict(struct gate *g, const AUTH(Verdict) * v)
{
    struct gate_ask *ask = ask_find(g, v->id);
    if (!ask)
        return;
    enum verdict kind = kind_of(v);
    if (kind == VERDICT_CHALLENGE && v->lease && ask->class_)
        lease_fill(g->leases, ask->class_, v->lease, v->status, loop_now(g->loop));
    if (kind == VERDICT_ACCEPT && v->grant->user)
        guard_know(g->guard, ask->source);
    answer(ask, kind, v);
}

static void on_guard(struct gate *g, const AUTH(Guard) * m)
{
    guard_set(g->guard, m);
    if (g->on_banned)
        g->on_banned(g->banned_arg, NULL);
}

static void on_ban(struct gate *g, const AUTH(Ban) * m)
{
    struct gate_ban ban;
    if (guard_take(g->guard, m, &ban) && g->on_banned)
        g->on_banned(g->banned_arg, &ban);
}

static void send_observed(void *arg, const AUTH(Observed) * o)
{
    struct gate *g = arg;
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_OBSERVED;
    msg.observed = (AUTH(Observed) *)o;
    int ignored = ipc_client_send(g->ipc, &msg); /* nobody to count them */
    (void)ignored;
}

/* A call that was given up meanwhile is not counted on. */
static void on_admitted(struct gate *g, const AUTH(Admitted) * m)
{
    AUTH(CallLeases) ended = COUNTERSIGN__AUTH__CALL_LEASES__INIT;
    if (admits_answer(&g->questions, m) || !m->lease)
        return;
    ended.n_ended = 1;
    ended.ended = (AUTH(CallLease) **)&m->lease;
    gate_tell_leases(g, &ended);
}

static void on_message(void *arg, const AUTH(FromAuthd) * msg)
{
    struct gate *g = arg;
    if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_VERDICT)
        on_verdict(g, msg->verdict);
    else if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_REVOKED)
        on_revoked(g, msg->revoked);
    else if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_GUARD)
        on_guard(g, msg->guard);
    else if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_BAN)
        on_ban(g, msg->ban);
    else if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_SIGNED)
        signs_answer(&g->questions, msg->signed_);
    else if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_ADMITTED)
        on_admitted(g, msg->admitted);
    else if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_ATTACHED)
        attaches_answer(&g->questions, msg->attached);
    else if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_KEPT)
        keeps_answer(&g->questions, msg->kept);
    else if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_CHANGED)
        tell_changed(g, msg->changed->device);
    else if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_TRACE)
        tell_trace(g, msg->trace);
}

int gate_open(struct loop *l, const struct gate_conf *conf, struct gate **out)
{
    static const struct ipc_client_events events = { on_ready, on_message };
    struct ipc_client_conf ipc = { .path = conf->socket, .node = conf->node, .role = conf->role };
    struct gate *g = calloc(1, sizeof(*g));
    if (!g)
        return CS_ENOMEM;
    g->loop = l;
    g->leasing = true;
    g->deadline = conf->deadline.ms ? conf->deadline : DURATION_S(2);
    g->max_open = conf->max_open ? conf->max_open : DEFAULT_OPEN;
    list_init(&g->open);
    list_init(&g->free);
    list_init(&g->here);
    reports_init(&g->reports);
    summary_init(&g->summary, l);
    questions_init(&g->questions, l, g->deadline, g->max_open);
    list_init(&g->waiting);
    timer_init(&g->timer, on_deadline);
    turn_init(&g->turn, on_turn);
    g->leases = lease_table_new();
    g->guard = guard_new(l);
    if (g->guard)
        guard_on_send(g->guard, send_observed, g);
    int err = g->leases && g->guard ? ipc_client_open(l, &ipc, &events, g, &g->ipc) : CS_ENOMEM;
    if (err) {
        lease_table_free(&g->leases);
        guard_free(&g->guard);
        free(g);
        return err;
    }
    *out = g;
    return 0;
}

void gate_close(struct gate **gp)
{
    struct gate *g = *gp;
    if (!g)
        return;
    *gp = NULL;
    g->ready = false;
    g->closing = true;
    ipc_client_close(&g->ipc);
    answer_all(&g->open);
    answer_all(&g->waiting);
    answer_all(&g->here);
    questions_fini(&g->questions);
    reports_fini(&g->reports);
    summary_fini(&g->summary);
    timer_stop(g->loop, &g->timer);
    turn_cancel(&g->turn);
    for (size_t i = 0; i < g->n_slots; i++)
        free(g->slots[i]);
    free(g->slots);
    lease_table_free(&g->leases);
    guard_free(&g->guard);
    free(g);
}

void gate_summarize(struct gate *g, const struct gate_summary *what)
{
    summary_begin(&g->summary, what);
}

bool gate_is_ready(const struct gate *g)
{
    return g->ready;
}

void gate_use_leases(struct gate *g, bool use)
{
    g->leasing = use;
}

void gate_on_revoked(struct gate *g, gate_revoked_fn *fn, void *arg)
{
    g->on_revoked = fn;
    g->revoked_arg = arg;
}

bool gate_admits(struct gate *g, const struct addr *from)
{
    return guard_admits(g->guard, from);
}

void gate_knows(struct gate *g, const struct addr *from)
{
    guard_know(g->guard, guard_source(g->guard, from));
}

void gate_saw(struct gate *g, AUTH(Abuse) abuse, const struct addr *from, bool proven)
{
    guard_saw(g->guard, abuse, from, proven);
}

void gate_on_banned(struct gate *g, gate_banned_fn *fn, void *arg)
{
    g->on_banned = fn;
    g->banned_arg = arg;
}

static bool send_check(struct gate_ask *ask, struct flow *f, const struct sip_msg *m,
                       const struct gate_facts *facts, uint32_t want)
{
    struct gate *g = ask->gate;
    AUTH(Check) check = COUNTERSIGN__AUTH__CHECK__INIT;
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    char memory[4096];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory), 0);
    check.id = ask->id;
    check.has_deadline_ms = true;
    check.deadline_ms = (uint32_t)g->deadline.ms;
    check.has_lease_want = want > 0;
    check.lease_want = want;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK;
    msg.check = &check;
    bool sent = facts_fill(&check, f, m, facts, &arena) == 0 && ipc_client_send(g->ipc, &msg) == 0;
    arena_fini(&arena);
    return sent;
}

struct gate_ask *gate_ask(struct gate *g, struct flow *f, struct sip_msg *m,
                          const struct gate_facts *facts, gate_fn *fn, void *arg)
{
    struct gate_ask *ask = ask_new(g);
    if (!ask)
        return NULL;
    ask->fn = fn;
    ask->arg = arg;
    ask->asked = loop_now(g->loop);
    metric_inc(M_GATE_ASKED, 0);
    ask->source = f->transport == SIP_LINK ? 0 : guard_source(g->guard, &f->remote);
    ask->class_ = lease_class(f, m, facts);
    uint32_t want = 0;
    bool in_hand = g->ready && g->leasing && ask->class_ &&
                   lease_take(g->leases, ask->class_, ask->asked, ask->nonce, &ask->text, &want);
    if (!in_hand && g->ready && g->n_open < g->max_open)
        ask->sent = send_check(ask, f, m, facts, want);
    if (ask->sent) {
        g->n_open++;
        list_push_back(&g->open, &ask->link);
        watch_deadline(g);
    } else if (!g->ready && !g->closing && g->n_waiting < g->max_open) {
        g->n_waiting++;
        ask->flow = flow_ref(f);
        ask->msg = sip_msg_ref(m);
        ask->facts = *facts;
        list_push_back(&g->waiting, &ask->link);
        watch_deadline(g);
    } else {
        list_push_back(&g->here, &ask->link);
        turn_queue(g->loop, &g->turn);
    }
    return ask;
}

struct gate_sign *gate_sign(struct gate *g, const struct gate_challenge *c, gate_signed_fn *fn,
                            void *arg)
{
    return signs_ask(&g->questions, c, fn, arg);
}

struct gate_admit *gate_admit(struct gate *g, const struct gate_call *c, gate_admitted_fn *fn,
                              void *arg)
{
    return admits_ask(&g->questions, c, fn, arg);
}

void gate_tell_leases(struct gate *g, const AUTH(CallLeases) * m)
{
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CALL_LEASES;
    msg.call_leases = (AUTH(CallLeases) *)m;
    int ignored = ipc_client_send(g->ipc, &msg); /* what is kept is told again, what ended lapses */
    (void)ignored;
}

struct gate_attach *gate_attach(struct gate *g, const struct gate_device *d, gate_attached_fn *fn,
                                void *arg)
{
    return attaches_ask(&g->questions, d, fn, arg);
}

struct gate_keep *gate_keep(struct gate *g, const AUTH(Keep) * k, gate_kept_fn *fn, void *arg)
{
    return keeps_ask(&g->questions, k, fn, arg);
}

void gate_on_changed(struct gate *g, gate_changed_fn *fn, void *arg)
{
    g->on_changed = fn;
    g->changed_arg = arg;
}

void gate_on_trace(struct gate *g, gate_trace_fn *fn, void *arg)
{
    g->on_trace = fn;
    g->trace_arg = arg;
}

bool gate_tell_traced(struct gate *g, const AUTH(Traced) * m)
{
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_TRACED;
    msg.traced = (AUTH(Traced) *)m;
    return g->ready && ipc_client_send(g->ipc, &msg) == 0;
}

void gate_report(struct gate *g, struct flow *f, struct sip_msg *m, const struct gate_facts *facts,
                 Countersign__Auth__Cause cause, unsigned status)
{
    reports_add(&g->reports, f, m, facts, cause, status, loop_wall(g->loop));
    if (g->ready)
        reports_send(&g->reports, g->ipc);
}

void gate_cancel(struct gate_ask *ask)
{
    struct gate *g = ask->gate;
    if (ask->sent)
        send_cancel(g, ask->id);
    ask_free(ask);
}

/* ---- answers ---- */

static void write_challenges(struct buf *b, const AUTH(Verdict) * v)
{
    for (size_t i = 0; i < v->n_challenge; i++) {
        buf_put(b, v->status == 407 ? SPAN("Proxy-Authenticate: ") : SPAN("WWW-Authenticate: "));
        buf_put(b, span_str(v->challenge[i]));
        buf_lit(b, "\r\n");
    }
}

static void write_retry_after(struct buf *b, uint32_t seconds)
{
    buf_lit(b, "Retry-After: ");
    buf_u64(b, seconds);
    buf_lit(b, "\r\n");
}

/* Whoever listens is told why the answer is sent. */
static void because(struct siptp *tp, const AUTH(Verdict) * v, struct siptp_reason *why)
{
    why->cause = v->cause;
    why->decision = v->decision;
    siptp_set_reason(tp, why);
}

bool gate_challenge(struct gate *g, struct flow *f, const struct sip_msg *m,
                    const struct gate_facts *facts)
{
    char lines[4096], memory[2048], nonce[LEASE_NONCE_MAX];
    struct buf b = BUF_INIT(lines);
    struct lease_text *text;
    AUTH(Verdict) v;
    struct arena arena;
    uint64_t class_ = g->ready && g->leasing ? lease_class(f, m, facts) : 0;
    if (!class_ || !lease_take(g->leases, class_, loop_now(g->loop), nonce, &text, NULL))
        return false;
    arena_init(&arena, memory, sizeof(memory), 0);
    int err = lease_verdict(text, nonce, &arena, &v);
    if (!err)
        write_challenges(&b, &v);
    if (!err && buf_ok(&b)) {
        struct siptp_reason why;
        metric_inc(M_GATE_ANSWERED, VERDICT_CHALLENGE);
        because(f->tp, &v, &why);
        siptx_reply_stateless(f, m, v.status, buf_span(&b));
        siptp_set_reason(f->tp, NULL);
    }
    arena_fini(&arena);
    lease_text_unref(&text);
    return !err && buf_ok(&b);
}

void gate_refuse(struct tx *t, enum verdict kind, const AUTH(Verdict) * v)
{
    char lines[4096];
    struct buf b = BUF_INIT(lines);
    unsigned status = 503;
    if (kind == VERDICT_CHALLENGE) {
        status = v->status;
        write_challenges(&b, v);
    } else if (kind == VERDICT_REJECT) {
        status = v->has_status && v->status >= 400 && v->status < 700 ? v->status : 403;
        write_challenges(&b, v);
        if (v->has_retry_after_s)
            write_retry_after(&b, v->retry_after_s);
        if (v->decision) { /* the cause stays inside; the id finds it there (RFC 3326 syntax) */
            buf_lit(&b, "Reason: Countersign;text=\"");
            buf_put(&b, span_str(v->decision));
            buf_lit(&b, "\"\r\n");
        }
    } else { /* jittered, so that the phones do not all come back in one second */
        write_retry_after(&b,
                          v->has_retry_after_s ? v->retry_after_s : 1 + (uint32_t)rand_below(5));
    }
    struct siptp *tp = tx_flow(t)->tp; /* t may be gone behind its answer */
    struct siptp_reason why;
    because(tp, v, &why);
    if (buf_ok(&b))
        tx_reply(t, status, buf_span(&b));
    else
        tx_reply(t, 500, SPAN_NULL);
    siptp_set_reason(tp, NULL);
}
