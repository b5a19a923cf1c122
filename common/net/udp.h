/* A UDP socket that reads up to 64 datagrams in one system call and sends what a turn collected in
 * one or a few (recvmmsg and sendmmsg under uv_poll). */
#ifndef CS_NET_UDP_H
#define CS_NET_UDP_H

#include "base/addr.h"
#include "net/loop.h"

struct udp;
/* data is borrowed for the call. */
typedef void udp_fn(void *arg, const struct addr *from, struct span data);

/* Binds and starts to read. The socket has SO_REUSEADDR off, so a second process on the port is an
 * error (UV_EADDRINUSE). Port 0 takes a free one; see udp_local(). */
CS_CHECK int udp_open(struct loop *l, const struct addr *local, udp_fn *fn, void *arg,
                      struct udp **out);
/* The same on a socket of bind_socket(), which it takes over, and closes on error. */
CS_CHECK int udp_open_fd(struct loop *l, int fd, udp_fn *fn, void *arg, struct udp **out);
/* From now on the kernel notes when datagrams come. */
void udp_watch_delay(struct udp *u);
/* From inside udp_fn: how long the datagram at hand, or one read together with it, waited to be
 * read. */
struct duration udp_delay(const struct udp *u);
/* Sends what is queued, closes, frees, sets *u to NULL. fn is not called again. */
void udp_close(struct udp **u);
const struct addr *udp_local(const struct udp *u);
/* Copies data; it leaves at the end of this turn. CS_ELIMIT when too much is queued or it is longer
 * than 65507 bytes. */
CS_CHECK int udp_send(struct udp *u, const struct addr *to, struct span data);

#endif
