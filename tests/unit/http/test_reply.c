/* Replies that are held, refused for a role, or without an end, over real sockets. Client and
 * server share this thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/httpd.h"
#include "lib/test.h"

#define GET(path, who)                                                       \
    "GET " path " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " who \
    "s-token-of-thirty-two-characters\r\n\r\n"
#define TOKENS                                               \
    "anna administer annas-token-of-thirty-two-characters\n" \
    "olga operate olgas-token-of-thirty-two-characters\n"    \
    "rita read ritas-token-of-thirty-two-characters\n"

enum { DEADLINE_MS = 300 };

struct fixture {
    struct loop loop;
    struct httpd *h;
    struct bearers bearers;
    struct http_req *feed, *held;
    struct http_reply shown; /* of /held, before the client sees it */
    const char *text;        /* what is to be told next; NULL: nothing */
    bool endless, over;
    size_t pulled;
    unsigned closed;
};

static ptrdiff_t pull(void *arg, char *to, size_t n)
{
    struct fixture *f = arg;
    if (f->over)
        return -1;
    if (f->endless) {
        memset(to, 'x', n);
        f->pulled += n;
        return (ptrdiff_t)n;
    }
    if (!f->text)
        return 0;
    n = CS_MIN(n, strlen(f->text));
    memcpy(to, f->text, n);
    f->text = f->text[n] ? f->text + n : NULL;
    return (ptrdiff_t)n;
}

static void closed(void *arg)
{
    struct fixture *f = arg;
    f->closed++;
    f->feed = NULL;
}

static void on_feed(struct http_req *r, void *arg)
{
    struct fixture *f = arg;
    const struct http_feed feed = { pull, closed, f };
    f->feed = r;
    http_reply_feed(r, "text/plain", &feed);
}

static void on_who(struct http_req *r, void *arg)
{
    (void)arg;
    http_reply_text(r, 200, "text/plain", http_who(r));
}

static void on_shown(void *arg, const struct http_reply *reply)
{
    struct fixture *f = arg;
    f->shown = *reply;
}

static void on_before(struct http_req *r, void *arg)
{
    struct fixture *f = arg;
    if (span_eq(http_target(r), SPAN("/held"))) {
        f->held = r;
        http_hold(r, on_shown, f);
    }
    http_handle(r);
}

static const struct http_route routes[] = {
    { "GET", "/feed", on_feed, HTTP_READ }, { "GET", "/held", on_who, HTTP_READ },
    { "GET", "/read", on_who, HTTP_READ },  { "GET", "/operate", on_who, HTTP_OPERATE },
    { "GET", "/unsaid", on_who },           { NULL },
};

static int setup(void **state)
{
    struct fixture *f = *state = calloc(1, sizeof(*f));
    char reason[64];
    struct buf why = BUF_INIT(reason);
    unsigned line;
    struct httpd_conf conf = { .deadline = DURATION_MS(DEADLINE_MS),
                               .bearers = &f->bearers,
                               .before = on_before };
    assert_int_equal(bearers_parse(&f->bearers, SPAN(TOKENS), &why, &line), 0);
    assert_int_equal(loop_init(&f->loop), 0);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &conf.listen), 0);
    assert_int_equal(httpd_open(&f->loop, &conf, routes, f, &f->h), 0);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    httpd_close(&f->h);
    assert_null(f->feed);
    bearers_fini(&f->bearers);
    assert_int_equal(loop_fini(&f->loop), 0);
    free(f);
    return 0;
}

static void turn(struct fixture *f)
{
    loop_run_once(&f->loop);
    usleep(500);
}

static int dial(struct fixture *f, int room, const char *text)
{
    const struct addr *to = httpd_local(f->h);
    int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
    assert_int_equal(connect(fd, &to->sa, addr_len(to)), 0);
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
    return fd;
}

/* Reads until this was heard; true when the connection ended instead. */
static bool hear(struct fixture *f, int fd, const char *wanted)
{
    char text[4096];
    size_t n = 0;
    for (unsigned i = 0; i < 4000; i++) {
        ssize_t more = recv(fd, text + n, sizeof(text) - 1 - n, MSG_DONTWAIT);
        if (more == 0 || (more < 0 && errno != EAGAIN))
            return true;
        n += more > 0 ? (size_t)more : 0;
        text[n] = '\0';
        if (wanted && strstr(text, wanted))
            return false;
        turn(f);
    }
    fail_msg("%s was not heard", wanted ? wanted : "the end");
    return true;
}

static void test_a_role_opens_what_it_may_and_names_what_it_lacks(void **state)
{
    static const struct {
        const char *text, *heard;
    } cases[] = {
        { GET("/read", "rita"), "\r\n\r\nrita" },
        { GET("/read", "olga"), "\r\n\r\nolga" },
        { GET("/read", "anna"), "\r\n\r\nanna" },
        { GET("/read", "otto"), " 401 " },
        { GET("/operate", "rita"), "the role operate; the token of rita has the role read" },
        { GET("/operate", "olga"), "\r\n\r\nolga" },
        { GET("/operate", "anna"), "\r\n\r\nanna" },
        { GET("/unsaid", "rita"), " 403 " },
        { GET("/unsaid", "olga"), "the role administer; the token of olga has the role operate" },
        { GET("/unsaid", "anna"), "\r\n\r\nanna" },
    };
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        int fd = dial(*state, 65536, cases[i].text);
        assert_false(hear(*state, fd, cases[i].heard));
        close(fd);
    }
}

static void test_a_reply_may_be_held_before_the_client_sees_it(void **state)
{
    struct fixture *f = *state;
    char c;
    int fd = dial(f, 65536, GET("/held", "rita"));
    for (unsigned i = 0; i < 2000 && !f->shown.status; i++)
        turn(f);
    assert_int_equal(f->shown.status, 200);
    assert_span(f->shown.body, "rita");
    for (unsigned i = 0; i < 20; i++)
        turn(f);
    assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
    http_release(f->held);
    assert_false(hear(f, fd, "rita"));
    close(fd);
}

static void test_it_is_told_when_there_is_something(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f, 65536, GET("/feed", "rita"));
    assert_false(hear(f, fd, "Content-Type: text/plain\r\n"));
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned k = 0; k < 50; k++)
            turn(f);
        f->text = i ? "world\n" : "hello\n";
        http_wake(f->feed);
        assert_false(hear(f, fd, i ? "world\n" : "hello\n"));
    }
    loop_skip(&f->loop, DURATION_MS(10 * DEADLINE_MS)); /* who has taken all may wait for ever */
    for (unsigned i = 0; i < 50; i++)
        turn(f);
    assert_int_equal(f->closed, 0);
    f->over = true;
    http_wake(f->feed);
    assert_false(hear(f, fd, "0\r\n\r\n"));
    close(fd);
}

static void test_who_goes_is_noticed(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f, 65536, GET("/feed", "rita"));
    assert_false(hear(f, fd, "\r\n\r\n"));
    close(fd);
    for (unsigned i = 0; i < 4000 && !f->closed; i++)
        turn(f);
    assert_int_equal(f->closed, 1);
}

static void test_who_does_not_read_is_cut_off_and_costs_little(void **state)
{
    struct fixture *f = *state;
    f->endless = true;
    int fd = dial(f, 4096, GET("/feed", "rita"));
    for (unsigned i = 0; i < 4000 && !f->closed; i++)
        turn(f);
    assert_int_equal(f->closed, 1);
    assert_true(f->pulled > 0);
    assert_in_range(f->pulled, 1, 1024 * 1024);
    close(fd);
}

static void test_a_server_that_closes_ends_it(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f, 65536, GET("/feed", "rita"));
    assert_false(hear(f, fd, "\r\n\r\n"));
    httpd_close(&f->h);
    assert_int_equal(f->closed, 1);
    assert_true(hear(f, fd, NULL));
    close(fd);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_role_opens_what_it_may_and_names_what_it_lacks),
        TEST(test_a_reply_may_be_held_before_the_client_sees_it),
        TEST(test_it_is_told_when_there_is_something),
        TEST(test_who_goes_is_noticed),
        TEST(test_who_does_not_read_is_cut_off_and_costs_little),
        TEST(test_a_server_that_closes_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
