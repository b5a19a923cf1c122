/* Legs that end here: a number to try a phone by, without anybody at the other end. */
#ifndef CS_B2BUA_LEG_LEG_SERVICE_H
#define CS_B2BUA_LEG_LEG_SERVICE_H

#include "b2bua/leg/leg.h"
#include "base/addr.h"
#include "net/loop.h"

enum service { SERVICE_ECHO, SERVICE_TONE, SERVICE_WAIT /* is silent, and hears nobody */ };

/* By the number that dial plans call it by: *43, *44. CS_ENOENT. */
CS_CHECK int service_of(struct span name, enum service *out);

/* Takes the call at once: what is said comes back, or a tone of 1000 Hz. host: where it is to send
 * from, its port is not looked at; sdp as in leg_sip_call(). NULL: no memory, or no port. */
struct leg *leg_service(struct loop *l, enum service what, const struct addr *host, struct span sdp,
                        const struct leg_events *events, void *arg);
/* gone is called when that leg is no more. */
void leg_service_on_gone(struct leg *l, void (*gone)(void *arg), void *arg);

#endif
