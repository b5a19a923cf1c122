/* Three real masters of a cluster: each command finds its own, also while slots move, and all of
 * them are watched. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/redis_cluster.h"
#include "lib/run.h"
#include "lib/test.h"
#include "redis/slots.h"

enum { MASTERS = 3, KEYS = 60 };

static struct loop loop;
static struct redis_server server[MASTERS] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
static struct addr addrs[MASTERS];
static struct redis *r;

static const char *id_of(size_t i)
{
    static char id[MASTERS][48];
    char line[64];
    snprintf(line, sizeof(line), "redis-cli -p %u CLUSTER MYID", server[i].port);
    FILE *f = popen(line, "r"); /* NOLINT(cert-env33-c) */
    assert_non_null(f);
    assert_non_null(fgets(id[i], sizeof(id[i]), f));
    pclose(f);
    id[i][strcspn(id[i], "\n")] = 0;
    return id[i];
}

static size_t master_of(unsigned slot)
{
    return slot / (SLOTS / MASTERS + 1);
}

static int start(void **state)
{
    (void)state;
    redis_cluster_start(server, MASTERS, addrs);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < MASTERS; i++)
        redis_server_kill(&server[i]);
    return 0;
}

static struct redis_conf conf_of(void)
{
    return (struct redis_conf){ .cluster = addrs, .n_cluster = 1 };
}

static void until_ready(struct redis *c)
{
    for (int i = 0; i < 1000 && !redis_is_ready(c); i++)
        run_for(&loop, 10);
    assert_true(redis_is_ready(c));
}

static int open_client(void **state)
{
    struct redis_conf conf = conf_of();
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(redis_open(&loop, &conf, &r), 0);
    until_ready(r);
    return 0;
}

static int close_client(void **state)
{
    (void)state;
    redis_close(&r);
    return run_down(&loop) ? 0 : -1;
}

struct said {
    size_t n, errors, lost, ones;
};

static void on_reply(void *arg, const struct redis_reply *reply)
{
    struct said *s = arg;
    s->n++;
    s->lost += !reply;
    s->errors += reply && reply->type == REDIS_ERROR;
    if (reply && reply->type == REDIS_ERROR)
        print_error(SPAN_FMT "\n", SPAN_ARG(reply->str));
    s->ones += reply && reply->type == REDIS_STRING && span_eq(reply->str, SPAN("1"));
}

static struct span key_of(char text[32], unsigned i)
{
    snprintf(text, 32, "cs:test:{%u}", i);
    return span_str(text);
}

static void until(struct said *s, size_t n)
{
    assert_true(run_until_count(&loop, &s->n, n, 5000));
    assert_int_equal(s->errors, 0);
    assert_int_equal(s->lost, 0);
}

static void write_all(struct span value)
{
    struct said s = { 0 };
    for (unsigned i = 0; i < KEYS; i++) {
        char text[32];
        assert_non_null(redis_do(r, on_reply, &s, SPAN("SET"), key_of(text, i), value));
    }
    until(&s, KEYS);
}

static void test_each_command_finds_its_master(void **state)
{
    struct said s = { 0 };
    (void)state;
    assert_int_equal(redis_masters(r), MASTERS);
    assert_int_equal(redis_master_slot(r, 0), 0);
    assert_int_equal(redis_generation(r), 1);
    write_all(SPAN("1"));
    for (unsigned i = 0; i < KEYS; i++) {
        char text[32];
        assert_non_null(redis_do(r, on_reply, &s, SPAN("GET"), key_of(text, i)));
    }
    assert_non_null(redis_do(r, on_reply, &s, SPAN("PING")));
    for (size_t i = 0; i < MASTERS; i++)
        assert_non_null(redis_ask_master(r, i, on_reply, &s, 1, &SPAN("INFO")));
    assert_null(redis_ask_master(r, MASTERS, on_reply, &s, 1, &SPAN("INFO")));
    until(&s, KEYS + 1 + MASTERS);
    assert_int_equal(s.ones, KEYS);
}

static void test_transactions_and_scripts_of_one_turn(void **state)
{
    static struct redis_script script = {
        .lua = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])"
    };
    struct said s = { 0 };
    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        char text[32];
        struct span key = key_of(text, i);
        const struct redis_argv commands[] = { REDIS_ARGV(SPAN("SET"), key, SPAN("2")),
                                               REDIS_ARGV(SPAN("GET"), key) };
        assert_non_null(redis_atomic(r, on_reply, &s, 2, commands));
        const struct span argv[] = { key, SPAN("1") };
        assert_non_null(redis_script(r, &script, on_reply, &s, 1, 2, argv));
    }
    until(&s, 2 * KEYS);
    assert_int_equal(s.ones, KEYS);
}

/* All keys of slot_of(key 0) to the next master, while they are used. */
static void test_slots_that_move_are_followed(void **state)
{
    static struct redis_script script = { .lua = "return redis.call('GET', KEYS[1])" };
    char text[32];
    struct span key = key_of(text, 0);
    unsigned slot = slot_of(key);
    size_t source = master_of(slot), target = (source + 1) % MASTERS;
    struct said s = { 0 };
    (void)state;
    write_all(SPAN("1"));
    redis_admin("%u CLUSTER SETSLOT %u IMPORTING %s", server[target].port, slot, id_of(source));
    redis_admin("%u CLUSTER SETSLOT %u MIGRATING %s", server[source].port, slot, id_of(target));
    assert_non_null(redis_do(r, on_reply, &s, SPAN("GET"), key)); /* still there */
    until(&s, 1);
    redis_admin("%u MIGRATE 127.0.0.1 %u '%s' 0 1000", server[source].port, server[target].port,
                text);
    const struct span argv[] = { key };
    const struct redis_argv commands[] = { REDIS_ARGV(SPAN("EXISTS"), key) };
    assert_non_null(redis_do(r, on_reply, &s, SPAN("GET"), key)); /* ASK */
    assert_non_null(redis_script(r, &script, on_reply, &s, 1, 1, argv));
    until(&s, 3);
    assert_non_null(redis_atomic(r, on_reply, &s, 1, commands)); /* waits for the end */
    run_for(&loop, 100);
    assert_int_equal(s.n, 3);
    for (size_t i = 0; i < MASTERS; i++)
        redis_admin("%u CLUSTER SETSLOT %u NODE %s", server[i].port, slot, id_of(target));
    until(&s, 4);
    assert_non_null(redis_do(r, on_reply, &s, SPAN("GET"), key)); /* MOVED, or known by now */
    until(&s, 5);
    assert_int_equal(s.ones, 4);
    assert_true(redis_is_ready(r));
}

static size_t changed, everything;

static void on_change(void *arg, struct span key)
{
    (void)arg;
    changed += key.p != NULL;
    everything += key.p == NULL;
}

static void test_every_master_is_watched(void **state)
{
    struct redis_conf conf = conf_of();
    struct redis *watcher;
    (void)state;
    assert_int_equal(redis_watch(&loop, &conf, "cs:test:", on_change, NULL, &watcher), 0);
    until_ready(watcher);
    assert_true(everything > 0);
    changed = 0;
    write_all(SPAN("3"));
    assert_true(run_until_count(&loop, &changed, KEYS, 5000));
    assert_true(mono_since(redis_heard(watcher), loop_now(&loop)).ms < 5000);
    redis_close(&watcher);
}

static void test_a_dead_master_is_said_and_what_waits_is_answered(void **state)
{
    struct said s = { 0 };
    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        char text[32];
        assert_non_null(redis_do(r, on_reply, &s, SPAN("GET"), key_of(text, i)));
    }
    struct redis_call *cancelled = redis_do(r, on_reply, &s, SPAN("GET"), SPAN("cs:x"));
    redis_cancel(cancelled);
    redis_close(&r);
    assert_int_equal(s.n, KEYS);
    assert_int_equal(s.lost, KEYS);
    struct redis_conf conf = conf_of();
    assert_int_equal(redis_open(&loop, &conf, &r), 0);
    until_ready(r);
    redis_server_kill(&server[2]);
    for (int i = 0; i < 500 && redis_is_ready(r); i++)
        run_for(&loop, 10);
    assert_false(redis_is_ready(r));
    s = (struct said){ 0 };
    assert_non_null(redis_do(r, on_reply, &s, SPAN("GET"), SPAN("cs:x")));
    assert_true(run_until_count(&loop, &s.n, 1, 3000));
    assert_int_equal(s.lost, 1);
    redis_cluster_node_start(&server[2]);
    until_ready(r);
    assert_int_equal(redis_generation(r), 1); /* the same ones as before */
}

static void test_no_cluster_is_no_cluster(void **state)
{
    struct redis_server alone = { .name = "alone" };
    struct redis *c;
    (void)state;
    redis_server_start(&alone, NULL);
    struct addr addr = addrs[0];
    addr_set_port(&addr, (uint16_t)alone.port);
    struct redis_conf conf = { .cluster = &addr, .n_cluster = 1 };
    assert_int_equal(redis_open(&loop, &conf, &c), 0);
    run_for(&loop, 300);
    assert_false(redis_is_ready(c));
    assert_int_equal(redis_masters(c), 0);
    redis_close(&c);
    redis_server_kill(&alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_command_finds_its_master, open_client,
                                        close_client),
        cmocka_unit_test_setup_teardown(test_transactions_and_scripts_of_one_turn, open_client,
                                        close_client),
        cmocka_unit_test_setup_teardown(test_slots_that_move_are_followed, open_client,
                                        close_client),
        cmocka_unit_test_setup_teardown(test_every_master_is_watched, open_client, close_client),
        cmocka_unit_test_setup_teardown(test_a_dead_master_is_said_and_what_waits_is_answered,
                                        open_client, close_client),
        cmocka_unit_test_setup_teardown(test_no_cluster_is_no_cluster, open_client, close_client),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
