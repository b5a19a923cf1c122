#include "authd/inspect/inspect.h"

#include "authd/check/algorithm.h"
#include "authd/inspect/look.h"
#include "authd/store/address_set.h"
#include "authd/store/device.h"
#include "authd/store/trunk.h"
#include "base/list.h"
#include "base/log.h"

enum {
    PORTION = 200,      /* keys or entries that Redis looks at for one page */
    PORTION_MAX = 8000, /* that it names for one at most */
    AGAIN_MS = 250,     /* who writes an index and its record has done so by then */
    KEY_MAX = 512,
};

static const struct log lg = { .module = "inspect" };

struct question {
    struct list link;
    struct look *look;
    struct redis_call *call;
    answer_fn *fn;
    void *arg;
};

struct inspection {
    struct inspect_env env;
    struct arena *arena;
    bool repair;
    struct place place;
    struct redis_call *portion; /* NULL: answered */
    struct list questions;
    struct timer timer;
    struct look *looks;
    size_t n_looks, pending;
    enum { PASS_FIRST, PASS_AGAIN, PASS_REPAIR } pass;
    int err;
    struct finding *findings, **tail;
    repair_fn **repairs; /* of the findings, in their order */
    struct look **found_by;
    size_t n_found, max_found;
    struct inspect_page page;
    inspect_fn *fn;
    void *arg;
};

/* ---- what is walked ---- */

static const struct step {
    enum way { KEYS, NAMED_SETS, LACKING, ZSCAN, HSCAN, STREAM } way;
    struct span key;
    look_fn *fn;
    const char *prefix;
} steps[] = {
    { KEYS, SPAN_INIT("cs:*"), NULL, NULL },
    { NAMED_SETS, SPAN_INIT("peer_groups"), look_named_set, NULL },
    { ZSCAN, SPAN_INIT("cs:users"), look_listed, "cs:user:" },
    { ZSCAN, SPAN_INIT(DEVICE_INDEX), look_listed, DEVICE_PREFIX },
    { ZSCAN, SPAN_INIT(TRUNK_INDEX), look_listed, TRUNK_PREFIX },
    { ZSCAN, SPAN_INIT(ADDRESS_SET_INDEX), look_listed, ADDRESS_SET_PREFIX },
    { ZSCAN, SPAN_INIT("cs:ban:{all}"), look_member, NULL },
    { ZSCAN, SPAN_INIT("cs:cert:{all}"), look_member, NULL },
    { LACKING, SPAN_INIT("cs:lacks:"), look_lacking, NULL },
    { HSCAN, SPAN_INIT("cs:revoked"), look_revocation, NULL },
    { HSCAN, SPAN_INIT("cs:revoking"), look_revoking, NULL },
    { STREAM, SPAN_INIT("cs:events"), look_event, NULL },
};

/* Of each realm and its former name there is an index for each algorithm. */
static struct span realm_of(const struct authd_conf *conf, size_t sub)
{
    const struct realm_conf *realm = &conf->realms[sub / ALG_COUNT / 2];
    return sub / ALG_COUNT % 2 == 0 ? realm->name
           : realm->formerly        ? realm->formerly->name
                                    : SPAN_NULL;
}

static size_t subs_of(const struct inspection *i, const struct step *s)
{
    return s->way == KEYS         ? redis_masters(i->env.redis)
           : s->way == LACKING    ? i->env.conf->n_realms * 2 * ALG_COUNT
           : s->way == NAMED_SETS ? (i->env.conf->sets.n ? 1 : 0)
                                  : 1;
}

static bool is_a_place(const struct inspection *i, const struct place *p)
{
    const struct step *s = &steps[p->step];
    return p->sub < subs_of(i, s) && (s->way != LACKING || realm_of(i->env.conf, p->sub).p);
}

/* The first portion behind this sub; false: there is none. */
static bool move_on(const struct inspection *i, struct place *p)
{
    span_copy(p->at, sizeof(p->at), SPAN("0"));
    p->sub++;
    while (p->step < CS_LEN(steps) && !is_a_place(i, p)) {
        if (p->sub < subs_of(i, &steps[p->step]))
            p->sub++;
        else
            p->step++, p->sub = 0;
    }
    return p->step < CS_LEN(steps);
}

/* ---- the end ---- */

static void forget(struct inspection *i)
{
    timer_stop(i->env.loop, &i->timer);
    if (i->portion)
        redis_cancel(i->portion);
    i->portion = NULL;
    list_for_each (it, &i->questions) {
        struct question *q = container_of(it, struct question, link);
        redis_cancel(q->call);
        list_remove(&q->link);
    }
}

static void end(struct inspection *i)
{
    forget(i);
    i->page.findings = i->findings;
    if (!i->err && redis_generation(i->env.redis) != i->place.generation)
        i->err = CS_ECONFLICT; /* others serve now: what was listed may not be all */
    i->fn(i->arg, i->err, &i->page);
}

/* ---- a look ---- */

static void run(struct look *l);
static void pass_done(struct inspection *i);

static void on_answer(void *arg, const struct redis_reply *r)
{
    struct question *q = arg;
    struct inspection *i = q->look->owner;
    list_remove(&q->link);
    if (!r) {
        i->err = CS_ECLOSED;
    } else if (r->type == REDIS_ERROR && !span_starts(r->str, SPAN("WRONGTYPE "))) {
        log_error(&lg, "redis refuses to tell", kv_s("key", q->look->key), kv_s("reply", r->str));
        i->err = CS_ECLOSED;
    } else if (!i->err && q->fn) {
        q->fn(q->look, r, q->arg);
    }
    if (--i->pending == 0)
        pass_done(i);
}

void look_no_memory(struct look *l)
{
    l->owner->err = CS_ENOMEM;
}

void look_ask(struct look *l, answer_fn *fn, void *arg, size_t argc, const struct span *argv)
{
    struct inspection *i = l->owner;
    struct question *q = arena_zalloc(i->arena, sizeof(*q));
    for (size_t k = 0; k < argc; k++) {
        if (!argv[k].p) /* a key for which there was no memory */
            q = NULL;
    }
    if (q)
        q->call = redis_command(i->env.redis, on_answer, q, argc, argv);
    if (!q || !q->call) {
        look_no_memory(l);
        return;
    }
    q->look = l;
    q->fn = fn;
    q->arg = arg;
    list_push_back(&i->questions, &q->link);
    i->pending++;
}

static bool has_room(struct inspection *i)
{
    if (i->n_found < i->max_found)
        return true;
    const size_t max = CS_MAX(2 * i->max_found, (size_t)16);
    repair_fn **repairs = arena_alloc(i->arena, max * sizeof(*repairs));
    struct look **by = arena_alloc(i->arena, max * sizeof(*by));
    if (!repairs || !by)
        return false;
    for (size_t k = 0; k < i->n_found; k++) {
        repairs[k] = i->repairs[k];
        by[k] = i->found_by[k];
    }
    i->repairs = repairs;
    i->found_by = by;
    i->max_found = max;
    return true;
}

void look_found(struct look *l, enum flaw flaw, struct span entry, struct span detail,
                repair_fn *repair)
{
    struct inspection *i = l->owner;
    l->suspect = true;
    if (i->pass != PASS_AGAIN)
        return;
    struct finding *f = arena_zalloc(i->arena, sizeof(*f));
    if (!f || !has_room(i)) {
        look_no_memory(l);
        return;
    }
    *f = (struct finding){ .flaw = flaw,
                           .key = l->key,
                           .entry = arena_dup(i->arena, entry),
                           .detail = arena_dup(i->arena, detail) };
    if ((entry.p && !f->entry.p) || (detail.p && !f->detail.p))
        look_no_memory(l);
    i->repairs[i->n_found] = repair;
    i->found_by[i->n_found++] = l;
    *i->tail = f;
    i->tail = &f->next;
}

struct span look_key(struct look *l, const char *prefix, struct span name, const char *behind)
{
    const size_t n = strlen(prefix) + name.n + 2 + strlen(behind);
    char *space = arena_alloc(l->arena, n);
    struct buf b = buf_of(space, space ? n : 0);
    if (!space) {
        look_no_memory(l);
        return SPAN_NULL;
    }
    buf_put(&b, span_str(prefix));
    buf_putc(&b, '{');
    buf_put(&b, name);
    buf_putc(&b, '}');
    buf_put(&b, span_str(behind));
    return buf_span(&b);
}

/* ---- at a key ---- */

static void on_ttl(struct look *l, const struct redis_reply *r, void *arg)
{
    (void)arg;
    if (r->type != REDIS_INTEGER)
        return;
    if (r->integer == -1 && l->kind->stay == EXPIRES)
        look_found(l, FLAW_NO_EXPIRY, SPAN_NULL, SPAN_NULL, NULL);
    else if (r->integer >= 0 && l->kind->stay == STAYS)
        look_found(l, FLAW_EXPIRES, SPAN_NULL, SPAN_NULL, NULL);
}

static void on_content(struct look *l, const struct redis_reply *r, void *arg)
{
    (void)arg;
    if (r->type == REDIS_ERROR)
        look_found(l, FLAW_UNREADABLE, SPAN_NULL, SPAN_NULL, NULL);          /* of another type */
    else if (r->type != REDIS_NIL && !(r->type == REDIS_ARRAY && r->n == 0)) /* not gone since */
        l->kind->judge(l, r, NULL);
}

static const struct kind *kind_of(struct span key)
{
    for (size_t i = 0; i < inspect_n_kinds; i++) {
        const struct span k = inspect_kinds[i].key;
        const char last = k.p[k.n - 1];
        if (last == ':' || last == '{' ? span_starts(key, k) : span_eq(key, k))
            return &inspect_kinds[i];
    }
    return NULL;
}

static void look_at_key(struct look *l)
{
    l->kind = kind_of(l->key);
    if (!l->kind) {
        look_found(l, FLAW_UNKNOWN_KEY, SPAN_NULL, SPAN_NULL, NULL);
        return;
    }
    l->name = span_skip(l->key, l->kind->key.n);
    if (span_ends(l->kind->key, SPAN("{")) && span_ends(l->name, SPAN("}")))
        l->name.n--;
    look_do(l, on_ttl, NULL, SPAN("PTTL"), l->key);
    if (l->kind->get.p)
        look_do(l, on_content, NULL, l->kind->get, l->key);
}

static void run(struct look *l)
{
    if (l->fn)
        l->fn(l);
    else
        look_at_key(l);
}

/* ---- passes ---- */

static void begin_pass(struct inspection *i)
{
    i->pending = 1; /* until all was asked */
    if (i->pass == PASS_REPAIR) {
        struct finding *f = i->findings;
        for (size_t k = 0; k < i->n_found; k++, f = f->next) {
            if (i->repairs[k])
                i->repairs[k](i->found_by[k], f);
        }
    } else {
        for (size_t k = 0; k < i->n_looks && !i->err; k++) {
            if (i->pass == PASS_FIRST || i->looks[k].suspect)
                run(&i->looks[k]);
        }
    }
    if (--i->pending == 0)
        pass_done(i);
}

static void on_again(struct timer *t)
{
    struct inspection *i = container_of(t, struct inspection, timer);
    i->pass = PASS_AGAIN;
    begin_pass(i);
}

static void pass_done(struct inspection *i)
{
    bool suspect = false;
    for (size_t k = 0; k < i->n_looks; k++)
        suspect |= i->looks[k].suspect;
    if (!i->err && i->pass == PASS_FIRST && suspect) {
        timer_start(i->env.loop, &i->timer, DURATION_MS(AGAIN_MS));
    } else if (!i->err && i->pass == PASS_AGAIN && i->repair && i->n_found) {
        i->pass = PASS_REPAIR;
        begin_pass(i);
    } else {
        end(i);
    }
}

/* ---- a portion ---- */

static void add_look(struct inspection *i, look_fn *fn, struct span key, struct span entry)
{
    struct look *l = &i->looks[i->n_looks];
    *l = (struct look){ .owner = i, .env = &i->env, .arena = i->arena, .fn = fn };
    l->prefix = steps[i->place.step].prefix;
    l->key = arena_dup(i->arena, key);
    l->entry = l->name = arena_dup(i->arena, entry);
    if (!l->key.p || (entry.p && !l->entry.p))
        i->err = CS_ENOMEM;
    i->n_looks++;
}

static struct span key_here(struct inspection *i, struct buf *b)
{
    const struct step *s = &steps[i->place.step];
    buf_put(b, s->key);
    if (s->way == LACKING) {
        buf_putc(b, '{');
        buf_put(b, realm_of(i->env.conf, i->place.sub));
        buf_lit(b, "}:");
        buf_put(b, algorithm_name((enum algorithm)(i->place.sub % ALG_COUNT)));
    }
    return buf_span(b);
}

/* What was listed, two by two where it comes so. */
static void add_all(struct inspection *i, const struct redis_reply *list, size_t stride)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    const struct step *s = &steps[i->place.step];
    const struct span key = key_here(i, &b);
    i->looks = arena_alloc(i->arena, (list->n + 1) * sizeof(*i->looks));
    if (!i->looks)
        i->err = CS_ENOMEM;
    for (size_t k = 0; k + stride <= list->n && !i->err; k += stride) {
        const struct redis_reply *e = &list->element[k];
        const struct span name = s->way == STREAM && e->n ? e->element[0].str : e->str;
        uint64_t score;
        if (s->way == KEYS)
            add_look(i, NULL, name, SPAN_NULL);
        else
            add_look(i, s->fn, key, name);
        if (s->way == ZSCAN && span_u64(list->element[k + 1].str, INT64_MAX, &score) == 0)
            i->looks[i->n_looks - 1].until.ms = (int64_t)score;
    }
    i->page.seen = i->n_looks;
}

static void set_next(struct inspection *i, bool more, struct span at)
{
    struct place next = i->place;
    if (more)
        span_copy(next.at, sizeof(next.at), at);
    if (more || move_on(i, &next))
        place_write(&next, i->page.next);
}

/* An index that is none. */
static void look_odd(struct look *l)
{
    look_found(l, FLAW_UNREADABLE, SPAN_NULL, SPAN_NULL, NULL);
}

static void look_alone(struct inspection *i, look_fn *fn)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    i->looks = arena_alloc(i->arena, sizeof(*i->looks));
    if (i->looks)
        add_look(i, fn, key_here(i, &b), SPAN_NULL);
    else
        i->err = CS_ENOMEM;
    i->page.seen = i->n_looks;
    set_next(i, false, SPAN_NULL);
    begin_pass(i);
}

static void on_portion(void *arg, const struct redis_reply *r)
{
    struct inspection *i = arg;
    const struct step *s = &steps[i->place.step];
    const bool stream = s->way == STREAM;
    i->portion = NULL;
    if (r && r->type == REDIS_ERROR && span_starts(r->str, SPAN("WRONGTYPE "))) {
        look_alone(i, look_odd);
        return;
    }
    const struct redis_reply *list = !r || r->type != REDIS_ARRAY ? NULL
                                     : stream                     ? r
                                     : r->n == 2                  ? &r->element[1]
                                                                  : NULL;
    if (!list || list->n > PORTION_MAX) {
        if (r && r->type == REDIS_ERROR)
            log_error(&lg, "redis refuses to list what it holds", kv_s("reply", r->str));
        i->err = CS_ECLOSED;
        end(i);
        return;
    }
    add_all(i, list, s->way == ZSCAN || s->way == HSCAN ? 2 : 1);
    const struct span at = stream && i->n_looks ? i->looks[i->n_looks - 1].entry
                           : stream             ? SPAN_NULL
                                                : r->element[0].str;
    set_next(i, stream ? list->n == PORTION : !span_eq(at, SPAN("0")), at);
    begin_pass(i);
}

static struct redis_call *ask_portion(struct inspection *i)
{
    char space[KEY_MAX], from[PLACE_AT_MAX + 1], digits[24];
    struct buf b = BUF_INIT(space), f = BUF_INIT(from), n = BUF_INIT(digits);
    const struct step *s = &steps[i->place.step];
    const struct span key = key_here(i, &b), at = span_str(i->place.at);
    struct redis *r = i->env.redis;
    buf_u64(&n, PORTION);
    if (s->way == KEYS) {
        const struct span argv[] = { SPAN("SCAN"),  at,          SPAN("MATCH"), key,
                                     SPAN("COUNT"), buf_span(&n) };
        return redis_ask_master(r, i->place.sub, on_portion, i, CS_LEN(argv), argv);
    }
    if (s->way == STREAM) {
        buf_put(&f, span_eq(at, SPAN("0")) ? SPAN("-") : SPAN("("));
        if (!span_eq(at, SPAN("0")))
            buf_put(&f, at);
        return redis_do(r, on_portion, i, SPAN("XRANGE"), key, buf_span(&f), SPAN("+"),
                        SPAN("COUNT"), buf_span(&n));
    }
    return redis_do(r, on_portion, i,
                    s->way == ZSCAN   ? SPAN("ZSCAN")
                    : s->way == HSCAN ? SPAN("HSCAN")
                                      : SPAN("SSCAN"),
                    key, at, SPAN("COUNT"), buf_span(&n));
}

/* What the configuration refers to is at hand. */
static void on_named(struct timer *t)
{
    struct inspection *i = container_of(t, struct inspection, timer);
    const struct set_names *names = &i->env.conf->sets;
    timer_init(&i->timer, on_again);
    i->looks = arena_alloc(i->arena, names->n * sizeof(*i->looks));
    if (!i->looks)
        i->err = CS_ENOMEM;
    for (size_t k = 0; k < names->n && !i->err; k++)
        add_look(i, look_named_set, SPAN("peer_groups"), names->name[k]);
    i->page.seen = i->n_looks;
    set_next(i, false, SPAN_NULL);
    begin_pass(i);
}

/* ---- entry points ---- */

int inspect_begin(const struct inspect_env *env, struct span cursor, bool repair, struct arena *a,
                  inspect_fn *fn, void *arg, struct inspection **out)
{
    struct inspection *i = arena_zalloc(a, sizeof(*i));
    *out = i;
    if (!i)
        return CS_ENOMEM;
    i->env = *env;
    i->arena = a;
    i->repair = repair;
    i->fn = fn;
    i->arg = arg;
    i->tail = &i->findings;
    list_init(&i->questions);
    timer_init(&i->timer, on_again);
    i->place.generation = redis_generation(env->redis);
    span_copy(i->place.at, sizeof(i->place.at), SPAN("0"));
    if (cursor.p && place_parse(cursor, CS_LEN(steps), &i->place))
        return CS_EPROTO;
    if (i->place.generation != redis_generation(env->redis))
        return CS_ECONFLICT;
    if (!is_a_place(i, &i->place))
        return redis_masters(env->redis) ? CS_EPROTO : CS_ECLOSED;
    if (steps[i->place.step].way == NAMED_SETS) {
        timer_init(&i->timer, on_named);
        timer_start(env->loop, &i->timer, DURATION_MS(0));
        return 0;
    }
    i->portion = ask_portion(i);
    return i->portion ? 0 : CS_ECLOSED;
}

void inspect_cancel(struct inspection *i)
{
    forget(i);
}
