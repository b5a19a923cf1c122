/* CPU time of processes, from the scheduler's own nanoseconds: /proc/PID/stat counts ticks of 10
 * milliseconds and charges them to whoever runs at the tick. */
#ifndef SIPLOAD_USAGE_H
#define SIPLOAD_USAGE_H

#include <stddef.h>
#include <stdint.h>

enum { USAGE_PROCESSES = 64 };

struct usage {
    int pid[USAGE_PROCESSES];
    int64_t ns[USAGE_PROCESSES]; /* spent between the two calls below */
    size_t n;
};

void usage_begin(struct usage *u);
void usage_end(struct usage *u);

#endif
