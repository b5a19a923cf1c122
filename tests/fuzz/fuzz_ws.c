/* Frames of WebSocket, at a server and at a client: messages and the end do not change with how the
 * bytes are cut, what is sent back is whole frames, and nothing is read behind an end. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "net/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 4096 };

struct end {
    struct ws ws;
    size_t messages, bytes, sent;
    uint64_t sum;
};

static void on_message(void *arg, struct span data)
{
    struct end *e = arg;
    assert(data.n <= MAX);
    e->messages++;
    e->bytes += data.n;
    for (size_t i = 0; i < data.n; i++)
        e->sum = e->sum * 31 + (unsigned char)data.p[i];
}

static void on_alive(void *arg)
{
    ((struct end *)arg)->messages++;
}

static void on_write(void *arg, struct span bytes)
{
    ((struct end *)arg)->sent += bytes.n;
}

static const struct ws_events events = { on_message, on_alive, on_write };

/* As net/stream does it: what is not used comes again, with more behind it. */
static ptrdiff_t feed(struct end *e, struct span in, size_t piece)
{
    static struct ws_shelf shelf;
    size_t used = 0;
    for (size_t at = 0; at < in.n;) {
        at = CS_MIN(in.n, at + piece);
        char *exact = malloc(at - used + 1);
        memcpy(exact, in.p + used, at - used);
        ptrdiff_t n = ws_feed(&e->ws, &shelf, span_of(exact, at - used), MAX, &events, e);
        free(exact);
        if (n < 0)
            return n;
        assert((size_t)n <= at - used);
        used += (size_t)n;
    }
    assert(in.n - used <= MAX + WS_FRAME_MAX);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const bool client = data[0] & 0x80;
    const size_t piece = data[0] & 0x7f;
    struct end whole = { .ws.client = client }, cut = { .ws.client = client };
    struct span in = span_of(data + 1, size - 1);
    ptrdiff_t a = feed(&whole, in, in.n), b = feed(&cut, in, piece ? piece : 1);
    assert(a == b && whole.messages == cut.messages && whole.sum == cut.sum);
    assert(whole.ws.closed == (a < 0));
    assert(a < 0 || whole.sent == cut.sent); /* an end may overtake a pong */
    ws_fini(&whole.ws);
    ws_fini(&cut.ws);
    return 0;
}
