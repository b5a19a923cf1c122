#include "authd/revocation/revoker.h"

#include <stdlib.h>

#include "authd/revocation/evictor.h"
#include "authd/revocation/unfinished.h"
#include "base/log.h"
#include "base/metric.h"

enum {
    MAX_JOBS = 64,
    RETRY_MS = 200,
};

#define AUTH(name)  Countersign__Auth__##name
#define EVENT(name) COUNTERSIGN__STORE__EVENT_KIND__EVENT_##name

/* One event on its way: the user or revocation is looked at, fronts are told, bindings are removed.
 */
struct job {
    struct list link;
    struct revoker *revoker;
    uint64_t front;
    char id[EVENT_ID_MAX];
    struct arena arena;
    const Countersign__Store__Event *event;
    struct span name, realm;
    struct store_call *get;
    struct revocation_look *look;
    bool ours;           /* we announced it, and see to its end what needs to be done once */
    bool unsure;         /* what it says could not be looked at yet */
    struct wall created; /* of the user that stands now */
    struct part {
        struct job *job;
        struct span aor;
        bool stands; /* the user has it; only what an earlier user of that name left goes */
        struct location_removal *removal;
    } * parts;
    size_t n_parts, pending, removed;
    bool told, failed;
    struct timer retry;
};

struct revoker {
    struct revoker_conf conf;
    struct revocations *revocations;
    bool stale;    /* they may not be those that stand */
    bool lost;     /* and fronts missed some of them */
    size_t unsure; /* jobs that are */
    struct unfinished *unfinished;
    struct events *events;
    struct locations *locations;
    const struct revoker_listener *listener;
    void *listener_arg;
    struct list jobs;
    size_t n_jobs;
    struct evictor *evictor;
};

static const struct log lg = { .module = "revoker" };

/* ---- whether we know everything ---- */

bool revoker_is_current(const struct revoker *r)
{
    return events_are_current(r->events) && revocations_are_known(r->revocations) && !r->stale &&
           r->unsure == 0;
}

bool revoker_is_fresh(const struct revoker *r)
{
    return revoker_is_current(r) && events_are_fresh(r->events);
}

static void if_current(struct revoker *r)
{
    if (!revoker_is_current(r))
        return;
    if (r->listener)
        r->listener->current(r->listener_arg);
    unfinished_look(r->unfinished);
}

static void set_unsure(struct job *j, bool unsure)
{
    struct revoker *r = j->revoker;
    if (j->front != 0 || j->unsure == unsure)
        return;
    j->unsure = unsure;
    r->unsure += unsure ? 1 : (size_t)-1;
    if_current(r);
}

/* ---- jobs ---- */

static void job_free(struct job *j)
{
    struct revoker *r = j->revoker;
    if (j->get)
        store_cancel(j->get);
    if (j->look)
        revocation_look_cancel(j->look);
    r->unsure -= j->unsure;
    for (size_t i = 0; i < j->n_parts; i++) {
        if (j->parts[i].removal)
            location_remove_cancel(j->parts[i].removal);
    }
    timer_stop(r->conf.loop, &j->retry);
    arena_fini(&j->arena);
    list_remove(&j->link);
    free(j);
    r->n_jobs--;
}

/* There is room for another. */
static void job_drop(struct job *j)
{
    struct revoker *r = j->revoker;
    job_free(j);
    events_resume(r->events);
}

static void on_evicted(void *arg, const char *token)
{
    struct revoker *r = arg;
    unfinished_end(r->unfinished, token);
    events_resume(r->events);
}

static void job_end(struct job *j)
{
    struct revoker *r = j->revoker;
    if (j->removed)
        log_info(&lg, "bindings removed, their user is revoked", kv_str("user", j->event->user),
                 kv_u("bindings", j->removed));
    if (j->event->token)
        unfinished_end(r->unfinished, j->event->token);
    job_drop(j);
}

static void job_retry(struct job *j)
{
    timer_start(j->revoker->conf.loop, &j->retry, DURATION_MS(RETRY_MS));
}

/* What a front heard last is where it asks again from: an event that waits must stay behind that.
 */
static bool is_next(const struct job *j)
{
    list_for_each (it, &j->revoker->jobs) {
        const struct job *other = container_of(it, struct job, link);
        if (other == j)
            break;
        if (other->front == j->front && !other->told)
            return false;
    }
    return true;
}

static void tell_this(struct job *j, AUTH(Revoked) * m)
{
    struct revoker *r = j->revoker;
    if (j->told)
        return;
    m->event = is_next(j) ? j->id : NULL;
    j->told = true;
    if (r->listener)
        r->listener->revoked(r->listener_arg, j->front, m);
}

/* Without AORs it says how far we are. */
static void tell(struct job *j, char **aors, size_t n)
{
    AUTH(Revoked) m = COUNTERSIGN__AUTH__REVOKED__INIT;
    m.user = n ? j->event->user : NULL;
    m.aor = aors;
    m.n_aor = n;
    tell_this(j, &m);
}

/* ---- bindings ---- */

static bool goes(void *arg, const Countersign__Store__Binding *b)
{
    const struct part *p = arg;
    const struct job *j = p->job;
    if (!b->user || strcmp(b->user, j->event->user) != 0)
        return false;
    return !p->stands || (b->has_since_ms && (int64_t)b->since_ms < j->created.ms);
}

static void settle(struct job *j)
{
    if (j->pending)
        return;
    if (j->failed)
        job_retry(j);
    else
        job_end(j);
}

static void on_removed(void *arg, int err, size_t n)
{
    struct part *p = arg;
    struct job *j = p->job;
    p->removal = NULL;
    j->pending--;
    j->removed += n;
    if (err == CS_EPROTO) /* serves nobody, and is not ours to judge */
        log_error(&lg, "a record of bindings cannot be read", kv_s("aor", p->aor));
    else if (err)
        j->failed = true;
    settle(j);
}

static void remove_bindings(struct job *j)
{
    for (size_t i = 0; i < j->n_parts; i++) {
        struct part *p = &j->parts[i];
        p->removal = location_remove(j->revoker->locations, p->aor, goes, on_removed, p);
        if (p->removal)
            j->pending++;
        else
            j->failed = true;
    }
    settle(j);
}

/* ---- users ---- */

/* u: NULL where there is none any more. */
static void judge(struct job *j, const struct user *u)
{
    const Countersign__Store__Event *e = j->event;
    bool anew = u && u->created.ms > (int64_t)e->time_ms; /* another one, of the same name */
    char **gone = arena_alloc(&j->arena, e->n_aor * sizeof(*gone));
    size_t n = 0;
    j->parts = arena_zalloc(&j->arena, e->n_aor * sizeof(*j->parts));
    j->n_parts = 0;
    if (!gone || !j->parts) {
        job_retry(j);
        return;
    }
    j->created = u ? u->created : (struct wall){ 0 };
    for (size_t i = 0; i < e->n_aor; i++) {
        bool stands = u && user_has_aor(u, span_str(e->aor[i]));
        if (!stands)
            gone[n++] = e->aor[i];
        if (!stands || anew)
            j->parts[j->n_parts++] =
                (struct part){ .job = j, .aor = span_str(e->aor[i]), .stands = stands };
    }
    tell(j, gone, n);
    remove_bindings(j);
}

static void on_user(void *arg, int err, const struct user *u)
{
    struct job *j = arg;
    j->get = NULL;
    if (err == CS_ENOENT || !err) {
        judge(j, err ? NULL : u);
    } else if (err == CS_EPROTO) { /* of a later version, whose authd sees to it */
        log_error(&lg, "a user's record cannot be read", kv_str("user", j->event->user));
        job_drop(j);
    } else {
        job_retry(j);
    }
}

/* ---- a user whose registrations end ---- */

/* All that he registered goes, once: what he registers behind it stays. */
static void close_all(struct job *j)
{
    const Countersign__Store__Event *e = j->event;
    tell(j, e->aor, e->n_aor);
    if (!j->ours) {
        job_drop(j);
        return;
    }
    j->parts = arena_zalloc(&j->arena, e->n_aor * sizeof(*j->parts));
    if (!j->parts) {
        job_retry(j);
        return;
    }
    for (size_t i = 0; i < e->n_aor; i++)
        j->parts[j->n_parts++] = (struct part){ .job = j, .aor = span_str(e->aor[i]) };
    remove_bindings(j);
}

/* ---- revocations ---- */

static void fill(AUTH(Revoked) * m, const struct fallen *what)
{
    m->has_rests_on = true;
    m->rests_on.data = (uint8_t *)what->tag.p;
    m->rests_on.len = what->tag.n;
    m->has_issued_before_s = what->bounded;
    m->issued_before_s = what->before_s;
}

/* x: NULL where it stands no longer. */
static void on_look(void *arg, int err, const struct revocation *x)
{
    struct job *j = arg;
    struct revoker *r = j->revoker;
    unsigned char tag[REST_TAG_LEN] = { 0 };
    AUTH(Revoked) m = COUNTERSIGN__AUTH__REVOKED__INIT;
    j->look = NULL;
    if (err == CS_EPROTO) { /* of a later version, whose authd sees to it */
        log_error(&lg, "a revocation cannot be read", kv_str("id", j->event->revocation));
        set_unsure(j, false);
        job_drop(j);
        return;
    }
    if (err || revocation_of_id(span_str(j->event->revocation), tag)) {
        set_unsure(j, true);
        job_retry(j);
        return;
    }
    const struct fallen what = x ? revocation_fallen(x, tag) : (struct fallen){ 0 };
    if (x && j->front == 0 && r->listener)
        r->listener->fallen(r->listener_arg, &what);
    if (x)
        fill(&m, &what);
    tell_this(j, &m);
    set_unsure(j, false);
    if (j->ours && !x)
        job_end(j);
    else if (j->ours && evictor_add(r->evictor, &what, j->event->token))
        job_retry(j);
    else
        job_drop(j);
}

static void job_run(struct job *j)
{
    j->failed = false;
    j->n_parts = 0;
    if (j->event->kind == EVENT(REVOCATION)) {
        j->look =
            revocations_look(j->revoker->revocations, span_str(j->event->revocation), on_look, j);
        if (!j->look) {
            set_unsure(j, true);
            job_retry(j);
        }
        return;
    }
    if (j->event->kind == EVENT(UNBOUND)) {
        close_all(j);
        return;
    }
    j->get = store_get_user(j->revoker->conf.store, j->name, j->realm, on_user, j);
    if (!j->get)
        job_retry(j);
}

static void on_retry(struct timer *t)
{
    job_run(container_of(t, struct job, retry));
}

/* ---- events ---- */

static struct job *job_new(struct revoker *r, uint64_t front, const char *id,
                           const Countersign__Store__Event *e)
{
    struct job *j = calloc(1, sizeof(*j));
    if (!j)
        return NULL;
    j->revoker = r;
    j->front = front;
    span_copy(j->id, sizeof(j->id), span_str(id));
    timer_init(&j->retry, on_retry);
    arena_init(&j->arena, NULL, 0, 0);
    list_push_back(&r->jobs, &j->link);
    r->n_jobs++;
    Countersign__Store__Event borrowed = *e, *kept;
    struct span packed = event_encode(&borrowed, &j->arena);
    if (packed.p && event_decode(packed, &j->arena, &kept) == 0) {
        j->event = kept;
        return j;
    }
    job_free(j);
    return NULL;
}

/* What was judged before must be forgotten before anything else is judged. */
static void forget(struct revoker *r, const struct job *j)
{
    cache_forget(r->conf.cache, j->name, j->realm);
    if (r->listener)
        r->listener->changed(r->listener_arg, j->name, j->realm);
}

static void on_event(void *arg, uint64_t front, const char *id, const Countersign__Store__Event *e)
{
    struct revoker *r = arg;
    if (front == 0)
        metric_inc(M_AUTHD_EVENTS, 0);
    if (e->kind != EVENT(USER) && e->kind != EVENT(UNBOUND) && e->kind != EVENT(REVOCATION))
        return; /* a mark, or of a later version */
    struct job *j = job_new(r, front, id, e);
    if (!j) {
        log_error(&lg, "out of memory: an event is not handled", kv_str("id", id));
        return; /* it stays in cs:revoking */
    }
    j->ours = front == 0 && unfinished_is_ours(r->unfinished, e->token);
    if (e->kind == EVENT(REVOCATION) && !events_are_current(r->events))
        set_unsure(j, true); /* one that we missed: nothing is accepted before it is looked up */
    if (e->kind == EVENT(UNBOUND) && !e->user) {
        tell(j, j->event->aor, j->event->n_aor);
        job_end(j);
    } else if (e->kind != EVENT(USER)) {
        job_run(j);
    } else if (event_user(j->event, &j->name, &j->realm)) {
        if (front == 0)
            forget(r, j);
        job_run(j);
    }
}

/* To whom is told what stands. */
struct standing {
    struct revoker *revoker;
    uint64_t front;
};

static void tell_standing(void *arg, const struct revocation *x)
{
    const struct standing *to = arg;
    const struct revoker_listener *listener = to->revoker->listener;
    char id[REVOCATION_ID_LEN + 1];
    unsigned char tag[REST_TAG_LEN];
    AUTH(Revoked) m = COUNTERSIGN__AUTH__REVOKED__INIT;
    revocation_id(x, id);
    if (revocation_of_id(span_str(id), tag) || !listener)
        return;
    const struct fallen what = revocation_fallen(x, tag);
    if (to->front == 0)
        listener->fallen(to->revoker->listener_arg, &what);
    fill(&m, &what);
    listener->revoked(to->revoker->listener_arg, to->front, &m);
}

static void on_lost(void *arg, uint64_t front, const char *id)
{
    struct revoker *r = arg;
    struct standing to = { r, front };
    AUTH(Revoked) m = COUNTERSIGN__AUTH__REVOKED__INIT;
    if (front == 0) {
        cache_forget_all(r->conf.cache);
        r->stale = r->lost = true;
    }
    m.event = (char *)id;
    m.has_lost = m.lost = true;
    if (r->listener)
        r->listener->revoked(r->listener_arg, front, &m);
    if (front != 0)
        revocations_each(r->revocations, tell_standing, &to);
}

static void on_loaded(void *arg)
{
    struct revoker *r = arg;
    struct standing all = { r, 0 };
    log_info(&lg, "revocations are known", kv_u("standing", revocations_count(r->revocations)));
    r->stale = false;
    if (r->lost)
        revocations_each(r->revocations, tell_standing, &all);
    r->lost = false;
    if_current(r);
}

static void on_current(void *arg)
{
    struct revoker *r = arg;
    log_info(&lg, "events are followed", kv_str("place", events_place(r->events)));
    if (r->stale)
        revocations_load(r->revocations, on_loaded, r);
    else
        if_current(r);
}

static bool is_busy(void *arg)
{
    const struct revoker *r = arg;
    return r->n_jobs >= MAX_JOBS || evictor_is_full(r->evictor);
}

/* ---- entry points ---- */

static const struct events_handlers handlers = { on_event, on_lost, on_current, is_busy };

int revoker_new(const struct revoker_conf *conf, struct revoker **out)
{
    struct revoker *r = calloc(1, sizeof(*r));
    *out = r;
    if (!r)
        return CS_ENOMEM;
    r->conf = *conf;
    r->stale = true;
    list_init(&r->jobs);
    int err = revocations_new(conf->loop, conf->redis, &r->revocations);
    if (!err)
        err = unfinished_new(conf->loop, conf->redis, &r->unfinished);
    if (!err)
        err = locations_open(conf->loop, conf->redis, 0, DURATION_MS(0), &r->locations);
    if (!err)
        err = evictor_new(conf->loop, conf->redis, r->locations, on_evicted, r, &r->evictor);
    if (!err)
        err = events_open(conf->loop, conf->redis, conf->watch, &handlers, r, &r->events);
    if (err)
        revoker_free(out);
    return err;
}

void revoker_free(struct revoker **rp)
{
    struct revoker *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    r->listener = NULL;
    events_close(&r->events);
    list_for_each (it, &r->jobs)
        job_free(container_of(it, struct job, link));
    evictor_free(&r->evictor);
    unfinished_free(&r->unfinished);
    revocations_free(&r->revocations);
    locations_close(&r->locations);
    free(r);
}

void revoker_listen(struct revoker *r, const struct revoker_listener *listener, void *arg)
{
    r->listener = listener;
    r->listener_arg = arg;
}

struct revocations *revoker_revocations(const struct revoker *r)
{
    return r->revocations;
}

void revoker_begin(struct revoker *r, const Countersign__Store__Event *e, struct span packed)
{
    unfinished_begin(r->unfinished, e, packed);
}

struct redis_call *revoker_announce(struct revoker *r, struct span packed, redis_fn *fn, void *arg)
{
    struct redis_call *call = events_append(r->conf.redis, packed, fn, arg);
    redis_confirm(call);
    return call;
}

const char *revoker_place(const struct revoker *r)
{
    return events_place(r->events);
}

int revoker_replay(struct revoker *r, uint64_t front, struct span behind)
{
    return events_replay(r->events, behind, front);
}

void revoker_stop(struct revoker *r, uint64_t front)
{
    events_stop(r->events, front);
}
