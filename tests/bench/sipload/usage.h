/* CPU time and context switches of processes; the time from the scheduler's own nanoseconds:
 * /proc/PID/stat counts ticks of 10 milliseconds and charges them to whoever runs at the tick. */
#ifndef SIPLOAD_USAGE_H
#define SIPLOAD_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { USAGE_PROCESSES = 64 };

struct usage {
    int pid[USAGE_PROCESSES];
    /* All of these between the two calls below. */
    int64_t ns[USAGE_PROCESSES];
    int64_t waits[USAGE_PROCESSES];     /* it had nothing to do, and was woken again */
    int64_t preempted[USAGE_PROCESSES]; /* it had to let others run */
    int64_t own_ns;                     /* of this process */
    size_t n;
};

/* Adds the processes of "12,345". CS_EPROTO when it is no such list, or too long. */
CS_CHECK int usage_of(struct usage *u, const char *list);
void usage_begin(struct usage *u);
void usage_end(struct usage *u);

#endif
