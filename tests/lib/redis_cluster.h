/* Masters of a Redis Cluster, each a real redis-server of the test's own. */
#ifndef CS_TESTS_REDIS_CLUSTER_H
#define CS_TESTS_REDIS_CLUSTER_H

#include "base/addr.h"
#include "base/util.h"
#include "lib/redis_server.h"

/* Starts n servers, each with a name of its own, which share the slots evenly, in their order, and
 * waits until they serve; addrs: theirs. */
void redis_cluster_start(struct redis_server *s, size_t n, struct addr *addrs);
/* Starts one of them again, with the data it had. */
void redis_cluster_node_start(struct redis_server *s);
/* Has redis-cli ask a server beside the loop: "port command ...". */
void redis_admin(const char *format, ...) CS_PRINTF(1, 2);

#endif
