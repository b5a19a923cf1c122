/* Calls that wait for somebody to go on with them: a call is parked by transferring it to a slot,
 * and taken by dialling that. */
#ifndef CS_B2BUA_CALL_PARK_H
#define CS_B2BUA_CALL_PARK_H

#include "b2bua/call/call_impl.h"

/* What the dial plan calls it by: slots are the numbers that lead there. */
#define PARK SPAN("park")

/* The leg that stands in for who parks c (c->replaced), until its slot is dialled; he is called
 * back now and then. An absent slot is none, and the leg waits for whom it was made for. NULL: the
 * slot is taken, or there is no memory. */
struct leg *park_leg(struct call *c, struct span slot, struct span sdp,
                     const struct leg_events *events, void *arg);
/* Who dials a slot has the call in it: 0, and c is no more; or what he is told. */
unsigned park_take(struct call *c, struct span slot);
/* The first of calls.park.slots that nobody is in; absent: there is none. */
struct span park_free_slot(const struct ua *u);

#endif
