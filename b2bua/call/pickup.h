/* A call that rings elsewhere is taken here: by who calls the number of that for his group, or for
 * one line of it. */
#ifndef CS_B2BUA_CALL_PICKUP_H
#define CS_B2BUA_CALL_PICKUP_H

#include "b2bua/call/call_impl.h"

/* What the dial plan calls it by. */
#define PICKUP SPAN("pickup")

/* by calls that; called: a line, or else whoever of his groups is called longest. 0: by is gone
 * when the other call stands; or what he is told. */
unsigned pickup_begin(struct call *by, struct span called);
/* One of both is no more. */
void pickup_drop(struct call *c);

#endif
