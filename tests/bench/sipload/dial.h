/* Sockets on their way to a server. */
#ifndef SIPLOAD_DIAL_H
#define SIPLOAD_DIAL_H

#include "base/addr.h"

/* Who phones are to the server. */
struct sources {
    struct cidr net; /* IPv4; phones have its addresses in turn; net.sa.sa_family == 0: the kernel's
                        choice */
};

/* A socket of this type (SOCK_DGRAM, SOCK_STREAM) that does not block and connects to server, from
 * the i-th of the sources. Returns it, or a negative code. */
CS_CHECK int dial(const struct addr *server, int type, const struct sources *from, unsigned i);
uint16_t dial_port(int fd);

#endif
