/* Any bytes as frames from a front: each unpacked under the same bounds as in a daemon, printed
 * without its secrets, packed again. */
#include <assert.h>
#include <stdlib.h>

#include "base/util.h"
#include "ipc/ipc.h"
#include "proto/codec.h"

static void use(const ProtobufCMessage *msg)
{
    static char text[4 * IPC_MAX_FRAME];
    struct buf b = buf_of(text, sizeof(text));
    ipc_print(&b, msg);
    for (size_t i = 0; i < b.n; i++)
        assert((unsigned char)text[i] >= ' ');
    size_t n = protobuf_c_message_get_packed_size(msg);
    uint8_t *packed = malloc(n + 1);
    assert(packed && protobuf_c_message_pack(msg, packed) == n);
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &countersign__auth__to_authd__descriptor,
        &countersign__auth__from_authd__descriptor,
    };
    struct span in = span_of(data, size), frame;
    ptrdiff_t used;
    while ((used = ipc_frame(in, &frame)) > 0) {
        assert(frame.n >= 1 && frame.n <= IPC_MAX_FRAME && (size_t)used == frame.n + 4);
        assert(frame.p >= in.p && frame.p + frame.n <= in.p + in.n);
        in = span_skip(in, (size_t)used);
        for (size_t i = 0; i < CS_LEN(types); i++) {
            struct arena a;
            arena_init(&a, NULL, 0, 1024 * 1024);
            const ProtobufCMessage *msg = proto_unpack(types[i], frame, &a);
            if (msg)
                use(msg);
            assert(a.total <= 1024 * 1024);
            arena_fini(&a);
        }
    }
    return 0;
}
