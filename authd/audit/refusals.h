/* The last refusals of all authds of the installation, in Redis for a day (cs:{refusals}, a list),
 * so that any authd shows them. Written every two seconds; of a flood the last ones, and what Redis
 * does not take is lost: the audit logs have all. */
#ifndef CS_AUTHD_AUDIT_REFUSALS_H
#define CS_AUTHD_AUDIT_REFUSALS_H

#include <jansson.h>

#include "authd/audit/explain.h"
#include "net/loop.h"
#include "redis/redis.h"

enum { REFUSALS_MAX = 500 };

struct refusals;

/* Everything is borrowed. */
CS_CHECK int refusals_new(struct loop *l, struct redis *r, const struct explain *explain,
                          struct refusals **out);
void refusals_free(struct refusals **r);

/* Asks for so many, the newest first: reply comes to fn. NULL: no memory. */
struct redis_call *refusals_ask(struct refusals *r, size_t limit, redis_fn *fn, void *arg);
/* An array of them; NULL when Redis gave no answer, or none like this. */
json_t *refusals_read(const struct redis_reply *reply);

/* One as REST shows it. */
json_t *refusal_to_json(const struct explained *x);

#endif
