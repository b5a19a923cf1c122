/* Trunks as they stand: whether their targets answer, whether we are registered, and what is said
 * of that. */
#ifndef CS_B2BUA_TRUNK_TRUNKS_H
#define CS_B2BUA_TRUNK_TRUNKS_H

#include <jansson.h>

#include "b2bua/ua/ua.h"
#include "hops/probes.h"

struct trunks;

/* Begins to ask the targets of the configuration. */
CS_CHECK int trunks_open(struct ua *u, struct trunks **out);
/* All of them, or one (NULL: there is none of this name); the caller owns it. */
json_t *trunks_describe(const struct trunks *t);
json_t *trunks_describe_one(const struct trunks *t, struct span name);
/* Sets the metrics that say how many are in which state. */
void trunks_measure(const struct trunks *t);
/* Asks the targets of one now, and whether they are being asked. */
void trunks_ask(struct trunks *t, const struct trunk_conf *which);
bool trunks_are_asked(const struct trunks *t, const struct trunk_conf *which);
/* A connection ended. */
void trunks_flow_closed(struct trunks *t, const struct flow *f);
/* At the end: registrations are taken back. And whether they are. */
void trunks_leave(struct trunks *t);
bool trunks_have_left(const struct trunks *t);
void trunks_close(struct trunks **t);

/* Why a target does not serve, in words for people; nothing where it does. */
void trunk_target_why(struct buf *b, const struct ua *u, const struct trunk_conf *t, size_t target,
                      const struct hop_health *h);

#endif
