/* Browsers among phones: what registered over a WebSocket (RFC 7118) takes media by DTLS-SRTP and
 * in no other way (RFC 8827, 6.5), and rings before it finds out that it cannot take what is
 * offered. No I/O. */
#ifndef CS_REGISTRAR_BROWSER_H
#define CS_REGISTRAR_BROWSER_H

#include "location/location.h"
#include "sip/msg.h"

bool browser_is(const Countersign__Store__Binding *b);
/* Whom a request's offer is for: ALL where nothing is offered, or what is cannot be read. */
enum browser_offer { OFFER_FOR_ALL, OFFER_FOR_PHONES, OFFER_FOR_BROWSERS };
enum browser_offer browser_offer(const struct sip_msg *m);

#endif
