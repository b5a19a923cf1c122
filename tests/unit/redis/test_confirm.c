/* Writes that replicas confirm: a real master and a real replica. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/test.h"
#include "redis/redis.h"

enum { SOON = 5000 };

struct got {
    size_t n, lost, errors;
    int64_t integer;
    char text[64];
    size_t elements;
};

static struct loop loop;
static struct redis_server master = { .name = "master" }, replica = { .name = "replica" };
static struct redis *r;

static void on_reply(void *arg, const struct redis_reply *reply)
{
    struct got *g = arg;
    g->n++;
    g->lost += reply == NULL;
    if (!reply)
        return;
    g->errors += reply->type == REDIS_ERROR;
    g->integer = reply->integer;
    g->elements = reply->n;
    const struct redis_reply *last = reply->n ? &reply->element[reply->n - 1] : reply;
    span_copy(g->text, sizeof(g->text), last->str);
}

static void set(struct got *g, struct span value)
{
    struct redis_call *c = redis_do(r, on_reply, g, SPAN("SET"), SPAN("k"), value);
    assert_non_null(c);
    redis_confirm(c);
}

static void wait_n(const struct got *g, size_t n)
{
    assert_true(run_until_count(&loop, &g->n, n, SOON));
}

static int setup(void **state)
{
    const struct redis_conf conf = { .unix_path = master.socket,
                                     .deadline = DURATION_S(1),
                                     .wait = 1,
                                     .wait_timeout = DURATION_MS(100) };
    struct got g = { 0 };
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(redis_open(&loop, &conf, &r), 0);
    for (unsigned i = 0; i < 500 && !redis_is_ready(r); i++)
        run_for(&loop, 10);
    for (size_t i = 1; i < 100 && (i == 1 || g.lost); i++) { /* until the replica follows */
        g.lost = 0;
        set(&g, SPAN("follow"));
        wait_n(&g, i);
    }
    assert_int_equal(g.lost, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    redis_close(&r);
    return run_down(&loop) ? 0 : -1;
}

static uint64_t waits(void)
{
    struct got g = { 0 };
    redis_do(r, on_reply, &g, SPAN("EVAL"),
             SPAN("return tonumber(string.match(redis.call('INFO', 'commandstats'), "
                  "'cmdstat_wait:calls=(%d+)') or 0)"),
             SPAN("0"));
    wait_n(&g, 1);
    assert_int_equal(g.errors, 0);
    return (uint64_t)g.integer;
}

static void test_writes_of_a_turn_are_confirmed_by_one_wait(void **state)
{
    struct got g = { 0 };
    uint64_t before = waits();
    (void)state;
    for (int i = 0; i < 50; i++)
        set(&g, SPAN("v"));
    wait_n(&g, 50);
    assert_int_equal(g.lost, 0);
    assert_string_equal(g.text, "OK");
    assert_int_equal(waits(), before + 1);
}

static void test_every_kind_of_reply_is_kept_until_then(void **state)
{
    static struct redis_script script = { .lua = "return redis.call('INCRBY', KEYS[1], ARGV[1])" };
    struct got g = { 0 };
    (void)state;
    redis_confirm(
        redis_atomic(r, on_reply, &g, 2,
                     (const struct redis_argv[]){ REDIS_ARGV(SPAN("SET"), SPAN("k"), SPAN("kept")),
                                                  REDIS_ARGV(SPAN("GET"), SPAN("k")) }));
    wait_n(&g, 1);
    assert_int_equal(g.elements, 2);
    assert_string_equal(g.text, "kept");
    redis_do(r, on_reply, &g, SPAN("DEL"), SPAN("n"));
    for (size_t i = 1; i <= 2; i++) { /* by its text, then by its hash */
        redis_confirm(redis_script(r, &script, on_reply, &g, 1, 2,
                                   (const struct span[]){ SPAN("n"), SPAN("7") }));
        wait_n(&g, 2 + i);
        assert_int_equal(g.integer, 7 * i);
    }
    assert_int_equal(g.lost, 0);
}

static void test_without_replicas_nothing_is_acknowledged_and_reads_go_on(void **state)
{
    struct got write = { 0 }, read = { 0 }, bad = { 0 };
    (void)state;
    assert_int_equal(kill(replica.pid, SIGSTOP), 0);
    set(&write, SPAN("unconfirmed"));
    set(&write, SPAN("unconfirmed"));
    redis_confirm(redis_do(r, on_reply, &bad, SPAN("INCR"), SPAN("k")));
    wait_n(&bad, 1);
    assert_int_equal(bad.errors, 1); /* needs nobody's confirmation */
    wait_n(&write, 2);
    assert_int_equal(write.lost, 2);
    redis_do(r, on_reply, &read, SPAN("GET"), SPAN("k"));
    wait_n(&read, 1);
    assert_string_equal(read.text, "unconfirmed"); /* it may be there, nobody said so */
    assert_true(redis_is_ready(r));
    assert_int_equal(kill(replica.pid, SIGCONT), 0);
    for (size_t i = 3; i < 50 && write.lost == i - 1; i++) {
        set(&write, SPAN("back"));
        wait_n(&write, i);
    }
    assert_in_range(write.lost, 2, write.n - 1);
}

static void test_nothing_stays_behind_when_the_server_or_we_go(void **state)
{
    struct got g = { 0 }, cancelled = { 0 };
    (void)state;
    assert_int_equal(kill(replica.pid, SIGSTOP), 0);
    set(&g, SPAN("x"));
    struct redis_call *c = redis_do(r, on_reply, &cancelled, SPAN("SET"), SPAN("k"), SPAN("y"));
    redis_confirm(c);
    redis_cancel(c);
    run_for(&loop, 30); /* the replies are here, the confirmation is not */
    assert_int_equal(g.n, 0);
    redis_server_kill(&master);
    wait_n(&g, 1);
    assert_int_equal(g.lost, 1);
    set(&g, SPAN("nobody is there"));
    wait_n(&g, 2);
    redis_server_start(&master, NULL);
    for (unsigned i = 0; i < 500 && !redis_is_ready(r); i++)
        run_for(&loop, 10);
    set(&g, SPAN("z"));
    run_for(&loop, 30);
    redis_close(&r);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.lost, 3);
    assert_int_equal(cancelled.n, 0);
    assert_int_equal(kill(replica.pid, SIGCONT), 0);
}

static int start(void **state)
{
    char port[16];
    (void)state;
    redis_server_start(&master, (const char *const[]){ "--repl-diskless-sync-delay", "0", NULL });
    snprintf(port, sizeof(port), "%u", master.port);
    redis_server_start(&replica, (const char *const[]){ "--replicaof", "127.0.0.1", port, NULL });
    return 0;
}

static int stop(void **state)
{
    (void)state;
    redis_server_kill(&replica);
    redis_server_kill(&master);
    return 0;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_writes_of_a_turn_are_confirmed_by_one_wait),
        TEST(test_every_kind_of_reply_is_kept_until_then),
        TEST(test_without_replicas_nothing_is_acknowledged_and_reads_go_on),
        TEST(test_nothing_stays_behind_when_the_server_or_we_go),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
