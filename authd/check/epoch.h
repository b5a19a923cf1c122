/* Since when Redis has every nonce count that was used. A replica that becomes the master may never
 * have heard of the last ones, so a nonce from before that moment may have been used, and is stale:
 * its phone gets a new one.
 *
 * Of a cluster that is each of its masters, and the latest of their moments counts.
 *
 * The moment stands in Redis (cs:epoch: run, promoted, since), where it also reaches an authd that
 * starts later; each authd looks on every connection, whether the server is the one that was there
 * before. Another run of it kept everything if it was not made a master since and reads its own
 * append-only file. Clocks of nodes may differ by EPOCH_SLACK_MS: nonces that were issued until so
 * long behind the moment count as before it, and new ones are dated behind that. */
#ifndef CS_AUTHD_CHECK_EPOCH_H
#define CS_AUTHD_CHECK_EPOCH_H

#include "authd/check/nonce.h"
#include "redis/redis.h"

struct epoch;

enum { EPOCH_SLACK_MS = 2000 };

/* redis is borrowed. Nothing is known before the first epoch_refresh(). */
CS_CHECK int epoch_new(struct loop *l, struct redis *redis, struct epoch **out);
void epoch_free(struct epoch **e);
/* Redis was connected: looks; or lost: what was known is forgotten. */
void epoch_refresh(struct epoch *e, bool redis_ready);
bool epoch_is_known(const struct epoch *e);
/* Whether this nonce may have been used without a trace. Holds only while it is known. */
bool epoch_is_past(const struct epoch *e, const struct nonce *n);
/* When a nonce that is minted now is to say it was. */
struct wall epoch_issued(const struct epoch *e, struct wall now);

/* What INFO says of a server. */
struct server_info {
    struct span run;      /* another one at each start */
    struct span promoted; /* whose replica it was until it became the master; absent: nobody's */
    bool append_only;
};
/* Spans borrow from text. CS_EPROTO when it does not say who it is. */
CS_CHECK int server_info_parse(struct span text, struct server_info *out);

#endif
