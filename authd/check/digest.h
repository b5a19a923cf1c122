/* Judging digest credentials (RFC 7616, RFC 8760): pure functions of what was shown, what the group
 * allows and a verifier. */
#ifndef CS_AUTHD_CHECK_DIGEST_H
#define CS_AUTHD_CHECK_DIGEST_H

#include "authd/audit/cause.h"
#include "authd/check/facts.h"
#include "authd/check/hash.h"
#include "authd/config.h"

struct credential {                                    /* unquoted and unescaped by the front */
    struct span auth_id;                               /* the username as shown, which is hashed */
    struct span username, realm, nonce, uri, response; /* always present */
    struct span algorithm, qop, nc, cnonce;            /* optional */
    bool userhash;
};

/* The credentials for our realm; those of the kind that the challenge's status has (proxy: 407) are
 * preferred. OK, or why there are none: NO_CREDENTIALS, WRONG_REALM when all are for others (which
 * is no fault: they belong to another hop), CREDENTIALS_MALFORMED. */
Countersign__Auth__Cause digest_pick(const Countersign__Auth__Check *m, struct span realm,
                                     bool proxy, struct credential *out);
/* Copies what is borrowed into the arena. */
CS_CHECK int credential_keep(struct credential *c, struct arena *a);

/* What credentials say of themselves, read. */
struct claim {
    enum algorithm alg;
    bool sess;
    enum qop qop;
    unsigned nc; /* 1 and up; 0 without qop */
};
/* OK, USERHASH_NOT_OFFERED, ALGORITHM_NOT_ALLOWED, QOP_NOT_ALLOWED, NC_INVALID or
 * CREDENTIALS_MALFORMED. */
Countersign__Auth__Cause digest_examine(const struct credential *c, const struct digest_conf *d,
                                        struct claim *out);

enum uri_match { URI_SAME, URI_DIFFERS, URI_WRONG }; /* DIFFERS: taken, but worth a note */
enum uri_match digest_uri(struct span shown, struct span request, enum uri_mode mode);

/* Whether the response is the right one for this HA1. Takes the same time for any response of any
 * length. */
bool digest_is_right(struct hash *h, const struct credential *c, const struct claim *claim,
                     const struct facts *f, const unsigned char *ha1);

#endif
