/* One public key out of a JWK (RFC 7517, RFC 7518 6, RFC 8037 2), and what it may verify: that
 * follows from its type, never from a token. */
#ifndef CS_AUTHD_TOKEN_JWK_H
#define CS_AUTHD_TOKEN_JWK_H

#include <jansson.h>
#include <openssl/evp.h>

#include "authd/token/alg.h"
#include "base/arena.h"

enum {
    JWK_KID_MAX = 256,
    JWK_RSA_BITS_MIN = 2048, /* RFC 7518, 3.3 */
    JWK_RSA_BITS_MAX = 8192, /* a larger one would cost who verifies too much */
    JWK_ID_LEN = 32,
};

struct jwk {
    struct span kid;              /* the arena's; absent: it has none */
    EVP_PKEY *pkey;               /* owned */
    unsigned algs;                /* JWT_ALG_BITs, at least one */
    unsigned char id[JWK_ID_LEN]; /* SHA-256 of the public key: the same key has the same id */
};

/* CS_ENOTSUP for a key that is none of ours: of another type, curve or use, symmetric, or whose alg
 * its type does not allow. CS_EPROTO for one that is malformed or too weak. On error *out is all
 * zero. */
CS_CHECK int jwk_parse(const json_t *j, struct arena *a, struct jwk *out);
void jwk_fini(struct jwk *k);

#endif
