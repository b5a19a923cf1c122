/* The authentication name a phone shows, and whose it is. Many phones cannot be given one and show
 * what they have: the user part of their address, the whole of it, or a number with a plus. Each
 * way to write it needs a verifier of its own, since the name is hashed. Pure functions. */
#ifndef CS_AUTHD_CHECK_AUTH_ID_H
#define CS_AUTHD_CHECK_AUTH_ID_H

#include "base/arena.h"
#include "base/err.h"

/* How the name of a user 1001 may be written: 1001, 1001@example.com, +1001. */
enum { FORM_USER = 1 << 0, FORM_USER_AT_DOMAIN = 1 << 1, FORM_E164 = 1 << 2 };

/* The name of the user that is meant by what was shown, a piece of it; empty, which is nobody's,
 * where it is written in none of these forms. What has an @ is of the second form where that is
 * taken, whoever else has such a name; the same of a plus before digits. */
struct span auth_id_user(struct span shown, unsigned forms);

enum { AUTH_ID_MAX = 5 };
/* The other ways to write the name of a user with these addresses (canonical): *n of them, at most
 * four domains and a number, in the arena. */
CS_CHECK int auth_id_names(struct span name, const struct span *aors, size_t n_aors, unsigned forms,
                           struct arena *a, struct span out[AUTH_ID_MAX], size_t *n);

#endif
