/* Entity tags and what a client makes an operation depend on (RFC 9110, 8.8.3 and 13.1.1). */
#ifndef CS_HTTP_ETAG_H
#define CS_HTTP_ETAG_H

#include "base/span.h"

enum { ETAG_LEN = 2 + 22 }; /* quotes, and 128 bits in base64url */

/* The strong tag of these bytes. */
void etag_of(struct span bytes, char out[ETAG_LEN + 1]);
/* Does If-Match allow what has this tag? "*" matches whatever is there, a weak tag (W/) never does.
 * CS_EPROTO if it is no list of tags. */
CS_CHECK int etag_match(struct span if_match, struct span tag, bool *out);

#endif
