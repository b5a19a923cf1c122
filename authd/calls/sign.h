/* Answering a challenge of a trunk: which challenge, by which credentials, with what value. Pure
 * functions of the question and the trunk; the password is opened, used and wiped here. */
#ifndef CS_AUTHD_CALLS_SIGN_H
#define CS_AUTHD_CALLS_SIGN_H

#include "authd/audit/cause.h"
#include "authd/check/hash.h"
#include "authd/store/trunk.h"

struct sign_ask { /* all borrowed; absent where it was not said */
    struct span method, uri, body;
    const struct span *challenges; /* values of WWW- or Proxy-Authenticate */
    size_t n_challenges;
    struct span realm, user, route; /* see Sign in proto/auth.proto */
};

struct sign_choice {                   /* borrows from the question and the trunk */
    struct digest_challenge challenge; /* also of a refusal, the one it is about, if there is one */
    const struct trunk_credential *credential; /* NULL when refused */
};

/* OK, TRUNK_URI_REFUSED, TRUNK_REALM_UNKNOWN or CHALLENGE_UNANSWERABLE. Of the challenges that
 * there are credentials for, the one whose algorithm the trunk prefers. Of the credentials, those
 * for the user that the challenge names come first, then those of the route. */
Countersign__Auth__Cause sign_choose(const struct trunk *t, const struct sign_ask *a,
                                     struct sign_choice *out);

/* The value of the header, with the URI in the form the trunk wants. CS_EDENIED when the password
 * cannot be opened, CS_ELIMIT when something is too long, CS_ENOTSUP when OpenSSL lacks the hash.
 */
CS_CHECK int sign_write(const struct trunk *t, const struct sign_ask *a,
                        const struct sign_choice *choice, struct vault *v, struct hash *h,
                        struct span cnonce, uint32_t nc, struct buf *out);

#endif
