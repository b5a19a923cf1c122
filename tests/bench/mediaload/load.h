/* Plays streams at the pace of telephones, and counts what comes of them. */
#ifndef MEDIALOAD_LOAD_H
#define MEDIALOAD_LOAD_H

#include "ends.h"
#include "latency.h"
#include "usage.h"

struct load_options {
    double warmup_s, duration_s;
    int64_t tick_ns; /* what is due by then is sent together */
};

struct load_result {
    uint64_t sent, good, wrong[STREAM_VERDICTS]; /* of those that were sent while measured */
    struct latency latency; /* from before a batch was sent until the kernel had it for us */
    double seconds;
    int64_t late_ns; /* the tick that began most behind its time */
    uint32_t next;   /* sequence number */
};

void load_run(const struct load_options *o, struct streams *s, struct ends *e, struct usage *u,
              struct load_result *r);

#endif
