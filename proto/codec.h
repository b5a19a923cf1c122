/* Messages of the contracts to bytes and back, by the descriptors that protobuf-c generates. Its
 * own reader and writer allocate, merge and measure in more passes than the busiest path can
 * afford; these read once, into an arena, and write once. They know what the contracts use: bool,
 * uint32, uint64, enum (never negative), fixed64, string, bytes, messages, oneof; repeated ones of
 * the last four kinds. Source: the encoding of Protocol Buffers, proto2. */
#ifndef CS_PROTO_CODEC_H
#define CS_PROTO_CODEC_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"

/* The message, as the struct of its type, in the arena: whatever its size, it costs no heap and is
 * released with it. NULL when malformed, when a field that may be there once is there twice, when
 * a required one is missing, or when the arena may not grow so far. Unknown fields are skipped. */
void *proto_unpack(const ProtobufCMessageDescriptor *type, struct span bytes, struct arena *a);

/* Appends the message; what does not fit leaves the buffer in error. */
void proto_pack(struct buf *b, const ProtobufCMessage *msg);
/* head and behind it the message, in the arena; absent when memory is exhausted. */
struct span proto_packed(struct span head, const ProtobufCMessage *msg, struct arena *a);

#endif
