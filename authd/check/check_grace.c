/* Calls while Redis is away, for redis_grace (authd.yaml; off by default): an INVITE over a
 * connection that carries a binding of its caller may pass on what was remembered of the user when
 * Redis was lost. Its nonce must be one that this authd made meanwhile, for of others the counts
 * that were used are in Redis; those of its own are kept here. What is remembered may only say yes:
 * all else is 503, as it is without grace. */
#include "authd/check/check_impl.h"

bool check_has_grace(const struct check *c)
{
    return c->facts.on_registered_flow && !c->group->backend &&
           span_eq(c->facts.method, SPAN("INVITE")) && cache_lost(c->k->cache).ns &&
           !store_is_ready(c->k->store);
}

/* Nonces of an outage are made for no realm, but for a name of this process that nobody knows. */
struct span check_nonce_realm(const struct check *c)
{
    return c->grace ? span_of(c->k->own, sizeof(c->k->own)) : c->group->digest.realm;
}

int check_nonce(struct check *c)
{
    const struct span realm = c->group->digest.realm, own = span_of(c->k->own, sizeof(c->k->own));
    if (nonce_verify(c->k->nonces, check_nonce_realm(c), c->cred.nonce, &c->nonce) == 0)
        return 0;
    int err = nonce_verify(c->k->nonces, c->grace ? realm : own, c->cred.nonce, &c->nonce);
    c->other_nonce = err == 0;
    return err;
}

bool check_offers(const struct check *c, struct span realm, unsigned *lacking)
{
    return c->grace ? realms_recall(c->k->realms, realm, lacking)
                    : realms_lacking(c->k->realms, realm, lacking);
}
