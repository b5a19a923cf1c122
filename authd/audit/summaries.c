#include "authd/audit/summaries.h"

#include <stdlib.h>

#include "base/log.h"

#define KEEP_S "90000" /* a day and an hour */
#define NODES  "cs:{summaries}"

enum {
    EVERY_S = 5,
    DEAD_S = 15,
    FORGET_S = 3600,
    CAUSES_MAX = 256,
    NAME_LEN = 48,
    COUNTS_MAX = 64,
    STATE_MAX = 48 * 1024
};

static const struct log slog = { .module = "summaries" };

struct summaries {
    struct loop *loop;
    struct redis *redis;
    struct timer timer;
    uint32_t refused[CAUSES_MAX]; /* since they were written last */
    bool due;
};

/* ---- counting ---- */

static struct span minute_key(struct buf *b, uint64_t minute)
{
    buf_lit(b, "cs:history:{");
    buf_u64(b, minute);
    buf_putc(b, '}');
    return buf_span(b);
}

static uint64_t this_minute(const struct summaries *s)
{
    return (uint64_t)loop_wall(s->loop).ms / 60000;
}

static void add(struct summaries *s, struct span name, uint64_t n)
{
    char space[40], text[24];
    struct buf key = BUF_INIT(space), number = BUF_INIT(text);
    buf_u64(&number, n);
    redis_do(s->redis, redis_ignore, NULL, SPAN("HINCRBY"), minute_key(&key, this_minute(s)), name,
             buf_span(&number));
}

static void keep_minute(struct summaries *s)
{
    char space[40];
    struct buf key = BUF_INIT(space);
    redis_do(s->redis, redis_ignore, NULL, SPAN("EXPIRE"), minute_key(&key, this_minute(s)),
             SPAN(KEEP_S));
}

static void on_timer(struct timer *t)
{
    struct summaries *s = container_of(t, struct summaries, timer);
    timer_start_about(s->loop, t, DURATION_S(EVERY_S));
    if (!s->due || !redis_is_ready(s->redis))
        return;
    for (size_t i = 0; i < CAUSES_MAX; i++) {
        char space[80];
        struct buf name = BUF_INIT(space);
        if (!s->refused[i])
            continue;
        buf_lit(&name, "refused.");
        buf_put(&name, cause_name((Countersign__Auth__Cause)i));
        add(s, buf_span(&name), s->refused[i]);
        s->refused[i] = 0;
    }
    keep_minute(s);
    s->due = false;
}

void summaries_count(struct summaries *s, const struct decision *d)
{
    /* Each registration begins with a challenge for want of credentials: that is no refusal. */
    if (d->kind == COUNTERSIGN__AUTH__VERDICT_KIND__ACCEPT || d->cause == CAUSE(NO_CREDENTIALS) ||
        (size_t)d->cause >= CAUSES_MAX)
        return;
    s->refused[d->cause]++;
    s->due = true;
}

/* ---- what fronts tell ---- */

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_'))
            return false;
    }
    return name.n > 0 && name.n <= NAME_LEN;
}

static void add_told(struct summaries *s, struct span role, const Countersign__Auth__Summary *m)
{
    for (size_t i = 0; i < m->n_count && i < COUNTS_MAX; i++) {
        char space[NAME_LEN + 24];
        struct buf name = BUF_INIT(space);
        const struct span said = span_str(m->count[i]->name);
        if (!is_name(said) || !m->count[i]->n || m->count[i]->n > UINT32_MAX)
            continue;
        buf_put(&name, role);
        buf_putc(&name, '.');
        buf_put(&name, said);
        add(s, buf_span(&name), m->count[i]->n);
    }
    if (m->n_count)
        keep_minute(s);
}

static void keep_state(struct summaries *s, struct span role, struct span node, struct span text)
{
    json_t *state = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    char now[24], field[160];
    struct buf heard = BUF_INIT(now), name = BUF_INIT(field);
    buf_u64(&heard, (uint64_t)loop_wall(s->loop).ms);
    buf_put(&name, role);
    buf_putc(&name, ' ');
    buf_put(&name, node);
    json_t *j = json_is_object(state)
                    ? json_pack("{s:s%, s:s%, s:I, s:O}", "node", node.p, node.n, "role", role.p,
                                role.n, "heard", (json_int_t)loop_wall(s->loop).ms, "state", state)
                    : NULL;
    char *value = j ? json_dumps(j, JSON_COMPACT) : NULL;
    if (value && buf_ok(&name)) {
        redis_do(s->redis, redis_ignore, NULL, SPAN("HSET"), SPAN(NODES), buf_span(&name),
                 span_str(value));
        redis_do(s->redis, redis_ignore, NULL, SPAN("EXPIRE"), SPAN(NODES), SPAN(KEEP_S));
    } else {
        log_warn(&slog, "what a front says of itself cannot be read", kv_s("node", node));
    }
    free(value);
    json_decref(j);
    json_decref(state);
}

void summaries_told(struct summaries *s, Countersign__Auth__Role role, const char *node,
                    const Countersign__Auth__Summary *m)
{
    const struct span is = role == COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR ? SPAN("registrar")
                           : role == COUNTERSIGN__AUTH__ROLE__ROLE_B2BUA   ? SPAN("b2bua")
                                                                           : SPAN_NULL;
    const struct span text = span_str(m->state);
    if (!is.p || !redis_is_ready(s->redis))
        return;
    add_told(s, is, m);
    if (text.n && text.n <= STATE_MAX)
        keep_state(s, is, span_head(span_str(node), 100), text);
}

/* ---- reading ---- */

struct redis_call *summaries_ask_minute(struct summaries *s, uint64_t minute, redis_fn *fn,
                                        void *arg)
{
    char space[40];
    struct buf key = BUF_INIT(space);
    return redis_do(s->redis, fn, arg, SPAN("HGETALL"), minute_key(&key, minute));
}

struct redis_call *summaries_ask_nodes(struct summaries *s, redis_fn *fn, void *arg)
{
    return redis_do(s->redis, fn, arg, SPAN("HGETALL"), SPAN(NODES));
}

static bool is_pairs(const struct redis_reply *reply)
{
    if (!reply || reply->type != REDIS_ARRAY || reply->n % 2)
        return false;
    for (size_t i = 0; i < reply->n; i++) {
        if (reply->element[i].type != REDIS_STRING)
            return false;
    }
    return true;
}

json_t *summaries_read_minute(const struct redis_reply *reply)
{
    if (!is_pairs(reply))
        return NULL;
    json_t *counts = json_object();
    for (size_t i = 0; i < reply->n; i += 2) {
        const struct span name = reply->element[i].str;
        uint64_t n;
        if (span_u64(reply->element[i + 1].str, INT64_MAX, &n) == 0)
            json_object_setn_new(counts, name.p, name.n, json_integer((json_int_t)n));
    }
    return counts;
}

json_t *summaries_read_nodes(struct summaries *s, const struct redis_reply *reply)
{
    if (!is_pairs(reply))
        return NULL;
    const int64_t now = loop_wall(s->loop).ms;
    json_t *nodes = json_array();
    for (size_t i = 0; i < reply->n; i += 2) {
        const struct span text = reply->element[i + 1].str;
        json_t *j = json_loadb(text.p, text.n, 0, NULL);
        const int64_t heard = json_integer_value(json_object_get(j, "heard"));
        if (heard + DEAD_S * 1000 > now) {
            char time[WALL_STRLEN];
            wall_format((struct wall){ heard }, time);
            json_object_set_new(j, "heard", json_string(time));
            json_array_append(nodes, j);
        } else if (heard + (int64_t)FORGET_S * 1000 < now) {
            redis_do(s->redis, redis_ignore, NULL, SPAN("HDEL"), SPAN(NODES),
                     reply->element[i].str);
        }
        json_decref(j);
    }
    return nodes;
}

/* ---- life ---- */

int summaries_new(struct loop *l, struct redis *r, struct summaries **out)
{
    struct summaries *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    s->loop = l;
    s->redis = r;
    timer_init(&s->timer, on_timer);
    timer_start(l, &s->timer, DURATION_S(EVERY_S));
    return 0;
}

void summaries_free(struct summaries **sp)
{
    struct summaries *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    timer_stop(s->loop, &s->timer);
    free(s);
}
