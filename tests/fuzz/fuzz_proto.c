/* Our codec against protobuf-c's own: what ours reads, the other reads as the same message, and
 * what ours writes is what the other writes. The first byte says which message it is. */
#include <assert.h>
#include <stdlib.h>

#include "auth.pb-c.h"
#include "proto/codec.h"
#include "store.pb-c.h"

static const ProtobufCMessageDescriptor *const types[] = {
    &countersign__auth__to_authd__descriptor,  &countersign__auth__from_authd__descriptor,
    &countersign__store__location__descriptor, &countersign__store__user__descriptor,
    &countersign__store__node__descriptor,     &countersign__store__event__descriptor,
    &countersign__store__ban__descriptor,
};

static struct span theirs(const ProtobufCMessage *msg, struct arena *a)
{
    size_t n = protobuf_c_message_get_packed_size(msg);
    uint8_t *p = arena_alloc(a, n + 1);
    assert(p && protobuf_c_message_pack(msg, p) == n);
    return span_of((const char *)p, n);
}

/* Unknown fields, which ours does not keep. */
static void strip(ProtobufCMessage *msg)
{
    while (msg->n_unknown_fields)
        free(msg->unknown_fields[--msg->n_unknown_fields].data);
    for (unsigned i = 0; i < msg->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &msg->descriptor->fields[i];
        char *at = (char *)msg;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            for (size_t k = 0; k < *(size_t *)(at + f->quantifier_offset); k++)
                strip((*(ProtobufCMessage ***)(at + f->offset))[k]);
        } else if (*(ProtobufCMessage **)(at + f->offset) &&
                   (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
                    *(uint32_t *)(at + f->quantifier_offset) == f->id)) {
            strip(*(ProtobufCMessage **)(at + f->offset));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    if (size == 0 || size > 8192)
        return 0;
    const ProtobufCMessageDescriptor *type = types[data[0] % CS_LEN(types)];
    const struct span in = span_of((const char *)data + 1, size - 1);
    arena_init(&a, NULL, 0, 0);
    const ProtobufCMessage *ours = proto_unpack(type, in, &a);
    if (ours) {
        struct span packed = proto_packed(SPAN_NULL, ours, &a);
        assert(packed.p && span_eq(packed, theirs(ours, &a)));
        ProtobufCMessage *other =
            protobuf_c_message_unpack(type, NULL, in.n, (const uint8_t *)in.p);
        assert(other);
        strip(other);
        assert(span_eq(packed, theirs(other, &a)));
        protobuf_c_message_free_unpacked(other, NULL);
    }
    arena_fini(&a);
    return 0;
}
