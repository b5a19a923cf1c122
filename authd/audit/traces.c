#include "authd/audit/traces.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/rand.h"
#include "proto/codec.h"

#define AUTH(name) Countersign__Auth__##name
#define STANDING   SPAN("cs:{traces}")

enum {
    LOOK_MS = 1000,    /* at what stands */
    LEASE_S = 30,      /* of what is looked at */
    RENEW_S = 20,      /* when so much of it is left */
    READ_MS = 200,     /* messages */
    HOLD_MS = 200,     /* so that those of two nodes come in order */
    BATCH = 200,       /* read at once */
    PENDING_MAX = 400, /* held in memory */
    NODES_MAX = 64,
    MESSAGE_MAX = 16 * 1024,
    A_SECOND = 2000, /* that fronts may tell */
    ID_LEN = 16,
    PLACE_LEN = 42,
};
#define KEPT       "1000" /* messages in a stream */
#define KEEP_S     "60"
#define ALL_KEEP_S "120"

struct standing { /* what is looked at somewhere */
    struct list link;
    uint64_t id;
    struct arena arena;
    AUTH(Trace) * what;
    struct wall until;
    bool ours, seen;
    bool stopped; /* ours, and stands only for what fronts have still to tell */
};

struct traces {
    struct loop *loop;
    struct redis *redis;
    struct list standing, looks;
    size_t n;
    traces_fn *fn;
    void *arg;
    struct timer timer;
    struct redis_call *call;
    struct mono second;
    unsigned told; /* in it */
};

struct pending {
    struct list link;
    struct arena arena;
    struct mono came;
    uint64_t dropped;
    const struct teller *teller;
    AUTH(Traced) * traced;
};

struct teller { /* a node, as far as it has told */
    char node[64];
    struct span role;
    uint32_t id;
    uint64_t number;
};

struct trace_look {
    struct list link;
    struct traces *traces;
    struct standing *standing; /* NULL: stopped */
    uint64_t id;
    void (*wake)(void *arg);
    void *arg;
    struct timer timer;
    struct redis_call *call;
    uint64_t at_ms, at_n; /* place in the stream: what is before it was read */
    struct list pending;
    size_t n_pending;
    struct pending *given; /* by trace_next(), NULL: none */
    struct teller tellers[NODES_MAX];
    size_t n_tellers;
};

static const struct log lg = { .module = "traces" };

/* ---- keys ---- */

static struct span write_id(struct buf *b, uint64_t id)
{
    buf_printf(b, "%016" PRIx64, id);
    return buf_span(b);
}

static struct span stream_key(struct buf *b, uint64_t id)
{
    buf_lit(b, "cs:trace:{");
    write_id(b, id);
    buf_putc(b, '}');
    return buf_span(b);
}

/* ---- what stands ---- */

static void tell(struct traces *t, const struct standing *s, traces_fn *fn, void *arg, bool over)
{
    AUTH(Trace) m = *s->what;
    const int64_t left = s->until.ms - loop_wall(t->loop).ms;
    m.id = s->id;
    m.has_seconds = true;
    m.seconds = over || left <= 0 ? 0 : (uint32_t)((left + 999) / 1000);
    m.has_until_ms = false;
    if (fn)
        fn(arg, &m);
}

static void standing_free(struct traces *t, struct standing *s)
{
    tell(t, s, t->fn, t->arg, true);
    arena_fini(&s->arena);
    list_remove(&s->link);
    t->n--;
    free(s);
}

static struct standing *standing_of(const struct traces *t, uint64_t id)
{
    list_for_each (it, &t->standing) {
        struct standing *s = container_of(it, struct standing, link);
        if (s->id == id)
            return s;
    }
    return NULL;
}

/* packed: a Trace. NULL: none that can be read, or there are too many. */
static struct standing *standing_new(struct traces *t, uint64_t id, struct span packed)
{
    struct standing *s = t->n < TRACES_MAX ? calloc(1, sizeof(*s)) : NULL;
    if (!s)
        return NULL;
    arena_init(&s->arena, NULL, 0, MESSAGE_MAX);
    const struct span kept = arena_dup(&s->arena, packed);
    s->what = kept.p ? proto_unpack(&countersign__auth__trace__descriptor, kept, &s->arena) : NULL;
    if (!s->what) {
        arena_fini(&s->arena);
        free(s);
        return NULL;
    }
    s->id = id;
    s->until = (struct wall){ (int64_t)s->what->until_ms };
    list_push_back(&t->standing, &s->link);
    t->n++;
    return s;
}

static void publish(struct traces *t, struct standing *s)
{
    char name[ID_LEN + 1], text[MESSAGE_MAX];
    struct buf id = BUF_INIT(name), packed = BUF_INIT(text);
    AUTH(Trace) m = *s->what;
    m.id = s->id;
    m.has_until_ms = true;
    m.until_ms = (uint64_t)s->until.ms;
    proto_pack(&packed, &m.base);
    redis_do(t->redis, redis_ignore, NULL, SPAN("HSET"), STANDING, write_id(&id, s->id),
             buf_span(&packed));
    redis_do(t->redis, redis_ignore, NULL, SPAN("EXPIRE"), STANDING, SPAN(ALL_KEEP_S));
}

static void withdraw(struct traces *t, uint64_t id)
{
    char name[ID_LEN + 1];
    struct buf b = BUF_INIT(name);
    redis_do(t->redis, redis_ignore, NULL, SPAN("HDEL"), STANDING, write_id(&b, id));
}

/* Of another authd's. */
static void hear(struct traces *t, uint64_t id, struct span packed)
{
    struct standing *s = standing_of(t, id);
    char memory[1024];
    struct arena a;
    if (s && s->ours) {
        s->seen = true;
        return;
    }
    arena_init(&a, memory, sizeof(memory), MESSAGE_MAX);
    const AUTH(Trace) *m = proto_unpack(&countersign__auth__trace__descriptor, packed, &a);
    const struct wall until = { m && m->has_until_ms ? (int64_t)m->until_ms : 0 };
    const int64_t now = loop_wall(t->loop).ms;
    arena_fini(&a);
    if (until.ms <= now || until.ms > now + 2 * LEASE_S * 1000) {
        withdraw(t, id); /* who looked is gone */
        return;
    }
    const bool news = !s || s->until.ms != until.ms;
    if (!s)
        s = standing_new(t, id, packed);
    if (!s)
        return;
    s->until = until;
    s->seen = true;
    if (news)
        tell(t, s, t->fn, t->arg, false);
}

static void on_standing(void *arg, const struct redis_reply *reply)
{
    struct traces *t = arg;
    t->call = NULL;
    if (!reply || reply->type != REDIS_ARRAY || reply->n % 2)
        return;
    list_for_each (it, &t->standing)
        container_of(it, struct standing, link)->seen = false;
    for (size_t i = 0; i < reply->n; i += 2) {
        const struct redis_reply *name = &reply->element[i], *value = name + 1;
        uint64_t id;
        if (name->type == REDIS_STRING && value->type == REDIS_STRING && name->str.n == ID_LEN &&
            span_hex(name->str, &id) == 0)
            hear(t, id, value->str);
    }
    list_for_each (it, &t->standing) {
        struct standing *s = container_of(it, struct standing, link);
        if (!s->seen && !s->ours)
            standing_free(t, s);
    }
}

/* What is over by its time, although Redis does not say so, and what is to be renewed. */
static void keep(struct traces *t)
{
    const int64_t now = loop_wall(t->loop).ms;
    list_for_each (it, &t->standing) {
        struct standing *s = container_of(it, struct standing, link);
        if ((!s->ours || s->stopped) && s->until.ms <= now) {
            standing_free(t, s);
        } else if (s->ours && !s->stopped && s->until.ms - now < RENEW_S * 1000) {
            s->until.ms = now + LEASE_S * 1000;
            publish(t, s);
            tell(t, s, t->fn, t->arg, false);
        }
    }
}

static void on_timer(struct timer *timer)
{
    struct traces *t = container_of(timer, struct traces, timer);
    timer_start_about(t->loop, timer, DURATION_MS(LOOK_MS));
    keep(t);
    if (!t->call && redis_is_ready(t->redis))
        t->call = redis_do(t->redis, on_standing, t, SPAN("HGETALL"), STANDING);
}

int traces_new(struct loop *l, struct redis *r, struct traces **out)
{
    struct traces *t = *out = calloc(1, sizeof(*t));
    if (!t)
        return CS_ENOMEM;
    t->loop = l;
    t->redis = r;
    list_init(&t->standing);
    list_init(&t->looks);
    timer_init(&t->timer, on_timer);
    timer_start(l, &t->timer, DURATION_MS(LOOK_MS));
    return 0;
}

void traces_free(struct traces **tp)
{
    struct traces *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    timer_stop(t->loop, &t->timer);
    if (t->call)
        redis_cancel(t->call);
    list_for_each (it, &t->standing)
        standing_free(t, container_of(it, struct standing, link));
    free(t);
}

/* ---- fronts ---- */

void traces_listen(struct traces *t, traces_fn *fn, void *arg)
{
    t->fn = fn;
    t->arg = arg;
}

void traces_each(struct traces *t, traces_fn *fn, void *arg)
{
    list_for_each (it, &t->standing)
        tell(t, container_of(it, struct standing, link), fn, arg, false);
}

static bool is_too_much(struct traces *t)
{
    const struct mono now = loop_now(t->loop);
    if (mono_since(t->second, now).ms >= 1000) {
        t->second = now;
        t->told = 0;
    }
    return t->told++ >= A_SECOND;
}

void traces_took(struct traces *t, AUTH(Role) role, const char *node, const AUTH(Traced) * m)
{
    const struct span is = role == COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR ? SPAN("registrar")
                           : role == COUNTERSIGN__AUTH__ROLE__ROLE_B2BUA   ? SPAN("b2bua")
                                                                           : SPAN_NULL;
    char name[64], text[MESSAGE_MAX];
    struct buf key = BUF_INIT(name), packed = BUF_INIT(text);
    if (!is.p || !standing_of(t, m->id) || is_too_much(t))
        return;
    proto_pack(&packed, &m->base);
    if (!buf_ok(&packed) || !redis_is_ready(t->redis))
        return; /* its number is missing then */
    stream_key(&key, m->id);
    redis_do(t->redis, redis_ignore, NULL, SPAN("XADD"), buf_span(&key), SPAN("MAXLEN"), SPAN("~"),
             SPAN(KEPT), SPAN("*"), SPAN("n"), span_head(span_str(node), 63), SPAN("r"), is,
             SPAN("m"), buf_span(&packed));
    redis_do(t->redis, redis_ignore, NULL, SPAN("EXPIRE"), buf_span(&key), SPAN(KEEP_S));
}

/* ---- who looks ---- */

static void pending_free(struct trace_look *l, struct pending **pp)
{
    struct pending *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    arena_fini(&p->arena);
    list_remove(&p->link);
    l->n_pending--;
    free(p);
}

static struct teller *teller_of(struct trace_look *l, struct span node, struct span role)
{
    for (size_t i = 0; i < l->n_tellers; i++) {
        if (span_eq(span_str(l->tellers[i].node), node))
            return &l->tellers[i];
    }
    if (l->n_tellers == NODES_MAX)
        return NULL;
    struct teller *t = &l->tellers[l->n_tellers++];
    span_copy(t->node, sizeof(t->node), node);
    t->role = span_eq(role, SPAN("b2bua")) ? SPAN("b2bua") : SPAN("registrar");
    return t;
}

/* In the order of its time; what tells numbers alone comes last. */
static void insert(struct trace_look *l, struct pending *p)
{
    struct list *behind = l->pending.prev;
    while (p->traced->has_time_us && behind != &l->pending &&
           container_of(behind, struct pending, link)->traced->time_us > p->traced->time_us)
        behind = behind->prev;
    list_push_front(behind, &p->link);
    l->n_pending++;
}

/* fields: n NODE r ROLE m PACKED */
static void take(struct trace_look *l, const struct redis_reply *fields)
{
    static const struct span names[] = { SPAN_INIT("n"), SPAN_INIT("r"), SPAN_INIT("m") };
    if (fields->type != REDIS_ARRAY || fields->n != 6)
        return;
    for (size_t i = 0; i < CS_LEN(names); i++) {
        if (!span_eq(fields->element[2 * i].str, names[i]))
            return;
    }
    struct teller *teller = teller_of(l, fields->element[1].str, fields->element[3].str);
    struct pending *p = teller ? calloc(1, sizeof(*p)) : NULL;
    if (!p)
        return;
    list_init(&p->link);
    arena_init(&p->arena, NULL, 0, 0);
    const struct span packed = arena_dup(&p->arena, fields->element[5].str);
    p->traced =
        packed.p ? proto_unpack(&countersign__auth__traced__descriptor, packed, &p->arena) : NULL;
    if (!p->traced) {
        arena_fini(&p->arena);
        free(p);
        return;
    }
    p->came = loop_now(l->traces->loop);
    p->teller = teller;
    const uint64_t next = teller->number + (p->traced->has_text ? 1 : 0), said = p->traced->number;
    p->dropped = said > next ? said - next : 0;
    teller->number = CS_MAX(teller->number, said);
    if (p->traced->has_node)
        teller->id = p->traced->node;
    insert(l, p);
}

/* "1795255761123-0" */
static bool keep_place(struct trace_look *l, struct span id)
{
    uint64_t ms, n;
    const struct span time = span_cut(&id, '-');
    if (span_u64(time, UINT64_MAX, &ms) || span_u64(id, UINT64_MAX - 1, &n))
        return false;
    l->at_ms = ms;
    l->at_n = n + 1;
    return true;
}

static bool is_due(const struct trace_look *l)
{
    return l->n_pending && mono_since(container_of(l->pending.next, struct pending, link)->came,
                                      loop_now(l->traces->loop))
                                   .ms >= HOLD_MS;
}

static void on_entries(void *arg, const struct redis_reply *reply)
{
    struct trace_look *l = arg;
    l->call = NULL;
    if (!reply || reply->type != REDIS_ARRAY)
        return;
    for (size_t i = 0; i < reply->n; i++) {
        const struct redis_reply *entry = &reply->element[i];
        if (entry->type == REDIS_ARRAY && entry->n == 2 && keep_place(l, entry->element[0].str))
            take(l, &entry->element[1]);
    }
}

static void on_read(struct timer *timer)
{
    struct trace_look *l = container_of(timer, struct trace_look, timer);
    struct traces *t = l->traces;
    char name[64], from[PLACE_LEN], digits[24];
    struct buf key = BUF_INIT(name), place = BUF_INIT(from), count = BUF_INIT(digits);
    timer_start(t->loop, timer, DURATION_MS(READ_MS));
    if (!l->call && l->n_pending < PENDING_MAX && redis_is_ready(t->redis)) {
        buf_printf(&place, "%" PRIu64 "-%" PRIu64, l->at_ms, l->at_n);
        buf_u64(&count, BATCH);
        l->call = redis_do(t->redis, on_entries, l, SPAN("XRANGE"), stream_key(&key, l->id),
                           buf_span(&place), SPAN("+"), SPAN("COUNT"), buf_span(&count));
    }
    if (is_due(l))
        l->wake(l->arg);
}

struct trace_look *trace_begin(struct traces *t, const AUTH(Trace) * what, void (*wake)(void *arg),
                               void *arg)
{
    char text[MESSAGE_MAX];
    struct buf packed = BUF_INIT(text);
    AUTH(Trace) m = *what;
    struct trace_look *l = redis_is_ready(t->redis) ? calloc(1, sizeof(*l)) : NULL;
    if (!l)
        return NULL;
    do
        m.id = rand_u64();
    while (!m.id);
    m.has_until_ms = true;
    m.until_ms = (uint64_t)loop_wall(t->loop).ms + LEASE_S * 1000;
    proto_pack(&packed, &m.base);
    l->standing = buf_ok(&packed) ? standing_new(t, m.id, buf_span(&packed)) : NULL;
    if (!l->standing) {
        free(l);
        return NULL;
    }
    l->standing->ours = true;
    l->traces = t;
    l->id = m.id;
    l->wake = wake;
    l->arg = arg;
    list_init(&l->pending);
    list_push_back(&t->looks, &l->link);
    timer_init(&l->timer, on_read);
    timer_start(t->loop, &l->timer, DURATION_MS(READ_MS));
    publish(t, l->standing);
    tell(t, l->standing, t->fn, t->arg, false);
    metric_add(M_AUTHD_TRACES, 0, 1);
    return l;
}

bool trace_next(struct trace_look *l, struct trace_entry *out)
{
    pending_free(l, &l->given);
    if (!is_due(l))
        return false;
    struct pending *p = l->given = container_of(l->pending.next, struct pending, link);
    *out = (struct trace_entry){ .node = span_str(p->teller->node),
                                 .role = p->teller->role,
                                 .dropped = p->dropped,
                                 .traced = p->traced };
    for (size_t i = 0; p->traced->has_peer && i < l->n_tellers; i++) {
        if (l->tellers[i].id == p->traced->peer)
            out->peer = span_str(l->tellers[i].node);
    }
    return true;
}

void trace_stop(struct trace_look *l)
{
    struct traces *t = l->traces;
    if (!l->standing)
        return;
    withdraw(t, l->id);
    tell(t, l->standing, t->fn, t->arg, true);
    l->standing->stopped = true;
    l->standing->until = wall_add(loop_wall(t->loop), DURATION_S(2));
    l->standing = NULL;
}

void trace_end(struct trace_look **lp)
{
    struct trace_look *l = *lp;
    char name[64];
    struct buf key = BUF_INIT(name);
    *lp = NULL;
    if (!l)
        return;
    trace_stop(l);
    struct standing *s = standing_of(l->traces, l->id);
    if (s)
        standing_free(l->traces, s);
    struct redis *r = l->traces->redis;
    redis_do(r, redis_ignore, NULL, SPAN("DEL"), stream_key(&key, l->id));
    timer_stop(l->traces->loop, &l->timer);
    if (l->call)
        redis_cancel(l->call);
    while (l->n_pending) {
        struct pending *p = container_of(l->pending.next, struct pending, link);
        pending_free(l, &p);
    }
    list_remove(&l->link);
    metric_add(M_AUTHD_TRACES, 0, -1);
    free(l);
    log_debug(&lg, "a trace has ended");
}
