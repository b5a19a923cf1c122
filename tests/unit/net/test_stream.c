#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/stream.h"

/* A server that echoes what it reads, a client that counts what comes back. */
struct world {
    struct loop loop;
    struct listener *listener;
    struct stream *client;
    size_t want, got, open;
    int client_reason, server_reason;
    bool echo;
};

static const struct stream_limits limits = { .max_unread = 4 << 20, .max_unsent = 8 << 20 };

static ptrdiff_t server_data(struct stream *s, void *arg, struct span in)
{
    struct world *w = arg;
    if (w->echo)
        stream_write(s, in);
    return (ptrdiff_t)in.n;
}

static void server_closed(struct stream *s, void *arg, int reason)
{
    struct world *w = arg;
    (void)s;
    w->open--;
    w->server_reason = reason;
}

static const struct stream_events server_events = { NULL, server_data, server_closed };

static int on_accept(void *listener_arg, struct stream *s, void **arg)
{
    struct world *w = listener_arg;
    (void)s;
    w->open++;
    *arg = w;
    return 0;
}

static int on_refuse(void *listener_arg, struct stream *s, void **arg)
{
    (void)listener_arg;
    (void)s;
    (void)arg;
    return CS_EDENIED;
}

static void client_opened(struct stream *s, void *arg)
{
    struct world *w = arg;
    (void)s;
    w->open++;
}

static ptrdiff_t client_data(struct stream *s, void *arg, struct span in)
{
    struct world *w = arg;
    if (in.n % 7 == 3) /* sometimes leave a rest */
        in.n--;
    w->got += in.n;
    if (w->got == w->want)
        stream_close(s, 0);
    return (ptrdiff_t)in.n;
}

static void client_closed(struct stream *s, void *arg, int reason)
{
    struct world *w = arg;
    (void)s;
    if (w->open)
        w->open--;
    w->client_reason = reason;
    w->client = NULL;
    listener_close(&w->listener);
}

static const struct stream_events client_events = { client_opened, client_data, client_closed };

static void test_megabytes_come_back_whole(void **state)
{
    struct world w = { .want = 3 << 20, .echo = true };
    struct addr any;
    (void)state;
    assert_int_equal(loop_init(&w.loop), 0);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &any), 0);
    assert_int_equal(
        listener_open_tcp(&w.loop, &any, &limits, &server_events, on_accept, &w, &w.listener), 0);
    assert_int_equal(stream_connect_tcp(&w.loop, listener_local(w.listener), NULL, &limits,
                                        &client_events, &w, &w.client),
                     0);
    char *data = calloc(1, w.want);
    stream_write(w.client, span_of(data, w.want)); /* before it is connected */
    loop_run(&w.loop);
    free(data);
    assert_int_equal(w.got, w.want);
    assert_int_equal(w.client_reason, 0);
    assert_int_equal(w.server_reason, UV_EOF);
    assert_int_equal(w.open, 0);
    assert_int_equal(loop_fini(&w.loop), 0);
}

static void test_connection_to_nobody_is_closed_with_a_reason(void **state)
{
    struct world w = { .want = 1 };
    (void)state;
    assert_int_equal(loop_init(&w.loop), 0);
    assert_int_equal(
        stream_connect_unix(&w.loop, "/nonexistent/x.sock", &limits, &client_events, &w, &w.client),
        0);
    loop_run(&w.loop);
    assert_int_equal(w.client_reason, UV_ENOENT);
    assert_int_equal(loop_fini(&w.loop), 0);
}

static void test_slow_reader_is_closed_at_the_limit(void **state)
{
    static const struct stream_limits tight = { .max_unread = 100, .max_unsent = 1000 };
    struct world w = { .want = 1 };
    struct addr any;
    (void)state;
    assert_int_equal(loop_init(&w.loop), 0);
    assert_int_equal(addr_parse(SPAN("[::1]"), 0, &any), 0);
    assert_int_equal(
        listener_open_tcp(&w.loop, &any, &limits, &server_events, on_accept, &w, &w.listener), 0);
    assert_int_equal(stream_connect_tcp(&w.loop, listener_local(w.listener), NULL, &tight,
                                        &client_events, &w, &w.client),
                     0);
    char data[1001] = { 0 };
    stream_write(w.client, span_of(data, sizeof(data)));
    loop_run(&w.loop);
    assert_int_equal(w.client_reason, CS_ELIMIT);
    assert_int_equal(loop_fini(&w.loop), 0);
}

static void test_unix_socket_tells_the_uid_and_refuses(void **state)
{
    struct world w = { .want = 1 };
    char dir[] = "/tmp/cs-stream-XXXXXX", path[64];
    uid_t uid = (uid_t)-1;
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/s", dir);
    assert_int_equal(loop_init(&w.loop), 0);
    assert_int_equal(listener_open_unix(&w.loop, path, 0600, &limits, &server_events, on_refuse, &w,
                                        &w.listener),
                     0);
    struct listener *second;
    assert_int_equal(
        listener_open_unix(&w.loop, path, 0600, &limits, &server_events, on_refuse, &w, &second),
        UV_EADDRINUSE);
    assert_int_equal(stream_connect_unix(&w.loop, path, &limits, &client_events, &w, &w.client), 0);
    while (!stream_is_open(w.client))
        loop_run_once(&w.loop);
    assert_int_equal(stream_peer_uid(w.client, &uid), 0);
    assert_int_equal(uid, getuid());
    loop_run(&w.loop);
    assert_int_equal(w.client_reason, UV_EOF);
    assert_int_equal(loop_fini(&w.loop), 0);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_megabytes_come_back_whole),
        cmocka_unit_test(test_connection_to_nobody_is_closed_with_a_reason),
        cmocka_unit_test(test_slow_reader_is_closed_at_the_limit),
        cmocka_unit_test(test_unix_socket_tells_the_uid_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
