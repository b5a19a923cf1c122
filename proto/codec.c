#include "proto/codec.h"

#include <assert.h>
#include <endian.h>

#include "base/util.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { DEPTH_MAX = 8, FIELDS_MAX = 64, FIRST_ELEMENTS = 4 };

#define AT(msg, offset, type) ((type *)((char *)(msg) + (offset)))

static bool is_in_oneof(const ProtobufCFieldDescriptor *f)
{
    return f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

/* ---- reading ---- */

struct reader {
    const unsigned char *p, *end;
    bool bad;
};

static uint64_t get_varint(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; r->p < r->end && shift < 64; shift += 7) {
        unsigned char c = *r->p++;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return v;
    }
    r->bad = true;
    return 0;
}

/* Tags and lengths: 32 bits, in at most five bytes. */
static inline uint32_t get_u32(struct reader *r)
{
    const unsigned char *from = r->p;
    if (from < r->end && *from < 0x80)
        return *r->p++;
    uint64_t v = get_varint(r);
    r->bad |= v > UINT32_MAX || r->p - from > 5;
    return (uint32_t)v;
}

static struct span get_bytes(struct reader *r, size_t n)
{
    if (r->bad || n > (size_t)(r->end - r->p)) {
        r->bad = true;
        return SPAN_NULL;
    }
    struct span s = span_of((const char *)r->p, n);
    r->p += n;
    return s;
}

static uint64_t get_fixed64(struct reader *r)
{
    struct span s = get_bytes(r, sizeof(uint64_t));
    uint64_t v = 0;
    if (!r->bad)
        memcpy(&v, s.p, sizeof(v));
    return le64toh(v);
}

static const unsigned char wire_of[] = {
    [PROTOBUF_C_TYPE_STRING] = WIRE_BYTES,  [PROTOBUF_C_TYPE_BYTES] = WIRE_BYTES,
    [PROTOBUF_C_TYPE_MESSAGE] = WIRE_BYTES, [PROTOBUF_C_TYPE_FIXED64] = WIRE_64,
    [PROTOBUF_C_TYPE_BOOL] = WIRE_VARINT,   [PROTOBUF_C_TYPE_ENUM] = WIRE_VARINT,
    [PROTOBUF_C_TYPE_UINT32] = WIRE_VARINT, [PROTOBUF_C_TYPE_UINT64] = WIRE_VARINT,
};

static size_t size_of(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : sizeof(void *);
}

/* Room for one more element; the array doubles when it is full, which its length tells. */
static void *append(const ProtobufCFieldDescriptor *f, void *msg, struct arena *a)
{
    size_t *n = AT(msg, f->quantifier_offset, size_t);
    char **array = AT(msg, f->offset, char *);
    const size_t size = size_of(f->type);
    if (*n == 0 || (*n >= FIRST_ELEMENTS && (*n & (*n - 1)) == 0)) {
        char *more = arena_alloc(a, CS_MAX(*n * 2, (size_t)FIRST_ELEMENTS) * size);
        if (!more)
            return NULL;
        if (*n)
            memcpy(more, *array, *n * size);
        *array = more;
    }
    return *array + (*n)++ * size;
}

static void *place(const ProtobufCFieldDescriptor *f, void *msg, struct arena *a)
{
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return append(f, msg, a);
    if (is_in_oneof(f))
        *AT(msg, f->quantifier_offset, uint32_t) = f->id;
    else if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type != PROTOBUF_C_TYPE_STRING &&
             f->type != PROTOBUF_C_TYPE_MESSAGE)
        *AT(msg, f->quantifier_offset, protobuf_c_boolean) = true;
    return AT(msg, f->offset, void);
}

static void *unpack(const ProtobufCMessageDescriptor *type, struct span bytes, struct arena *a,
                    unsigned depth);

static bool get_value(struct reader *r, const ProtobufCFieldDescriptor *f, void *to,
                      struct arena *a, unsigned depth)
{
    struct span s;
    uint64_t v;
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        s = get_bytes(r, get_u32(r));
        return !r->bad && (*(char **)to = arena_str(a, s)) != NULL;
    case PROTOBUF_C_TYPE_BYTES:
        s = arena_dup(a, get_bytes(r, get_u32(r)));
        *(ProtobufCBinaryData *)to = (ProtobufCBinaryData){ s.n, (uint8_t *)s.p };
        return !r->bad && s.p;
    case PROTOBUF_C_TYPE_MESSAGE:
        s = get_bytes(r, get_u32(r));
        return !r->bad && (*(void **)to = unpack(f->descriptor, s, a, depth + 1)) != NULL;
    case PROTOBUF_C_TYPE_FIXED64:
        *(uint64_t *)to = get_fixed64(r);
        return !r->bad;
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)to = get_varint(r);
        return !r->bad;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)to = get_varint(r) != 0;
        return !r->bad;
    default: /* uint32, enum */
        v = get_varint(r);
        *(uint32_t *)to = (uint32_t)v;
        return !r->bad && v <= (f->type == PROTOBUF_C_TYPE_ENUM ? INT32_MAX : UINT32_MAX);
    }
}

static bool skip(struct reader *r, unsigned wire)
{
    switch (wire) {
    case WIRE_VARINT:
        get_varint(r);
        break;
    case WIRE_64:
        get_bytes(r, 8);
        break;
    case WIRE_BYTES:
        get_bytes(r, get_u32(r));
        break;
    case WIRE_32:
        get_bytes(r, 4);
        break;
    default:
        return false;
    }
    return !r->bad;
}

/* Writers write in the order of numbers, which is the order of the descriptor: mostly the field is
 * the one looked at last, or soon behind it. */
static unsigned find(const ProtobufCMessageDescriptor *type, uint32_t id, unsigned from)
{
    for (unsigned i = from; i < type->n_fields && type->fields[i].id <= id; i++) {
        if (type->fields[i].id == id)
            return i;
    }
    for (unsigned i = 0; i < from; i++) {
        if (type->fields[i].id == id)
            return i;
    }
    return type->n_fields;
}

/* Bit i: fields[i] has to be there. To look at all fields each time costs more than the rest. */
static uint64_t required_of(const ProtobufCMessageDescriptor *type)
{
    static _Thread_local struct {
        const ProtobufCMessageDescriptor *type;
        uint64_t mask;
    } known[16], *k;
    k = &known[(uintptr_t)type / sizeof(*type) % CS_LEN(known)];
    if (k->type != type) {
        assert(type->n_fields <= FIELDS_MAX);
        k->type = type;
        k->mask = 0;
        for (unsigned i = 0; i < type->n_fields; i++)
            k->mask |= (uint64_t)(type->fields[i].label == PROTOBUF_C_LABEL_REQUIRED) << i;
    }
    return k->mask;
}

static void *unpack(const ProtobufCMessageDescriptor *type, struct span bytes, struct arena *a,
                    unsigned depth)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    struct reader r = { p, p + bytes.n, false };
    ProtobufCMessage *msg = depth < DEPTH_MAX ? arena_alloc(a, type->sizeof_message) : NULL;
    uint64_t seen = 0;
    const uint64_t required = required_of(type);
    if (!msg)
        return NULL;
    type->message_init(msg);
    for (unsigned i = 0; r.p < r.end;) {
        const uint32_t tag = get_u32(&r);
        const unsigned found = find(type, tag >> 3, i);
        if (r.bad || tag >> 3 == 0)
            return NULL;
        if (found == type->n_fields) {
            if (!skip(&r, tag & 7))
                return NULL;
            continue;
        }
        const ProtobufCFieldDescriptor *f = &type->fields[i = found];
        const bool once = f->label != PROTOBUF_C_LABEL_REPEATED;
        if ((tag & 7) != wire_of[f->type] || (once && seen >> i & 1))
            return NULL;
        seen |= (uint64_t)1 << i;
        if (is_in_oneof(f) && *AT(msg, f->quantifier_offset, uint32_t))
            return NULL; /* one of the others stands */
        void *to = place(f, msg, a);
        if (!to || !get_value(&r, f, to, a, depth))
            return NULL;
    }
    return (seen & required) == required ? msg : NULL;
}

void *proto_unpack(const ProtobufCMessageDescriptor *type, struct span bytes, struct arena *a)
{
    return unpack(type, bytes, a, 0);
}

/* ---- writing ---- */

static void put_varint(struct buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_putc(b, (char)(v | 0x80));
    buf_putc(b, (char)v);
}

static void put_bytes(struct buf *b, struct span s)
{
    put_varint(b, s.n);
    buf_put(b, s);
}

/* Its length stands before it and is known behind it. */
static void put_message(struct buf *b, const ProtobufCMessage *msg)
{
    const size_t at = b->n;
    char digits[10];
    struct buf length = BUF_INIT(digits);
    proto_pack(b, msg);
    const size_t n = b->n - at;
    put_varint(&length, n);
    if (length.n > b->cap - b->n) {
        b->full = true;
        return;
    }
    memmove(b->p + at + length.n, b->p + at, n);
    memcpy(b->p + at, digits, length.n);
    b->n += length.n;
}

static void put_value(struct buf *b, const ProtobufCFieldDescriptor *f, const void *from)
{
    put_varint(b, (uint64_t)f->id << 3 | wire_of[f->type]);
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        put_bytes(b, span_str(*(char *const *)from));
        break;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *d = from;
        put_bytes(b, span_of((const char *)d->data, d->len));
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        put_message(b, *(const ProtobufCMessage *const *)from);
        break;
    case PROTOBUF_C_TYPE_FIXED64: {
        const uint64_t v = htole64(*(const uint64_t *)from);
        buf_put(b, span_of((const char *)&v, sizeof(v)));
        break;
    }
    case PROTOBUF_C_TYPE_UINT64:
        put_varint(b, *(const uint64_t *)from);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        put_varint(b, *(const protobuf_c_boolean *)from != 0);
        break;
    default:
        assert(f->type == PROTOBUF_C_TYPE_UINT32 || f->type == PROTOBUF_C_TYPE_ENUM);
        put_varint(b, *(const uint32_t *)from);
        break;
    }
}

static bool is_there(const ProtobufCFieldDescriptor *f, const void *msg)
{
    if (f->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    if (is_in_oneof(f))
        return *AT(msg, f->quantifier_offset, const uint32_t) == f->id;
    if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE)
        return *AT(msg, f->offset, void *const) != NULL;
    return *AT(msg, f->quantifier_offset, const protobuf_c_boolean);
}

void proto_pack(struct buf *b, const ProtobufCMessage *msg)
{
    const ProtobufCMessageDescriptor *type = msg->descriptor;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            const char *array = *AT(msg, f->offset, const char *const);
            const size_t n = *AT(msg, f->quantifier_offset, const size_t);
            for (size_t k = 0; k < n; k++)
                put_value(b, f, array + k * size_of(f->type));
        } else if (is_there(f, msg)) {
            put_value(b, f, AT(msg, f->offset, const void));
        }
    }
}

struct span proto_packed(struct span head, const ProtobufCMessage *msg, struct arena *a)
{
    char few[1024];
    struct buf b = BUF_INIT(few);
    buf_put(&b, head);
    proto_pack(&b, msg);
    if (buf_ok(&b))
        return arena_dup(a, buf_span(&b));
    const size_t n = head.n + protobuf_c_message_get_packed_size(msg);
    char *p = arena_alloc(a, n);
    if (!p)
        return SPAN_NULL;
    b = buf_of(p, n);
    buf_put(&b, head);
    proto_pack(&b, msg);
    return buf_ok(&b) ? buf_span(&b) : SPAN_NULL;
}
