/* A real redis-server of a test's own: Unix socket and append-only file in the temporary directory.
 * It dies with the test. Sentinels, too. */
#ifndef CS_TESTS_REDIS_SERVER_H
#define CS_TESTS_REDIS_SERVER_H

#include <sys/types.h>

enum { TEST_SKIPPED = 77 }; /* what CTest counts as skipped */

struct redis_server {
    const char *name; /* of its files; NULL: "redis" */
    const char *socket;
    unsigned port; /* on 127.0.0.1, too */
    unsigned bus;  /* port of a cluster's nodes; 0: not chosen yet */
    pid_t pid;     /* 0: not running */
};

/* Starts it, or starts it again with the data it had, and waits until it answers. args are further
 * arguments, NULL at the end, or NULL. Where redis-server is not installed the process says so and
 * exits with TEST_SKIPPED. */
void redis_server_start(struct redis_server *s, const char *const *args);
/* A sentinel that watches the master on this port under the name "mymaster", alone, and takes it
 * for dead after half a second; its configuration is name.conf. */
void redis_sentinel_start(struct redis_server *s, unsigned master_port);
/* kill -9 */
void redis_server_kill(struct redis_server *s);

#endif
