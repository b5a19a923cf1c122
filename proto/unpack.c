#include "proto/unpack.h"

static void *on_alloc(void *arena, size_t n)
{
    return arena_alloc(arena, n);
}

static void on_free(void *arena, void *p)
{
    (void)arena, (void)p; /* the arena goes as a whole */
}

void *proto_unpack(const ProtobufCMessageDescriptor *type, struct span bytes, struct arena *a)
{
    ProtobufCAllocator allocator = { on_alloc, on_free, a };
    return protobuf_c_message_unpack(type, &allocator, bytes.n, (const uint8_t *)bytes.p);
}
