#include "net/ws.h"

#include <assert.h>
#include <stdlib.h>
#include <wslay/wslay.h>

#include "base/buf.h"
#include "base/rand.h"

enum {
    FIN = 0x80,
    OPCODE = 0x0f,
    CONTROL = 0x08,
    MASKED = 0x80,
    LENGTH = 0x7f,
    LENGTH16 = 126,
    LENGTH64 = 127,
    CONTROL_MAX = 125, /* RFC 6455, 5.5 */
    MASK_LEN = 4,
};

/* wslay reads whole frames only, so between two messages it knows nothing worth keeping. */
struct ws_reader {
    wslay_event_context_ptr wslay;
    struct ws *ws; /* whose turn it is */
    struct span in;
    const struct ws_events *events;
    void *arg;
    bool closed_by_peer, client;
};

/* ---- what wslay asks for ---- */

static ssize_t on_read(wslay_event_context_ptr ctx, uint8_t *to, size_t n, int flags, void *arg)
{
    struct ws_reader *r = arg;
    (void)flags;
    n = CS_MIN(n, r->in.n);
    if (!n) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(to, r->in.p, n);
    r->in = span_skip(r->in, n);
    return (ssize_t)n;
}

static ssize_t on_write(wslay_event_context_ptr ctx, const uint8_t *data, size_t n, int flags,
                        void *arg)
{
    struct ws_reader *r = arg;
    (void)ctx;
    (void)flags;
    r->events->write(r->arg, span_of(data, n));
    return (ssize_t)n;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m,
                       void *arg)
{
    struct ws_reader *r = arg;
    if (m->opcode == WSLAY_CONNECTION_CLOSE)
        r->closed_by_peer = true;
    else if (wslay_is_ctrl_frame(m->opcode))
        r->events->alive(r->arg);
    else if (!r->ws->closed)
        r->events->message(r->arg, span_of(m->msg, m->msg_length));
    if (r->ws->closed)
        wslay_event_shutdown_read(ctx);
}

static int on_mask(wslay_event_context_ptr ctx, uint8_t *to, size_t n, void *arg)
{
    (void)ctx;
    (void)arg;
    rand_bytes(to, n);
    return 0;
}

static struct ws_reader *reader_new(bool client)
{
    static const struct wslay_event_callbacks callbacks = { .recv_callback = on_read,
                                                            .send_callback = on_write,
                                                            .on_msg_recv_callback = on_message,
                                                            .genmask_callback = on_mask };
    struct ws_reader *r = calloc(1, sizeof(*r));
    int failed = !r       ? WSLAY_ERR_NOMEM
                 : client ? wslay_event_context_client_init(&r->wslay, &callbacks, r)
                          : wslay_event_context_server_init(&r->wslay, &callbacks, r);
    if (!failed) {
        r->client = client;
        return r;
    }
    free(r);
    return NULL;
}

static void reader_free(struct ws_reader *r)
{
    if (r)
        wslay_event_context_free(r->wslay);
    free(r);
}

/* ---- whole frames ---- */

/* Puts a mask on or takes it off (RFC 6455, 5.3); in place, too. */
static void mask_bytes(char *to, const char *from, size_t n, const char *mask)
{
    uint64_t eight, word;
    size_t i = 0;
    memcpy(&eight, mask, MASK_LEN);
    memcpy((char *)&eight + MASK_LEN, mask, MASK_LEN);
    for (; n - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, from + i, sizeof(word));
        word ^= eight;
        memcpy(to + i, &word, sizeof(word));
    }
    for (; i < n; i++)
        to[i] = (char)(from[i] ^ mask[i % MASK_LEN]);
}

/* Length of the first frame, 0 when more is needed, negative when it cannot be taken. wslay judges
 * the rest of its head. */
static ptrdiff_t frame_length(struct span in, size_t max)
{
    const unsigned char *p = (const unsigned char *)in.p;
    size_t head = 2;
    uint64_t length;
    if (in.n < head)
        return 0;
    length = p[1] & LENGTH;
    if ((p[0] & CONTROL) && length > CONTROL_MAX)
        return CS_EPROTO;
    size_t more = length == LENGTH16 ? 2 : length == LENGTH64 ? 8 : 0;
    if (in.n < head + more)
        return 0;
    if (more)
        length = 0;
    for (size_t i = 0; i < more; i++)
        length = length << 8 | p[head + i];
    head += more + (p[1] & MASKED ? MASK_LEN : 0);
    if (length > max)
        return CS_ELIMIT;
    return in.n < head + length ? 0 : (ptrdiff_t)(head + length);
}

static bool ends_message(struct span frame)
{
    unsigned char first = (unsigned char)frame.p[0];
    return !(first & CONTROL) && first & FIN;
}

size_t ws_first(struct span in, size_t max)
{
    struct span rest = in;
    for (ptrdiff_t n; (n = frame_length(rest, max)) > 0;) {
        bool last = ends_message(rest);
        rest = span_skip(rest, (size_t)n);
        if (last)
            break;
    }
    return in.n - rest.n;
}

/* Counts what a message is made of. */
static void count(struct ws *w, struct span frame)
{
    assert(frame.p); /* a whole one */
    unsigned char first = (unsigned char)frame.p[0];
    if (!(first & CONTROL))
        w->pieces = first & FIN ? 0 : w->pieces + 1;
}

static enum ws_code code_of(int err)
{
    return err == CS_ELIMIT ? WS_TOO_BIG : err == CS_ENOMEM ? WS_INTERNAL : WS_PROTOCOL;
}

/* What wslay made of the frames: answers to pings and to a close, and its own close. */
static int settle(struct ws_reader *r)
{
    struct ws *w = r->ws;
    if (w->closed) /* we said so in a callback */
        return 0;
    if (wslay_event_send(r->wslay))
        return CS_ENOMEM;
    if (!wslay_event_get_close_sent(r->wslay))
        return 0;
    w->closed = true;
    unsigned code = wslay_event_get_status_code_sent(r->wslay);
    return r->closed_by_peer                    ? CS_ECLOSED
           : code == WSLAY_CODE_MESSAGE_TOO_BIG ? CS_ELIMIT
                                                : CS_EPROTO;
}

static int read_frames(struct ws *w, struct ws_shelf *shelf, struct span frames, size_t max,
                       const struct ws_events *events, void *arg)
{
    bool fits = shelf->spare && shelf->spare->client == w->client;
    struct ws_reader *r = w->reader ? w->reader : fits ? shelf->spare : reader_new(w->client);
    if (!r)
        return CS_ENOMEM;
    if (r == shelf->spare)
        shelf->spare = NULL;
    w->reader = NULL; /* a callback may end w */
    r->ws = w;
    r->in = frames;
    r->events = events;
    r->arg = arg;
    wslay_event_config_set_max_recv_msg_length(r->wslay, max);
    int failed = wslay_event_recv(r->wslay); /* our own callbacks never fail */
    int err = failed == WSLAY_ERR_NOMEM ? CS_ENOMEM : failed ? CS_EPROTO : settle(r);
    r->ws = NULL;
    if (!err && !w->closed && w->pieces) {
        w->reader = r;
    } else if (!err && !w->closed && !shelf->spare) {
        assert(!r->in.n);
        shelf->spare = r;
    } else {
        reader_free(r);
    }
    return err;
}

/* Nearly all messages come in one frame, of which wslay would look at each byte for itself: these
 * are unmasked here. Length of the frame, or 0 when it is for wslay to judge. */
static size_t read_whole(struct ws *w, struct ws_shelf *shelf, struct span in, size_t max,
                         const struct ws_events *events, void *arg)
{
    const unsigned char *p = (const unsigned char *)in.p;
    const ptrdiff_t whole = frame_length(in, max);
    if (whole <= 0 || w->client || w->pieces || !(p[1] & MASKED) ||
        (p[0] != (FIN | WSLAY_TEXT_FRAME) && p[0] != (FIN | WSLAY_BINARY_FRAME)))
        return 0;
    const unsigned length = p[1] & LENGTH;
    const size_t head = 2 + (length == LENGTH16 ? 2 : 0) + MASK_LEN;
    const size_t n = (size_t)whole - head;
    if (length == LENGTH64 || (length == LENGTH16 && n <= CONTROL_MAX)) /* not the shortest form? */
        return 0;
    if (n > shelf->size) {
        char *more = realloc(shelf->text, max);
        if (!more)
            return 0;
        shelf->text = more;
        shelf->size = max;
    }
    char *text = shelf->text;
    if (!text)
        return 0;
    shelf->text = NULL; /* a callback may read from another */
    mask_bytes(text, in.p + head, n, in.p + head - MASK_LEN);
    const struct span message = span_of(text, n);
    bool good = p[0] == (FIN | WSLAY_BINARY_FRAME) || span_is_utf8(message);
    if (good)
        events->message(arg, message);
    shelf->text = text;
    return good ? (size_t)whole : 0;
}

/* Behind our own close only the peer's is waited for (RFC 6455, 7.1.2). */
static ptrdiff_t skip_frames(struct span in, size_t max)
{
    struct span rest = in;
    for (ptrdiff_t n; (n = frame_length(rest, max)) != 0; rest = span_skip(rest, (size_t)n)) {
        if (n < 0)
            return n;
        if (((unsigned char)rest.p[0] & OPCODE) == WSLAY_CONNECTION_CLOSE)
            return CS_ECLOSED;
    }
    return (ptrdiff_t)(in.n - rest.n);
}

ptrdiff_t ws_feed(struct ws *w, struct ws_shelf *shelf, struct span in, size_t max,
                  const struct ws_events *events, void *arg)
{
    size_t whole = 0, first = 0;
    ptrdiff_t n = 0;
    if (w->closed)
        return skip_frames(in, max);
    do {
        n = (ptrdiff_t)read_whole(w, shelf, span_skip(in, first), max, events, arg);
        first += (size_t)n;
    } while (n && !w->closed);
    if (w->closed)
        return (ptrdiff_t)in.n;
    whole = first;
    while (w->pieces <= WS_PIECES_MAX && (n = frame_length(span_skip(in, whole), max)) > 0) {
        count(w, span_skip(in, whole));
        whole += (size_t)n;
    }
    const struct span rest = span_of(in.p + first, whole - first);
    int err = rest.n ? read_frames(w, shelf, rest, max, events, arg) : 0;
    if (!err && !w->closed)
        err = n < 0 ? (int)n : w->pieces > WS_PIECES_MAX ? CS_ELIMIT : 0;
    if (!err)
        return (ptrdiff_t)(w->closed ? in.n : whole);
    ws_close(w, code_of(err), SPAN_NULL, events, arg);
    return err;
}

/* ---- the way out ---- */

/* Returns the length of the whole frame. */
static size_t put_frame(const struct ws *w, char *to, unsigned opcode, struct span payload)
{
    const size_t n = payload.n;
    size_t at = 2, more = n <= CONTROL_MAX ? 0 : n <= UINT16_MAX ? 2 : 8;
    const unsigned length = more == 0 ? (unsigned)n : more == 2 ? LENGTH16 : LENGTH64;
    to[0] = (char)(FIN | opcode);
    to[1] = (char)(length | (w->client ? MASKED : 0));
    while (more--)
        to[at++] = (char)((uint64_t)n >> (8 * more));
    const char *mask = to + at;
    if (w->client) {
        rand_bytes(to + at, MASK_LEN);
        at += MASK_LEN;
    }
    if (w->client)
        mask_bytes(to + at, payload.p, n, mask);
    else if (n)
        memcpy(to + at, payload.p, n);
    return at + n;
}

size_t ws_frame(const struct ws *w, char *to, struct span message)
{
    return put_frame(w, to, span_is_utf8(message) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, message);
}

static void write_control(const struct ws *w, unsigned opcode, struct span payload,
                          const struct ws_events *events, void *arg)
{
    char frame[WS_FRAME_MAX + CONTROL_MAX];
    events->write(arg, span_of(frame, put_frame(w, frame, opcode, payload)));
}

void ws_ping(const struct ws *w, const struct ws_events *events, void *arg)
{
    write_control(w, WSLAY_PING, SPAN_NULL, events, arg);
}

void ws_close(struct ws *w, enum ws_code code, struct span reason, const struct ws_events *events,
              void *arg)
{
    char payload[CONTROL_MAX];
    struct buf b = BUF_INIT(payload);
    if (w->closed)
        return;
    w->closed = true;
    buf_putc(&b, (char)(code >> 8));
    buf_putc(&b, (char)code);
    buf_put(&b, span_head(reason, CONTROL_MAX - 2));
    write_control(w, WSLAY_CONNECTION_CLOSE, buf_span(&b), events, arg);
}

void ws_fini(struct ws *w)
{
    reader_free(w->reader);
    *w = (struct ws){ .closed = true };
}

void ws_shelf_fini(struct ws_shelf *shelf)
{
    reader_free(shelf->spare);
    free(shelf->text);
    *shelf = (struct ws_shelf){ 0 };
}
