/* STUN on the SIP port (RFC 5626, 8; RFC 8489): Binding requests without credentials, by which a
 * phone keeps its flow over UDP and sees when its address changed. Pure functions. */
#ifndef CS_SIPTP_STUN_H
#define CS_SIPTP_STUN_H

#include "stun/stun.h"

/* The answer to what came from there, at most STUN_ANSWER_MAX bytes: the address seen, or, where
 * the request wants what is not known here, what that is. Nothing where none is due: it is no
 * Binding request, malformed, or its FINGERPRINT is wrong. */
enum { STUN_ANSWER_MAX = 64 };
void stun_answer(struct buf *b, struct span in, const struct addr *from);

#endif
