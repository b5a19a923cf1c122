/* Browsers among phones: what registered over a WebSocket (RFC 7118) takes media by DTLS-SRTP and
 * in no other way (RFC 8827, 6.5), and rings before it finds out that it cannot take what is
 * offered. No I/O. */
#ifndef CS_REGISTRAR_BROWSER_H
#define CS_REGISTRAR_BROWSER_H

#include "location/location.h"
#include "sip/msg.h"

bool browser_is(const Countersign__Store__Binding *b);
/* Whether a browser could take what a request offers; true where nothing is offered, or what is
 * cannot be read. */
bool browser_takes(const struct sip_msg *m);

#endif
