#include "authd/calls/admission.h"

#include <stdlib.h>

#include "authd/calls/call_leases.h"
#include "authd/calls/webhook.h"
#include "base/log.h"
#include "base/metric.h"

enum { OPEN_MAX = 5000, COUNTS_MAX = 4, WORDS_MAX = 160 };
enum outcome { ADMITTED, REFUSED, LATER }; /* of M_AUTHD_CALLS */
enum counted_of { OF_USER, OF_TENANT, OF_TRUNK };

#define KIND(name) COUNTERSIGN__AUTH__VERDICT_KIND__##name

static const struct log alog = { .module = "admission" };

struct admissions {
    struct admissions_conf conf;
    size_t open;
};

struct count { /* something a call is counted on */
    struct admission *admission;
    enum counted_of of;
    struct span name; /* "user:alice@example.com" */
    struct calls_limit limit;
    struct redis_call *redis; /* NULL: it is not being counted */
    bool taken;
    Countersign__Auth__Cause failed; /* OK: it was counted, or refused by */
    enum call_counted refused;       /* this limit; */
    struct duration wait;
};

struct admission {
    struct list link; /* in the asker's list */
    struct admissions *all;
    struct arena arena;
    admitted_fn *fn;
    void *arg;
    uint64_t id;
    struct mono began;
    struct span lease; /* absent: it is the call's first question */
    struct span caller, from_trunk, to_trunk;
    bool emergency;
    struct span who; /* the user as it is counted; absent: none */
    struct destination to;
    struct destination_call call;
    const struct destination_rule *rule; /* that is asked for, or refused it */
    struct count counts[COUNTS_MAX];
    size_t n_counts, n_before; /* so many come before the rules */
    size_t n_open;             /* questions to Redis that have no answer yet */
    bool judged;
    uint64_t cache_generation;
    struct store_call *get;
    struct redis_call *went;              /* where he called before is asked */
    Countersign__Auth__Cause went_failed; /* OK: it was told, or not asked */
    struct backend_ask *asked;
    struct facts facts;
    struct span user, realm;
    char decision[DECISION_LEN + 1], words[WORDS_MAX];
};

static void answered(struct admission *a);

/* ---- answers ---- */

static struct call_lease lease_of(const struct admission *a, size_t i)
{
    return (struct call_lease){ .name = a->counts[i].name,
                                .id = span_str(a->decision),
                                .now = loop_wall(a->all->conf.loop),
                                .length = a->all->conf.calls->lease };
}

static void give_back(struct admission *a)
{
    for (size_t i = 0; i < a->n_counts; i++) {
        struct count *c = &a->counts[i];
        const struct call_lease l = lease_of(a, i);
        if (c->taken)
            call_lease_undo(a->all->conf.redis, &l, &c->limit);
        else if (c->redis) /* behind what counts it */
            call_lease_end(a->all->conf.redis, &l);
        c->taken = false;
    }
}

static void admission_free(struct admission *a)
{
    if (a->get)
        store_cancel(a->get);
    if (a->went)
        redis_cancel(a->went);
    for (size_t i = 0; i < a->n_counts; i++) {
        if (a->counts[i].redis)
            redis_cancel(a->counts[i].redis);
    }
    backend_cancel(&a->asked);
    list_remove(&a->link);
    a->all->open--;
    arena_fini(&a->arena);
    free(a);
}

static void note(struct admission *a, Countersign__Auth__VerdictKind kind,
                 Countersign__Auth__Cause cause, unsigned status)
{
    const struct admissions_conf *conf = &a->all->conf;
    const struct decision d = {
        .time = loop_wall(conf->loop),
        .id = span_of(a->decision, DECISION_LEN),
        .kind = kind,
        .cause = cause,
        .status = status,
        .facts = &a->facts,
        .trunk = a->to_trunk.p ? a->to_trunk : a->from_trunk,
        .user = a->user,
        .realm = a->realm,
        .limit = a->words[0] ? span_str(a->words) : SPAN_NULL,
        .latency_us = (clock_mono().ns - a->began.ns) / 1000,
    };
    audit_write(conf->audit, &d);
    explain_add(conf->explain, &d);
}

static void answer(struct admission *a, Countersign__Auth__Admitted *m)
{
    m->id = a->id;
    m->decision = a->decision;
    m->has_kind = m->has_cause = true;
    note(a, m->kind, m->cause, m->status);
    list_remove(&a->link); /* the asker may leave while he is told */
    a->fn(a->arg, m);
    admission_free(a);
}

static void refuse(struct admission *a, Countersign__Auth__Cause cause, unsigned status,
                   struct duration wait, bool next)
{
    Countersign__Auth__Admitted m = COUNTERSIGN__AUTH__ADMITTED__INIT;
    metric_inc(M_AUTHD_CALLS, REFUSED);
    give_back(a);
    m.kind = KIND(REJECT);
    m.cause = cause;
    m.has_status = m.has_next = true;
    m.status = status;
    m.next = next;
    m.has_retry_after_s = wait.ms > 0;
    m.retry_after_s = (uint32_t)((wait.ms + 999) / 1000);
    m.limit = a->words[0] ? a->words : NULL;
    answer(a, &m);
}

/* A call for help is not lost with what would have counted it. */
static void admit(struct admission *a)
{
    const struct admissions_conf *conf = &a->all->conf;
    Countersign__Auth__Admitted m = COUNTERSIGN__AUTH__ADMITTED__INIT;
    Countersign__Auth__CallLease lease = COUNTERSIGN__AUTH__CALL_LEASE__INIT;
    char *counted[COUNTS_MAX];
    metric_inc(M_AUTHD_CALLS, ADMITTED);
    for (size_t i = 0; i < a->n_counts; i++) {
        if (!a->counts[i].taken)
            continue;
        counted[lease.n_counted] = arena_str(&a->arena, a->counts[i].name);
        lease.n_counted += counted[lease.n_counted] != NULL; /* else it lapses */
    }
    if (conf->calls->remembers && a->who.p && a->to.country.p && !a->emergency)
        call_went_add(conf->redis, a->who, a->to.country, loop_wall(conf->loop),
                      conf->calls->known);
    lease.id = a->decision;
    lease.counted = counted;
    m.kind = KIND(ACCEPT);
    m.cause = CAUSE(OK);
    m.lease = &lease;
    m.has_lease_s = true;
    m.lease_s = (uint32_t)(conf->calls->lease.ms / 1000);
    answer(a, &m);
}

static void later(struct admission *a, Countersign__Auth__Cause cause)
{
    Countersign__Auth__Admitted m = COUNTERSIGN__AUTH__ADMITTED__INIT;
    if (a->emergency) {
        admit(a);
        return;
    }
    metric_inc(M_AUTHD_CALLS, LATER);
    give_back(a);
    m.kind = KIND(LATER);
    m.cause = cause;
    answer(a, &m);
}

/* ---- limits ---- */

/* 486: who calls is busy with other calls. Of a trunk that is full, another trunk is told 503, as
 * Q.850's 34 and 42 become (RFC 3398, 8.2.6.1), and goes elsewhere as it should; a line is told
 * 480, for 503 would send its call to our other nodes, which count the same, and end as a proxy's
 * 500 (RFC 3261, 16.7). */
static void refuse_count(struct admission *a, const struct count *c)
{
    static const Countersign__Auth__Cause causes[][2] = {
        [OF_USER] = { CAUSE(CALLS_LIMIT_USER), CAUSE(CALLS_RATE_USER) },
        [OF_TENANT] = { CAUSE(CALLS_LIMIT_TENANT), CAUSE(CALLS_RATE_TENANT) },
        [OF_TRUNK] = { CAUSE(CALLS_LIMIT_TRUNK), CAUSE(CALLS_RATE_TRUNK) },
    };
    const struct calls_limit *l = &c->limit;
    struct buf b = BUF_INIT(a->words);
    struct span name = c->name, of = span_cut(&name, ':');
    buf_put(&b, of);
    buf_putc(&b, ' ');
    buf_put(&b, span_head(name, WORDS_MAX - 48));
    if (c->refused == COUNTED_AT_ONCE)
        buf_printf(&b, ": %u at once", l->at_once);
    else if (c->refused == COUNTED_SECOND)
        buf_printf(&b, ": %u a second", l->per_second);
    else
        buf_printf(&b, ": %u a minute", l->per_minute);
    refuse(a, causes[c->of][c->refused != COUNTED_AT_ONCE],
           c->of != OF_TRUNK ? 486
           : a->from_trunk.p ? 503
                             : 480,
           c->wait, a->judged && c->of == OF_TRUNK);
}

static void on_counted(void *arg, const struct redis_reply *r)
{
    struct count *c = arg;
    c->redis = NULL;
    if (r && r->type == REDIS_ERROR)
        log_error(&alog, "redis refuses to count a call", kv_s("reply", r->str));
    if (call_lease_read(r, &c->refused, &c->wait))
        c->failed = CAUSE(STORE_UNAVAILABLE);
    c->taken = c->failed == CAUSE(OK) && c->refused == COUNTED;
    c->admission->n_open--;
    answered(c->admission);
}

static void take(struct admission *a, size_t i)
{
    struct count *c = &a->counts[i];
    const struct call_lease l = lease_of(a, i);
    c->redis = call_lease_take(a->all->conf.redis, &l, &c->limit, on_counted, c);
    c->failed = c->redis ? CAUSE(OK) : CAUSE(OVERLOADED);
    a->n_open += c->redis != NULL;
}

/* False: it is answered. */
static bool stands(struct admission *a, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct count *c = &a->counts[i];
        if (c->taken)
            continue;
        if (c->failed != CAUSE(OK))
            later(a, c->failed);
        else
            refuse_count(a, c);
        return false;
    }
    return true;
}

static bool has_limit(const struct calls_limit *l)
{
    return l->at_once || l->per_second || l->per_minute;
}

/* Where there is no limit nothing is counted. */
static int add_count(struct admission *a, enum counted_of of, struct span name,
                     const struct calls_limit *limit)
{
    static const struct span kinds[] = { SPAN_INIT("user:"), SPAN_INIT("tenant:"),
                                         SPAN_INIT("trunk:") };
    char text[CALL_LEASE_NAME_MAX];
    struct buf b = BUF_INIT(text);
    if (!has_limit(limit))
        return 0;
    buf_put(&b, kinds[of]);
    buf_put(&b, name);
    struct span kept = buf_ok(&b) ? arena_dup(&a->arena, buf_span(&b)) : SPAN_NULL;
    if (!kept.p)
        return CS_ENOMEM;
    struct count *c = &a->counts[a->n_counts++];
    *c = (struct count){ .admission = a, .of = of, .name = kept };
    if (!a->emergency)
        c->limit = *limit;
    return 0;
}

static const struct calls_limit *limit_of(const struct calls_limit_of *list, size_t n,
                                          const struct calls_limit *each, struct span name)
{
    for (size_t i = 0; i < n; i++) {
        if (span_caseeq(list[i].name, name))
            return &list[i].limit;
    }
    return each;
}

static int add_trunk(struct admission *a, struct span name)
{
    const struct calls_conf *conf = a->all->conf.calls;
    return add_count(a, OF_TRUNK, name, limit_of(conf->trunks, conf->n_trunks, &conf->trunk, name));
}

/* u: NULL: nobody alone has this address. */
static int add_caller(struct admission *a, const struct user *u)
{
    const struct calls_conf *conf = a->all->conf.calls;
    struct calls_limit limit = conf->user;
    struct span name = a->caller, domain = a->caller;
    span_cut(&domain, '@');
    if (u) {
        char text[2 * USER_MAX_NAME + 2];
        struct buf b = BUF_INIT(text);
        buf_put(&b, u->name);
        buf_putc(&b, '@');
        buf_put(&b, u->realm);
        name = buf_ok(&b) ? arena_dup(&a->arena, buf_span(&b)) : SPAN_NULL;
        a->user = span_head(name, u->name.n);
        a->realm = span_skip(name, u->name.n + 1);
        limit.at_once = u->max_calls ? u->max_calls : limit.at_once;
    }
    a->who = name;
    if (!name.p)
        return CS_ENOMEM;
    if (a->lease.p)
        return 0;
    int err = add_count(a, OF_USER, name, &limit);
    if (!err && domain.p)
        err = add_count(a, OF_TENANT, domain,
                        limit_of(conf->tenants, conf->n_tenants, &conf->tenant, domain));
    return err;
}

/* ---- rules ---- */

static void refuse_rule(struct admission *a, Countersign__Auth__Cause cause)
{
    struct buf b = BUF_INIT(a->words);
    buf_lit(&b, "destination ");
    buf_put(&b, a->rule->name);
    refuse(a, cause, 403, DURATION_MS(0), false);
}

static void allow(struct admission *a)
{
    a->judged = true;
    if (stands(a, a->n_before, a->n_counts))
        admit(a);
}

static int on_webhook(void *arg, int err, struct span body)
{
    struct admission *a = arg;
    bool yes = false;
    a->asked = NULL;
    if (!err)
        err = webhook_answer_read(body, span_str(a->decision), &yes);
    if (err ? a->rule->unanswered == UNANSWERED_ALLOW : yes)
        allow(a);
    else
        refuse_rule(a, err ? CAUSE(WEBHOOK_UNAVAILABLE) : CAUSE(DESTINATION_REFUSED));
    return err;
}

static void ask_webhook(struct admission *a)
{
    const struct webhook_call q = { .id = span_str(a->decision),
                                    .rule = a->rule->name,
                                    .call_id = a->facts.call_id,
                                    .from_trunk = a->from_trunk,
                                    .call = &a->call };
    char *text = webhook_question(&q);
    int err = text ? backend_ask(a->all->conf.backends, a->rule->webhook, span_str(text),
                                 on_webhook, a, &a->asked)
                   : CS_ENOMEM;
    free(text);
    if (err && a->rule->unanswered == UNANSWERED_ALLOW)
        allow(a);
    else if (err)
        refuse_rule(a, CAUSE(WEBHOOK_UNAVAILABLE));
}

static void judge(struct admission *a)
{
    a->rule = destination_rule(a->all->conf.calls, &a->call);
    if (!a->rule || a->rule->action == DESTINATION_ALLOW)
        allow(a);
    else if (a->rule->action == DESTINATION_ASK)
        ask_webhook(a);
    else
        refuse_rule(a, a->rule->first_time ? CAUSE(DESTINATION_FIRST_TIME)
                       : a->rule->during_name.p || a->rule->outside_name.p
                           ? CAUSE(DESTINATION_AT_THIS_TIME)
                           : CAUSE(DESTINATION_FORBIDDEN));
}

static void on_went(void *arg, const struct redis_reply *r)
{
    struct admission *a = arg;
    const struct admissions_conf *conf = &a->all->conf;
    uint64_t last = 0;
    a->went = NULL;
    if (!r || (r->type != REDIS_NIL && r->type != REDIS_STRING))
        a->went_failed = CAUSE(STORE_UNAVAILABLE);
    else if (r->type == REDIS_STRING && span_u64(r->str, INT64_MAX, &last))
        last = 0;
    a->call.first_time = (int64_t)last <= loop_wall(conf->loop).ms - conf->calls->known.ms;
    a->n_open--;
    answered(a);
}

static bool has_rules(const struct admission *a)
{
    return !a->emergency && a->to_trunk.p;
}

static void ask_went(struct admission *a)
{
    const struct admissions_conf *conf = &a->all->conf;
    a->went_failed = CAUSE(OK);
    if (!has_rules(a) || !conf->calls->remembers || !a->who.p || !a->to.country.p)
        return;
    a->went = call_went_ask(conf->redis, a->who, a->to.country, on_went, a);
    a->went_failed = a->went ? CAUSE(OK) : CAUSE(OVERLOADED);
    a->n_open += a->went != NULL;
}

/* ---- one ---- */

/* All of them have an answer: they are looked at in an order of their own, so that of several
 * reasons to refuse it the same one is named each time. */
static void answered(struct admission *a)
{
    if (a->n_open || !stands(a, 0, a->n_before))
        return;
    if (a->went_failed != CAUSE(OK))
        later(a, a->went_failed);
    else if (has_rules(a))
        judge(a);
    else
        allow(a);
}

/* What it is counted on is asked at once; whatever refuses it, the rest is given back. */
static void begin(struct admission *a, const struct user *owner)
{
    int err = a->caller.p ? add_caller(a, owner) : 0;
    if (!err && a->from_trunk.p && !a->lease.p)
        err = add_trunk(a, a->from_trunk);
    a->n_before = a->n_counts;
    if (!err && a->to_trunk.p && !span_eq(a->to_trunk, a->from_trunk))
        err = add_trunk(a, a->to_trunk);
    if (err) {
        later(a, CAUSE(OVERLOADED));
        return;
    }
    for (size_t i = 0; i < a->n_counts; i++)
        take(a, i);
    ask_went(a);
    answered(a);
}

static void on_owner(void *arg, int err, const struct user *u)
{
    struct admission *a = arg;
    const struct admissions_conf *conf = &a->all->conf;
    a->get = NULL;
    if (!err)
        cache_put_owner(conf->cache, a->facts.from_aor, u, a->cache_generation);
    if (err && err != CS_ENOENT && !a->emergency)
        later(a, CAUSE(STORE_UNAVAILABLE));
    else
        begin(a, u);
}

/* While Redis is away nothing can be counted, but who is not counted may call for redis_grace. */
static void find_owner(struct admission *a)
{
    const struct admissions_conf *conf = &a->all->conf;
    struct user u;
    struct span record = cache_get_owner(conf->cache, a->facts.from_aor);
    if (!record.p && !redis_is_ready(conf->redis))
        record = cache_recall_owner(conf->cache, a->facts.from_aor);
    if (record.p && user_decode(record, &a->arena, &u) == 0) {
        begin(a, &u);
        return;
    }
    a->cache_generation = cache_generation(conf->cache);
    a->get = store_get_owner(conf->store, a->facts.from_aor, on_owner, a);
    if (!a->get)
        later(a, CAUSE(OVERLOADED));
}

static bool keep(struct admission *a, const Countersign__Auth__Admit *m, const char *node)
{
    struct span destination, aor;
    struct {
        struct span from, *to;
    } const texts[] = {
        { span_str(m->lease), &a->lease },       { span_str(m->call_id), &a->facts.call_id },
        { span_str(m->caller), &aor },           { span_str(m->from_trunk), &a->from_trunk },
        { span_str(m->to_trunk), &a->to_trunk }, { span_str(m->destination), &destination },
        { span_str(node), &a->facts.listener },
    };
    for (size_t i = 0; i < CS_LEN(texts); i++) {
        *texts[i].to = arena_dup(&a->arena, texts[i].from);
        if (!texts[i].to->p && texts[i].from.p)
            return false;
    }
    a->emergency = m->has_emergency && m->emergency;
    a->caller = aor;
    if (aor.p)
        span_cut(&a->caller, ':');
    a->facts.method = SPAN("INVITE");
    a->facts.from_aor = aor;
    a->facts.target_aor = destination;
    destination_read(a->all->conf.calls->dialled, destination, &a->to);
    a->call = (struct destination_call){
        .to = &a->to, .caller = a->caller, .trunk = a->to_trunk, .now = loop_wall(a->all->conf.loop)
    };
    return true;
}

bool admission_ask(struct admissions *all, const Countersign__Auth__Admit *m, bool allowed,
                   const char *node, struct list *open, admitted_fn *fn, void *arg)
{
    struct admission *a = calloc(1, sizeof(*a));
    if (!a)
        return false;
    a->all = all;
    a->fn = fn;
    a->arg = arg;
    a->id = m->id;
    a->began = clock_mono();
    arena_init(&a->arena, NULL, 0, 0);
    list_push_back(open, &a->link);
    all->open++;
    decision_id(a->decision);
    if (!keep(a, m, node)) {
        admission_free(a);
        return false;
    }
    if (!allowed) {
        refuse(a, CAUSE(SIGNER_NOT_ALLOWED), 403, DURATION_MS(0), false);
    } else if (all->open > OPEN_MAX) {
        later(a, CAUSE(OVERLOADED));
    } else if (a->caller.p) {
        find_owner(a);
    } else {
        begin(a, NULL);
    }
    return true;
}

void admission_forget(struct list *open)
{
    while (!list_empty(open)) {
        struct admission *a = container_of(open->next, struct admission, link);
        give_back(a);
        admission_free(a);
    }
}

/* ---- all ---- */

typedef void lease_fn(struct redis *r, const struct call_lease *l);

static void each_lease(struct admissions *all, Countersign__Auth__CallLease *const *list, size_t n,
                       lease_fn *fn)
{
    for (size_t i = 0; i < n; i++) {
        const struct span id = span_str(list[i]->id);
        for (size_t k = 0; k < list[i]->n_counted; k++) {
            const struct call_lease l = { .name = span_str(list[i]->counted[k]),
                                          .id = id,
                                          .now = loop_wall(all->conf.loop),
                                          .length = all->conf.calls->lease };
            if (id.n == DECISION_LEN && call_lease_is_name(l.name))
                fn(all->conf.redis, &l);
        }
    }
}

void admission_leases(struct admissions *all, const Countersign__Auth__CallLeases *m)
{
    each_lease(all, m->kept, m->n_kept, call_lease_keep);
    each_lease(all, m->ended, m->n_ended, call_lease_end);
}

int admissions_new(const struct admissions_conf *conf, struct admissions **out)
{
    struct admissions *all = calloc(1, sizeof(*all));
    *out = all;
    if (!all)
        return CS_ENOMEM;
    all->conf = *conf;
    return 0;
}

void admissions_free(struct admissions **ap)
{
    free(*ap);
    *ap = NULL;
}
