/* Service-Route (RFC 3608): where a registered phone is to send what it asks. */
#ifndef CS_REGISTRAR_SERVICE_ROUTE_H
#define CS_REGISTRAR_SERVICE_ROUTE_H

#include "registrar/config.h"

/* Whether a value of the configuration is one: "own", or a sip or sips URI with lr. */
bool service_route_is_good(struct span value);
/* The header lines for a phone that registered at this listener; none where none is configured. */
void service_route_write(struct buf *b, const struct registrar_conf *conf,
                         const struct siptp_listener *at, enum sip_transport transport);

#endif
