/* The hash of one digest algorithm, over parts joined by colons (RFC 7616, 3.4). Algorithm and
 * context are fetched once and used again for each call. */
#ifndef SIPLOAD_HASH_H
#define SIPLOAD_HASH_H

#include "base/span.h"

enum { HASH_HEX = 64 + 1 }; /* the longest result and a NUL */

struct hash;

/* "MD5" or "SHA-256" in any case; NULL for others. */
struct hash *hash_new(struct span algorithm);
void hash_free(struct hash **h);
/* The name as it stands in the algorithm parameter. */
struct span hash_name(const struct hash *h);
void hash_join(struct hash *h, const struct span *parts, size_t n, char out[HASH_HEX]);

#define HASH_JOIN(h, out, ...)                           \
    hash_join((h), (const struct span[]){ __VA_ARGS__ }, \
              sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span), (out))

#endif
