/* Looks through all bindings for what rests on what was revoked (location/evict.h): one look at a
 * time, for all that came while the last one took place, again until it succeeds. */
#ifndef CS_AUTHD_REVOCATION_EVICTOR_H
#define CS_AUTHD_REVOCATION_EVICTOR_H

#include "location/evict.h"

struct evictor;
/* Nothing is left that rests on what was added under this token. */
typedef void evictor_fn(void *arg, const char *token);

/* All is borrowed. */
CS_CHECK int evictor_new(struct loop *l, struct redis *redis, struct locations *locations,
                         evictor_fn *fn, void *arg, struct evictor **out);
/* What waits is forgotten. */
void evictor_free(struct evictor **e);
/* So many wait that others should. */
bool evictor_is_full(const struct evictor *e);
/* Both are copied. CS_ENOMEM. */
CS_CHECK int evictor_add(struct evictor *e, const struct fallen *what, const char *token);

#endif
