/* Both ends in one process, and a raw socket in place of either. */
#include <signal.h>
#include <unistd.h>

#include "ipc/ipc.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"
#include "proto/codec.h"

typedef Countersign__Auth__ToAuthd to_authd;
typedef Countersign__Auth__FromAuthd from_authd;

static struct loop loop;
static const char *path;

/* ---- authd's end ---- */

static struct authd {
    struct ipc_server *server;
    struct ipc_peer *peer;
    size_t joined, left, n;
    uint64_t last_id;
    char method[32];
    bool echo;
} authd;

static void on_joined(void *arg, struct ipc_peer *p)
{
    assert_ptr_equal(arg, &authd);
    authd.peer = p;
    authd.joined++;
    ipc_peer_set_data(p, &authd);
}

static void on_question(void *arg, struct ipc_peer *p, const to_authd *msg)
{
    (void)arg;
    assert_ptr_equal(ipc_peer_data(p), &authd);
    assert_int_equal(msg->body_case, COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK);
    authd.n++;
    authd.last_id = msg->check->id;
    span_copy(authd.method, sizeof(authd.method), span_str(msg->check->method));
    if (!authd.echo)
        return;
    Countersign__Auth__Verdict v = COUNTERSIGN__AUTH__VERDICT__INIT;
    from_authd answer = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    v.id = msg->check->id;
    v.kind = COUNTERSIGN__AUTH__VERDICT_KIND__LATER;
    answer.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_VERDICT;
    answer.verdict = &v;
    assert_int_equal(ipc_peer_send(p, &answer), 0);
}

static void on_left(void *arg, struct ipc_peer *p)
{
    (void)arg;
    assert_ptr_equal(authd.peer, p);
    authd.peer = NULL;
    authd.left++;
}

static const struct ipc_server_events server_events = { on_joined, on_question, on_left };

static void start_authd(uid_t uid)
{
    struct ipc_server_conf conf = {
        .path = path, .mode = 0600, .uids = &uid, .n_uids = 1, .node = "authd-1"
    };
    authd = (struct authd){ .echo = true };
    assert_int_equal(ipc_server_open(&loop, &conf, &server_events, &authd, &authd.server), 0);
}

/* ---- a front's end ---- */

static struct front {
    struct ipc_client *client;
    bool ready;
    size_t changes, n;
    uint64_t last_id;
    bool close_at_message;
} front;

static void on_ready(void *arg, bool ready)
{
    assert_ptr_equal(arg, &front);
    front.ready = ready;
    front.changes++;
}

static void on_answer(void *arg, const from_authd *msg)
{
    (void)arg;
    assert_int_equal(msg->body_case, COUNTERSIGN__AUTH__FROM_AUTHD__BODY_VERDICT);
    assert_int_equal(msg->verdict->kind, COUNTERSIGN__AUTH__VERDICT_KIND__LATER);
    front.n++;
    front.last_id = msg->verdict->id;
    if (front.close_at_message)
        ipc_client_close(&front.client);
}

static const struct ipc_client_events client_events = { on_ready, on_answer };

static void start_front(void)
{
    struct ipc_client_conf conf = { .path = path,
                                    .node = "front-1",
                                    .role = COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR };
    front = (struct front){ 0 };
    assert_int_equal(ipc_client_open(&loop, &conf, &client_events, &front, &front.client), 0);
}

static int ask(uint64_t id, char *method)
{
    Countersign__Auth__Check check = COUNTERSIGN__AUTH__CHECK__INIT;
    to_authd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    check.id = id;
    check.method = method;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK;
    msg.check = &check;
    return ipc_client_send(front.client, &msg);
}

/* ---- a raw socket in place of a front ---- */

static struct raw {
    struct stream *stream;
    bool closed;
    size_t n;
    bool refused;
    uint32_t version;
} raw;

static ptrdiff_t raw_data(struct stream *s, void *arg, struct span in)
{
    struct span frame;
    struct arena a;
    ptrdiff_t used = ipc_frame(in, &frame);
    (void)s, (void)arg;
    if (used <= 0)
        return used;
    arena_init(&a, NULL, 0, 0);
    const from_authd *msg = proto_unpack(&countersign__auth__from_authd__descriptor, frame, &a);
    assert_non_null(msg);
    if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_HELLO) {
        raw.refused = msg->hello->refused != NULL;
        raw.version = msg->hello->version;
    }
    arena_fini(&a);
    raw.n++;
    return used;
}

static void raw_closed(struct stream *s, void *arg, int reason)
{
    (void)s, (void)arg, (void)reason;
    raw.stream = NULL;
    raw.closed = true;
}

static const struct stream_events raw_events = { NULL, raw_data, raw_closed };
static const struct stream_limits raw_limits = { 1 << 20, 1 << 20 };

static void raw_connect(void)
{
    raw = (struct raw){ 0 };
    assert_int_equal(stream_connect_unix(&loop, path, &raw_limits, &raw_events, NULL, &raw.stream),
                     0);
    run_for(&loop, 10);
}

/* A frame of a message, at out. */
static size_t frame_of(const ProtobufCMessage *msg, unsigned char *out)
{
    size_t n = protobuf_c_message_pack(msg, out + 4);
    out[0] = 0;
    out[1] = (unsigned char)(n >> 16);
    out[2] = (unsigned char)(n >> 8);
    out[3] = (unsigned char)n;
    return n + 4;
}

static size_t hello_frame(uint32_t version, unsigned char *out)
{
    Countersign__Auth__Hello hello = COUNTERSIGN__AUTH__HELLO__INIT;
    to_authd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    hello.version = version;
    hello.role = COUNTERSIGN__AUTH__ROLE__ROLE_TOOL;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_HELLO;
    msg.hello = &hello;
    return frame_of(&msg.base, out);
}

static size_t check_frame(uint64_t id, unsigned char *out)
{
    Countersign__Auth__Check check = COUNTERSIGN__AUTH__CHECK__INIT;
    to_authd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    static char method[] = "OPTIONS";
    check.id = id;
    check.method = method;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK;
    msg.check = &check;
    return frame_of(&msg.base, out);
}

/* ---- tests ---- */

static int set_up(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as the daemons do */
    if (!path)
        path = tmp_path("auth.sock");
    return loop_init(&loop);
}

static int tear_down(void **state)
{
    (void)state;
    ipc_client_close(&front.client);
    ipc_server_close(&authd.server);
    if (raw.stream)
        stream_close(raw.stream, 0);
    return run_down(&loop) ? 0 : -1;
}

static void test_hello_goes_both_ways_then_questions_and_answers(void **state)
{
    (void)state;
    static char method[] = "REGISTER";
    start_authd(getuid());
    start_front();
    assert_int_equal(ask(1, method), UV_ENOTCONN);
    assert_true(run_until(&loop, &front.ready, 2000));
    assert_true(ipc_client_is_ready(front.client));
    assert_int_equal(authd.joined, 1);
    assert_int_equal(ipc_peer_role(authd.peer), COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR);
    assert_string_equal(ipc_peer_node(authd.peer), "front-1");
    for (uint64_t id = 1; id <= 500; id++)
        assert_int_equal(ask(id, method), 0);
    assert_int_equal(authd.n, 0); /* they leave at the end of the turn */
    assert_true(run_until_count(&loop, &front.n, 500, 2000));
    assert_int_equal(front.last_id, 500);
    assert_string_equal(authd.method, "REGISTER");
}

/* P-01 */
static void test_a_uid_that_is_not_configured_is_closed(void **state)
{
    (void)state;
    start_authd(getuid() + 1);
    start_front();
    run_for(&loop, 100);
    assert_false(front.ready);
    assert_int_equal(authd.joined, 0);
    assert_int_equal(front.changes, 0);
}

/* P-01 */
static void test_another_version_is_refused_in_words(void **state)
{
    (void)state;
    unsigned char out[64];
    start_authd(getuid());
    raw_connect();
    size_t n = hello_frame(2, out);
    stream_write(raw.stream, span_of(out, n));
    assert_true(run_until(&loop, &raw.closed, 1000));
    assert_int_equal(raw.n, 1);
    assert_true(raw.refused);
    assert_int_equal(raw.version, IPC_VERSION);
    assert_int_equal(authd.joined, 0);
}

static void test_frames_may_be_split_and_joined_anywhere(void **state)
{
    (void)state;
    unsigned char out[256];
    start_authd(getuid());
    authd.echo = false;
    raw_connect();
    size_t n = hello_frame(IPC_VERSION, out);
    for (uint64_t id = 1; id <= 3; id++)
        n += check_frame(id, out + n);
    for (size_t i = 0; i < n; i++) {
        stream_write(raw.stream, span_of(out + i, 1));
        run_for(&loop, 1);
    }
    assert_true(run_until_count(&loop, &authd.n, 3, 1000));
    n = 0;
    for (uint64_t id = 4; id <= 8; id++)
        n += check_frame(id, out + n);
    stream_write(raw.stream, span_of(out, n - 3));
    run_for(&loop, 5);
    assert_int_equal(authd.n, 7);
    stream_write(raw.stream, span_of(out + n - 3, 3));
    assert_true(run_until_count(&loop, &authd.n, 8, 1000));
    assert_int_equal(authd.last_id, 8);
}

static void test_bad_frames_close_the_connection(void **state)
{
    (void)state;
    unsigned char hello[64], check[64], twice[128];
    size_t n_hello = hello_frame(IPC_VERSION, hello), n_check = check_frame(1, check);
    memcpy(twice, hello, n_hello);
    memcpy(twice + n_hello, hello, n_hello);
    const struct {
        struct span bytes;
        size_t joins;
    } bad[] = {
        { SPAN("\0\2\0\1xxxx"), 0 },           /* one byte above the bound */
        { SPAN("\0\0\0\0"), 0 },               /* empty */
        { SPAN("\0\0\0\3\377\377\377"), 0 },   /* no message */
        { SPAN("GET / HTTP/1.1\r\n\r\n"), 0 }, /* someone else's protocol */
        { span_of(check, n_check), 0 },        /* before Hello */
        { span_of(twice, 2 * n_hello), 1 },    /* Hello twice */
    };
    start_authd(getuid());
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        authd.joined = authd.left = 0;
        raw_connect();
        stream_write(raw.stream, bad[i].bytes);
        assert_true(run_until(&loop, &raw.closed, 1000));
        assert_int_equal(authd.joined, bad[i].joins);
        assert_int_equal(authd.left, bad[i].joins);
        assert_int_equal(authd.n, 0);
    }
}

static void test_a_message_that_grows_in_memory_is_refused(void **state)
{
    (void)state;
    enum { MANY = 40000 };
    static unsigned char out[3 * MANY + 64];
    Countersign__Auth__Check check = COUNTERSIGN__AUTH__CHECK__INIT;
    static Countersign__Auth__DigestCredentials one = COUNTERSIGN__AUTH__DIGEST_CREDENTIALS__INIT;
    static Countersign__Auth__DigestCredentials *all[MANY];
    to_authd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    for (size_t i = 0; i < MANY; i++)
        all[i] = &one;
    check.digest = all;
    check.n_digest = MANY;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK;
    msg.check = &check;
    start_authd(getuid());
    raw_connect();
    size_t n = hello_frame(IPC_VERSION, out);
    stream_write(raw.stream, span_of(out, n));
    n = frame_of(&msg.base, out);
    stream_write(raw.stream, span_of(out, n));
    assert_true(run_until(&loop, &raw.closed, 1000));
    assert_int_equal(authd.n, 0);
}

static void test_a_peer_without_hello_is_dropped(void **state)
{
    (void)state;
    start_authd(getuid());
    raw_connect();
    assert_false(raw.closed);
    loop_skip(&loop, DURATION_MS(2100));
    assert_true(run_until(&loop, &raw.closed, 1000));
}

static void test_a_front_reconnects_by_itself(void **state)
{
    (void)state;
    static char method[] = "INVITE";
    start_front(); /* before there is a socket */
    run_for(&loop, 50);
    start_authd(getuid());
    assert_true(run_until(&loop, &front.ready, 2000));
    for (int i = 0; i < 3; i++) {
        ipc_server_close(&authd.server);
        assert_int_equal(authd.left, 1);
        while (front.ready)
            run_for(&loop, 5);
        assert_int_equal(ask(1, method), UV_ENOTCONN);
        start_authd(getuid());
        assert_true(run_until(&loop, &front.ready, 1500));
    }
    assert_int_equal(front.changes, 7);
    assert_int_equal(ask(9, method), 0);
    assert_true(run_until_count(&loop, &front.n, 1, 1000));
}

static void test_a_message_longer_than_a_frame_is_refused_to_its_sender(void **state)
{
    (void)state;
    static char huge[IPC_MAX_FRAME];
    static char method[] = "BYE";
    start_authd(getuid());
    start_front();
    assert_true(run_until(&loop, &front.ready, 2000));
    memset(huge, 'x', sizeof(huge) - 1);
    assert_int_equal(ask(1, huge), CS_ELIMIT);
    huge[sizeof(huge) - 64] = '\0'; /* just fits */
    assert_int_equal(ask(2, huge), 0);
    assert_int_equal(ask(3, method), 0);
    assert_true(run_until_count(&loop, &front.n, 2, 1000));
    assert_int_equal(front.last_id, 3);
}

static void test_a_callback_may_close_the_client(void **state)
{
    (void)state;
    static char method[] = "BYE";
    start_authd(getuid());
    start_front();
    assert_true(run_until(&loop, &front.ready, 2000));
    front.close_at_message = true;
    for (uint64_t id = 1; id <= 10; id++)
        assert_int_equal(ask(id, method), 0);
    assert_true(run_until_count(&loop, &authd.left, 1, 1000));
    assert_int_equal(front.n, 1);
    assert_null(front.client);
}

/* An authd of another version: the raw listener answers Hello with version 2. */
static struct stream *stranger;

static ptrdiff_t stranger_data(struct stream *s, void *arg, struct span in)
{
    Countersign__Auth__Hello hello = COUNTERSIGN__AUTH__HELLO__INIT;
    from_authd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    unsigned char out[64];
    hello.version = 2;
    hello.role = COUNTERSIGN__AUTH__ROLE__ROLE_AUTHD;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_HELLO;
    msg.hello = &hello;
    size_t n = frame_of(&msg.base, out);
    (void)arg;
    stream_write(s, span_of(out, n));
    return (ptrdiff_t)in.n;
}

static bool stranger_left;

static void stranger_closed(struct stream *s, void *arg, int reason)
{
    (void)s, (void)arg, (void)reason;
    stranger_left = true;
}

static int stranger_accept(void *arg, struct stream *s, void **out)
{
    (void)arg, (void)out;
    stranger = s;
    return 0;
}

static void test_a_front_refuses_an_authd_of_another_version(void **state)
{
    (void)state;
    static const struct stream_events events = { NULL, stranger_data, stranger_closed };
    struct listener *ls;
    assert_int_equal(
        listener_open_unix(&loop, path, 0600, &raw_limits, &events, stranger_accept, NULL, &ls), 0);
    start_front();
    assert_true(run_until(&loop, &stranger_left, 1000));
    assert_false(front.ready);
    listener_close(&ls);
    ipc_client_close(&front.client);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_hello_goes_both_ways_then_questions_and_answers),
        T(test_a_uid_that_is_not_configured_is_closed),
        T(test_another_version_is_refused_in_words),
        T(test_frames_may_be_split_and_joined_anywhere),
        T(test_bad_frames_close_the_connection),
        T(test_a_message_that_grows_in_memory_is_refused),
        T(test_a_peer_without_hello_is_dropped),
        T(test_a_front_reconnects_by_itself),
        T(test_a_message_longer_than_a_frame_is_refused_to_its_sender),
        T(test_a_callback_may_close_the_client),
        T(test_a_front_refuses_an_authd_of_another_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
