/* Server-sent events (HTML Living Standard, 9.2.6), as they come in pieces. No I/O. */
#ifndef CS_TOOLS_SSE_H
#define CS_TOOLS_SSE_H

#include "base/span.h"

enum { SSE_LINE_MAX = 64 * 1024, SSE_ID_MAX = 64 };

struct sse { /* zero is a stream that begins */
    char line[SSE_LINE_MAX];
    size_t n;
    bool too_long, skip_lf;
    char data[SSE_LINE_MAX];
    size_t n_data;
    bool has_data;
    char event[32];
    char id[SSE_ID_MAX + 1]; /* of the last event that had one; stays from event to event */
};

/* fn is called for each event that has data, borrowed for the call; false stops. An event that is
 * longer than SSE_LINE_MAX is left out. False: fn said so. */
bool sse_feed(struct sse *s, struct span piece,
              bool (*fn)(void *arg, struct span event, struct span data), void *arg);
/* Another connection: what was cut off is forgotten, the id is not. */
void sse_restart(struct sse *s);

#endif
