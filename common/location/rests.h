/* What a grant, and a binding made by it, rests on and may be revoked: a token and its issuer, a
 * certificate, a device. Each is a tag of eight bytes, the same everywhere; only authd knows what
 * it stands for (authd/rests.h). */
#ifndef CS_LOCATION_RESTS_H
#define CS_LOCATION_RESTS_H

#include "base/span.h"
#include "store.pb-c.h"

enum { REST_TAG_LEN = 8 };

struct rests {        /* borrowed */
    struct span tags; /* one behind the other; absent or empty: none */
    bool issued;      /* its token says when it was issued: */
    uint64_t issued_s;
};

struct fallen { /* what nothing may rest on any more; borrowed */
    struct span tag;
    bool bounded; /* only what was issued before: */
    uint64_t before_s;
};

bool rests_have(struct span tags, struct span tag);
/* What does not say when it was issued was issued before. */
bool rests_fall(const struct rests *r, const struct fallen *what);
struct rests rests_of_binding(const Countersign__Store__Binding *b);

#endif
