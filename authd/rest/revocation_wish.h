/* What a request wants revoked: the JSON of POST /v1/revocations. No I/O. */
#ifndef CS_AUTHD_REST_REVOCATION_WISH_H
#define CS_AUTHD_REST_REVOCATION_WISH_H

#include "authd/config.h"
#include "authd/rest/wish.h"
#include "authd/revocation/revocation.h"

struct revocation_wish {          /* spans borrow from the JSON, the arena or the configuration */
    struct revocation revocation; /* without who wants it; kind NOTHING: a user is meant */
    struct span user, realm;
    bool disable;
};

/* Exactly one thing is named. CS_EPROTO and a fault. */
CS_CHECK int revocation_wish_parse(const json_t *j, const struct authd_conf *conf, struct wall now,
                                   struct arena *a, struct revocation_wish *out, struct fault *f);
/* How the world sees one. */
json_t *revocation_to_json(const struct revocation *r);

#endif
