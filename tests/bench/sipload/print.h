/* What load generators say as JSON of what they measured. */
#ifndef SIPLOAD_PRINT_H
#define SIPLOAD_PRINT_H

#include "latency.h"
#include "usage.h"

/* Members of an object, each line with its comma: ops, seconds, ops_per_s, latency_us, cpu, cpu_us,
 * cpu_us_per_op. */
void print_measured(uint64_t ops, double seconds, const struct latency *latency,
                    const struct usage *usage);

#endif
