/* A REGISTER from its arrival to its answer (RFC 3261, 10.3). */
#ifndef CS_REGISTRAR_REGISTER_H
#define CS_REGISTRAR_REGISTER_H

#include "registrar/front.h"

/* Takes the request over: it will be answered. */
void register_start(struct front *f, struct tx *tx, struct flow *flow, struct sip_msg *m);

/* Challenges a REGISTER without credentials at no cost in memory. False: it was not answered; start
 * it. */
bool register_challenge(struct front *f, struct flow *flow, struct sip_msg *m);

/* Whoever is registering just now with what rests on this is refused, and what he committed is
 * undone. */
void register_fall(struct front *f, const struct fallen *what);
/* The same of whoever of these is registering. user absent: anybody; n_aors 0: for any AOR. */
void register_revoke(struct front *f, struct span user, char *const *aors, size_t n_aors);

#endif
