/* The bytes on the wire, and servers that misbehave. */

#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"
#include "net/stream.h"
#include "redis/redis.h"

/* A server that says what the test wants: the n-th connection gets answers[n]. */
static struct fake {
    struct listener *listener;
    const char *const *answers;
    size_t n, accepted;
    char heard[8192];
    size_t n_heard;
} fake;

static struct loop loop;
static struct stream *last;

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    size_t n = CS_MIN(in.n, sizeof(fake.heard) - fake.n_heard);
    memcpy(fake.heard + fake.n_heard, in.p, n);
    fake.n_heard += n;
    if (fake.accepted <= fake.n)
        stream_write(s, span_str(fake.answers[fake.accepted - 1]));
    (void)arg;
    return (ptrdiff_t)in.n;
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    (void)arg, (void)reason;
    if (s == last)
        last = NULL;
}

static int on_accept(void *arg, struct stream *s, void **stream_arg)
{
    (void)arg, (void)stream_arg;
    last = s;
    fake.accepted++;
    return 0;
}

static void on_ready(void *arg, bool ready)
{
    *(bool *)arg = ready;
}

static struct redis *open_fake(const char *const *answers, size_t n, bool *ready)
{
    static const struct stream_events events = { NULL, on_data, on_closed };
    static const struct stream_limits limits = { 65536, 65536 };
    const char *path = tmp_path("fake.sock");
    struct redis *r;
    fake = (struct fake){ .answers = answers, .n = n };
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(
        listener_open_unix(&loop, path, 0600, &limits, &events, on_accept, NULL, &fake.listener),
        0);
    assert_int_equal(redis_open(&loop, &(struct redis_conf){ .unix_path = path }, &r), 0);
    redis_on_ready(r, on_ready, ready);
    return r;
}

static void close_fake(struct redis **r)
{
    redis_close(r);
    listener_close(&fake.listener);
    if (last)
        stream_close(last, 0);
    last = NULL;
    assert_true(run_down(&loop));
}

#define MASTER "+PONG\r\n*1\r\n$6\r\nmaster\r\n"

static void on_count(void *arg, const struct redis_reply *reply)
{
    (void)reply;
    ++*(size_t *)arg;
}

static void test_commands_of_a_turn_leave_as_resp(void **state)
{
    (void)state;
    static const char *const answers[] = { MASTER };
    bool ready = false;
    size_t n = 0;
    struct redis *r = open_fake(answers, 1, &ready);
    assert_true(run_until(&loop, &ready, 1000));
    static const char hello[] = "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nROLE\r\n";
    assert_int_equal(fake.n_heard, sizeof(hello) - 1);
    assert_memory_equal(fake.heard, hello, sizeof(hello) - 1);
    fake.n_heard = 0;
    fake.n = 0; /* it is silent from here on */
    redis_do(r, on_count, &n, SPAN("SET"), SPAN("k"), SPAN(""));
    redis_do(r, on_count, &n, SPAN("GET"), SPAN("a\r\nb"));
    run_for(&loop, 30);
    static const char both[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"
                               "*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n";
    assert_int_equal(fake.n_heard, sizeof(both) - 1);
    assert_memory_equal(fake.heard, both, sizeof(both) - 1);
    close_fake(&r);
    assert_int_equal(n, 2);
}

static void test_a_server_that_loads_is_asked_again(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "-LOADING Redis is loading the dataset in memory\r\n*1\r\n$6\r\nmaster\r\n",
        "-NOAUTH Authentication required.\r\n-NOAUTH Authentication required.\r\n",
        "+PONG\r\n*1\r\n$5\r\nslave\r\n",
        MASTER,
    };
    bool ready = false;
    struct redis *r = open_fake(answers, 4, &ready);
    assert_true(run_until(&loop, &ready, 3000));
    assert_int_equal(fake.accepted, 4);
    close_fake(&r);
}

static void test_replies_that_are_not_resp_end_the_connection(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "$-7\r\n",
        ",1.5\r\n",
        "#t\r\n",
        "*99999999999999999999\r\n",
        "*1000000000\r\n",
        MASTER "+NOBODY ASKED\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
        MASTER,
    };
    bool ready = false;
    struct redis *r = open_fake(answers, CS_LEN(answers), &ready);
    assert_true(run_until_count(&loop, &fake.accepted, CS_LEN(answers), 8000));
    ready = false;
    assert_true(run_until(&loop, &ready, 1000));
    close_fake(&r);
}

static void test_a_command_answered_by_loading_is_answered_and_ends_readiness(void **state)
{
    (void)state;
    static const char *const answers[] = { MASTER };
    bool ready = false;
    size_t n = 0;
    struct redis *r = open_fake(answers, 1, &ready);
    assert_true(run_until(&loop, &ready, 1000));
    static const char *const loading[] = { "-LOADING again\r\n" };
    fake.answers = loading;
    redis_do(r, on_count, &n, SPAN("GET"), SPAN("k"));
    assert_true(run_until_count(&loop, &n, 1, 1000));
    run_for(&loop, 5);
    assert_false(redis_is_ready(r));
    close_fake(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_of_a_turn_leave_as_resp),
        cmocka_unit_test(test_a_server_that_loads_is_asked_again),
        cmocka_unit_test(test_replies_that_are_not_resp_end_the_connection),
        cmocka_unit_test(test_a_command_answered_by_loading_is_answered_and_ends_readiness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
