/* What a request wants of a trunk: the JSON of a create, a change, or of one of its credentials,
 * read by one table. No I/O. */
#ifndef CS_AUTHD_REST_TRUNK_WISH_H
#define CS_AUTHD_REST_TRUNK_WISH_H

#include "authd/rest/wish.h"
#include "authd/store/trunk.h"

/* Which members may stand there. */
enum { TRUNK_WISH_NAME = 1, TRUNK_WISH_FIELDS = 2, TRUNK_WISH_CREDENTIAL = 4 };

struct trunk_wish_credential {
    struct span realm, user, route, password;
};

struct trunk_wish { /* spans borrow from the JSON or the arena; what was not said is absent */
    struct span name;
    bool has_certificates, has_domains;
    const struct span *certificates, *domains; /* canonical */
    size_t n_certificates, n_domains;
    bool has_targets, has_echo, has_lower, has_uri, has_prefer;
    const struct span *targets; /* canonical */
    size_t n_targets;
    enum digest_echo echo;
    bool lower;
    enum trunk_uri uri;
    enum digest_alg prefer[DIGEST_UNKNOWN];
    size_t n_prefer;
    struct trunk_wish_credential *credentials;
    size_t n_credentials; /* of WISH_CREDENTIAL, exactly one */
};

CS_CHECK int trunk_wish_parse(const json_t *j, unsigned allowed, struct arena *a,
                              struct trunk_wish *out, struct fault *f);
/* Puts on t what the wish says; its credentials are sealed, and replace those of the same realm,
 * user and route. */
CS_CHECK int trunk_wish_apply(const struct trunk_wish *w, struct vault *v, struct arena *a,
                              struct trunk *t, struct fault *f);

/* How the world sees a trunk: all but its passwords. */
json_t *trunk_to_json(const struct trunk *t);
/* Takes the credential away; false if there is none such. */
bool trunk_forget(struct trunk *t, struct span realm, struct span user, struct span route);

#endif
