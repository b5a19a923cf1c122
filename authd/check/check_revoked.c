/* Whether what a request rests on is revoked: looked at each time, whatever is kept in memory. */
#include "authd/check/check_impl.h"
#include "authd/revocation/revocation.h"

static Countersign__Auth__Cause cause_of(const struct revocation *r)
{
    switch (r->kind) {
    case REVOKED(CERTIFICATE):
    case REVOKED(SERIAL):
        return CAUSE(CERTIFICATE_REVOKED);
    case REVOKED(DEVICE):
        return CAUSE(DEVICE_REVOKED);
    default:
        return CAUSE(TOKEN_REVOKED);
    }
}

static char *describe(const struct revocation *r, struct arena *a)
{
    char *text = arena_alloc(a, REVOCATION_WORDS_MAX);
    struct buf b = buf_of(text, text ? REVOCATION_WORDS_MAX - 1 : 0);
    if (!text)
        return NULL;
    revocation_write(&b, r);
    text[b.n] = '\0';
    return text;
}

bool check_is_revoked(struct check *c)
{
    tags_of_grant(&c->tags, &c->grant);
    if (c->tags.n && !c->grace && !revoker_is_fresh(c->k->revoker)) {
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return true;
    }
    const struct rests rests = tags_rests(&c->tags, &c->grant);
    const struct revocation *r = revocations_find(revoker_revocations(c->k->revoker), &rests);
    if (!r)
        return false;
    c->revoked = describe(r, &c->arena);
    const Countersign__Auth__Cause cause = cause_of(r);
    if (cause == CAUSE(TOKEN_REVOKED) && c->token.p)
        check_refuse_token(c, cause);
    else
        check_reject(c, cause, CAUSE(CAUSE_NONE));
    return true;
}
