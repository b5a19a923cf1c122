/* Requests that are not for us: authenticated, then forwarded to the bindings of an AOR, or along
 * the dialog they belong to (RFC 3261, 16). */
#ifndef CS_REGISTRAR_PROXY_H
#define CS_REGISTRAR_PROXY_H

#include "registrar/front.h"

/* Takes the request over: it will be answered. */
void proxy_start(struct front *f, struct tx *tx, struct flow *flow, struct sip_msg *m);
/* Challenges a request without credentials at no cost in memory. False: it was not answered; start
 * it. */
bool proxy_challenge(struct front *f, struct flow *flow, struct sip_msg *m);
/* The caller gave up the INVITE of this transaction. */
void proxy_cancel(struct tx *tx, const struct sip_msg *cancel);
/* An ACK to a 2xx: forwarded without a transaction, along its dialog only. */
void proxy_ack(struct front *f, struct flow *flow, struct sip_msg *m);

#endif
