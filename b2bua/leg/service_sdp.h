/* Descriptions of legs that end here: one stream in the clear, at a port of ours. */
#ifndef CS_B2BUA_LEG_SERVICE_SDP_H
#define CS_B2BUA_LEG_SERVICE_SDP_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "sdp/sdp.h"

struct service_at {
    const struct addr *local;
    struct wall now; /* makes the version */
    bool any;        /* takes whatever codec is offered, not G.711 alone */
    bool inactive;   /* neither hears nor speaks */
};

struct service_peer {             /* what the other side said */
    struct addr to;               /* where it hears */
    uint8_t payload;              /* of the first codec of its that is taken */
    enum sdp_direction direction; /* as the other side sees it */
};

/* The answer to an offer. CS_ENOTSUP: no stream of it is taken; or sdp_parse()'s. */
CS_CHECK int service_answer(struct span offer, const struct service_at *at,
                            struct service_peer *peer, struct buf *out);
/* An offer of G.711 by both laws. */
void service_offer(const struct service_at *at, struct buf *out);

#endif
