/* HMAC (RFC 2104) with SHA-256 under a key that is prepared once: most of what a one-shot call
 * costs is finding the algorithm and hashing the key's pads again. For one thread at a time. */
#ifndef CS_BASE_HMAC_H
#define CS_BASE_HMAC_H

#include "base/span.h"
#include "base/util.h"

enum { HMAC_LEN = 32 };
struct hmac;

/* The key is not needed any more afterwards; hmac_free() wipes what is made of it. CS_ENOMEM,
 * CS_ENOTSUP. */
CS_CHECK int hmac_new(struct span key, struct hmac **out);
void hmac_free(struct hmac **h);
/* Over the parts as if they were one text. CS_ENOTSUP. */
CS_CHECK int hmac_of(struct hmac *h, const struct span *parts, size_t n,
                     unsigned char out[HMAC_LEN]);

#endif
