/* Asks authd as often as it answers (so many questions under way), or at a rate, and measures.
 * Every answer is checked. */
#ifndef AUTHLOAD_LOAD_H
#define AUTHLOAD_LOAD_H

#include "latency.h"
#include "usage.h"
#include "way.h"

enum { SLOTS_MAX = 4096 };

struct load_options {
    enum kind kind;
    unsigned inflight; /* closed loop */
    double rate;       /* open loop, a second; 0: closed */
    double beside;     /* tokens shown besides, a second, not counted; 0: none */
    double warmup_s, duration_s;
};

struct load_result {
    uint64_t ops;
    double seconds;
    struct latency latency;
    uint64_t beside;  /* tokens that passed besides */
    uint64_t wrong;   /* answers that are not as they must be, of the whole run */
    uint64_t overrun; /* arrivals for which no slot or phone was free */
    char first_wrong[300];
};

struct load;
/* Over what way(): called once with what to tell it. */
typedef struct way *load_open_fn(void *arg, struct loop *l, const struct way_events *events,
                                 void *way_arg);
/* CS_ECLOSED when authd went away or was not there; usage is measured over the same time as ops. */
CS_CHECK int load_run(const struct load_options *o, struct asker *asker, load_open_fn *open,
                      void *open_arg, struct usage *usage, struct load_result *out);

#endif
