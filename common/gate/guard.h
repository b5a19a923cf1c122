/* Whom a front does not hear, and how much strangers may say, as authd tells (auth.proto, Guard and
 * Ban); and what it saw of them besides requests, told to authd once a second. Everything is
 * bounded: of sources the one heard of longest ago makes room, and sightings beyond a second's
 * share are not told. */
#ifndef CS_GATE_GUARD_H
#define CS_GATE_GUARD_H

#include "base/netset.h"
#include "gate/gate.h"
#include "ipc/ipc.h"

struct guard;

/* NULL: out of memory. */
struct guard *guard_new(struct loop *l);
void guard_free(struct guard **g);

/* Forgets every ban: those that stand come behind it. */
void guard_set(struct guard *g, const Countersign__Auth__Guard *m);
/* True when *ban is told: something is banned from now on, or no more. */
bool guard_take(struct guard *g, const Countersign__Auth__Ban *m, struct gate_ban *ban);
/* Whether this source is heard, as far as a stranger's budget goes. */
bool guard_admits(struct guard *g, const struct addr *from);
/* The source for guard_know(); 0: nobody keeps an account of it. */
uint64_t guard_source(const struct guard *g, const struct addr *from);
/* Somebody was accepted there: no stranger any more. */
void guard_know(struct guard *g, uint64_t source);
/* What is malformed costs a stranger as much as ten messages. */
void guard_saw(struct guard *g, Countersign__Auth__Abuse abuse, const struct addr *from,
               bool proven);
/* Sends what was seen; called once a second while there is something. */
typedef void guard_send_fn(void *arg, const Countersign__Auth__Observed *o);
void guard_on_send(struct guard *g, guard_send_fn *fn, void *arg);

#endif
