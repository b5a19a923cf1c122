/* What both ends share: frames in and out. Known to client.c and server.c alone. */
#ifndef CS_IPC_FRAME_H
#define CS_IPC_FRAME_H

#include "base/arena.h"
#include "ipc/ipc.h"

enum {
    FRAME_HEAD = 4,
    FRAME_USUAL = 4096,           /* most messages are smaller */
    UNPACKED_FIRST = 16 * 1024,   /* messages up to this size cost no malloc */
    UNPACKED_MAX = 1024 * 1024,   /* of one message in memory: small fields become large structs */
    UNSENT_MAX = 8 * 1024 * 1024, /* bytes waiting for a slow reader */
    HELLO_WITHIN = 2000,          /* ms from the connection to the other side's Hello */
};

extern const struct stream_limits frame_limits;

struct unpacker { /* memory for one message at a time */
    struct arena arena;
    _Alignas(max_align_t) char first[UNPACKED_FIRST];
};

void unpacker_init(struct unpacker *u);
void unpacker_fini(struct unpacker *u);

typedef int frame_fn(void *arg, const ProtobufCMessage *msg);
/* Unpacks the whole frames of in and gives each to fn, while that returns 0 and the stream is open.
 * Returns the bytes used, or the error: fn's or CS_EPROTO. */
CS_CHECK ptrdiff_t frames_read(struct unpacker *u, const struct stream *s,
                               const ProtobufCMessageDescriptor *type, struct span in, frame_fn *fn,
                               void *arg);
/* Packs straight into the stream's memory. CS_ELIMIT, UV_ENOTCONN. */
CS_CHECK int frame_write(struct stream *s, const ProtobufCMessage *msg);

#endif
