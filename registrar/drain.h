/* The end of a registrar that is asked for in good time: nothing new is begun, what was begun is
 * finished, connections are closed one after the other, so that not all phones come back at once,
 * and their bindings go. */
#ifndef CS_REGISTRAR_DRAIN_H
#define CS_REGISTRAR_DRAIN_H

#include "registrar/front.h"

struct drain {
    struct front *front;
    struct timer tick;
    struct mono due;
    size_t share; /* connections to close at each tick; 0: not yet */
    void (*fn)(void *arg);
    void *arg;
};

/* fn is called once, not from inside: when all is done, or limits.drain is over. */
void drain_start(struct drain *d, struct front *f, void (*fn)(void *arg), void *arg);
/* fn will not be called. */
void drain_stop(struct drain *d);

#endif
