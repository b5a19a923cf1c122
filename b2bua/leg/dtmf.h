/* Digits in the body of an INFO, as gateways of Cisco have them: "Signal=5", "Duration=160". */
#ifndef CS_B2BUA_LEG_DTMF_H
#define CS_B2BUA_LEG_DTMF_H

#include "base/buf.h"

#define DTMF_RELAY SPAN("application/dtmf-relay")
enum { DTMF_RELAY_MAX = 48, DTMF_MS = 160, DTMF_LONGEST_MS = 5000 };

void dtmf_write(struct buf *b, char digit);
/* The digit of a body of application/dtmf-relay, or of application/dtmf, which is the digit alone;
 * 0: there is none of 0-9, *, #, A-D in it. ms: how long, at most DTMF_LONGEST_MS. */
char dtmf_read(struct span type, struct span body, unsigned *ms);

#endif
