/* A watcher hears of each change made in a real redis-server, and says when it cannot. */
#include <signal.h>

#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/test.h"
#include "redis/redis.h"

static struct loop loop;
static struct redis_server server;
static struct redis *writer, *watcher;

static struct {
    size_t keys, all; /* changes of one key, and of anything */
    char last[64];
} heard;

static void on_change(void *arg, struct span key)
{
    (void)arg;
    if (key.p) {
        heard.keys++;
        span_copy(heard.last, sizeof(heard.last), key);
    } else {
        heard.all++;
    }
}

static size_t answers;

static void on_reply(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_ERROR);
    answers++;
}

#define ASK(...)                                                \
    do {                                                        \
        answers = 0;                                            \
        redis_do(writer, on_reply, NULL, __VA_ARGS__);          \
        assert_true(run_until_count(&loop, &answers, 1, 5000)); \
    } while (0)

static void until_ready(const struct redis *r)
{
    for (unsigned i = 0; i < 500 && !redis_is_ready(r); i++)
        run_for(&loop, 10);
    assert_true(redis_is_ready(r));
}

static int setup(void **state)
{
    struct redis_conf conf = { .deadline = DURATION_MS(100) };
    (void)state;
    redis_server_start(&server, NULL);
    conf.unix_path = server.socket;
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(redis_open(&loop, &conf, &writer), 0);
    assert_int_equal(redis_watch(&loop, &conf, "cs:user:", on_change, NULL, &watcher), 0);
    until_ready(writer);
    until_ready(watcher);
    memset(&heard, 0, sizeof(heard));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    redis_close(&watcher);
    redis_close(&writer);
    assert_true(run_down(&loop));
    redis_server_kill(&server);
    return 0;
}

static void test_each_change_of_a_watched_key_is_heard_within_100_ms(void **state)
{
    (void)state;
    ASK(SPAN("SET"), SPAN("cs:user:{a}"), SPAN("1"));
    assert_true(run_until_count(&loop, &heard.keys, 1, 100));
    assert_string_equal(heard.last, "cs:user:{a}");
    ASK(SPAN("APPEND"), SPAN("cs:user:{a}"), SPAN("2")); /* again, though nobody read it */
    assert_true(run_until_count(&loop, &heard.keys, 2, 100));
    ASK(SPAN("MSET"), SPAN("cs:user:{b}"), SPAN("1"), SPAN("cs:user:{c}"), SPAN("1"));
    assert_true(run_until_count(&loop, &heard.keys, 4, 100));
    ASK(SPAN("DEL"), SPAN("cs:user:{a}"));
    assert_true(run_until_count(&loop, &heard.keys, 5, 100));
    ASK(SPAN("PEXPIRE"), SPAN("cs:user:{b}"), SPAN("1"));
    assert_true(run_until_count(&loop, &heard.keys, 6, 100));
    ASK(SPAN("EVAL"), SPAN("return redis.call('SET', KEYS[1], 1)"), SPAN("1"), SPAN("cs:user:{d}"));
    assert_true(run_until_count(&loop, &heard.keys, 7, 1000)); /* or 8: {b} expired */
    assert_int_equal(heard.all, 0);
}

static void test_other_keys_are_not_heard_of(void **state)
{
    (void)state;
    ASK(SPAN("SET"), SPAN("cs:users"), SPAN("1"));
    ASK(SPAN("SET"), SPAN("cs:loc:{a}"), SPAN("1"));
    ASK(SPAN("GET"), SPAN("cs:user:{a}"));
    run_for(&loop, 50);
    assert_int_equal(heard.keys, 0);
    assert_int_equal(heard.all, 0);
}

static void test_a_flush_may_have_changed_anything(void **state)
{
    (void)state;
    ASK(SPAN("FLUSHALL"));
    assert_true(run_until_count(&loop, &heard.all, 1, 100));
}

static void test_a_lost_connection_and_a_new_one_may_have_missed_anything(void **state)
{
    (void)state;
    redis_server_kill(&server);
    assert_true(run_until_count(&loop, &heard.all, 1, 1000));
    assert_false(redis_is_ready(watcher));
    redis_server_start(&server, NULL);
    assert_true(run_until_count(&loop, &heard.all, 2, 3000));
    assert_true(redis_is_ready(watcher));
    until_ready(writer);
    ASK(SPAN("SET"), SPAN("cs:user:{a}"), SPAN("1"));
    assert_true(run_until_count(&loop, &heard.keys, 1, 100));
}

static void test_a_quiet_watcher_stays_and_hears_the_next_change(void **state)
{
    (void)state;
    run_for(&loop, 1000); /* ten deadlines */
    assert_true(redis_is_ready(watcher));
    assert_int_equal(heard.all, 0);
    ASK(SPAN("SET"), SPAN("cs:user:{a}"), SPAN("1"));
    assert_true(run_until_count(&loop, &heard.keys, 1, 100));
}

static void test_a_server_that_stands_still_is_not_trusted(void **state)
{
    (void)state;
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    assert_true(run_until_count(&loop, &heard.all, 1, 2000));
    assert_false(redis_is_ready(watcher));
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    assert_true(run_until_count(&loop, &heard.all, 2, 5000));
    assert_true(redis_is_ready(watcher));
}

static void test_a_user_who_may_not_watch_is_not_ready(void **state)
{
    struct redis_conf conf = { .unix_path = server.socket, .username = "blind" };
    struct secret password = { 0 };
    struct redis *blind;
    (void)state;
    ASK(SPAN("ACL"), SPAN("SETUSER"), SPAN("blind"), SPAN("on"), SPAN(">open sesame"), SPAN("~*"),
        SPAN("+@all"), SPAN("-client|tracking"));
    assert_int_equal(secret_set(&password, SPAN("open sesame")), 0);
    conf.password = &password;
    assert_int_equal(redis_watch(&loop, &conf, "cs:user:", on_change, NULL, &blind), 0);
    run_for(&loop, 200);
    assert_false(redis_is_ready(blind));
    redis_close(&blind);
    secret_fini(&password);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_each_change_of_a_watched_key_is_heard_within_100_ms),
        TEST(test_other_keys_are_not_heard_of),
        TEST(test_a_flush_may_have_changed_anything),
        TEST(test_a_lost_connection_and_a_new_one_may_have_missed_anything),
        TEST(test_a_quiet_watcher_stays_and_hears_the_next_change),
        TEST(test_a_server_that_stands_still_is_not_trusted),
        TEST(test_a_user_who_may_not_watch_is_not_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
