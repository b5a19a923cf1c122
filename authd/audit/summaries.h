/* How the installation does, for people: kept in Redis, so that any authd shows all of it.
 *
 * cs:history:{MINUTE} is a hash of counts, of all nodes together: refused.CAUSE, which authds
 * count, and registrar.NAME and b2bua.NAME, of which their fronts told them; a day long.
 * cs:{summaries} has a field for each front: when it was heard last, and its state. Of one that
 * says nothing for fifteen seconds nothing is shown. */
#ifndef CS_AUTHD_AUDIT_SUMMARIES_H
#define CS_AUTHD_AUDIT_SUMMARIES_H

#include <jansson.h>

#include "authd/audit/decision.h"
#include "net/loop.h"
#include "redis/redis.h"

struct summaries;

CS_CHECK int summaries_new(struct loop *l, struct redis *r, struct summaries **out);
void summaries_free(struct summaries **s);

/* A request was judged. Refusals are written every five seconds; what Redis does not take is lost.
 */
void summaries_count(struct summaries *s, const struct decision *d);
/* A front told of itself. */
void summaries_told(struct summaries *s, Countersign__Auth__Role role, const char *node,
                    const Countersign__Auth__Summary *m);

enum { SUMMARIES_MINUTES = 1440 };
/* Asks for the counts of that minute (Unix time / 60), or for all fronts: reply comes to fn. NULL:
 * no memory. */
struct redis_call *summaries_ask_minute(struct summaries *s, uint64_t minute, redis_fn *fn,
                                        void *arg);
struct redis_call *summaries_ask_nodes(struct summaries *s, redis_fn *fn, void *arg);
/* What they mean: an object of counts, an array of nodes; NULL when Redis gave no answer, or none
 * like this. */
json_t *summaries_read_minute(const struct redis_reply *reply);
json_t *summaries_read_nodes(struct summaries *s, const struct redis_reply *reply);

#endif
