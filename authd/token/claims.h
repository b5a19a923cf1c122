/* What a token says, and whether that is enough: pure functions over claims whose signature was
 * verified, or which the issuer itself told (RFC 7519, 4.1; RFC 9068, 4; RFC 7662, 2.2). */
#ifndef CS_AUTHD_TOKEN_CLAIMS_H
#define CS_AUTHD_TOKEN_CLAIMS_H

#include <jansson.h>

#include "authd/audit/cause.h"
#include "authd/token/issuer.h"
#include "base/buf.h"

enum { CLAIMS_MAX = 4096, CLAIMS_THUMBPRINT = 32 };

struct claims { /* an absent span was not said */
    struct span iss, sub, jti, sid;
    struct span aor;       /* whom it is about: canonical */
    struct span scope;     /* separated by spaces, whom it may call among them: "sip_dest:+49*" */
    int64_t iat, nbf, exp; /* Unix time in seconds; 0: not said */
    enum operator_right right; /* of an operator, where the issuer's tokens are theirs */
    bool bound;                /* to the certificate with this SHA-256 (RFC 8705, 3.1) */
    unsigned char thumbprint[CLAIMS_THUMBPRINT];
};

enum claims_source {
    CLAIMS_SIGNED,  /* of the token itself */
    CLAIMS_INQUIRED /* the issuer's answer, which may leave out iss and iat: it knows them */
};

/* All that does not depend on time and request. OK, and the texts of *out are the arena's; or why
 * the token is refused. CAUSE_NONE when memory is exhausted. */
Countersign__Auth__Cause claims_of(const json_t *j, const struct issuer_conf *c,
                                   enum claims_source source, struct arena *a, struct claims *out);
/* OK, TOKEN_EXPIRED or TOKEN_NOT_YET_VALID. */
Countersign__Auth__Cause claims_time(const struct claims *k, const struct issuer_conf *c,
                                     struct wall now);
/* Which scope a method needs; absent for none. */
struct span claims_scope_of(const struct issuer_conf *c, struct span method);
bool claims_have_scope(const struct claims *k, struct span scope);
/* Whether it may call this address of record; absent: anybody. */
bool claims_reach(const struct claims *k, struct span aor);
/* Whether the certificate with this fingerprint (absent: none was shown) is the one it is bound to,
 * if it is bound. */
bool claims_fit_certificate(const struct claims *k, struct span sha256);

/* For keeping: one block of bytes that stands by itself. CS_ELIMIT above CLAIMS_MAX. */
CS_CHECK int claims_pack(const struct claims *k, struct buf *out);
/* Spans borrow from the block, which claims_pack() wrote. */
void claims_unpack(struct span block, struct claims *out);

#endif
