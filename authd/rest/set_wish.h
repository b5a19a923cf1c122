/* What a request wants of an address set: the JSON of a create or a change, read by one table. No
 * I/O. */
#ifndef CS_AUTHD_REST_SET_WISH_H
#define CS_AUTHD_REST_SET_WISH_H

#include "authd/rest/wish.h"
#include "authd/store/address_set.h"

struct set_wish { /* spans borrow from the JSON; what was not said is absent */
    struct span name, owner, note;
    struct cidr *networks; /* NULL: not said */
    size_t n_networks;
    bool has_renewal;
    struct wall renewal;
};

/* is_new: name and all of the rest must be said, which is what 422 tells. */
CS_CHECK int set_wish_parse(const json_t *j, bool is_new, struct arena *a, struct set_wish *out,
                            struct fault *f);
/* Puts on s what the wish says. */
void set_wish_apply(const struct set_wish *w, struct address_set *s);

/* How the world sees it. */
json_t *address_set_to_json(const struct address_set *s, struct wall now);

#endif
