#include "ipc/ipc.h"

static void print_message(struct buf *b, const ProtobufCMessage *msg);

static bool is_secret(const ProtobufCFieldDescriptor *f)
{
    return span_ends(span_str(f->name), SPAN("_secret"));
}

/* What a challenge says of its nonce is as secret as the nonce_secret that answers it. A trunk's
 * may be written in any way the grammar allows: in any case, with white space, quoted or not. */
static struct span nonce_within(struct span s)
{
    static const struct span mark = SPAN_INIT("nonce");
    for (size_t i = 0; i + mark.n < s.n; i++) {
        struct span rest = span_skip(s, i);
        if (!span_casestarts(rest, mark))
            continue;
        rest = span_skip(rest, mark.n);
        while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t'))
            rest = span_skip(rest, 1);
        if (!rest.n || rest.p[0] != '=')
            continue;
        do
            rest = span_skip(rest, 1);
        while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t'));
        const bool quoted = rest.n && rest.p[0] == '"';
        rest = span_skip(rest, quoted);
        return span_cut(&rest, quoted ? '"' : ',');
    }
    return SPAN_NULL;
}

static void print_text(struct buf *b, struct span s, bool secret)
{
    if (secret) {
        buf_printf(b, "<%zu bytes>", s.n);
        return;
    }
    buf_putc(b, '"');
    for (struct span nonce; (nonce = nonce_within(s)).p;) {
        buf_json(b, span_head(s, (size_t)(nonce.p - s.p)));
        buf_printf(b, "<%zu bytes>", nonce.n);
        s = span_skip(s, (size_t)(nonce.p - s.p) + nonce.n);
    }
    buf_json(b, s);
    buf_putc(b, '"');
}

static bool is_printable(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] < ' ' && s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    }
    return true;
}

static void print_bytes(struct buf *b, const ProtobufCBinaryData *data, bool secret)
{
    struct span s = span_of(data->data, data->len);
    if (secret || is_printable(s))
        print_text(b, s, secret);
    else
        buf_hex(b, s.p, s.n);
}

static void print_enum(struct buf *b, const ProtobufCEnumDescriptor *e, int value)
{
    const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(e, value);
    if (v)
        buf_put(b, span_str(v->name));
    else
        buf_i64(b, value); /* newer than we are */
}

/* Prints one value, and says how far the next of an array is behind it. */
static size_t print_value(struct buf *b, const ProtobufCFieldDescriptor *f, const void *at)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        buf_i64(b, *(const int32_t *)at);
        return sizeof(int32_t);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        buf_i64(b, *(const int64_t *)at);
        return sizeof(int64_t);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        buf_u64(b, *(const uint32_t *)at);
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        buf_u64(b, *(const uint64_t *)at);
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_FLOAT:
        buf_printf(b, "%g", (double)*(const float *)at);
        return sizeof(float);
    case PROTOBUF_C_TYPE_DOUBLE:
        buf_printf(b, "%g", *(const double *)at);
        return sizeof(double);
    case PROTOBUF_C_TYPE_BOOL:
        buf_put(b, *(const protobuf_c_boolean *)at ? SPAN("true") : SPAN("false"));
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(b, f->descriptor, *(const int *)at);
        return sizeof(int);
    case PROTOBUF_C_TYPE_STRING:
        print_text(b, span_str(*(char *const *)at), is_secret(f));
        return sizeof(char *);
    case PROTOBUF_C_TYPE_BYTES:
        print_bytes(b, at, is_secret(f));
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE:
        if (is_secret(f))
            buf_lit(b, "<secret>");
        else
            print_message(b, *(const ProtobufCMessage *const *)at);
        return sizeof(ProtobufCMessage *);
    }
    return 0;
}

static bool is_present(const ProtobufCFieldDescriptor *f, const char *msg)
{
    const void *quantifier = msg + f->quantifier_offset, *at = msg + f->offset;
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)quantifier == f->id;
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)quantifier > 0;
    if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(const void *const *)at != NULL;
    return f->label == PROTOBUF_C_LABEL_REQUIRED || *(const protobuf_c_boolean *)quantifier;
}

static void print_field(struct buf *b, const ProtobufCFieldDescriptor *f, const char *msg)
{
    const char *at = msg + f->offset;
    buf_put(b, span_str(f->name));
    if (f->type != PROTOBUF_C_TYPE_MESSAGE || f->label == PROTOBUF_C_LABEL_REPEATED)
        buf_putc(b, '=');
    if (f->label != PROTOBUF_C_LABEL_REPEATED) {
        print_value(b, f, at);
        return;
    }
    at = *(const char *const *)at;
    buf_putc(b, '[');
    for (size_t i = 0, n = *(const size_t *)(msg + f->quantifier_offset); i < n; i++) {
        if (i)
            buf_lit(b, ", ");
        at += print_value(b, f, at);
    }
    buf_putc(b, ']');
}

static void print_message(struct buf *b, const ProtobufCMessage *msg)
{
    const char *sep = "";
    buf_putc(b, '{');
    for (unsigned i = 0; i < msg->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &msg->descriptor->fields[i];
        if (!is_present(f, (const char *)msg))
            continue;
        buf_put(b, span_str(sep));
        print_field(b, f, (const char *)msg);
        sep = " ";
    }
    if (msg->n_unknown_fields) /* from a newer version; they could be secret */
        buf_printf(b, "%s<%u unknown fields>", sep, msg->n_unknown_fields);
    buf_putc(b, '}');
}

void ipc_print(struct buf *b, const ProtobufCMessage *msg)
{
    buf_put(b, span_str(msg->descriptor->short_name));
    print_message(b, msg);
}
