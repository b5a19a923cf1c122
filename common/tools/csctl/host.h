/* Hosts by name: asks the system's resolver, and waits for it. */
#ifndef CS_TOOLS_HOST_H
#define CS_TOOLS_HOST_H

#include "base/addr.h"

/* The first addresses of a host name, or the address it is; *n is at most max. CS_ENOENT. */
CS_CHECK int host_resolve(struct span host, uint16_t port, struct addr *out, size_t max, size_t *n);
/* host[:port], the host as above; port where none is given. CS_EPROTO for what is no port. */
CS_CHECK int host_parse(struct span text, uint16_t port, struct addr *out);
/* The same of a server that is to be spoken to: of several addresses the first that takes a TCP
 * connection within a second, or, where none does, the first. */
CS_CHECK int host_parse_server(struct span text, uint16_t port, struct addr *out);
/* The address that packets to a server leave from, without a port. */
CS_CHECK int host_towards(const struct addr *server, struct addr *out);

#endif
