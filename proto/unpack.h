/* Messages of the contracts, unpacked into an arena: whatever their number and size, they cost no
 * heap and are released with it. */
#ifndef CS_PROTO_UNPACK_H
#define CS_PROTO_UNPACK_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"

/* The message, as the struct of its type; NULL when malformed or larger than the arena may grow. */
void *proto_unpack(const ProtobufCMessageDescriptor *type, struct span bytes, struct arena *a);

#endif
