#include "location/location.h"

#include <stdlib.h>

#include "base/lru.h"
#include "proto/codec.h"

#define STORE(name) Countersign__Store__##name

enum {
    SCHEMA = 1,
    KEY_MAX = 320,
    TOMBSTONE_MS = 11 * 60000, /* longer than anybody holds on to a version */
    KNOWN_MS = 10 * 60000,
    KEPT_MS = 2 * 3600 * 1000,
    /* Of a removal that others overtake. Each time one of them gets through, so as many phones of
     * one AOR as this may register in the same instant. */
    TRIES = 40,
};

struct locations {
    struct loop *loop;
    struct redis *redis;
    struct lru known; /* by AOR: version, eight bytes in the machine's order, and record */
    struct lru kept;  /* the same, to be recalled */
    struct duration grace;
    struct mono lost; /* when Redis was, ns == 0: not since kept was begun */
};

struct location_call {
    struct redis_call *call;
    struct arena *arena;
    location_get_fn *get;
    location_commit_fn *commit;
    void *arg;
    struct locations *locations;
    struct span aor;
    struct span key, version; /* of a commit: what it wrote in vain, to take back */
    struct span stored;       /* of a commit: what is to be known */
};

/* Key; version read or 0, version to write, record, expiry. */
static struct redis_script replace_script = {
    .lua = "local k, old, new = KEYS[1], ARGV[1], ARGV[2] "
           "local there = redis.call('HKEYS', k) "
           "if old == '0' then if #there > 0 then return 0 end "
           "elseif redis.call('HEXISTS', k, old) == 0 "
           "or redis.call('HEXISTS', k, new) == 1 then return 0 end "
           "redis.call('HSET', k, new, ARGV[3]) "
           "if #there > 0 then redis.call('HDEL', k, unpack(there)) end "
           "redis.call('PEXPIREAT', k, ARGV[4]) return 1",
};

void location_key(struct buf *b, struct span aor)
{
    buf_lit(b, "cs:loc:{");
    buf_put(b, aor);
    buf_putc(b, '}');
}

int locations_open(struct loop *loop, struct redis *redis, size_t known, struct duration grace,
                   struct locations **out)
{
    struct locations *l = calloc(1, sizeof(*l));
    *out = l;
    if (!l)
        return CS_ENOMEM;
    l->loop = loop;
    l->redis = redis;
    l->grace = grace;
    lru_init(&l->known, known, (struct duration){ KNOWN_MS });
    lru_init(&l->kept, grace.ms ? known : 0, (struct duration){ KEPT_MS });
    return 0;
}

void locations_close(struct locations **lp)
{
    struct locations *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    lru_fini(&l->known);
    lru_fini(&l->kept);
    free(l);
}

void locations_forget(struct locations *l)
{
    lru_clear(&l->known);
    l->lost = loop_now(l->loop);
}

/* ---- reading ---- */

static int unpack(struct span packed, struct arena *a, struct location *out)
{
    out->record = proto_unpack(&countersign__store__location__descriptor, packed, a);
    return out->record && out->record->schema == SCHEMA ? 0 : CS_EPROTO;
}

static bool remembered(const struct locations *l, struct lru *from, struct span aor,
                       struct arena *a, struct location *read)
{
    struct location known = { 0 };
    struct span stored = lru_get(from, aor, loop_now(l->loop));
    if (stored.n < sizeof(known.version))
        return false;
    memcpy(&known.version, stored.p, sizeof(known.version));
    if (unpack(span_skip(stored, sizeof(known.version)), a, &known))
        return false;
    *read = known;
    return true;
}

bool location_known(struct locations *l, struct span aor, struct arena *a, struct location *read)
{
    return remembered(l, &l->known, aor, a, read);
}

bool location_recall(struct locations *l, struct span aor, struct arena *a, struct location *read)
{
    const bool away = l->lost.ns && !redis_is_ready(l->redis) &&
                      mono_since(l->lost, loop_now(l->loop)).ms < l->grace.ms;
    return away && remembered(l, &l->kept, aor, a, read);
}

void location_replaced(struct locations *l, struct span aor)
{
    lru_remove(&l->known, aor);
    lru_remove(&l->kept, aor);
}

int location_decode(const struct redis_reply *reply, struct arena *a, struct location *out)
{
    struct location read = { 0 };
    struct span value = SPAN_NULL;
    *out = read;
    if (reply->type != REDIS_ARRAY)
        return CS_EPROTO;
    for (size_t i = 0; i + 1 < reply->n; i += 2) {
        uint64_t version;
        if (span_u64(reply->element[i].str, UINT64_MAX - 1, &version) || version == 0)
            return CS_EPROTO;
        read.littered = i > 0;
        if (version > read.version) { /* the highest stands */
            read.version = version;
            value = reply->element[i + 1].str;
        }
    }
    if (!read.version)
        return 0;
    if (unpack(value, a, &read))
        return CS_EPROTO;
    *out = read;
    return 0;
}

static void on_get(void *arg, const struct redis_reply *reply)
{
    struct location_call *call = arg;
    struct location read = { 0 };
    int err = reply ? location_decode(reply, call->arena, &read) : CS_ECLOSED;
    call->get(call->arg, err, &read);
}

struct location_call *location_get(struct locations *l, struct span aor, struct arena *a,
                                   location_get_fn *fn, void *arg)
{
    char key[KEY_MAX];
    struct buf kb = BUF_INIT(key);
    struct location_call *call = arena_alloc(a, sizeof(*call));
    location_key(&kb, aor);
    if (!call || !buf_ok(&kb))
        return NULL;
    *call = (struct location_call){ .arena = a, .get = fn, .arg = arg };
    call->call = redis_do(l->redis, on_get, call, SPAN("HGETALL"), buf_span(&kb));
    return call->call ? call : NULL;
}

/* ---- replacing ---- */

static int err_of(const struct redis_reply *reply)
{
    return reply->type != REDIS_INTEGER ? CS_EPROTO : reply->integer == 1 ? 0 : CS_ECONFLICT;
}

static void committed(struct location_call *call, int err)
{
    struct locations *l = call->locations;
    if (err == CS_ECONFLICT) {
        location_replaced(l, call->aor);
    } else if (err) {
        lru_remove(&l->known, call->aor);
    } else {
        lru_put(&l->known, call->aor, call->stored, loop_now(l->loop));
        lru_put(&l->kept, call->aor, call->stored, loop_now(l->loop));
    }
    call->commit(call->arg, err);
}

static void on_replaced(void *arg, const struct redis_reply *reply)
{
    committed(arg, reply ? err_of(reply) : CS_ECLOSED);
}

static bool is_highest(struct span version, const struct redis_reply *fields)
{
    uint64_t mine = 0, other;
    int err = span_u64(version, UINT64_MAX, &mine);
    for (size_t i = 0; !err && i < fields->n; i++) {
        if (span_u64(fields->element[i].str, UINT64_MAX, &other) || other > mine)
            return false;
    }
    return !err;
}

/* Of EXEC: [HSETNX, HDEL, HKEYS]. */
static void on_exec(void *arg, const struct redis_reply *reply)
{
    struct location_call *call = arg;
    int err = reply ? CS_EPROTO : CS_ECLOSED;
    if (reply && reply->type == REDIS_ARRAY && reply->n == 3) {
        const struct redis_reply *e = reply->element;
        err = err_of(&e[0]);
        if (!err && (err_of(&e[1]) || !is_highest(call->version, &e[2]))) {
            redis_do(call->locations->redis, redis_ignore, NULL, SPAN("HDEL"), call->key,
                     call->version);
            err = CS_ECONFLICT;
        }
    }
    committed(call, err);
}

/* Whether the key's expiry must be moved. It is set further ahead than is needed, so that most
 * refreshes need not touch it: a key outlives its bindings by no more than they lasted. */
static bool keep(const struct location *read, STORE(Location) * record, struct wall now)
{
    int64_t needed = now.ms, kept = read->record ? (int64_t)read->record->keep_until_ms : 0;
    for (size_t i = 0; i < record->n_binding; i++)
        needed = CS_MAX(needed, (int64_t)record->binding[i]->expires_ms);
    bool move = record->n_binding == 0 || needed + TOMBSTONE_MS > kept;
    record->has_keep_until_ms = true;
    record->keep_until_ms = (uint64_t)(move ? needed + (needed - now.ms) + 2 * TOMBSTONE_MS : kept);
    return move;
}

struct location_call *location_commit(struct locations *l, struct span aor,
                                      const struct location *read, STORE(Location) * record,
                                      struct wall now, struct arena *a, location_commit_fn *fn,
                                      void *arg)
{
    char key[KEY_MAX], before[24], after[24], when[24];
    struct buf kb = BUF_INIT(key), bb = BUF_INIT(before), ab = BUF_INIT(after), wb = BUF_INIT(when);
    struct location_call *call = arena_alloc(a, sizeof(*call));
    location_key(&kb, aor);
    buf_u64(&bb, read->version);
    buf_u64(&ab, read->version + 1);
    bool move = keep(read, record, now);
    const uint64_t version = read->version + 1;
    const struct span head = span_of((const char *)&version, sizeof(version)); /* see known */
    record->schema = SCHEMA;
    if (!call || !buf_ok(&kb))
        return NULL;
    *call = (struct location_call){ .arena = a,
                                    .commit = fn,
                                    .arg = arg,
                                    .locations = l,
                                    .aor = arena_dup(a, aor),
                                    .key = arena_dup(a, buf_span(&kb)),
                                    .version = arena_dup(a, buf_span(&ab)),
                                    .stored = proto_packed(head, &record->base, a) };
    if (!call->aor.p || !call->key.p || !call->version.p || !call->stored.p)
        return NULL;
    struct span packed = span_skip(call->stored, sizeof(read->version));
    buf_u64(&wb, record->keep_until_ms);
    if (move || read->littered)
        call->call = redis_script(l->redis, &replace_script, on_replaced, call, 1, 5,
                                  (const struct span[]){ call->key, buf_span(&bb), call->version,
                                                         packed, buf_span(&wb) });
    else
        call->call = redis_atomic(l->redis, on_exec, call, 3,
                                  (const struct redis_argv[]){
                                      REDIS_ARGV(SPAN("HSETNX"), call->key, call->version, packed),
                                      REDIS_ARGV(SPAN("HDEL"), call->key, buf_span(&bb)),
                                      REDIS_ARGV(SPAN("HKEYS"), call->key) });
    redis_confirm(call->call);
    return call->call ? call : NULL;
}

void location_cancel(struct location_call *call)
{
    redis_cancel(call->call);
}

/* ---- removing ---- */

struct location_removal {
    struct locations *locations;
    struct span aor;
    location_goes_fn *goes;
    location_removed_fn *fn;
    void *arg;
    struct location_call *call;
    unsigned tries;
    size_t n;
    struct arena arena; /* of one try */
    char aor_text[];
};

static void removal_free(struct location_removal *r)
{
    arena_fini(&r->arena);
    free(r);
}

static void removal_done(struct location_removal *r, int err)
{
    location_removed_fn *fn = r->fn;
    void *arg = r->arg;
    size_t n = err ? 0 : r->n;
    removal_free(r);
    fn(arg, err, n);
}

static int removal_try(struct location_removal *r);

static void on_removed(void *arg, int err)
{
    struct location_removal *r = arg;
    r->call = NULL;
    if (err == CS_ECONFLICT && ++r->tries < TRIES) {
        err = removal_try(r);
        if (!err)
            return;
    }
    removal_done(r, err);
}

/* The bindings that stay are the read ones themselves. */
static int commit_rest(struct location_removal *r, const struct location *read)
{
    STORE(Location) *rest = arena_alloc(&r->arena, sizeof(*rest));
    STORE(Binding) **stays = arena_alloc(&r->arena, read->record->n_binding * sizeof(*stays));
    if (!rest || !stays)
        return CS_ENOMEM;
    *rest = *read->record;
    rest->binding = stays;
    rest->n_binding = 0;
    for (size_t i = 0; i < read->record->n_binding; i++) {
        if (!r->goes(r->arg, read->record->binding[i]))
            stays[rest->n_binding++] = read->record->binding[i];
    }
    r->n = read->record->n_binding - rest->n_binding;
    if (r->n == 0)
        return 0;
    r->call = location_commit(r->locations, r->aor, read, rest, loop_wall(r->locations->loop),
                              &r->arena, on_removed, r);
    return r->call ? 0 : CS_ENOMEM;
}

static void on_read(void *arg, int err, const struct location *read)
{
    struct location_removal *r = arg;
    r->call = NULL;
    if (!err && read->record)
        err = commit_rest(r, read);
    if (!r->call)
        removal_done(r, err);
}

static int removal_try(struct location_removal *r)
{
    arena_fini(&r->arena);
    arena_init(&r->arena, NULL, 0, 0);
    r->n = 0;
    r->call = location_get(r->locations, r->aor, &r->arena, on_read, r);
    return r->call ? 0 : CS_ENOMEM;
}

struct location_removal *location_remove(struct locations *l, struct span aor,
                                         location_goes_fn *goes, location_removed_fn *fn, void *arg)
{
    struct location_removal *r = calloc(1, sizeof(*r) + aor.n);
    if (!r)
        return NULL;
    r->locations = l;
    memcpy(r->aor_text, aor.p, aor.n);
    r->aor = span_of(r->aor_text, aor.n);
    r->goes = goes;
    r->fn = fn;
    r->arg = arg;
    if (removal_try(r) == 0)
        return r;
    removal_free(r);
    return NULL;
}

void location_remove_cancel(struct location_removal *r)
{
    location_cancel(r->call);
    removal_free(r);
}
