/* What a phone has counted of the media of a call. It is asked each time a channel of its closes,
 * and says so a moment later, when the call may be over. */
#ifndef CS_B2BUA_DESK_STATISTICS_H
#define CS_B2BUA_DESK_STATISTICS_H

#include "b2bua/desk/desk.h"

struct phone_counts {
    uint64_t packets_sent, octets_sent, packets_received, octets_received, lost;
    uint32_t jitter, latency; /* milliseconds, the worst */
    char quality[256];        /* as it says that itself, "MLQK=4.5;..."; "": it does not */
};

struct statistics; /* of one call of a desk's */

/* NULL: no memory. */
struct statistics *statistics_new(struct desk *d, uint32_t call);
/* A channel is closed: the phone is asked. */
void statistics_ask(struct statistics *s, struct span number);
/* No other will be. Sets *s to NULL. */
void statistics_end(struct statistics **s);
/* NULL: the phone has said nothing. */
typedef void statistics_fn(void *arg, const struct phone_counts *counts);
/* fn is called once, later, when all was said after statistics_end(), or in vain waited for. */
void statistics_wait(struct statistics *s, statistics_fn *fn, void *arg);

void statistics_heard(struct desk *d, const struct sccp_connection_statistics_res *m);
/* Another desk has the calls of was. */
void statistics_keep(struct desk *d, struct desk *was);
/* The desk goes. */
void statistics_drop(struct desk *d);

#endif
