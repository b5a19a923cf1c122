/* One issuer at work: finds out where its keys are, fetches them, fetches them again before they
 * are old, and once more when a token names a key that is not there. A fetch that fails changes
 * nothing for as long as keys.keep says. */
#ifndef CS_AUTHD_TOKEN_PROVIDER_H
#define CS_AUTHD_TOKEN_PROVIDER_H

#include "authd/token/fetch.h"
#include "authd/token/issuer.h"
#include "authd/token/keyset.h"
#include "authd/token/waiter.h"

struct provider;

/* Begins to fetch. The configuration is borrowed. When its keys are files that cannot be used: an
 * error, which was logged. */
CS_CHECK int provider_new(struct loop *l, struct fetcher *f, const struct issuer_conf *c,
                          struct provider **out);
/* Who waits is forgotten. */
void provider_free(struct provider **p);

enum key_answer {
    KEY_FOUND,
    KEY_WAITS, /* w is called when more is known */
    KEY_LATER, /* cannot be said now, and not soon */
    KEY_UNKNOWN,
    KEY_MISFIT, /* the issuer has it, for another algorithm */
};

/* The key that a token of this header, issued at iat (Unix time, as it claims; 0: it does not say),
 * names. Borrowed until the next turn. UNKNOWN is said only when keys were fetched behind the
 * token's birth. */
enum key_answer provider_key(struct provider *p, struct span kid, enum jwt_alg alg, int64_t iat,
                             struct waiter *w, const struct jwk **out);
/* Whether the issuer still has the key. */
bool provider_has_key(const struct provider *p, const unsigned char id[JWK_ID_LEN]);
/* Where it is asked about tokens: FOUND, WAITS or LATER. */
enum key_answer provider_introspection(struct provider *p, struct waiter *w, const char **url);

#endif
