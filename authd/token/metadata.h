/* What an issuer publishes of itself (OpenID Connect Discovery 1.0, 3 and 4; RFC 8414, 2). No I/O.
 */
#ifndef CS_AUTHD_TOKEN_METADATA_H
#define CS_AUTHD_TOKEN_METADATA_H

#include "base/arena.h"
#include "base/buf.h"

enum { METADATA_TEXT_MAX = 64 * 1024, METADATA_URL_MAX = 2048 };

struct metadata { /* the arena's; absent: it does not say */
    struct span jwks_uri, introspection_endpoint;
};

/* Where it is published, as a C string. */
CS_CHECK int metadata_url(struct span issuer, struct buf *out);
/* CS_EPROTO for what is none, CS_EDENIED when it speaks of another issuer (4.3) or names an address
 * that nothing is fetched from. *out is all zero then. */
CS_CHECK int metadata_parse(struct span text, struct span issuer, struct arena *a,
                            struct metadata *out);

#endif
