/* Where messages begin and end in a stream: SIP by its Content-Length (RFC 3261, 18.3), and in
 * WebSocket messages of one frame each, the client's side (RFC 6455; RFC 7118). Pure functions that
 * share no code with the server under test. */
#ifndef SIPLOAD_FRAME_H
#define SIPLOAD_FRAME_H

#include "base/buf.h"

enum { FRAME_TEXT = 1, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10 };

/* Takes the first whole message off *in, and what keeps a connection alive before it: 1, 0 when
 * more is needed, CS_EPROTO. */
CS_CHECK int frame_sip(struct span *in, struct span *out);

/* The request of the opening handshake, and whether the answer at the begin of *in takes it, which
 * is taken off then: 1, 0 when more is needed, CS_EDENIED. */
void frame_hello(struct buf *b);
CS_CHECK int frame_welcome(struct span *in);
/* One frame of a server: opcode and payload. 1, 0 when more is needed, CS_EPROTO for what no server
 * here sends: masked, in pieces, or longer than 64 KiB. */
CS_CHECK int frame_ws(struct span *in, unsigned *opcode, struct span *out);
/* Writes a frame, masked. */
void frame_write(struct buf *b, unsigned opcode, struct span payload);

#endif
