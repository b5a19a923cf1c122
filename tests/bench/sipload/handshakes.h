/* Connects, shakes hands over TLS, takes the session ticket, closes, and does it again: what a
 * handshake costs a server, with its connection. */
#ifndef SIPLOAD_HANDSHAKES_H
#define SIPLOAD_HANDSHAKES_H

#include "dial.h"
#include "latency.h"
#include "tls.h"
#include "usage.h"

struct handshakes_conf {
    unsigned inflight;
    enum tls_version version;
    bool resume; /* each with the ticket of the one before it */
    struct sources from;
    double warmup_s, duration_s;
};

struct handshakes_result { /* all of the measured time */
    uint64_t ops;
    uint64_t resumed; /* of them */
    double seconds;
    struct latency latency; /* from the first packet until the ticket is there */
    uint64_t failed, timed_out;
};

CS_CHECK int handshakes_run(const struct addr *server, const struct handshakes_conf *conf,
                            struct usage *usage, struct handshakes_result *out);

#endif
