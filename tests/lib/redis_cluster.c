#include "lib/redis_cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/run.h"
#include "lib/test.h"
#include "redis/slots.h"

void redis_admin(const char *format, ...)
{
    char words[512], line[700];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    snprintf(line, sizeof(line), "redis-cli -p %s >/dev/null", words);
    assert_int_equal(system(line), 0); /* NOLINT(cert-env33-c): a test's own words */
}

void redis_cluster_node_start(struct redis_server *s)
{
    char bus[16];
    if (!s->bus)
        s->bus = free_port();
    snprintf(bus, sizeof(bus), "%u", s->bus);
    redis_server_start(s,
                       (const char *const[]){ "--cluster-enabled", "yes", "--cluster-node-timeout",
                                              "2000", "--cluster-port", bus, NULL });
}

static void wait_until_it_serves(const struct redis_server *s)
{
    char line[128];
    snprintf(line, sizeof(line), "redis-cli -p %u CLUSTER INFO | grep -q cluster_state:ok",
             s->port);
    for (int tries = 0; tries < 200 && system(line); tries++) /* NOLINT(cert-env33-c) */
        usleep(50000);
}

void redis_cluster_start(struct redis_server *s, size_t n, struct addr *addrs)
{
    for (size_t i = 0; i < n; i++) {
        unsigned share = SLOTS / (unsigned)n + 1, first = (unsigned)i * share;
        unsigned last = i == n - 1 ? SLOTS - 1 : first + share - 1;
        char text[32];
        redis_cluster_node_start(&s[i]);
        redis_admin("%u CLUSTER ADDSLOTSRANGE %u %u", s[i].port, first, last);
        redis_admin("%u CLUSTER SET-CONFIG-EPOCH %zu", s[i].port, i + 1);
        snprintf(text, sizeof(text), "127.0.0.1:%u", s[i].port);
        assert_int_equal(addr_parse(span_str(text), 0, &addrs[i]), 0);
    }
    for (size_t i = 1; i < n; i++)
        redis_admin("%u CLUSTER MEET 127.0.0.1 %u %u", s[0].port, s[i].port, s[i].bus);
    for (size_t i = 0; i < n; i++)
        wait_until_it_serves(&s[i]);
}
