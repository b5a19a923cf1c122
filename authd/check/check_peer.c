/* Whom a server may speak for: itself, and whoever is nobody here. From an address of a user of
 * ours come only that user's requests. */
#include "authd/check/check_impl.h"

static void from_looked_up(void *arg, int err)
{
    struct check *c = arg;
    c->find = NULL;
    if (err == CS_ENOENT)
        check_accept(c, CAUSE(OK));
    else if (err)
        check_later(c, CAUSE(STORE_UNAVAILABLE));
    else
        check_reject(c, CAUSE(FROM_NOT_ALLOWED), CAUSE(CAUSE_NONE));
}

void check_peer(struct check *c, const struct user *u)
{
    int err = check_grant(c, u);
    if (!err && c->grant.n_aor) /* who vouches for the caller */
        c->grant.identity = c->grant.aor[0];
    if (!err && !c->facts.from_aor.p) { /* tel:, or another host's way to write nobody */
        check_accept(c, CAUSE(OK));
        return;
    }
    if (!err)
        err = check_outlive(c);
    if (!err) {
        c->find = store_find_aor(c->k->store, c->facts.from_aor, from_looked_up, c);
        err = c->find ? 0 : CS_ENOMEM;
    }
    if (err)
        check_later(c, CAUSE(OVERLOADED));
}
