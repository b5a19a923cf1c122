/* Small messages between two processes of ours, by one of a pair of sockets (SOCK_SEQPACKET). */
#ifndef CS_NET_PACKETS_H
#define CS_NET_PACKETS_H

#include "net/loop.h"

enum { PACKET_MAX = 64, PACKETS_UNSENT_MAX = 65536 };

struct packets;

/* A message, borrowed; absent: the other side is gone, and nothing comes any more. */
typedef void packets_fn(void *arg, struct span message);

/* Takes fd over, on error too. CS_ENOMEM. */
CS_CHECK int packets_open(struct loop *l, int fd, packets_fn *fn, void *arg, struct packets **out);
/* Copies; what the other side has no room for yet waits. CS_ECLOSED, CS_ENOMEM, CS_ELIMIT when
 * PACKETS_UNSENT_MAX of them wait. */
CS_CHECK int packets_send(struct packets *p, struct span message);
/* What waits is given up. Sets *p to NULL. */
void packets_close(struct packets **p);

#endif
