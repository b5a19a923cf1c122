/* What answers to our own REGISTERs mean, and when the next one is due. No I/O; it throws dice. */
#ifndef CS_B2BUA_TRUNK_REGISTERING_H
#define CS_B2BUA_TRUNK_REGISTERING_H

#include "base/clock.h"
#include "sip/msg.h"

enum { REGISTERING_RETRY_MOST_S = 1800 }; /* RFC 5626, 4.5 */

/* How long it stands, in seconds: as our Contact in the answer says, or the header, or as asked
 * (RFC 3261, 10.2.1.1). contact: URI as it was sent. */
uint32_t registering_granted(const struct sip_msg *resp, struct span contact, uint32_t asked);
/* What to ask for instead (423: RFC 3261, 10.2.8); 0: it is no such answer. */
uint32_t registering_longer(const struct sip_msg *resp, uint32_t asked);
/* In its last fifth or, where that is short, at half of it. */
struct duration registering_refresh(uint32_t granted);
/* Behind so many failures in a row, from 1: twice as long each time, and not all at once (RFC 5626,
 * 4.5). */
struct duration registering_retry(struct duration first, unsigned failures);

#endif
