/* A desk phone of Cisco for trying out a server: registers by SCCP, rings, answers, dials, and says
 * back what it hears, as G.711. It never waits: let the loop run and look at what has happened. */
#ifndef CS_TOOLS_DESK_PHONE_H
#define CS_TOOLS_DESK_PHONE_H

#include "b2bua/sccp/codec.h"
#include "net/stream.h"
#include "net/udp.h"

struct desk_phone { /* read-only for others */
    struct loop *loop;
    struct span name; /* SEP001122334455 */
    struct stream *stream;
    struct udp *udp;
    struct sccp_dialect dialect;
    char number[32]; /* of its first line */
    bool registered;
    bool gone;       /* the connection is closed */
    char reason[64]; /* why it was refused; "" if it was not */
    struct {         /* the last of its calls */
        uint32_t reference, line;
        bool rings, connected, over;
    } call;
    bool speaks;    /* it was told where to */
    struct addr to; /* the address */
    uint32_t ssrc;
};

/* Connects and registers; name outlives the phone. */
CS_CHECK int desk_phone_open(struct loop *l, const struct addr *server, struct span name,
                             struct desk_phone *p);
/* Its memory has to stay until the loop has run once more. */
void desk_phone_close(struct desk_phone *p);
void desk_phone_answer(struct desk_phone *p);
void desk_phone_dial(struct desk_phone *p, struct span number);
void desk_phone_hang_up(struct desk_phone *p);

#endif
