/* The keys of an issuer: a JWK Set (RFC 7517, 5). No I/O. */
#ifndef CS_AUTHD_TOKEN_KEYSET_H
#define CS_AUTHD_TOKEN_KEYSET_H

#include "authd/token/jwk.h"

enum { KEYSET_TEXT_MAX = 256 * 1024, KEYSET_MAX = 64 };

struct keyset { /* zeroed: empty */
    struct jwk keys[KEYSET_MAX];
    size_t n;
    size_t skipped; /* that could not be used */
    struct arena arena;
};

/* Starts empty. */
CS_CHECK int keyset_new(struct keyset **out);
void keyset_free(struct keyset **s);
/* Adds the keys of a set, or of a single JWK. Keys that are of no use are skipped, as RFC 7517, 5
 * has it. CS_EPROTO for what is neither, CS_ELIMIT for more than KEYSET_MAX. What was added before
 * an error stays. */
CS_CHECK int keyset_add(struct keyset *s, struct span text);

/* The key a token with this header names: with this kid, or without one the only key that fits.
 * 0; CS_ENOENT: the set has no such key; CS_ENOTSUP: it has, but the key does not do alg. */
CS_CHECK int keyset_find(const struct keyset *s, struct span kid, enum jwt_alg alg,
                         const struct jwk **out);
bool keyset_has(const struct keyset *s, const unsigned char id[JWK_ID_LEN]);

#endif
