/* Signature algorithms of foreign tokens (RFC 7518, 3.1; RFC 8037). There is no symmetric one, and
 * no none: what is not listed here is UNKNOWN, and verifies nothing. */
#ifndef CS_AUTHD_TOKEN_ALG_H
#define CS_AUTHD_TOKEN_ALG_H

#include "base/span.h"

enum jwt_alg {
    JWT_RS256,
    JWT_RS384,
    JWT_RS512,
    JWT_PS256,
    JWT_ES256,
    JWT_ES384,
    JWT_EDDSA,
    JWT_ALG_COUNT,
    JWT_ALG_UNKNOWN = JWT_ALG_COUNT
};

#define JWT_ALG_BIT(alg) (1u << (alg))
enum { JWT_ALG_ALL = (1 << JWT_ALG_COUNT) - 1 };

/* In the order of the enum, NULL at the end. */
extern const char *const jwt_alg_names[];

/* Names are compared with regard to case (RFC 7515, 4.1.1). */
enum jwt_alg jwt_alg_of(struct span name);
/* The hash it signs, as OpenSSL names it; NULL for EdDSA, which signs the text itself. */
const char *jwt_alg_md(enum jwt_alg alg);

#endif
