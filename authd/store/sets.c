#include "authd/store/sets.h"

#include <stdlib.h>

#include "authd/store/records.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/netset.h"

enum { RETRY_MS = 100, REVIEW_MS = 10000, DAY_MS = 24 * 3600 * 1000, WATCHED_WITHIN_MS = 1000 };
enum { MISSING = SET_OVERDUE + 1, STATES }; /* behind enum set_state */

struct listed {
    struct list link;
    char name[ADDRESS_SET_MAX_NAME + 1], owner[ADDRESS_SET_MAX_TEXT + 1];
    struct wall renewal;
    enum set_state told; /* its last alarm, and the day of it */
    int64_t told_day;
    struct netset nets;
    struct netset_member members[];
};

struct sets {
    struct sets_env env;
    struct redis *watcher;
    struct records records;
    struct record_call *reading;
    struct list all, fresh; /* fresh: read so far */
    struct listed *named[SET_NAMES_MAX];
    int64_t missed_day[SET_NAMES_MAX];
    char after[RECORD_NAME_MAX + 1];
    void (*on_change)(void *arg);
    void *change_arg;
    bool known, again; /* again: something changed while they were read */
    struct timer retry, review;
};

static const struct log lg = { .module = "sets" };

/* ---- memory ---- */

static void listed_free(struct listed *x)
{
    list_remove(&x->link);
    netset_fini(&x->nets);
    free(x);
}

static void drop_all(struct list *l)
{
    list_for_each (it, l)
        listed_free(container_of(it, struct listed, link));
}

static struct listed *find(const struct list *l, struct span name)
{
    list_for_each (it, l) {
        struct listed *x = container_of(it, struct listed, link);
        if (span_eq(span_str(x->name), name))
            return x;
    }
    return NULL;
}

static int take(struct sets *s, const struct address_set *from)
{
    const size_t n = from->n_networks;
    struct listed *x = calloc(1, sizeof(*x) + n * sizeof(x->members[0]));
    if (!x)
        return CS_ENOMEM;
    span_copy(x->name, sizeof(x->name), from->name);
    span_copy(x->owner, sizeof(x->owner), from->owner);
    x->renewal = from->renewal;
    x->told_day = -1;
    netset_init(&x->nets);
    list_push_back(&s->fresh, &x->link);
    int err = 0;
    for (size_t i = 0; !err && i < n; i++) {
        x->members[i].net = from->networks[i];
        if (!netset_get(&x->nets, &from->networks[i], 0, 0)) /* twice the same is one */
            err = netset_add(&x->nets, &x->members[i]);
    }
    return err;
}

/* ---- alarms ---- */

/* renewal counts where there is an owner. */
static void alarm_of(struct sets *s, struct span what, struct span name, struct span owner,
                     struct wall renewal)
{
    char date[DATE_STRLEN];
    date_format(renewal, date);
    if (owner.p)
        log_warn(&lg, "an address set is to be renewed", kv_s("alarm", what), kv_s("set", name),
                 kv_s("owner", owner), kv_str("renewal", date));
    else
        log_warn(&lg, "there is no address set of a name that peer groups use", kv_s("alarm", what),
                 kv_s("set", name));
    const struct alarm a = {
        .time = loop_wall(s->env.loop), .what = what, .target = name, .note = owner
    };
    audit_alarm(s->env.audit, &a);
}

static enum set_state state_of(const struct listed *x, struct wall now)
{
    const struct address_set s = { .renewal = x->renewal };
    return address_set_state(&s, now);
}

static void review(struct sets *s)
{
    const struct wall now = loop_wall(s->env.loop);
    const int64_t today = now.ms / DAY_MS;
    int64_t n[STATES] = { 0 };
    list_for_each (it, &s->all) {
        struct listed *x = container_of(it, struct listed, link);
        const enum set_state state = state_of(x, now);
        n[state]++;
        if (state == SET_CURRENT || (x->told_day == today && x->told == state))
            continue;
        x->told = state;
        x->told_day = today;
        alarm_of(s, state == SET_DUE ? SPAN("address_set_due") : SPAN("address_set_overdue"),
                 span_str(x->name), span_str(x->owner), x->renewal);
    }
    for (size_t i = 0; i < s->env.names->n; i++) {
        n[MISSING] += !s->named[i];
        if (s->named[i] || s->missed_day[i] == today)
            continue;
        s->missed_day[i] = today;
        alarm_of(s, SPAN("address_set_missing"), s->env.names->name[i], SPAN_NULL, now);
    }
    for (unsigned i = 0; i < STATES; i++)
        metric_set(M_AUTHD_SETS, i, n[i]);
}

/* ---- reading all ---- */

static void read_all(struct sets *s);

static void read_later(struct sets *s)
{
    drop_all(&s->fresh);
    timer_start(s->env.loop, &s->retry, DURATION_MS(RETRY_MS));
}

/* What was told of a set today stays told, unless its date was changed. */
static void keep_told(struct sets *s)
{
    list_for_each (it, &s->fresh) {
        struct listed *x = container_of(it, struct listed, link);
        const struct listed *old = find(&s->all, span_str(x->name));
        if (!old || old->renewal.ms != x->renewal.ms)
            continue;
        x->told = old->told;
        x->told_day = old->told_day;
    }
}

static void all_read(struct sets *s)
{
    keep_told(s);
    drop_all(&s->all);
    list_splice(&s->all, &s->fresh);
    for (size_t i = 0; i < s->env.names->n; i++) {
        s->named[i] = find(&s->all, s->env.names->name[i]);
        if (s->named[i])
            s->missed_day[i] = -1;
    }
    if (!s->known)
        log_info(&lg, "address sets are known", kv_u("named", s->env.names->n));
    s->known = true;
    review(s);
    if (s->on_change)
        s->on_change(s->change_arg);
}

static void ask(struct sets *s);

static void on_page(void *arg, int err, const struct record *list, size_t n, struct span next)
{
    struct sets *s = arg;
    struct arena a;
    s->reading = NULL;
    arena_init(&a, NULL, 0, 0);
    for (size_t i = 0; !err && i < n; i++) {
        struct address_set set;
        if (address_set_decode(list[i].bytes, &a, &set) || !span_eq(set.name, list[i].name))
            log_error(&lg, "an address set cannot be read: it holds nobody",
                      kv_s("set", list[i].name));
        else
            err = take(s, &set);
    }
    arena_fini(&a);
    if (err) {
        read_later(s);
    } else if (next.p) {
        span_copy(s->after, sizeof(s->after), next);
        ask(s);
    } else if (s->again) {
        read_all(s);
    } else {
        all_read(s);
    }
}

static void ask(struct sets *s)
{
    struct span after = s->after[0] ? span_str(s->after) : SPAN_NULL;
    s->reading = record_list(&s->records, after, RECORDS_PAGE_MAX, on_page, s);
    if (!s->reading)
        read_later(s);
}

static void read_all(struct sets *s)
{
    if (s->reading) {
        s->again = true;
        return;
    }
    timer_stop(s->env.loop, &s->retry);
    s->again = false;
    s->after[0] = '\0';
    drop_all(&s->fresh);
    ask(s);
}

static void on_retry(struct timer *t)
{
    read_all(container_of(t, struct sets, retry));
}

static void on_review(struct timer *t)
{
    struct sets *s = container_of(t, struct sets, review);
    if (s->known)
        review(s);
    timer_start(s->env.loop, t, DURATION_MS(REVIEW_MS));
}

/* key absent: the watcher was connected or lost. */
static void on_written(void *arg, struct span key)
{
    struct sets *s = arg;
    (void)key;
    if (s->watcher && redis_is_ready(s->watcher)) /* else we hear when it is */
        read_all(s);
}

/* ---- entry points ---- */

int sets_new(const struct sets_env *env, struct sets **out)
{
    struct redis_conf watch = *env->watch;
    struct sets *s = *out = calloc(1, sizeof(*s));
    if (!s)
        return CS_ENOMEM;
    if (watch.deadline.ms == 0 || watch.deadline.ms > WATCHED_WITHIN_MS)
        watch.deadline = DURATION_MS(WATCHED_WITHIN_MS);
    s->env = *env;
    list_init(&s->all);
    list_init(&s->fresh);
    for (size_t i = 0; i < SET_NAMES_MAX; i++)
        s->missed_day[i] = -1;
    records_init(&s->records, env->redis, SPAN(ADDRESS_SET_PREFIX), SPAN(ADDRESS_SET_INDEX));
    timer_init(&s->retry, on_retry);
    timer_init(&s->review, on_review);
    int err = redis_watch(env->loop, &watch, ADDRESS_SET_PREFIX, on_written, s, &s->watcher);
    if (err)
        sets_free(out);
    else
        timer_start(env->loop, &s->review, DURATION_MS(REVIEW_MS));
    return err;
}

void sets_free(struct sets **sp)
{
    struct sets *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    struct redis *watcher = s->watcher;
    s->watcher = NULL;
    if (watcher)
        redis_close(&watcher);
    timer_stop(s->env.loop, &s->retry);
    timer_stop(s->env.loop, &s->review);
    records_fini(&s->records);
    drop_all(&s->all);
    drop_all(&s->fresh);
    free(s);
}

bool sets_are_known(const struct sets *s)
{
    return s->known || s->env.names->n == 0;
}

void sets_listen(struct sets *s, void (*fn)(void *arg), void *arg)
{
    s->on_change = fn;
    s->change_arg = arg;
}

bool sets_are_read(const struct sets *s)
{
    return s && s->known;
}

bool sets_hold(const struct sets *s, struct span name, const struct addr *a)
{
    const struct listed *x = find(&s->all, name);
    return x && a->sa.sa_family != AF_UNSPEC && netset_find(&x->nets, a, 0);
}

uint64_t sets_of(const struct sets *s, const struct addr *a)
{
    uint64_t mask = 0;
    for (size_t i = 0; s && i < s->env.names->n && a->sa.sa_family != AF_UNSPEC; i++) {
        if (s->named[i] && netset_find(&s->named[i]->nets, a, 0))
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

static bool touches(const struct listed *x, const struct cidr *net)
{
    map_for_each (it, &x->nets.map) {
        const struct netset_member *m = container_of(it, struct netset_member, node);
        if (cidr_contains(&m->net, &net->net) || cidr_contains(net, &m->net.net))
            return true;
    }
    return false;
}

bool sets_touch(const struct sets *s, uint64_t mask, const struct cidr *net)
{
    for (size_t i = 0; s && i < s->env.names->n; i++) {
        if ((mask & UINT64_C(1) << i) && s->named[i] && touches(s->named[i], net))
            return true;
    }
    return false;
}
