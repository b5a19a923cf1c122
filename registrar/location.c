#include "registrar/location.h"

#include <stdlib.h>

#define STORE(name) Countersign__Store__##name

enum { TAG_LEN = 9, SCHEMA = 1, KEY_MAX = 320 }; /* field key and fixed64: see store.proto */

struct location_call {
    struct redis_call *redis;
    struct arena *arena;
    location_get_fn *get;
    location_commit_fn *commit;
    void *arg;
};

static struct redis_script commit_script = {
    .lua = "if redis.call('GETRANGE', KEYS[1], 0, 8) ~= ARGV[1] then return 0 end "
           "if ARGV[2] == '' then redis.call('DEL', KEYS[1]) "
           "else redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3]) end "
           "return 1",
};

static void *on_alloc(void *data, size_t n)
{
    return arena_alloc(data, n);
}

static void on_free(void *data, void *p)
{
    (void)data;
    (void)p; /* goes with the arena */
}

static struct span key_of(struct span aor, struct buf *b)
{
    buf_lit(b, "cs:loc:{");
    buf_put(b, aor);
    buf_putc(b, '}');
    return buf_span(b);
}

static void on_get(void *arg, const struct redis_reply *reply)
{
    struct location_call *call = arg;
    ProtobufCAllocator allocator = { on_alloc, on_free, call->arena };
    STORE(Location) *record = NULL;
    int err = 0;
    if (!reply) {
        err = CS_ECLOSED;
    } else if (reply->type == REDIS_STRING) {
        record = countersign__store__location__unpack(&allocator, reply->str.n,
                                                      (const uint8_t *)reply->str.p);
        if (!record || record->schema != SCHEMA) {
            record = NULL;
            err = CS_EPROTO;
        }
    } else if (reply->type != REDIS_NIL) {
        err = CS_EPROTO;
    }
    call->get(call->arg, err, record);
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

struct location_call *location_get(struct redis *r, struct span aor, struct arena *a,
                                   location_get_fn *fn, void *arg)
{
    char key[KEY_MAX];
    struct buf kb = BUF_INIT(key);
    struct location_call *call = arena_zalloc(a, sizeof(*call));
    key_of(aor, &kb);
    if (!call || !buf_ok(&kb))
        return NULL;
    call->arena = a;
    call->get = fn;
    call->arg = arg;
    call->redis = redis_do(r, on_get, call, SPAN("GET"), buf_span(&kb));
    return call->redis ? call : NULL;
}

struct location_call *location_commit(struct redis *r, struct span aor, const STORE(Location) * old,
                                      const STORE(Location) * record, struct wall expires,
                                      struct arena *a, location_commit_fn *fn, void *arg)
{
    char key[KEY_MAX], tag[TAG_LEN], when[24];
    struct buf kb = BUF_INIT(key), tb = BUF_INIT(tag), wb = BUF_INIT(when);
    struct span value = SPAN("");
    struct location_call *call = arena_zalloc(a, sizeof(*call));
    key_of(aor, &kb);
    if (!call || !buf_ok(&kb))
        return NULL;
    if (old) { /* as protobuf writes it: field 1, fixed64, little-endian */
        buf_putc(&tb, 0x09);
        for (int i = 0; i < 64; i += 8)
            buf_putc(&tb, (char)(old->tag >> i));
    }
    if (record->n_binding) {
        value.n = countersign__store__location__get_packed_size(record);
        uint8_t *packed = arena_alloc(a, value.n);
        if (!packed)
            return NULL;
        countersign__store__location__pack(record, packed);
        value.p = (const char *)packed;
    }
    buf_i64(&wb, expires.ms);
    call->commit = fn;
    call->arg = arg;
    const struct span argv[] = { buf_span(&kb), buf_span(&tb), value, buf_span(&wb) };
    call->redis = redis_script(r, &commit_script, on_commit, call, 1, CS_LEN(argv), argv);
    return call->redis ? call : NULL;
}

void location_cancel(struct location_call *call)
{
    redis_cancel(call->redis);
}
