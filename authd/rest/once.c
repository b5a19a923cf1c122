/* A POST with an Idempotency-Key is done once: who repeats it within a day, because the answer was
 * lost, gets that answer again. The first claims the key in Redis for a minute, works, and puts the
 * answer in the claim's place before the client sees it. It is sealed, since it may hold a
 * generated password, and bound to the operator: another's key of the same text is another key.
 * What failed on our side (5xx) is not kept, so that it can be tried again. */
#include "authd/rest/once.h"

#include <openssl/sha.h>

#include "authd/rest/op.h"
#include "proto/codec.h"

enum {
    CLAIM_MS = 60 * 1000,
    KEEP_MS = 24 * 60 * 60 * 1000,
    MAX_KEYS = 10000,
    MAX_ANSWER = 512 * 1024, /* longer ones are not kept */
};

#define HASH SHA256_DIGEST_LENGTH

struct once {
    struct op op;
    struct span key; /* in Redis */
    unsigned char request[HASH];
};

static const struct log lg = { .module = "rest" };

/* KEYS: the key, the index. ARGV: the claim, how long it holds, now, how many keys there may be,
 * how long one is kept. What was claimed longest ago makes room. */
static struct redis_script claim_script = {
    .lua = "local v = redis.call('GET', KEYS[1]) if v then return v end "
           "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) "
           "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[3] - ARGV[5]) "
           "redis.call('ZADD', KEYS[2], ARGV[3], KEYS[1]) "
           "redis.call('PEXPIRE', KEYS[2], ARGV[5]) "
           "local n = redis.call('ZCARD', KEYS[2]) - ARGV[4] "
           "if n > 0 then for i, k in ipairs(redis.call('ZPOPMIN', KEYS[2], n)) do "
           "if i % 2 == 1 then redis.call('DEL', k) end end end "
           "return false",
};

int once_key(struct span header, struct span *out)
{
    struct span s = span_trim(header);
    bool quoted = s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"';
    if (quoted)
        s = span_of(s.p + 1, s.n - 2);
    *out = SPAN_NULL;
    if (s.n == 0 || s.n > ONCE_KEY_MAX)
        return CS_EPROTO;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || s.p[i] == '"' || s.p[i] == '\\')
            return CS_EPROTO;
    }
    *out = s;
    return 0;
}

static void hash_two(struct span a, struct span b, unsigned char out[HASH])
{
    unsigned char part[2][HASH]; /* so that no two pairs read the same */
    SHA256((const unsigned char *)a.p, a.n, part[0]);
    SHA256((const unsigned char *)b.p, b.n, part[1]);
    SHA256(part[0], sizeof(part), out);
}

static int set_keys(struct once *o, struct span key)
{
    unsigned char hash[HASH];
    char *text = arena_alloc(http_arena(o->op.req), 64);
    struct buf b = buf_of(text, text ? 64 : 0);
    hash_two(http_who(o->op.req), key, hash);
    buf_lit(&b, "cs:{once}:");
    buf_base64url(&b, hash, sizeof(hash));
    o->key = buf_span(&b);
    hash_two(http_target(o->op.req), http_body(o->op.req), o->request);
    return buf_ok(&b) ? 0 : CS_ENOMEM;
}

/* Absent when memory is short. */
static struct span seal(struct once *o, Countersign__Store__Once *m)
{
    struct arena *a = http_arena(o->op.req);
    m->schema = 1;
    m->request.data = o->request;
    m->request.len = sizeof(o->request);
    struct span plain = proto_packed(SPAN(""), &m->base, a);
    char *room = plain.p ? arena_alloc(a, plain.n + VAULT_OVERHEAD) : NULL;
    struct buf b = buf_of(room, room ? plain.n + VAULT_OVERHEAD : 0);
    int err = room ? vault_seal(o->op.rest->conf.vault, o->key, plain, &b) : CS_ENOMEM;
    ct_wipe((char *)plain.p, plain.n);
    return err || !buf_ok(&b) ? SPAN_NULL : buf_span(&b);
}

/* NULL if it cannot be read. */
static Countersign__Store__Once *unseal(struct once *o, struct span sealed, struct span *plain)
{
    struct arena *a = http_arena(o->op.req);
    if (sealed.n < VAULT_OVERHEAD)
        return NULL;
    size_t n = sealed.n - VAULT_OVERHEAD;
    char *room = arena_alloc(a, n);
    if (!room || vault_open(o->op.rest->conf.vault, o->key, sealed, room, n))
        return NULL;
    *plain = span_of(room, n);
    Countersign__Store__Once *m = proto_unpack(&countersign__store__once__descriptor, *plain, a);
    return m && m->schema == 1 && m->request.len == HASH ? m : NULL;
}

/* ---- the answer ---- */

static void on_kept(void *arg, const struct redis_reply *reply)
{
    struct once *o = arg;
    o->op.redis = NULL;
    if (!reply || reply->type == REDIS_ERROR)
        log_warn(&lg, "an answer could not be kept for who repeats the request",
                 kv_s("by", http_who(o->op.req)));
    list_remove(&o->op.link);
    http_release(o->op.req);
}

static bool keep(struct once *o, const struct http_reply *reply)
{
    struct arena *a = http_arena(o->op.req);
    Countersign__Store__Once m = COUNTERSIGN__STORE__ONCE__INIT;
    Countersign__Store__OnceField field[HTTP_REPLY_HEADERS], *list[HTTP_REPLY_HEADERS];
    char keep_ms[24];
    struct buf ms = BUF_INIT(keep_ms);
    if (reply->body.n > MAX_ANSWER)
        return false;
    for (size_t i = 0; i < reply->n_headers; i++) {
        list[i] = &field[i];
        countersign__store__once_field__init(list[i]);
        field[i].name = (char *)reply->header[i].name;
        field[i].value = (char *)reply->header[i].value;
    }
    m.has_status = true;
    m.status = reply->status;
    m.type = reply->type ? arena_str(a, span_str(reply->type)) : NULL;
    m.n_header = reply->n_headers;
    m.header = list;
    m.has_body = reply->body.n > 0;
    m.body.data = (uint8_t *)reply->body.p;
    m.body.len = reply->body.n;
    struct span sealed = seal(o, &m);
    buf_u64(&ms, KEEP_MS);
    if (sealed.p)
        o->op.redis = redis_do(o->op.rest->conf.redis, on_kept, o, SPAN("SET"), o->key, sealed,
                               SPAN("PX"), buf_span(&ms));
    redis_confirm(o->op.redis);
    return o->op.redis != NULL;
}

/* The handler has replied: the client waits until that is kept. */
static void on_reply(void *arg, const struct http_reply *reply)
{
    struct once *o = arg;
    op_adopt(&o->op);
    if (reply->status < 500 && keep(o, reply))
        return;
    redis_do(o->op.rest->conf.redis, redis_ignore, NULL, SPAN("DEL"), o->key);
    list_remove(&o->op.link);
    http_release(o->op.req);
}

static void repeat(struct once *o, const Countersign__Store__Once *m, struct span plain)
{
    struct http_req *req = o->op.req;
    for (size_t i = 0; i < m->n_header && i < HTTP_REPLY_HEADERS - 1; i++)
        http_reply_header(req, m->header[i]->name, m->header[i]->value);
    http_reply_header(req, "Idempotency-Replayed", "true");
    list_remove(&o->op.link);
    http_reply_text(req, m->status, m->type, span_of(m->body.data, m->body.len));
    ct_wipe((char *)plain.p, plain.n);
}

/* ---- the claim ---- */

static void on_claimed(void *arg, const struct redis_reply *reply)
{
    struct once *o = arg;
    struct fault f;
    struct span plain;
    o->op.redis = NULL;
    if (!reply || (reply->type != REDIS_NIL && reply->type != REDIS_STRING)) {
        op_store_error(&o->op, CS_ECLOSED);
        return;
    }
    if (reply->type == REDIS_NIL) { /* ours */
        list_remove(&o->op.link);
        http_on_abort(o->op.req, NULL, NULL);
        http_hold(o->op.req, on_reply, o);
        http_handle(o->op.req);
        return;
    }
    const Countersign__Store__Once *m = unseal(o, reply->str, &plain);
    if (!m) {
        op_store_error(&o->op, CS_EPROTO);
    } else if (!ct_eq(span_of(m->request.data, HASH), span_of(o->request, HASH))) {
        fault_set(&f, 422, "idempotency-key", "Idempotency-Key used before",
                  "Another request had this Idempotency-Key. Choose another key.");
        op_fault(&o->op, &f);
    } else if (!m->has_status) {
        http_reply_header(o->op.req, "Retry-After", "1");
        fault_set(&f, 409, "in-progress", "In progress",
                  "The first request with this Idempotency-Key is not answered yet, or was cut "
                  "off. Repeat it; a minute after it came the key is free.");
        op_fault(&o->op, &f);
    } else {
        repeat(o, m, plain);
    }
}

static void claim(struct once *o)
{
    Countersign__Store__Once m = COUNTERSIGN__STORE__ONCE__INIT;
    const uint64_t numbers[] = { CLAIM_MS, (uint64_t)loop_wall(o->op.rest->loop).ms, MAX_KEYS,
                                 KEEP_MS };
    char text[CS_LEN(numbers)][24];
    struct span argv[3 + CS_LEN(numbers)] = { o->key, SPAN("cs:{once}"), seal(o, &m) };
    for (size_t i = 0; i < CS_LEN(numbers); i++) {
        struct buf b = BUF_INIT(text[i]);
        buf_u64(&b, numbers[i]);
        argv[3 + i] = buf_span(&b);
    }
    if (argv[2].p)
        o->op.redis = redis_script(o->op.rest->conf.redis, &claim_script, on_claimed, o, 2,
                                   CS_LEN(argv), argv);
    if (!o->op.redis)
        op_no_memory(&o->op);
}

void rest_before(struct http_req *req, void *arg)
{
    struct fault f;
    struct span key = http_header(req, "Idempotency-Key");
    /* A verdict is of its moment: it is judged anew each time. And keys are an operator's. */
    if (!key.p || !http_who(req).p || !span_eq(http_method(req), SPAN("POST")) ||
        span_starts(http_target(req), SPAN("/v1/verify/"))) {
        http_handle(req);
        return;
    }
    struct once *o = op_new(arg, req, sizeof(*o));
    if (!o)
        return;
    if (once_key(key, &key)) {
        fault_set(&f, 400, "idempotency-key", "Malformed Idempotency-Key",
                  "It is one word of up to 128 visible ASCII characters.");
        op_fault(&o->op, &f);
    } else if (set_keys(o, key)) {
        op_no_memory(&o->op);
    } else {
        claim(o);
    }
}
