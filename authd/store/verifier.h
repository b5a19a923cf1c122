/* What a password leaves behind: HA1 (RFC 7616, 3.4.2) of a name and a realm, sealed to them, so
 * that it cannot be moved to another name, realm or algorithm. */
#ifndef CS_AUTHD_STORE_VERIFIER_H
#define CS_AUTHD_STORE_VERIFIER_H

#include "authd/check/algorithm.h"
#include "authd/vault/vault.h"
#include "base/arena.h"
#include "base/clock.h"

enum { VERIFIER_MAX_NAME = 256 }; /* of name and realm, each */

struct verifier { /* spans borrow */
    enum algorithm alg;
    struct span name, realm; /* that are hashed in it */
    struct wall until;       /* from then on it is none any more; 0: it stays */
    struct span sealed;
};

/* HA1 = H(name ":" realm ":" password), algorithm_len(alg) bytes. */
CS_CHECK int verifier_ha1(enum algorithm alg, struct span name, struct span realm,
                          struct span password, unsigned char out[ALG_MAX_LEN]);
/* Sets v->sealed, in the arena; the rest of it must stand. CS_ELIMIT for names that are too long.
 */
CS_CHECK int verifier_seal(struct verifier *v, struct vault *vault, const unsigned char *ha1,
                           struct arena *a);
/* Of a password. */
CS_CHECK int verifier_make(struct verifier *v, struct vault *vault, struct span password,
                           struct arena *a);
/* CS_ENOENT: nothing is sealed there; CS_EDENIED: for another name, or under a key we lack. */
CS_CHECK int verifier_open(const struct verifier *v, struct vault *vault,
                           unsigned char ha1[ALG_MAX_LEN]);

#endif
