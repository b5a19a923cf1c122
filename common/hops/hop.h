/* Next hops as an operator writes them, and the order in which a call tries them. Decides only:
 * pure functions. */
#ifndef CS_HOPS_HOP_H
#define CS_HOPS_HOP_H

#include "base/clock.h"
#include "sip/uri.h"
#include "siptp/siptp.h"

/* Of several addresses the one that something of ours is known at: it took our registration. */
struct hop_address {
    bool known;
    enum sip_transport transport;
    struct addr addr;
};

struct hop {                  /* where a request may go */
    struct span text;         /* as written */
    uint32_t node;            /* siptp_node_id() of a node of ours; 0: */
    struct sip_uri uri;       /* by RFC 3263 */
    bool is_contact;          /* of a phone, or the Path to it, and not the operator's word */
    unsigned priority;        /* the lower the sooner */
    unsigned weight;          /* its share among those of one priority; 0 is 1 */
    struct hop_address bound; /* it comes before all others, and so does this address of it */
    struct mono down;         /* tried behind the others until then */
    unsigned peer; /* over TLS it must show to be this one: siptp_use_tls_for(); 0: its host */
};

enum { HOPS_MAX = 8 };

/* A sip or sips URI, or the name of a node, reached over the trusted link. False: it is neither.
 * Borrows the text. */
bool hop_read(struct span text, struct hop *out);

/* The order in which a call tries the hops: those that are down come last, the one that is bound
 * first, then priority counts; among equals each Call-ID has an order of its own, by their weights,
 * which changes for few of them when a hop is added or taken away (rendezvous hashing). Of more
 * than HOPS_MAX the first ones are given. */
void hops_order(struct hop *hops, size_t n, struct span call_id, struct mono now,
                struct hop *out[HOPS_MAX]);
/* A number of the Call-ID, the same in each process: for choices that a call keeps. */
uint64_t hops_seed(struct span call_id);

#endif
