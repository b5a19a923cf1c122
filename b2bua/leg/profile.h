/* Trunks that know one kind of peer and want each call to look as if it came from that. */
#ifndef CS_B2BUA_LEG_PROFILE_H
#define CS_B2BUA_LEG_PROFILE_H

#include "base/buf.h"
#include "base/clock.h"

enum trunk_profile {
    PROFILE_OWN,
    PROFILE_CISCO_GW, /* an INVITE has what a Cisco voice gateway writes */
};

/* CSeq of the first INVITE of a Cisco gateway. */
enum { PROFILE_CISCO_CSEQ = 101 };

/* Headers of its INVITE, besides those that each has; body: it has an offer. */
void profile_write_cisco(struct buf *b, struct wall now, bool body);

#endif
