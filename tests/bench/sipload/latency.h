/* Durations counted in buckets at most 1.6 % wide, from a microsecond to a minute. */
#ifndef SIPLOAD_LATENCY_H
#define SIPLOAD_LATENCY_H

#include <stdint.h>

enum { LATENCY_FINE = 64, LATENCY_BUCKETS = 21 * LATENCY_FINE };

struct latency {
    uint64_t count[LATENCY_BUCKETS];
    uint64_t n, max_us;
};

void latency_add(struct latency *l, int64_t ns);
/* Microseconds within which this share (0 to 1) of all durations ended; 0 when there are none. */
uint64_t latency_at(const struct latency *l, double share);

#endif
