/* Addresses of record out of what people, tokens and records write. */
#ifndef CS_AUTHD_CHECK_AOR_H
#define CS_AUTHD_CHECK_AOR_H

#include "base/arena.h"

/* The canonical AOR of "sip:alice@example.com" or "alice@example.com", a copy in the arena.
 * CS_EPROTO for what is none. */
CS_CHECK int aor_of(struct span text, struct arena *a, struct span *out);
/* The same of a user's name in a domain: sip:name@domain, the name escaped as a SIP URI wants it.
 */
CS_CHECK int aor_of_user(struct span name, struct span domain, struct arena *a, struct span *out);
/* The other way: whose name and which domain a canonical AOR has, escapes undone. */
CS_CHECK int aor_split(struct span aor, struct arena *a, struct span *name, struct span *domain);

#endif
