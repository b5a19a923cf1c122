/* The phone that is called: it reads the MESSAGE that a server passed on to it, and says 200. */
#ifndef SIPLOAD_CALLEE_H
#define SIPLOAD_CALLEE_H

#include "message.h"

struct delivery {          /* spans borrow from the datagram */
    uint64_t run;          /* that it is of */
    uint32_t caller;       /* index of the phone that it comes from, by its Call-ID */
    uint32_t slot, serial; /* of the request as the caller sent it, by its body */
    struct span uri;       /* where it was sent to */
};

/* Appends the answer, whose To tag is the body, so that the caller knows what arrived. CS_EPROTO
 * when it is no MESSAGE of a run or says about itself what cannot be. */
CS_CHECK int callee_answer(struct buf *b, struct span text, struct delivery *out);
/* Is that where this phone registered? */
bool callee_is(const struct delivery *d, const struct phone *callee);

#endif
