/* What a mailbox says of its messages: application/simple-message-summary (RFC 3842, 5.2). */
#ifndef CS_B2BUA_DESK_MESSAGE_SUMMARY_H
#define CS_B2BUA_DESK_MESSAGE_SUMMARY_H

#include "base/span.h"

struct message_summary {
    bool waiting;
    uint32_t fresh, old; /* of voice; 0 where nothing is said */
};

/* CS_EPROTO where it does not begin with whether messages wait. *out is all zero then. */
CS_CHECK int message_summary_parse(struct span body, struct message_summary *out);

#endif
