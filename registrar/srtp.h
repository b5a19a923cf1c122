/* Whether the media that a request offers is encrypted, and nothing else is offered beside. What
 * two readers could understand differently is not. No I/O. */
#ifndef CS_REGISTRAR_SRTP_H
#define CS_REGISTRAR_SRTP_H

#include "sip/msg.h"

/* Whether every media description that is in use (its port is not 0) is of SRTP with keys, and none
 * of the alternatives in clear. */
bool srtp_alone(struct span text);
/* The same of a request's body, which may hold no SDP. An SDP within other parts, or encoded, is
 * not looked into, and not taken for encrypted. */
bool srtp_is_kept(const struct sip_msg *m);

#endif
