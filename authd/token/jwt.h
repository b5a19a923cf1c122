/* A JSON Web Token as signed JWS in compact form (RFC 7515, RFC 7519; RFC 9068 for at+jwt), of a
 * foreign issuer. Encrypted ones are not taken. */
#ifndef CS_AUTHD_TOKEN_JWT_H
#define CS_AUTHD_TOKEN_JWT_H

#include "authd/token/jwk.h"

enum { JWT_MAX = 8192, JWT_SIGNATURE_MAX = JWK_RSA_BITS_MAX / 8 };

struct jwt {                 /* spans borrow from the text */
    struct span signed_text; /* header "." payload */
    enum jwt_alg alg;        /* as it says; UNKNOWN also for none and HS256 */
    struct span kid;         /* borrows from header; absent: it has none */
    unsigned char signature[JWT_SIGNATURE_MAX];
    size_t n_signature;
    json_t *header, *claims; /* objects; owned. Nothing of claims is proven before jwt_verify() */
};

/* CS_EPROTO if it is malformed, too long, or names a member twice. CS_ENOTSUP for another typ than
 * JWT and at+jwt, and where crit demands what we do not do. Keys and addresses in the header (jwk,
 * jku, x5c, x5u) are not looked at. On error there is nothing to release. */
CS_CHECK int jwt_parse(struct span text, struct jwt *out);
void jwt_fini(struct jwt *t);

/* 0 if the key signed it, CS_EDENIED if not, also where the key does not do t->alg. */
CS_CHECK int jwt_verify(const struct jwt *t, const struct jwk *k);

#endif
