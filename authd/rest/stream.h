/* GET /v1/stream: decisions, changes and bans as they happen, as server-sent events (HTML Living
 * Standard, 9.2). Lines of the audit log; they are held in memory from when the first follower
 * comes until five minutes after the last one went, so that it costs nothing where nobody follows.
 */
#ifndef CS_AUTHD_REST_STREAM_H
#define CS_AUTHD_REST_STREAM_H

#include "authd/audit/audit.h"

struct stream_hub;

enum { STREAM_FOLLOWERS = 32, STREAM_BEAT_S = 15, STREAM_KEEP_S = 300 };

/* The audit log is borrowed and outlives the hub, which is its one follower. */
CS_CHECK int stream_hub_new(struct loop *l, struct audit *audit, struct stream_hub **out);
/* When every follower is gone. */
void stream_hub_free(struct stream_hub **h);

#endif
