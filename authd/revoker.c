#include "authd/revoker.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"

enum {
    MAX_JOBS = 64,
    RETRY_MS = 200,
    SWEEP_S = 5, /* so often, and for what is so old */
};

#define AUTH(name)  Countersign__Auth__##name
#define EVENT(name) COUNTERSIGN__STORE__EVENT_KIND__EVENT_##name

/* One event on its way: the user is looked at, fronts are told, bindings are removed. */
struct job {
    struct list link;
    struct revoker *revoker;
    uint64_t front;
    char id[EVENT_ID_MAX];
    struct arena arena;
    const Countersign__Store__Event *event;
    struct span name, realm;
    struct store_call *get;
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
    struct events *events;
    struct locations *locations;
    const struct revoker_listener *listener;
    void *listener_arg;
    struct list jobs;
    size_t n_jobs;
    struct redis_call *sweep_call;
    bool complained; /* of what the last sweep could not read */
    struct timer sweep;
};

static const struct log lg = { .module = "revoker" };

static void no_reply(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    if (reply && reply->type == REDIS_ERROR)
        log_error(&lg, "redis refuses what belongs to a revocation", kv_s("reply", reply->str));
}

/* ---- jobs ---- */

static void job_free(struct job *j)
{
    struct revoker *r = j->revoker;
    if (j->get)
        store_cancel(j->get);
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

static void job_end(struct job *j)
{
    struct revoker *r = j->revoker;
    if (j->removed)
        log_info(&lg, "bindings removed, their user is revoked", kv_str("user", j->event->user),
                 kv_u("bindings", j->removed));
    if (j->event->token)
        redis_do(r->conf.redis, no_reply, NULL, SPAN("HDEL"), SPAN("cs:revoking"),
                 span_str(j->event->token));
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

/* Without AORs it says how far we are. */
static void tell(struct job *j, char **aors, size_t n)
{
    struct revoker *r = j->revoker;
    AUTH(Revoked) m = COUNTERSIGN__AUTH__REVOKED__INIT;
    if (j->told)
        return;
    m.user = n ? j->event->user : NULL;
    m.event = is_next(j) ? j->id : NULL;
    m.aor = aors;
    m.n_aor = n;
    j->told = true;
    if (r->listener)
        r->listener->revoked(r->listener_arg, j->front, &m);
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

static bool has_aor(const struct user *u, struct span aor)
{
    for (size_t i = 0; u && u->enabled && i < u->n_aors; i++) {
        if (span_eq(u->aors[i], aor))
            return true;
    }
    return false;
}

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
        bool stands = has_aor(u, span_str(e->aor[i]));
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

static void job_run(struct job *j)
{
    j->failed = false;
    j->n_parts = 0;
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
    if (e->kind != EVENT(USER) && e->kind != EVENT(UNBOUND))
        return; /* a mark, or of a later version */
    struct job *j = job_new(r, front, id, e);
    if (!j) {
        log_error(&lg, "out of memory: an event is not handled", kv_str("id", id));
        return; /* it stays in cs:revoking */
    }
    if (e->kind == EVENT(UNBOUND)) {
        tell(j, j->event->aor, j->event->n_aor);
        job_end(j);
    } else if (event_user(j->event, &j->name, &j->realm)) {
        if (front == 0)
            forget(r, j);
        job_run(j);
    }
}

static void on_lost(void *arg, uint64_t front, const char *id)
{
    struct revoker *r = arg;
    AUTH(Revoked) m = COUNTERSIGN__AUTH__REVOKED__INIT;
    if (front == 0)
        cache_forget_all(r->conf.cache);
    m.event = (char *)id;
    m.has_lost = m.lost = true;
    if (r->listener)
        r->listener->revoked(r->listener_arg, front, &m);
}

static void on_current(void *arg)
{
    struct revoker *r = arg;
    log_info(&lg, "events are followed", kv_str("place", events_place(r->events)));
    if (r->listener)
        r->listener->current(r->listener_arg);
    timer_start(r->conf.loop, &r->sweep, DURATION_MS(0));
}

static bool is_busy(void *arg)
{
    const struct revoker *r = arg;
    return r->n_jobs >= MAX_JOBS;
}

/* ---- what somebody did not finish ---- */

static void on_revoking(void *arg, const struct redis_reply *reply)
{
    struct revoker *r = arg;
    int64_t old = loop_wall(r->conf.loop).ms - SWEEP_S * 1000;
    r->sweep_call = NULL;
    if (!reply || reply->type != REDIS_ARRAY) {
        no_reply(NULL, reply);
        return;
    }
    for (size_t i = 0; i + 1 < reply->n; i += 2) {
        Countersign__Store__Event *e;
        struct arena a;
        arena_init(&a, NULL, 0, 0);
        if (event_decode(reply->element[i + 1].str, &a, &e)) { /* of a later version, perhaps */
            if (!r->complained)
                log_error(&lg, "what is left of a revocation cannot be read",
                          kv_s("token", reply->element[i].str));
            r->complained = true;
        } else if ((int64_t)e->time_ms < old) {
            log_warn(&lg, "a revocation was not finished, it is announced again",
                     kv_str("user", e->user));
            events_append(r->conf.redis, reply->element[i + 1].str, no_reply, NULL);
        }
        arena_fini(&a);
    }
}

static void on_sweep(struct timer *t)
{
    struct revoker *r = container_of(t, struct revoker, sweep);
    if (!r->sweep_call && events_are_current(r->events))
        r->sweep_call =
            redis_do(r->conf.redis, on_revoking, r, SPAN("HGETALL"), SPAN("cs:revoking"));
    timer_start(r->conf.loop, t, DURATION_S(SWEEP_S));
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
    list_init(&r->jobs);
    timer_init(&r->sweep, on_sweep);
    int err = locations_open(conf->loop, conf->redis, 0, &r->locations);
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
    timer_stop(r->conf.loop, &r->sweep);
    if (r->sweep_call)
        redis_cancel(r->sweep_call);
    events_close(&r->events);
    list_for_each (it, &r->jobs)
        job_free(container_of(it, struct job, link));
    locations_close(&r->locations);
    free(r);
}

void revoker_listen(struct revoker *r, const struct revoker_listener *listener, void *arg)
{
    r->listener = listener;
    r->listener_arg = arg;
}

bool revoker_is_current(const struct revoker *r)
{
    return events_are_current(r->events);
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
