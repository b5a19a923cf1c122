#include "location/location.h"

#include "proto/unpack.h"

#define STORE(name) Countersign__Store__##name

enum {
    SCHEMA = 1,
    KEY_MAX = 320,
    TOMBSTONE_MS = 60000, /* longer than any writer's deadline */
};

struct location_call {
    struct redis_call *redis;
    struct arena *arena;
    location_get_fn *get;
    location_commit_fn *commit;
    void *arg;
};

void location_key(struct buf *b, struct span aor)
{
    buf_lit(b, "cs:loc:{");
    buf_put(b, aor);
    buf_putc(b, '}');
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
        if (version > read.version) { /* the highest stands */
            read.version = version;
            value = reply->element[i + 1].str;
        }
    }
    if (!read.version)
        return 0;
    read.record = proto_unpack(&countersign__store__location__descriptor, value, a);
    if (!read.record || read.record->schema != SCHEMA)
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

struct location_call *location_get(struct redis *r, struct span aor, struct arena *a,
                                   location_get_fn *fn, void *arg)
{
    char key[KEY_MAX];
    struct buf kb = BUF_INIT(key);
    struct location_call *call = arena_alloc(a, sizeof(*call));
    location_key(&kb, aor);
    if (!call || !buf_ok(&kb))
        return NULL;
    *call = (struct location_call){ .arena = a, .get = fn, .arg = arg };
    call->redis = redis_do(r, on_get, call, SPAN("HGETALL"), buf_span(&kb));
    return call->redis ? call : NULL;
}

static void on_commit(void *arg, const struct redis_reply *reply)
{
    struct location_call *call = arg;
    int err = CS_ECLOSED;
    if (reply && reply->type == REDIS_INTEGER)
        err = reply->integer == 1 ? 0 : CS_ECONFLICT;
    else if (reply)
        err = CS_EPROTO;
    call->commit(call->arg, err);
}

/* Whether the key's expiry must be moved. It is set further ahead than is needed, so that most
 * refreshes need not touch it: a key outlives its bindings by no more than they lasted. */
static bool keep(const struct location *read, STORE(Location) * record, struct wall now)
{
    int64_t needed = now.ms;
    int64_t kept =
        read->record && read->record->has_keep_until_ms ? (int64_t)read->record->keep_until_ms : 0;
    for (size_t i = 0; i < record->n_binding; i++)
        needed = CS_MAX(needed, (int64_t)record->binding[i]->expires_ms);
    bool move = record->n_binding == 0 || needed + TOMBSTONE_MS > kept;
    record->has_keep_until_ms = true;
    record->keep_until_ms = (uint64_t)(move ? needed + (needed - now.ms) + 2 * TOMBSTONE_MS : kept);
    return move;
}

static void no_reply(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    (void)reply; /* HSETNX before it decides */
}

struct location_call *location_commit(struct redis *r, struct span aor, const struct location *read,
                                      STORE(Location) * record, struct wall now, struct arena *a,
                                      location_commit_fn *fn, void *arg)
{
    char key[KEY_MAX], before[24], after[24], when[24];
    struct buf kb = BUF_INIT(key), bb = BUF_INIT(before), ab = BUF_INIT(after), wb = BUF_INIT(when);
    struct location_call *call = arena_alloc(a, sizeof(*call));
    location_key(&kb, aor);
    bool move = keep(read, record, now);
    record->schema = SCHEMA;
    size_t n = countersign__store__location__get_packed_size(record);
    uint8_t *packed = arena_alloc(a, n);
    if (!call || !packed || !buf_ok(&kb))
        return NULL;
    countersign__store__location__pack(record, packed);
    buf_u64(&ab, read->version + 1);
    *call = (struct location_call){ .arena = a, .commit = fn, .arg = arg };
    call->redis = redis_do(r, on_commit, call, SPAN("HSETNX"), buf_span(&kb), buf_span(&ab),
                           span_of(packed, n));
    if (!call->redis)
        return NULL;
    if (read->version) {
        buf_u64(&bb, read->version);
        redis_do(r, no_reply, NULL, SPAN("HDEL"), buf_span(&kb), buf_span(&bb));
    }
    if (move) {
        buf_u64(&wb, record->keep_until_ms);
        redis_do(r, no_reply, NULL, SPAN("PEXPIREAT"), buf_span(&kb), buf_span(&wb));
    }
    return call;
}

void location_cancel(struct location_call *call)
{
    redis_cancel(call->redis);
}
