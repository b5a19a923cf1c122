/* Value of a Replaces header field (RFC 3891, 6.1): the dialog whose place somebody wants. */
#ifndef CS_SIP_REPLACES_H
#define CS_SIP_REPLACES_H

#include "base/err.h"
#include "base/span.h"

struct replaces { /* borrows from the value */
    struct span call_id, to_tag, from_tag;
    bool early_only;
};

/* CS_EPROTO where a tag is missing or anything stands there twice; *out is all zero then. */
CS_CHECK int replaces_parse(struct span value, struct replaces *out);

#endif
