#include "frame.h"

#include <string.h>

#include "base/rand.h"
#include "header.h"

/* The key of RFC 6455, 1.3, and its answer. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum {
    FIN = 0x80,
    MASKED = 0x80,
    LENGTH = 0x7f,
    LENGTH16 = 126,
    LENGTH64 = 127,
    BODY_MAX = 4096,
};

/* The part of in up to the empty line, with it; absent if there is none. */
static struct span head_of(struct span in)
{
    const char *end = memmem(in.p, in.n, "\r\n\r\n", 4);
    return end ? span_head(in, (size_t)(end - in.p) + 4) : SPAN_NULL;
}

int frame_sip(struct span *in, struct span *out)
{
    struct span line;
    struct header h;
    uint64_t length = 0;
    int more;
    while (span_starts(*in, SPAN("\r\n")))
        *in = span_skip(*in, 2);
    struct span head = head_of(*in), rest = head;
    if (!head.p)
        return 0;
    line = span_cut(&rest, '\n');
    while ((more = header_next(&rest, &h)) == 1)
        if (header_is(&h, SPAN("Content-Length"), 'l') && span_u64(h.value, BODY_MAX, &length) != 0)
            return CS_EPROTO;
    if (more != 0 || line.n == 0)
        return CS_EPROTO;
    if (in->n - head.n < length)
        return 0;
    *out = span_head(*in, head.n + (size_t)length);
    *in = span_skip(*in, out->n);
    return 1;
}

void frame_hello(struct buf *b)
{
    buf_lit(b, "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Protocol: sip\r\n"
               "Sec-WebSocket-Version: 13\r\n\r\n");
}

int frame_welcome(struct span *in)
{
    struct header h;
    int accepted = 0, protocol = 0;
    struct span head = head_of(*in), rest = head;
    if (!head.p)
        return 0;
    if (!span_starts(span_cut(&rest, '\n'), SPAN("HTTP/1.1 101 ")))
        return CS_EDENIED;
    while (header_next(&rest, &h) == 1) {
        accepted +=
            header_is(&h, SPAN("Sec-WebSocket-Accept"), 0) && span_eq(h.value, SPAN(ACCEPT));
        protocol +=
            header_is(&h, SPAN("Sec-WebSocket-Protocol"), 0) && span_eq(h.value, SPAN("sip"));
    }
    *in = span_skip(*in, head.n);
    return accepted == 1 && protocol == 1 ? 1 : CS_EDENIED;
}

int frame_ws(struct span *in, unsigned *opcode, struct span *out)
{
    const unsigned char *p = (const unsigned char *)in->p;
    size_t head = 2, length;
    if (in->n < head)
        return 0;
    length = p[1] & LENGTH;
    if (!(p[0] & FIN) || (p[1] & MASKED) || length == LENGTH64)
        return CS_EPROTO;
    if (length == LENGTH16) {
        head = 4;
        if (in->n < head)
            return 0;
        length = (size_t)p[2] << 8 | p[3];
    }
    if (in->n < head + length)
        return 0;
    *opcode = p[0] & 0x0f;
    *out = span_head(span_skip(*in, head), length);
    *in = span_skip(*in, head + length);
    return 1;
}

void frame_write(struct buf *b, unsigned opcode, struct span payload)
{
    unsigned char mask[4];
    rand_bytes(mask, sizeof(mask));
    buf_putc(b, (char)(FIN | opcode));
    if (payload.n < LENGTH16) {
        buf_putc(b, (char)(MASKED | payload.n));
    } else {
        buf_putc(b, (char)(MASKED | LENGTH16));
        buf_putc(b, (char)(payload.n >> 8));
        buf_putc(b, (char)payload.n);
    }
    buf_put(b, span_of(mask, sizeof(mask)));
    for (size_t i = 0; i < payload.n; i++)
        buf_putc(b, (char)((unsigned char)payload.p[i] ^ mask[i % 4]));
}
