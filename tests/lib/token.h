/* An issuer of tests: keys of each kind, their JWK Set, and tokens of whatever is said. */
#ifndef CS_TESTS_TOKEN_H
#define CS_TESTS_TOKEN_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

/* By type and number, made at the first call: the same ones in the whole process. */
enum token_key { TOKEN_RSA, TOKEN_RSA_OTHER, TOKEN_P256, TOKEN_P384, TOKEN_ED25519, TOKEN_KEYS };

EVP_PKEY *token_key(enum token_key k);
/* {"kty":...} of its public half, with these members more (",\"kid\":\"a\"" or ""). */
const char *token_jwk(enum token_key k, const char *more);
/* header and claims as given, signed with alg ("RS256", ..., "HS256", "none"); HS256 signs with the
 * key's public half in PEM, as those do who confuse verifiers. */
const char *token_sign(enum token_key k, const char *alg, const char *header, const char *claims);
/* base64url of n bytes. What these return lives as long as the process. */
const char *token_base64url(const void *data, size_t n);

#endif
