/* Real servers with a real sentinel: the master is found, and followed when another one is made. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/test.h"
#include "redis/redis.h"

enum { FAILOVER = 20000 /* ms, at most */ };

static struct loop loop;
static struct redis_server a = { .name = "a" }, b = { .name = "b" }, sentinel = { .name = "s" };
static struct redis *r, *watcher;
static size_t answers, everything_changed;
static struct addr addrs[2];
static struct redis_sentinels sentinels = { .master = "mymaster", .addrs = addrs, .n = 2 };

static void on_reply(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_ERROR);
    answers++;
}

static void on_change(void *arg, struct span key)
{
    (void)arg;
    everything_changed += key.p == NULL;
}

static void until_generation(uint64_t n)
{
    for (unsigned i = 0; i < FAILOVER / 10; i++) {
        if (redis_generation(r) == n && redis_is_ready(r) && redis_generation(watcher) == n &&
            redis_is_ready(watcher))
            return;
        run_for(&loop, 10);
    }
    fail_msg("the master was not followed");
}

static void write_works(void)
{
    size_t before = answers;
    assert_non_null(redis_do(r, on_reply, NULL, SPAN("SET"), SPAN("k"), SPAN("v")));
    assert_true(run_until_count(&loop, &answers, before + 1, 2000));
}

/* Servers are asked beside the loop, by a command that is no client of ours. */
static bool says(const char *command)
{
    return system(command) == 0; /* NOLINT(cert-env33-c): a test's own words */
}

/* Until it has the master's data: a sentinel that finds it so needs not look again. */
static void start_replica(struct redis_server *s, const struct redis_server *master)
{
    char port[16], line[256];
    snprintf(port, sizeof(port), "%u", master->port);
    redis_server_start(s, (const char *const[]){ "--replicaof", "127.0.0.1", port, NULL });
    snprintf(line, sizeof(line), "redis-cli -p %u INFO replication | grep -q master_link_status:up",
             s->port);
    for (unsigned i = 0; i < 100 && !says(line); i++)
        usleep(50000);
    assert_true(says(line));
}

static void until_replica_is_known(void)
{
    char line[256];
    snprintf(
        line, sizeof(line),
        "redis-cli -p %u SENTINEL REPLICAS mymaster | grep -A1 master-link-status | grep -q ok",
        sentinel.port);
    for (unsigned i = 0; i < 300 && !says(line); i++)
        run_for(&loop, 100);
    assert_true(says(line));
}

static void test_a_master_that_becomes_a_replica_is_left(void **state)
{
    (void)state;
    until_generation(1);
    write_works();
    until_replica_is_known();
    char line[256]; /* the old one lives on, as a replica */
    snprintf(line, sizeof(line), "redis-cli -p %u SENTINEL FAILOVER mymaster | grep -q OK",
             sentinel.port);
    assert_true(says(line));
    until_generation(2);
    write_works();
    assert_true(everything_changed >= 2);
}

static void test_a_master_that_died_is_replaced(void **state)
{
    (void)state;
    until_generation(1);
    until_replica_is_known();
    redis_server_kill(&a);
    until_generation(2);
    write_works();
}

static void test_what_the_sentinel_does_not_know_is_not_served(void **state)
{
    struct redis_sentinels other = sentinels;
    const struct redis_conf conf = { .sentinels = &other };
    struct redis *lost;
    (void)state;
    other.master = "nobody";
    assert_int_equal(redis_open(&loop, &conf, &lost), 0);
    run_for(&loop, 300);
    assert_false(redis_is_ready(lost));
    assert_int_equal(redis_generation(lost), 0);
    redis_close(&lost);
}

static int setup(void **state)
{
    const struct redis_conf conf = { .sentinels = &sentinels, .deadline = DURATION_MS(500) };
    (void)state;
    redis_server_start(&a, (const char *const[]){ "--repl-diskless-sync-delay", "0", NULL });
    start_replica(&b, &a);
    redis_sentinel_start(&sentinel, a.port);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), (uint16_t)free_port(), &addrs[0]), 0);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), (uint16_t)sentinel.port, &addrs[1]), 0);
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(redis_open(&loop, &conf, &r), 0);
    return redis_watch(&loop, &conf, "cs:", on_change, NULL, &watcher);
}

static int teardown(void **state)
{
    (void)state;
    redis_close(&watcher);
    redis_close(&r);
    assert_true(run_down(&loop));
    redis_server_kill(&sentinel);
    redis_server_kill(&b);
    redis_server_kill(&a);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_master_that_becomes_a_replica_is_left, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_master_that_died_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_the_sentinel_does_not_know_is_not_served, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
