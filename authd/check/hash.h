/* Digest hashes with algorithms fetched once and contexts reused, which is what makes them cheap.
 */
#ifndef CS_AUTHD_CHECK_HASH_H
#define CS_AUTHD_CHECK_HASH_H

#include "authd/check/algorithm.h"

struct hash;

CS_CHECK int hash_new(struct hash **out);
void hash_free(struct hash **h);
/* The hash of the parts joined by ":", algorithm_len(alg) bytes: what RFC 7616 writes as
 * H(a ":" b ":" c). CS_ENOTSUP when the crypto library refuses the algorithm. */
CS_CHECK int hash_joined(struct hash *h, enum algorithm alg, const struct span *parts, size_t n,
                         unsigned char out[ALG_MAX_LEN]);
/* The same in lower-case hexadecimal, without a NUL. */
CS_CHECK int hash_joined_hex(struct hash *h, enum algorithm alg, const struct span *parts, size_t n,
                             char out[2 * ALG_MAX_LEN]);
#define hash_of(h, alg, out, ...)                                 \
    hash_joined((h), (alg), (const struct span[]){ __VA_ARGS__ }, \
                sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span), (out))
#define hash_hex_of(h, alg, out, ...)                                 \
    hash_joined_hex((h), (alg), (const struct span[]){ __VA_ARGS__ }, \
                    sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span), (out))
/* Lower-case hexadecimal of n bytes, without a NUL. */
void hash_hex(const unsigned char *bytes, size_t n, char *out);

#endif
