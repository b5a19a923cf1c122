/* The other end of the wire, as a stranger sees it: plain sockets of a test, beside the loop under
 * test. */
#ifndef CS_TESTS_WIRE_H
#define CS_TESTS_WIRE_H

#include "base/addr.h"
#include "net/loop.h"

/* A socket connected to this address; ends the test when it cannot be had. */
int wire_udp(const struct addr *to);
int wire_tcp(const struct addr *to);
/* A socket bound to 127.0.0.1, and where it is. */
int wire_udp_bound(struct addr *at);
int wire_tcp_listening(struct addr *at);
/* The next connection, while the loop runs. */
int wire_accept(struct loop *l, int fd);
void wire_send(int fd, struct span data);
/* What comes next, at most ms later, while the loop runs: absent when nothing does, empty when the
 * peer closed. The memory is good until the next call. */
struct span wire_recv(struct loop *l, int fd, unsigned ms);
/* Where the last wire_recv() was sent from. */
const struct addr *wire_from(void);

#endif
