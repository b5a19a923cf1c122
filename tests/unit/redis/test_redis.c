/* The client against a real redis-server. */
#include <stdlib.h>

#include "base/metric.h"
#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/test.h"
#include "redis/redis.h"

static struct loop loop;
static struct redis_server server;

struct got { /* what the last answers were */
    size_t n, lost;
    int64_t integer;
    enum redis_type type;
    char text[256];
    size_t len, elements;
    bool ready, in_call;
};

static void on_reply(void *arg, const struct redis_reply *reply)
{
    struct got *g = arg;
    assert_false(g->in_call);
    g->n++;
    if (!reply) {
        g->lost++;
        return;
    }
    g->type = reply->type;
    g->integer = reply->integer;
    g->len = reply->str.n;
    g->elements = reply->n;
    span_copy(g->text, sizeof(g->text), reply->n ? reply->element[reply->n - 1].str : reply->str);
}

static void on_ready(void *arg, bool ready)
{
    ((struct got *)arg)->ready = ready;
}

static struct redis *open_redis(const struct redis_conf *conf, struct got *g)
{
    struct redis *r;
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(redis_open(&loop, conf, &r), 0);
    redis_on_ready(r, on_ready, g);
    return r;
}

static struct redis *open_ready(struct got *g)
{
    struct redis *r = open_redis(&(struct redis_conf){ .unix_path = server.socket }, g);
    assert_true(run_until(&loop, &g->ready, 5000));
    return r;
}

static void close_redis(struct redis **r)
{
    redis_close(r);
    assert_null(*r);
    assert_true(run_down(&loop));
}

#define ASK(r, g, ...)                                                   \
    do {                                                                 \
        size_t before_ = (g)->n;                                         \
        assert_non_null(redis_do(r, on_reply, g, __VA_ARGS__));          \
        assert_true(run_until_count(&loop, &(g)->n, before_ + 1, 5000)); \
    } while (0)

static void test_every_kind_of_reply_arrives(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    assert_true(redis_is_ready(r));
    ASK(r, &g, SPAN("SET"), SPAN("kind"), SPAN("a\0b"));
    assert_int_equal(g.type, REDIS_STATUS);
    assert_string_equal(g.text, "OK");
    ASK(r, &g, SPAN("GET"), SPAN("kind"));
    assert_int_equal(g.type, REDIS_STRING);
    assert_int_equal(g.len, 3);
    assert_memory_equal(g.text, "a\0b", 3);
    ASK(r, &g, SPAN("GET"), SPAN("missing"));
    assert_int_equal(g.type, REDIS_NIL);
    ASK(r, &g, SPAN("GET"), SPAN(""));
    assert_int_equal(g.type, REDIS_NIL);
    ASK(r, &g, SPAN("INCRBY"), SPAN("number"), SPAN("-7"));
    assert_int_equal(g.type, REDIS_INTEGER);
    assert_int_equal(g.integer, -7);
    ASK(r, &g, SPAN("INCR"), SPAN("kind"));
    assert_int_equal(g.type, REDIS_ERROR);
    assert_int_equal(g.lost, 0);
    close_redis(&r);
}

static void on_array(void *arg, const struct redis_reply *reply)
{
    struct got *g = arg;
    g->n++;
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_ARRAY);
    assert_int_equal(reply->n, 4);
    assert_int_equal(reply->element[0].integer, 1);
    assert_int_equal(reply->element[1].type, REDIS_ARRAY);
    assert_int_equal(reply->element[1].n, 2);
    assert_true(span_eq(reply->element[1].element[1].str, SPAN("three")));
    assert_int_equal(reply->element[2].type, REDIS_ARRAY);
    assert_int_equal(reply->element[2].n, 0);
    assert_true(span_eq(reply->element[3].str, SPAN("")));
    assert_non_null(reply->element[3].str.p);
}

static void test_arrays_nest(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    redis_do(r, on_array, &g, SPAN("EVAL"), SPAN("return {1, {2, 'three'}, {}, ''}"), SPAN("0"));
    assert_true(run_until_count(&loop, &g.n, 1, 5000));
    close_redis(&r);
}

static void test_large_values_pass_both_ways(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    enum { SIZE = 3 * 1024 * 1024 };
    char *big = malloc(SIZE);
    memset(big, 'x', SIZE);
    for (int i = 0; i < 3; i++) {
        ASK(r, &g, SPAN("SET"), SPAN("big"), span_of(big, SIZE));
        assert_int_equal(g.type, REDIS_STATUS);
        ASK(r, &g, SPAN("GET"), SPAN("big"));
        assert_int_equal(g.len, SIZE);
    }
    ASK(r, &g, SPAN("DEL"), SPAN("big"));
    free(big);
    close_redis(&r);
}

static void on_next(void *arg, const struct redis_reply *reply)
{
    struct got *g = arg;
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_INTEGER);
    assert_int_equal(reply->integer, ++g->n);
}

static void test_a_thousand_pipelined_commands_are_answered_in_order(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    int64_t ok = metric_get(M_REDIS_COMMANDS, 0);
    ASK(r, &g, SPAN("DEL"), SPAN("counter"));
    g.n = 0;
    for (int i = 0; i < 1000; i++)
        assert_non_null(redis_do(r, on_next, &g, SPAN("INCR"), SPAN("counter")));
    assert_int_equal(g.n, 0);
    assert_true(run_until_count(&loop, &g.n, 1000, 5000));
    assert_int_equal(metric_get(M_REDIS_COMMANDS, 0) - ok, 1001);
    assert_int_equal(metric_get(M_REDIS_CONNECTED, 0), 1);
    close_redis(&r);
    assert_int_equal(metric_get(M_REDIS_CONNECTED, 0), 0);
}

static void test_kill_9_answers_null_and_reconnects_with_all_data(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    ASK(r, &g, SPAN("SET"), SPAN("kept"), SPAN("yes"));
    g = (struct got){ .ready = true };
    ASK(r, &g, SPAN("CLIENT"), SPAN("PAUSE"), SPAN("5000"));
    for (int i = 0; i < 10; i++)
        redis_do(r, on_reply, &g, SPAN("GET"), SPAN("kept"));
    run_for(&loop, 20); /* they are sent */
    redis_server_kill(&server);
    assert_true(run_until_count(&loop, &g.n, 11, 1000));
    assert_int_equal(g.lost, 10);
    assert_false(g.ready);
    assert_false(redis_is_ready(r));

    g.n = g.lost = 0; /* while it is away */
    g.in_call = true;
    assert_non_null(redis_do(r, on_reply, &g, SPAN("GET"), SPAN("kept")));
    g.in_call = false;
    assert_true(run_until_count(&loop, &g.lost, 1, 1000));

    redis_server_start(&server, NULL);
    assert_true(run_until(&loop, &g.ready, 1500));
    ASK(r, &g, SPAN("GET"), SPAN("kept"));
    assert_string_equal(g.text, "yes");
    close_redis(&r);
}

static struct redis_script add = { .lua = "return redis.call('INCRBY', KEYS[1], ARGV[1])" };

static void run_add(struct redis *r, struct got *g, const char *n)
{
    size_t before = g->n;
    assert_non_null(redis_script(r, &add, on_reply, g, 1, 2,
                                 (const struct span[]){ SPAN("{sum}"), span_str(n) }));
    assert_true(run_until_count(&loop, &g->n, before + 1, 5000));
}

static void test_a_script_is_loaded_again_when_it_was_flushed(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    ASK(r, &g, SPAN("DEL"), SPAN("{sum}"));
    ASK(r, &g, SPAN("SCRIPT"), SPAN("FLUSH"));
    run_add(r, &g, "1");
    assert_int_equal(g.integer, 1);
    ASK(r, &g, SPAN("SCRIPT"), SPAN("EXISTS"), span_str(add.sha));
    assert_int_equal(g.type, REDIS_ARRAY);
    run_add(r, &g, "2");
    assert_int_equal(g.integer, 3);
    ASK(r, &g, SPAN("SCRIPT"), SPAN("FLUSH"));
    g.n = 0;
    for (int i = 0; i < 50; i++)
        redis_script(r, &add, on_reply, &g, 1, 2,
                     (const struct span[]){ SPAN("{sum}"), SPAN("1") });
    assert_true(run_until_count(&loop, &g.n, 50, 5000));
    assert_int_equal(g.integer, 53);
    assert_int_equal(g.lost, 0);
    close_redis(&r);
}

static void test_a_late_answer_is_null_and_later_ones_find_their_own(void **state)
{
    (void)state;
    struct got g = { 0 }, pause = { 0 };
    struct redis_conf conf = { .unix_path = server.socket, .deadline = DURATION_MS(200) };
    struct redis *r = open_redis(&conf, &g);
    assert_true(run_until(&loop, &g.ready, 5000));
    ASK(r, &g, SPAN("SET"), SPAN("late"), SPAN("old"));
    ASK(r, &pause, SPAN("CLIENT"), SPAN("PAUSE"), SPAN("400"));
    g.n = 0;
    redis_do(r, on_reply, &g, SPAN("GET"), SPAN("late"));
    struct mono sent = clock_mono();
    assert_true(run_until_count(&loop, &g.n, 1, 1000));
    assert_int_equal(g.lost, 1);
    assert_in_range(mono_since(sent, clock_mono()).ms, 190, 380);
    run_for(&loop, 100);
    redis_do(r, on_reply, &g, SPAN("ECHO"), SPAN("mine"));
    assert_true(run_until_count(&loop, &g.n, 2, 1000));
    assert_int_equal(g.lost, 1);
    assert_string_equal(g.text, "mine");
    assert_true(g.ready);
    close_redis(&r);
}

static void test_a_silent_server_is_given_up(void **state)
{
    (void)state;
    struct got g = { 0 }, pause = { 0 };
    struct redis_conf conf = { .unix_path = server.socket, .deadline = DURATION_MS(100) };
    struct redis *r = open_redis(&conf, &g);
    assert_true(run_until(&loop, &g.ready, 5000));
    ASK(r, &pause, SPAN("CLIENT"), SPAN("PAUSE"), SPAN("1000"));
    redis_do(r, on_reply, &g, SPAN("GET"), SPAN("x"));
    run_for(&loop, 600);
    assert_int_equal(g.lost, 1);
    assert_false(redis_is_ready(r));
    g.ready = false;
    assert_true(run_until(&loop, &g.ready, 3000));
    close_redis(&r);
}

static struct redis_call *incr_and(struct redis *r, struct got *g, struct span command)
{
    return redis_atomic(r, on_reply, g, 2,
                        (const struct redis_argv[]){ REDIS_ARGV(SPAN("INCR"), SPAN("atom")),
                                                     REDIS_ARGV(command, SPAN("atom")) });
}

static void test_atomic_commands_are_all_run_or_none(void **state)
{
    (void)state;
    struct got g = { 0 }, last = { 0 };
    struct redis *r = open_ready(&g);
    g.n = 0;
    assert_non_null(incr_and(r, &g, SPAN("INCR")));
    assert_true(run_until_count(&loop, &g.n, 1, 5000));
    assert_int_equal(g.type, REDIS_ARRAY);
    assert_int_equal(g.elements, 2);
    ASK(r, &last, SPAN("GET"), SPAN("atom"));
    assert_string_equal(last.text, "2");

    assert_non_null(incr_and(r, &g, SPAN("NONSENSE")));
    assert_true(run_until_count(&loop, &g.n, 2, 5000));
    assert_int_equal(g.type, REDIS_ERROR);
    ASK(r, &last, SPAN("GET"), SPAN("atom"));
    assert_string_equal(last.text, "2");

    redis_cancel(incr_and(r, &g, SPAN("INCR")));
    run_for(&loop, 50);
    ASK(r, &last, SPAN("GET"), SPAN("atom"));
    assert_string_equal(last.text, "4");
    assert_int_equal(g.n, 2);
    close_redis(&r);
}

static void test_each_finds_its_own_in_a_shared_transaction(void **state)
{
    (void)state;
    enum { N = 150 }; /* more than one transaction holds */
    static struct got all[N];
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    const struct redis_argv ping = REDIS_ARGV(SPAN("PING"));
    for (int i = 0; i < N; i++) {
        char key[16];
        struct buf b = BUF_INIT(key);
        buf_lit(&b, "shared:");
        buf_u64(&b, (uint64_t)i);
        const struct span k = buf_span(&b);
        all[i] = (struct got){ 0 };
        const struct redis_argv commands[] = { REDIS_ARGV(SPAN("SET"), k, k), ping,
                                               REDIS_ARGV(SPAN("GET"), k) };
        /* Some ask for one reply, some for three. */
        assert_non_null(i % 3 ? redis_atomic(r, on_reply, &all[i], 3, commands)
                              : redis_atomic(r, on_reply, &all[i], 1, &ping));
    }
    assert_true(run_until_count(&loop, &all[N - 1].n, 1, 5000));
    for (int i = 0; i < N; i++) {
        assert_int_equal(all[i].n, 1);
        assert_int_equal(all[i].type, REDIS_ARRAY);
        assert_int_equal(all[i].elements, i % 3 ? 3 : 1);
        if (i % 3) {
            char key[24];
            snprintf(key, sizeof(key), "shared:%d", i);
            assert_string_equal(all[i].text, key);
        }
    }
    close_redis(&r);
}

static void test_transactions_that_were_not_sent_are_lost_with_the_client(void **state)
{
    (void)state;
    struct got g = { 0 }, two[2] = { { 0 }, { 0 } };
    struct redis *r = open_ready(&g);
    assert_non_null(incr_and(r, &two[0], SPAN("INCR")));
    assert_non_null(incr_and(r, &two[1], SPAN("INCR")));
    close_redis(&r);
    assert_int_equal(two[0].lost + two[1].lost, 2);
}

static void test_atomic_commands_tell_that_the_master_was_demoted(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    ASK(r, &g, SPAN("REPLICAOF"), SPAN("127.0.0.1"), SPAN("1"));
    assert_non_null(incr_and(r, &g, SPAN("INCR")));
    assert_true(run_until_count(&loop, &g.n, 2, 5000));
    run_for(&loop, 200);
    assert_false(redis_is_ready(r));
    close_redis(&r);
    redis_server_kill(&server); /* a master again */
    redis_server_start(&server, NULL);
}

static void test_a_cancelled_call_is_not_answered(void **state)
{
    (void)state;
    struct got g = { 0 }, other = { 0 };
    struct redis *r = open_ready(&g);
    redis_cancel(redis_do(r, on_reply, &other, SPAN("PING")));
    ASK(r, &g, SPAN("PING"));
    assert_int_equal(other.n, 0);
    close_redis(&r);
}

static void test_close_answers_what_is_pending_with_null(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    for (int i = 0; i < 5; i++)
        redis_do(r, on_reply, &g, SPAN("PING"));
    close_redis(&r);
    assert_int_equal(g.n, 5);
    assert_int_equal(g.lost, 5);
}

static struct redis *closing;

static void on_reply_close(void *arg, const struct redis_reply *reply)
{
    (void)reply;
    ++*(size_t *)arg;
    redis_close(&closing);
}

static void test_a_callback_may_close_the_client(void **state)
{
    (void)state;
    struct got g = { 0 };
    for (int connected = 0; connected < 2; connected++) {
        struct redis_conf conf = { .unix_path = connected ? server.socket : "/nonexistent/redis" };
        size_t n = 0;
        g = (struct got){ 0 };
        closing = open_redis(&conf, &g);
        if (connected)
            assert_true(run_until(&loop, &g.ready, 5000));
        redis_do(closing, on_reply_close, &n, SPAN("PING"));
        redis_do(closing, on_reply, &g, SPAN("PING"));
        redis_do(closing, on_reply, &g, SPAN("PING"));
        assert_true(run_until_count(&loop, &n, 1, 5000));
        assert_int_equal(g.n, 2);
        assert_int_equal(g.lost, 2);
        assert_true(run_down(&loop));
    }
}

static void test_a_callback_may_close_the_client_amid_a_transaction(void **state)
{
    (void)state;
    struct got g = { 0 }, others = { 0 };
    const struct redis_argv ping = REDIS_ARGV(SPAN("PING"));
    size_t n = 0;
    closing = open_ready(&g);
    redis_atomic(closing, on_reply_close, &n, 1, &ping);
    redis_atomic(closing, on_reply, &others, 1, &ping);
    redis_do(closing, on_reply, &others, SPAN("CLIENT"), SPAN("GETNAME")); /* replies before */
    redis_atomic(closing, on_reply, &others, 1, &ping);
    assert_true(run_until_count(&loop, &n, 1, 5000));
    assert_int_equal(others.n, 3);
    assert_int_equal(others.lost, 2);
    assert_true(run_down(&loop));
}

static void test_tcp_works_like_the_unix_socket(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis_conf conf = { 0 };
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), (uint16_t)server.port, &conf.addr), 0);
    struct redis *r = open_redis(&conf, &g);
    assert_true(run_until(&loop, &g.ready, 5000));
    ASK(r, &g, SPAN("ECHO"), SPAN("over tcp"));
    assert_string_equal(g.text, "over tcp");
    close_redis(&r);
}

/* A user of few rights: neither PING nor ROLE, as a registrar's is. */
static void test_a_restricted_user_logs_in_and_a_wrong_password_does_not(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct secret password = { 0 };
    struct redis *r = open_ready(&g);
    ASK(r, &g, SPAN("ACL"), SPAN("SETUSER"), SPAN("front"), SPAN("on"), SPAN(">open sesame"),
        SPAN("~cs:loc:*"), SPAN("+get"));
    assert_int_equal(g.type, REDIS_STATUS);
    close_redis(&r);

    struct redis_conf conf = { .unix_path = server.socket,
                               .username = "front",
                               .password = &password };
    assert_int_equal(secret_set(&password, SPAN("open sesame")), 0);
    g = (struct got){ 0 };
    r = open_redis(&conf, &g);
    assert_true(run_until(&loop, &g.ready, 5000));
    ASK(r, &g, SPAN("GET"), SPAN("cs:loc:{x}"));
    assert_int_equal(g.type, REDIS_NIL);
    ASK(r, &g, SPAN("GET"), SPAN("cs:user:{x}"));
    assert_int_equal(g.type, REDIS_ERROR);
    assert_true(redis_is_ready(r));
    close_redis(&r);

    assert_int_equal(secret_set(&password, SPAN("wrong")), 0);
    g = (struct got){ 0 };
    r = open_redis(&conf, &g);
    run_for(&loop, 200);
    assert_false(redis_is_ready(r));
    close_redis(&r);
    secret_fini(&password);
}

static void test_a_replica_is_not_ready_and_a_demoted_master_neither(void **state)
{
    (void)state;
    struct got g = { 0 };
    struct redis *r = open_ready(&g);
    ASK(r, &g, SPAN("REPLICAOF"), SPAN("127.0.0.1"), SPAN("1"));
    ASK(r, &g, SPAN("SET"), SPAN("x"), SPAN("1"));
    assert_int_equal(g.type, REDIS_ERROR); /* READONLY */
    run_for(&loop, 200);
    assert_false(redis_is_ready(r));
    assert_false(g.ready);
    close_redis(&r);
    redis_server_kill(&server); /* a master again */
    redis_server_start(&server, NULL);
}

static int start_server(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    return 0;
}

static int kill_server(void **state)
{
    (void)state;
    redis_server_kill(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_reply_arrives),
        cmocka_unit_test(test_arrays_nest),
        cmocka_unit_test(test_large_values_pass_both_ways),
        cmocka_unit_test(test_a_thousand_pipelined_commands_are_answered_in_order),
        cmocka_unit_test(test_kill_9_answers_null_and_reconnects_with_all_data),
        cmocka_unit_test(test_a_script_is_loaded_again_when_it_was_flushed),
        cmocka_unit_test(test_a_late_answer_is_null_and_later_ones_find_their_own),
        cmocka_unit_test(test_a_silent_server_is_given_up),
        cmocka_unit_test(test_atomic_commands_are_all_run_or_none),
        cmocka_unit_test(test_each_finds_its_own_in_a_shared_transaction),
        cmocka_unit_test(test_transactions_that_were_not_sent_are_lost_with_the_client),
        cmocka_unit_test(test_atomic_commands_tell_that_the_master_was_demoted),
        cmocka_unit_test(test_a_cancelled_call_is_not_answered),
        cmocka_unit_test(test_close_answers_what_is_pending_with_null),
        cmocka_unit_test(test_a_callback_may_close_the_client),
        cmocka_unit_test(test_a_callback_may_close_the_client_amid_a_transaction),
        cmocka_unit_test(test_tcp_works_like_the_unix_socket),
        cmocka_unit_test(test_a_restricted_user_logs_in_and_a_wrong_password_does_not),
        cmocka_unit_test(test_a_replica_is_not_ready_and_a_demoted_master_neither),
    };
    return cmocka_run_group_tests(tests, start_server, kill_server);
}
