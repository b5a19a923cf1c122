#include "ipc/frame.h"

#include <arpa/inet.h>

#include "proto/codec.h"

const struct stream_limits frame_limits = {
    .max_unread = FRAME_HEAD + IPC_MAX_FRAME,
    .max_unsent = UNSENT_MAX,
};

ptrdiff_t ipc_frame(struct span in, struct span *frame)
{
    const unsigned char *p = (const unsigned char *)in.p;
    *frame = SPAN_NULL;
    if (in.n < FRAME_HEAD)
        return 0;
    uint32_t n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    if (n == 0 || n > IPC_MAX_FRAME)
        return CS_EPROTO;
    if (in.n - FRAME_HEAD < n)
        return 0;
    *frame = span_of(in.p + FRAME_HEAD, n);
    return FRAME_HEAD + (ptrdiff_t)n;
}

void unpacker_init(struct unpacker *u)
{
    arena_init(&u->arena, u->first, sizeof(u->first), UNPACKED_MAX);
}

void unpacker_fini(struct unpacker *u)
{
    arena_fini(&u->arena);
}

ptrdiff_t frames_read(struct unpacker *u, const struct stream *s,
                      const ProtobufCMessageDescriptor *type, struct span in, frame_fn *fn,
                      void *arg)
{
    struct span rest = in, frame;
    ptrdiff_t used;
    int err = 0;
    while (!err && stream_is_open(s) && (used = ipc_frame(rest, &frame)) != 0) {
        if (used < 0)
            return used;
        rest = span_skip(rest, (size_t)used);
        const ProtobufCMessage *msg = proto_unpack(type, frame, &u->arena);
        err = msg ? fn(arg, msg) : CS_EPROTO;
        unpacker_fini(u);
        unpacker_init(u);
    }
    return err ? err : (ptrdiff_t)(in.n - rest.n);
}

int frame_write(struct stream *s, const ProtobufCMessage *msg)
{
    if (!stream_is_open(s))
        return UV_ENOTCONN;
    for (size_t room = FRAME_USUAL;; room = IPC_MAX_FRAME) {
        uint8_t *p = (uint8_t *)stream_reserve(s, FRAME_HEAD + room);
        if (!p)
            return CS_ELIMIT;
        struct buf b = buf_of(p + FRAME_HEAD, room);
        proto_pack(&b, msg);
        if (buf_ok(&b) && b.n) {
            const uint32_t n = htonl((uint32_t)b.n);
            memcpy(p, &n, FRAME_HEAD);
            stream_wrote(s, FRAME_HEAD + b.n);
            return 0;
        }
        if (room == IPC_MAX_FRAME || b.n == 0)
            return CS_ELIMIT;
    }
}
