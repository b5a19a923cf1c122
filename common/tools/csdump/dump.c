#include "dump.h"

#include "base/buf.h"

enum { LINE_SIZE = 4 * IPC_MAX_FRAME };

void dump_frame(struct wall time, enum direction dir, unsigned conn, struct span payload, FILE *out)
{
    static char line[LINE_SIZE];
    struct buf b = BUF_INIT(line);
    char when[WALL_STRLEN];
    const ProtobufCMessageDescriptor *type = dir == TO_AUTHD
                                                 ? &countersign__auth__to_authd__descriptor
                                                 : &countersign__auth__from_authd__descriptor;
    ProtobufCMessage *m =
        protobuf_c_message_unpack(type, NULL, payload.n, (const uint8_t *)payload.p);
    wall_format(time, when);
    if (m)
        ipc_print(&b, m);
    else
        buf_printf(&b, "<%zu bytes that are no message>", payload.n);
    fprintf(out, "%s ", when);
    if (conn)
        fprintf(out, "#%u ", conn);
    fprintf(out, "%s " SPAN_FMT "%s\n", dir == TO_AUTHD ? "->" : "<-", SPAN_ARG(buf_span(&b)),
            buf_ok(&b) ? "" : " ...");
    if (m)
        protobuf_c_message_free_unpacked(m, NULL);
}

static void put_u64(unsigned char *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (unsigned char)(v >> 8 * (bytes - 1 - i));
}

void dump_record(struct wall time, enum direction dir, struct span payload, FILE *to)
{
    unsigned char head[RECORD_HEAD + 4];
    put_u64(head, (uint64_t)time.ms, 8);
    head[8] = (unsigned char)dir;
    put_u64(head + RECORD_HEAD, payload.n, 4);
    fwrite(head, 1, sizeof(head), to);
    fwrite(payload.p, 1, payload.n, to);
    fflush(to);
}

ptrdiff_t dump_records(struct span in, FILE *out)
{
    struct span left = in, payload;
    while (left.n > RECORD_HEAD) {
        uint64_t ms = 0;
        for (unsigned i = 0; i < 8; i++)
            ms = ms << 8 | (unsigned char)left.p[i];
        char dir = left.p[8];
        if ((dir != TO_AUTHD && dir != FROM_AUTHD) || ms > INT64_MAX / 2)
            return CS_EPROTO;
        ptrdiff_t n = ipc_frame(span_skip(left, RECORD_HEAD), &payload);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        dump_frame((struct wall){ (int64_t)ms }, (enum direction)dir, 0, payload, out);
        left = span_skip(left, RECORD_HEAD + (size_t)n);
    }
    return (ptrdiff_t)(in.n - left.n);
}
