/* INVITEs of one source, so many a second whatever comes of it. */
#ifndef SIPLOAD_FLOOD_H
#define SIPLOAD_FLOOD_H

#include "message.h"
#include "wire.h"

struct flood_result {
    uint64_t sent, answers;
    double seconds;
};

/* Over the first socket of wire. */
void flood_run(struct wire *wire, const struct site *site, double rate, double duration_s,
               struct flood_result *out);

#endif
