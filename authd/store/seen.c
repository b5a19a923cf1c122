#include "authd/store/seen.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/lru.h"
#include "base/metric.h"
#include "proto/codec.h"
#include "store.pb-c.h"

enum { SCHEMA = 1, HASH_LEN = 32, WRITE_MS = 5 * 60 * 1000, DAY_MS = 24 * 3600 * 1000 };
enum { KEY_MAX = 16 + 2 * HASH_LEN };

#define INDEX  SPAN("cs:cert:{all}")
#define PREFIX SPAN("cs:cert:{all}:")

struct seen {
    struct loop *loop;
    struct redis *redis;
    struct audit *audit;
    size_t max;
    struct lru written, warned;
    struct list lists;
};

struct seen_list {
    struct list link;
    struct seen *seen;
    struct redis_call *call;
    size_t limit;
    bool more;
    seen_fn *fn;
    void *arg;
};

static const struct log lg = { .module = "certificate" };

/* ---- records ---- */

static int encode(const struct cert_facts *c, struct span holder, struct wall now, struct buf *out)
{
    char first[2048];
    struct arena a;
    arena_init(&a, first, sizeof(first), 0);
    Countersign__Store__SeenCertificate m = COUNTERSIGN__STORE__SEEN_CERTIFICATE__INIT;
    m.schema = SCHEMA;
    m.sha256 = (ProtobufCBinaryData){ c->sha256.n, (uint8_t *)c->sha256.p };
    m.has_spki_sha256 = c->spki.p != NULL;
    m.spki_sha256 = (ProtobufCBinaryData){ c->spki.n, (uint8_t *)c->spki.p };
    m.holder = arena_str(&a, holder);
    m.subject = c->subject.p ? arena_str(&a, c->subject) : NULL;
    m.issuer = c->issuer.p ? arena_str(&a, c->issuer) : NULL;
    m.serial = c->serial.p ? arena_str(&a, c->serial) : NULL;
    m.has_expires_ms = m.has_seen_ms = true;
    m.expires_ms = (uint64_t)c->not_after.ms;
    m.seen_ms = (uint64_t)now.ms;
    proto_pack(out, &m.base);
    arena_fini(&a);
    return buf_ok(out) ? 0 : CS_ELIMIT;
}

int seen_decode(struct span record, struct arena *a, struct seen_certificate *out)
{
    *out = (struct seen_certificate){ 0 };
    struct span kept = arena_dup(a, record);
    const Countersign__Store__SeenCertificate *m =
        kept.p ? proto_unpack(&countersign__store__seen_certificate__descriptor, kept, a) : NULL;
    if (!m || m->schema != SCHEMA || m->sha256.len != HASH_LEN ||
        (m->has_spki_sha256 && m->spki_sha256.len != HASH_LEN))
        return CS_EPROTO;
    *out = (struct seen_certificate){
        .sha256 = span_of(m->sha256.data, m->sha256.len),
        .spki = m->has_spki_sha256 ? span_of(m->spki_sha256.data, HASH_LEN) : SPAN_NULL,
        .holder = span_str(m->holder),
        .subject = span_str(m->subject),
        .issuer = span_str(m->issuer),
        .serial = span_str(m->serial),
        .expires = { (int64_t)m->expires_ms },
        .seen = { (int64_t)m->seen_ms },
    };
    return 0;
}

static void on_written(void *arg, const struct redis_reply *r)
{
    (void)arg;
    if (r && r->type == REDIS_ERROR)
        log_error(&lg, "redis refuses to remember a certificate", kv_s("reply", r->str));
}

/* Those that expire first stay: they are what one looks for. */
static void remember(struct seen *s, const struct cert_facts *c, struct span holder,
                     struct wall now)
{
    char record[4096], key[KEY_MAX], until[24], left[24], past[24], rank[24];
    struct buf r = BUF_INIT(record), k = BUF_INIT(key), u = BUF_INIT(until), l = BUF_INIT(left),
               p = BUF_INIT(past), m = BUF_INIT(rank);
    buf_put(&k, PREFIX);
    buf_hex(&k, c->sha256.p, c->sha256.n);
    buf_i64(&u, c->not_after.ms);
    buf_i64(&l, CS_MAX(c->not_after.ms - now.ms, (int64_t)1));
    buf_i64(&p, now.ms);
    buf_u64(&m, s->max);
    if (encode(c, holder, now, &r))
        return;
    const struct redis_argv commands[] = {
        REDIS_ARGV(SPAN("ZREMRANGEBYSCORE"), INDEX, SPAN("-inf"), buf_span(&p)),
        REDIS_ARGV(SPAN("ZADD"), INDEX, buf_span(&u), span_skip(buf_span(&k), PREFIX.n)),
        REDIS_ARGV(SPAN("ZREMRANGEBYRANK"), INDEX, buf_span(&m), SPAN("-1")),
        REDIS_ARGV(SPAN("SET"), buf_span(&k), buf_span(&r), SPAN("PX"), buf_span(&l)),
    };
    redis_atomic(s->redis, on_written, NULL, CS_LEN(commands), commands);
}

/* ---- what is told ---- */

static void warn(struct seen *s, const struct cert_facts *c, struct span holder, struct wall now)
{
    char note[48], hash[2 * HASH_LEN], until[WALL_STRLEN];
    struct buf n = BUF_INIT(note), h = BUF_INIT(hash);
    wall_format(c->not_after, until);
    buf_hex(&h, c->sha256.p, c->sha256.n);
    buf_printf(&n, "expires %s", until);
    log_warn(&lg, "a client certificate expires soon: renew it", kv_s("holder", holder),
             kv_str("expires", until), kv_s("subject", c->subject), kv_s("sha256", buf_span(&h)));
    metric_inc(M_AUTHD_CERTIFICATES_EXPIRING, 0);
    const struct deed deed = { .time = now,
                               .what = SPAN("client certificate expires soon"),
                               .target = holder,
                               .note = buf_span(&n) };
    audit_deed(s->audit, &deed);
}

void seen_add(struct seen *s, const struct cert_facts *c, struct span holder)
{
    const struct mono now = loop_now(s->loop);
    const struct wall wall = loop_wall(s->loop);
    if (c->sha256.n != HASH_LEN)
        return;
    if (!lru_get(&s->written, c->sha256, now).p) {
        lru_put(&s->written, c->sha256, SPAN("1"), now);
        remember(s, c, holder, wall);
    }
    if (c->not_after.ms - wall.ms < (int64_t)SEEN_WARN_DAYS * DAY_MS &&
        !lru_get(&s->warned, c->sha256, now).p) {
        lru_put(&s->warned, c->sha256, SPAN("1"), now);
        warn(s, c, holder, wall);
    }
}

/* ---- lists ---- */

static void list_end(struct seen_list *l, int err, const struct redis_reply *records, size_t n)
{
    l->fn(l->arg, err, records, n, l->more);
    list_remove(&l->link);
    free(l);
}

static void on_records(void *arg, const struct redis_reply *r)
{
    struct seen_list *l = arg;
    l->call = NULL;
    if (!r || r->type != REDIS_ARRAY)
        list_end(l, CS_ECLOSED, NULL, 0);
    else
        list_end(l, 0, r->element, r->n);
}

static void on_hashes(void *arg, const struct redis_reply *r)
{
    struct seen_list *l = arg;
    l->call = NULL;
    if (!r || r->type != REDIS_ARRAY) {
        list_end(l, CS_ECLOSED, NULL, 0);
        return;
    }
    const size_t n = CS_MIN(r->n, l->limit);
    l->more = r->n > l->limit;
    struct span *argv = malloc((1 + n) * (sizeof(*argv) + KEY_MAX));
    char *room = (char *)(argv + 1 + n);
    for (size_t i = 0; argv && i < n; i++, room += KEY_MAX) {
        struct buf k = buf_of(room, KEY_MAX);
        buf_put(&k, PREFIX);
        buf_put(&k, span_head(r->element[i].str, 2 * HASH_LEN));
        argv[1 + i] = buf_span(&k);
    }
    if (n == 0) {
        list_end(l, 0, NULL, 0);
    } else {
        if (argv) {
            argv[0] = SPAN("MGET");
            l->call = redis_command(l->seen->redis, on_records, l, 1 + n, argv);
        }
        if (!l->call)
            list_end(l, CS_ENOMEM, NULL, 0);
    }
    free(argv);
}

struct seen_list *seen_list(struct seen *s, size_t offset, size_t limit, seen_fn *fn, void *arg)
{
    char now[24], from[24], count[24];
    struct buf n = BUF_INIT(now), o = BUF_INIT(from), c = BUF_INIT(count);
    struct seen_list *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    *l = (struct seen_list){ .seen = s, .limit = limit, .fn = fn, .arg = arg };
    buf_i64(&n, loop_wall(s->loop).ms);
    buf_u64(&o, offset);
    buf_u64(&c, limit + 1);
    list_push_back(&s->lists, &l->link);
    l->call = redis_do(s->redis, on_hashes, l, SPAN("ZRANGEBYSCORE"), INDEX, buf_span(&n),
                       SPAN("+inf"), SPAN("LIMIT"), buf_span(&o), buf_span(&c));
    if (l->call)
        return l;
    list_remove(&l->link);
    free(l);
    return NULL;
}

void seen_list_cancel(struct seen_list *l)
{
    if (l->call)
        redis_cancel(l->call);
    list_remove(&l->link);
    free(l);
}

/* ---- life ---- */

int seen_new(struct loop *l, struct redis *redis, struct audit *audit, size_t max,
             struct seen **out)
{
    struct seen *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    *s = (struct seen){ .loop = l, .redis = redis, .audit = audit, .max = max };
    lru_init(&s->written, max, DURATION_MS(WRITE_MS));
    lru_init(&s->warned, max, DURATION_MS(DAY_MS));
    list_init(&s->lists);
    return 0;
}

void seen_free(struct seen **sp)
{
    struct seen *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    while (!list_empty(&s->lists))
        seen_list_cancel(container_of(s->lists.next, struct seen_list, link));
    lru_fini(&s->written);
    lru_fini(&s->warned);
    free(s);
}
