/* UDP ports for media: an even one for RTP and the next for RTCP, of several local addresses. Any
 * thread may take and give back. */
#ifndef CS_B2BUA_MEDIA_PORTS_H
#define CS_B2BUA_MEDIA_PORTS_H

#include "base/addr.h"

struct ports;
struct ports_conf {
    const struct addr *addresses; /* where to bind; ports are not looked at */
    size_t n_addresses;
    uint16_t first, last; /* range, both in it */
};
enum { PORTS_ADDRESSES_MAX = 64 };

CS_CHECK int ports_new(const struct ports_conf *conf, struct ports **out);
void ports_free(struct ports **p);

struct port_pair {
    int rtp, rtcp;     /* sockets, non-blocking; the taker's */
    struct addr local; /* RTP's */
    size_t address;
};
/* Each pair in its turn, so that a port that was just given back is not the next one's. CS_ELIMIT
 * when none is free (others of the machine may hold some); libuv's codes. */
CS_CHECK int ports_take(struct ports *p, size_t address, struct port_pair *out);
/* Closes the sockets. */
void ports_give_back(struct ports *p, struct port_pair *pair);
/* How many pairs are taken. */
size_t ports_taken(struct ports *p);

#endif
