/* Digest credentials as they stand in a header, as the contract's message. */
#ifndef CS_PROTO_CREDENTIALS_H
#define CS_PROTO_CREDENTIALS_H

#include "auth.pb-c.h"
#include "base/arena.h"

/* The value of an Authorization or Proxy-Authorization header whose scheme is Digest: unquoted and
 * unescaped, or marked as malformed. In the arena; NULL when memory is exhausted. */
Countersign__Auth__DigestCredentials *credentials_of(struct span value, bool proxy,
                                                     struct arena *a);

#endif
