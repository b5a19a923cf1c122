/* Sockets bound and not yet read, for who opens them itself or hands them on to a child. */
#ifndef CS_NET_BIND_H
#define CS_NET_BIND_H

#include "base/addr.h"

enum bind_kind { BIND_UDP, BIND_TCP }; /* TCP is listening already, so that nobody is turned away */

/* shared: others of our user may bind the same address, and the kernel spreads what comes over them
 * (SO_REUSEPORT). Port 0 takes a free one. bound may be NULL. 0 and *fd, or -errno. */
CS_CHECK int bind_socket(enum bind_kind kind, const struct addr *local, bool shared, int *fd,
                         struct addr *bound);
/* What a socket is bound to. */
CS_CHECK int bind_name(int fd, struct addr *bound);

#endif
