#include "location/rests.h"

bool rests_have(struct span tags, struct span tag)
{
    for (; tag.n == REST_TAG_LEN && tags.n >= tag.n; tags = span_skip(tags, tag.n)) {
        if (span_starts(tags, tag))
            return true;
    }
    return false;
}

bool rests_fall(const struct rests *r, const struct fallen *what)
{
    return rests_have(r->tags, what->tag) &&
           (!what->bounded || !r->issued || r->issued_s < what->before_s);
}

struct rests rests_of_binding(const Countersign__Store__Binding *b)
{
    return (struct rests){ .tags = b->has_rests_on ? span_of(b->rests_on.data, b->rests_on.len)
                                                   : SPAN_NULL,
                           .issued = b->token && b->token->has_iat_s,
                           .issued_s = b->token ? b->token->iat_s : 0 };
}
