/* What somebody wants to see (auth.proto, Trace), and whether a message is of it. A call is shown
 * whole: once a message of it fits, all that have its Call-ID do. No I/O. */
#ifndef CS_CAPTURE_TRACE_H
#define CS_CAPTURE_TRACE_H

#include "auth.pb-c.h"
#include "base/addr.h"
#include "base/clock.h"
#include "sip/msg.h"

enum { TRACE_AORS = 66, TRACE_KNOWN = 256, TRACE_RATE_MAX = 500 };

struct trace {
    uint64_t id; /* 0: none */
    struct mono until;
    char aor[TRACE_AORS][SIP_AOR_MAX + 1]; /* "sip:alice@example.com", or "alice" */
    size_t n_aors;
    char call_id[256];  /* "": not asked for */
    struct addr source; /* family none: the same */
    bool all;
    unsigned rate;
    int64_t left;                /* thousandths of messages that may be told now */
    struct mono filled;          /* when that was so */
    uint64_t number, told;       /* so many did fit; the last that was told */
    uint64_t known[TRACE_KNOWN]; /* hashes of Call-IDs, the newest over the oldest */
    size_t n_known;
};

/* What is wished, or what is said again, which keeps what it knows. CS_EPROTO when it asks for what
 * nothing can fit. */
CS_CHECK int trace_set(struct trace *t, const Countersign__Auth__Trace *m, struct mono now);

struct shown { /* a message; all borrowed */
    const struct sip_msg *msg;
    const struct addr *remote; /* family none: of the trusted link */
    struct span origin;        /* Call-ID that its call began with; absent: its own */
};
/* Whether it is of it; remembers its Call-ID then, and counts it. */
bool trace_fits(struct trace *t, const struct shown *s);
/* Whether one more may be told now. */
bool trace_may(struct trace *t, struct mono now);

#endif
