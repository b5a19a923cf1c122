#include "location/location.h"

#include "proto/unpack.h"

#define STORE(name) Countersign__Store__##name

enum {
    SCHEMA = 1,
    KEY_MAX = 320,
    TOMBSTONE_MS = 60000, /* longer than any writer's deadline */
    OLDER_MAX = 8,        /* versions taken away at a time */
};

struct location_call {
    struct redis_call *last; /* it decides */
    struct arena *arena;
    location_get_fn *get;
    location_commit_fn *commit;
    void *arg;

    /* Of a commit: */
    struct redis *redis;
    struct redis_call *set;
    int set_err;
    uint64_t version; /* that is to stand */
    struct span key;
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
    call->last = redis_do(r, on_get, call, SPAN("HGETALL"), buf_span(&kb));
    return call->last ? call : NULL;
}

static void no_reply(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    (void)reply;
}

static void on_set(void *arg, const struct redis_reply *reply)
{
    struct location_call *call = arg;
    call->set = NULL;
    if (!reply)
        call->set_err = CS_ECLOSED;
    else if (reply->type != REDIS_INTEGER)
        call->set_err = CS_EPROTO;
    else
        call->set_err = reply->integer == 1 ? 0 : CS_ECONFLICT;
}

static int newest_of(const struct redis_reply *keys, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < keys->n; i++) {
        uint64_t version;
        if (span_u64(keys->element[i].str, UINT64_MAX - 1, &version))
            return CS_EPROTO;
        *out = CS_MAX(*out, version);
    }
    return 0;
}

/* What a newer version stands above is of no use to anybody. */
static void drop_older(const struct location_call *call, const struct redis_reply *keys,
                       uint64_t newest)
{
    struct span argv[2 + OLDER_MAX] = { SPAN("HDEL"), call->key };
    size_t n = 2;
    for (size_t i = 0; i < keys->n && n < CS_LEN(argv); i++) {
        uint64_t version;
        if (!span_u64(keys->element[i].str, UINT64_MAX - 1, &version) && version < newest)
            argv[n++] = keys->element[i].str;
    }
    if (n > 2)
        redis_command(call->redis, no_reply, NULL, n, argv);
}

static void on_keys(void *arg, const struct redis_reply *reply)
{
    struct location_call *call = arg;
    uint64_t newest = 0;
    int err = call->set_err;
    if (!err && !reply)
        err = CS_ECLOSED;
    if (!err)
        err = reply->type == REDIS_ARRAY ? newest_of(reply, &newest) : CS_EPROTO;
    if (!err) {
        drop_older(call, reply, newest);
        err = newest == call->version ? 0 : CS_ECONFLICT;
    }
    call->commit(call->arg, err);
}

/* When the key expires, or 0 if it is not there. */
static int64_t kept_until(const struct location *read)
{
    return read->record ? (int64_t)read->record->keep_until_ms : 0;
}

/* Whether the key's expiry must be moved. It is set further ahead than is needed, so that most
 * refreshes need not touch it: a key outlives its bindings by no more than they lasted. */
static bool keep(const struct location *read, STORE(Location) * record, struct wall now)
{
    int64_t needed = now.ms, kept = kept_until(read);
    for (size_t i = 0; i < record->n_binding; i++)
        needed = CS_MAX(needed, (int64_t)record->binding[i]->expires_ms);
    bool move = needed + TOMBSTONE_MS > kept;
    record->has_keep_until_ms = true;
    record->keep_until_ms = (uint64_t)(move ? needed + (needed - now.ms) + 2 * TOMBSTONE_MS : kept);
    return move;
}

static void expire(const struct location_call *call, uint64_t ms, struct span condition)
{
    char when[24];
    struct buf b = BUF_INIT(when);
    buf_u64(&b, ms);
    redis_do(call->redis, no_reply, NULL, SPAN("PEXPIREAT"), call->key, buf_span(&b), condition);
}

struct location_call *location_commit(struct redis *r, struct span aor, const struct location *read,
                                      STORE(Location) * record, struct wall now, struct arena *a,
                                      location_commit_fn *fn, void *arg)
{
    char key[KEY_MAX], version[24];
    struct buf kb = BUF_INIT(key), vb = BUF_INIT(version);
    struct location_call *call = arena_alloc(a, sizeof(*call));
    location_key(&kb, aor);
    bool move = keep(read, record, now);
    record->schema = SCHEMA;
    size_t n = countersign__store__location__get_packed_size(record);
    uint8_t *packed = arena_alloc(a, n);
    if (!call || !packed || !buf_ok(&kb))
        return NULL;
    countersign__store__location__pack(record, packed);
    *call = (struct location_call){ .arena = a,
                                    .commit = fn,
                                    .arg = arg,
                                    .redis = r,
                                    .version = read->version + 1,
                                    .key = arena_dup(a, buf_span(&kb)) };
    buf_u64(&vb, call->version);
    if (!call->key.p)
        return NULL;
    call->set =
        redis_do(r, on_set, call, SPAN("HSETNX"), call->key, buf_span(&vb), span_of(packed, n));
    if (!call->set)
        return NULL;
    call->last = redis_do(r, on_keys, call, SPAN("HKEYS"), call->key);
    if (!call->last) {
        redis_cancel(call->set);
        return NULL;
    }
    /* Never to an earlier time: a writer who lost must not shorten what the winner needs. */
    if (move && kept_until(read) < now.ms + TOMBSTONE_MS) /* the key is new, or may be by now */
        expire(call, record->keep_until_ms, SPAN("NX"));
    if (move && read->version)
        expire(call, record->keep_until_ms, SPAN("GT"));
    return call;
}

void location_cancel(struct location_call *call)
{
    if (call->set)
        redis_cancel(call->set);
    redis_cancel(call->last);
}
