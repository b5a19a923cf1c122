/* WebSocket behind its handshake, either side (RFC 6455, 5 to 7): frames to messages and
 * back. Does no I/O. wslay reads frames, but those that are a whole message; it is known to ws.c
 * alone.
 *
 * A connection that is between two messages holds no reader: thousands of idle browsers share one.
 * All in one thread. */
#ifndef CS_NET_WS_H
#define CS_NET_WS_H

#include "base/span.h"

/* Close codes (RFC 6455, 7.4.1, and IANA's registry). */
enum ws_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001, /* this server stops: another one, or this one later */
    WS_PROTOCOL = 1002,
    WS_UNSUPPORTED = 1003, /* what came is no SIP */
    WS_BAD_TEXT = 1007,    /* not UTF-8 */
    WS_POLICY = 1008,      /* who is banned, too slow, or too many */
    WS_TOO_BIG = 1009,
    WS_INTERNAL = 1011,
    WS_UNAUTHORIZED =
        3000, /* the token or ticket of the handshake holds no longer: fetch another */
};

enum { WS_FRAME_MAX = 14 /* bytes of a frame's head */, WS_PIECES_MAX = 128 /* of one message */ };

struct ws_reader;

/* What is free for the next one; zero is empty. */
struct ws_shelf {
    struct ws_reader *spare;
    char *text; /* of size bytes: what a message is unmasked into; NULL: none, or it is in use */
    size_t size;
};
void ws_shelf_fini(struct ws_shelf *shelf);

struct ws_events {
    /* A whole message, text or binary, borrowed for the call, in which the peer may be closed. */
    void (*message)(void *arg, struct span data);
    /* A ping or pong came. */
    void (*alive)(void *arg);
    /* To be sent to the peer; borrowed. */
    void (*write)(void *arg, struct span bytes);
};

struct ws {                   /* embedded; members are ws.c's */
    struct ws_reader *reader; /* of a message in several frames; NULL: none is under way */
    unsigned pieces;          /* of that message */
    bool closed;              /* nothing is read or written any more */
    bool client;              /* set by the owner: what we send is masked (5.3) */
};

/* Reads what came. Returns the bytes used, or, when the connection has to end and the close frame
 * was written: CS_ECLOSED (the peer asked for it), CS_EPROTO, CS_ELIMIT (beyond max bytes, or in
 * too many pieces), CS_ENOMEM. Once a message has led to ws_close(), the
 * rest is left out, and so is what comes later, until the peer has agreed: CS_ECLOSED. */
CS_CHECK ptrdiff_t ws_feed(struct ws *w, struct ws_shelf *shelf, struct span in, size_t max,
                           const struct ws_events *events, void *arg);
/* The bytes up to the end of the first message of in, or of its whole frames when none of them ends
 * one; 0: there is none that ws_feed() would take. */
size_t ws_first(struct span in, size_t max);
/* Whether a message has begun whose end is missing. */
static inline bool ws_is_partial(const struct ws *w)
{
    return w->pieces > 0;
}
/* Writes the frame of a message, of at most WS_FRAME_MAX + message.n bytes, and returns its length:
 * what is not UTF-8 goes as binary, or browsers would close (RFC 6455, 8.1). */
size_t ws_frame(const struct ws *w, char *to, struct span message);
void ws_ping(const struct ws *w, const struct ws_events *events, void *arg);
/* Says why, unless that was said already. The reason is for people, at most 123 bytes. */
void ws_close(struct ws *w, enum ws_code code, struct span reason, const struct ws_events *events,
              void *arg);
void ws_fini(struct ws *w);

#endif
