/* What takes something away is written down before it is done (cs:revoking in Redis), and crossed
 * out when it was seen to its end. What stands there for long was left by somebody who died: it is
 * announced once more, and whoever announces it sees it to its end. */
#ifndef CS_AUTHD_REVOCATION_UNFINISHED_H
#define CS_AUTHD_REVOCATION_UNFINISHED_H

#include "authd/revocation/events.h"

struct unfinished;

/* redis is borrowed. */
CS_CHECK int unfinished_new(struct loop *l, struct redis *redis, struct unfinished **out);
void unfinished_free(struct unfinished **u);
/* Looks for what others left, now and from time to time. */
void unfinished_look(struct unfinished *u);

/* Ours, from now on. packed is what event_encode() made of it. */
void unfinished_begin(struct unfinished *u, const Countersign__Store__Event *e, struct span packed);
/* Whether it was announced here, and not heard before; NULL: it has no token. */
bool unfinished_is_ours(struct unfinished *u, const char *token);
/* It was seen to its end. */
void unfinished_end(struct unfinished *u, const char *token);

#endif
