/* SIP messages that operators look at, in the whole installation (auth.proto, Trace and Traced).
 *
 * cs:{traces} is a hash of what is looked at, by id; every authd reads it each second, and tells
 * its fronts. Who looks renews his field; what nobody renews ends within half a minute by itself.
 * cs:trace:{ID} is a stream of messages, their secrets masked by the fronts: each authd appends
 * what its fronts tell, the one that was asked reads it. It is bounded, and gone within a minute;
 * what it could not hold is missed, and counted, for messages have numbers. */
#ifndef CS_AUTHD_AUDIT_TRACES_H
#define CS_AUTHD_AUDIT_TRACES_H

#include "auth.pb-c.h"
#include "net/loop.h"
#include "redis/redis.h"

struct traces;
struct trace_look;

enum { TRACES_MAX = 8 }; /* at once in the installation */

CS_CHECK int traces_new(struct loop *l, struct redis *r, struct traces **out);
/* When nobody looks any more. */
void traces_free(struct traces **t);

/* ---- fronts ---- */
/* m is to be told to every front; seconds are 0 when it is over. Borrowed. */
typedef void traces_fn(void *arg, const Countersign__Auth__Trace *m);
/* One at a time, NULL for none. */
void traces_listen(struct traces *t, traces_fn *fn, void *arg);
/* All that stand, for a front that comes. */
void traces_each(struct traces *t, traces_fn *fn, void *arg);
/* A front tells of a message. */
void traces_took(struct traces *t, Countersign__Auth__Role role, const char *node,
                 const Countersign__Auth__Traced *m);

/* ---- who looks ---- */
struct trace_entry { /* borrowed until the next call */
    struct span node, role;
    struct span peer; /* name of the node at the other end; absent: none, or not known yet */
    uint64_t dropped; /* messages of this node since the one before */
    const Countersign__Auth__Traced *traced; /* its text absent: it tells what was dropped alone */
};

/* id and seconds of what are ignored. wake(arg) when trace_next() has something. NULL: there are
 * TRACES_MAX, no memory, or no Redis. */
struct trace_look *trace_begin(struct traces *t, const Countersign__Auth__Trace *what,
                               void (*wake)(void *arg), void *arg);
/* In the order of their times, as far as a fifth of a second can tell; false: none for now. */
bool trace_next(struct trace_look *l, struct trace_entry *out);
/* Fronts are told that nobody looks; what they told before still comes for a moment. */
void trace_stop(struct trace_look *l);
void trace_end(struct trace_look **l);

#endif
