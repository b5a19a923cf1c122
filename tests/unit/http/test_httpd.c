/* The server over real sockets. Client and server share this thread: the client's socket does not
 * block, and the loop turns while it waits. */
#include "http/httpd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define AUTH      "Authorization: Bearer s3cret-token-of-thirty-two-characters\r\n"
#define HOST      "Host: 127.0.0.1\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST AUTH "\r\n"
#define SLOW_POST "POST /size HTTP/1.1\r\n" HOST AUTH "Content-Length: 99\r\n\r\n"

struct fixture {
    struct loop loop;
    struct httpd *h;
    struct bearers bearers;
    struct http_req *held; /* of /later */
    bool watch_abort;
    unsigned aborted, answered, last_status;
};

static void on_echo(struct http_req *r, void *arg)
{
    char text[512];
    struct buf b = BUF_INIT(text);
    (void)arg;
    buf_put(&b, http_param(r, "a"));
    buf_putc(&b, '|');
    buf_put(&b, http_param(r, "b"));
    buf_putc(&b, '|');
    buf_put(&b, http_query(r, "q"));
    http_reply_text(r, 200, "text/plain", buf_span(&b));
}

static void on_json(struct http_req *r, void *arg)
{
    (void)arg;
    json_t *j = http_json(r);
    if (j)
        http_reply_json(r, 201, j);
}

static void on_size(struct http_req *r, void *arg)
{
    char text[32];
    struct buf b = BUF_INIT(text);
    (void)arg;
    buf_u64(&b, http_body(r).n);
    http_reply_text(r, 200, "text/plain", buf_span(&b));
}

static void on_abort(void *arg)
{
    struct fixture *f = arg;
    f->aborted++;
    f->held = NULL;
}

static void on_later(struct http_req *r, void *arg)
{
    struct fixture *f = arg;
    assert_null(f->held);
    f->held = r;
    if (f->watch_abort)
        http_on_abort(r, on_abort, f);
}

static void on_problem(struct http_req *r, void *arg)
{
    (void)arg;
    http_reply_header(r, "Retry-After", "2");
    http_problem(r, 503, "store", "Not now", "Try again: %s.", "\"quoted\"");
}

static void on_empty(struct http_req *r, void *arg)
{
    (void)arg;
    http_reply_json(r, 204, NULL);
}

static const struct http_route routes[] = {
    { "GET", "/echo/{a}/{b}", on_echo, HTTP_ADMINISTER },
    { "POST", "/json", on_json, HTTP_ADMINISTER },
    { "POST", "/size", on_size, HTTP_ADMINISTER },
    { "GET", "/later", on_later, HTTP_ADMINISTER },
    { "GET", "/problem", on_problem, HTTP_PUBLIC },
    { "DELETE", "/thing", on_empty, HTTP_ADMINISTER },
    { "GET", "/thing", on_echo, HTTP_ADMINISTER },
    { NULL },
};

static void on_answered(void *arg, unsigned status)
{
    struct fixture *f = arg;
    f->answered++;
    f->last_status = status;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct httpd_conf conf = {
        .bearers = &f->bearers,
        .max_body = 64 * 1024,
        .name = "authd.example.com",
        .max_connections = 4,
        .deadline = DURATION_S(10),
        .answered = on_answered,
    };
    *state = f;
    assert_int_equal(loop_init(&f->loop), 0);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &conf.listen), 0);
    char reason[64];
    struct buf why = BUF_INIT(reason);
    assert_int_equal(bearers_add(&f->bearers, SPAN("admin"), HTTP_ADMINISTER,
                                 SPAN("s3cret-token-of-thirty-two-characters"), &why),
                     0);
    assert_int_equal(httpd_open(&f->loop, &conf, routes, f, &f->h), 0);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    httpd_close(&f->h);
    assert_null(f->h);
    bearers_fini(&f->bearers);
    assert_int_equal(loop_fini(&f->loop), 0);
    free(f);
    return 0;
}

/* ---- the client ---- */

struct answer {
    unsigned status;
    char raw[128 * 1024];
    size_t n;
    const char *body;
    bool closed; /* the server closed the connection */
};

static int dial(struct fixture *f)
{
    const struct addr *to = httpd_local(f->h);
    int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &to->sa, addr_len(to)), 0);
    return fd;
}

static void turn(struct fixture *f)
{
    loop_run_once(&f->loop);
    usleep(500);
}

static void say(struct fixture *f, int fd, const char *p, size_t n)
{
    for (unsigned stuck = 0; n && stuck < 4000;) {
        ssize_t sent = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
            loop_run_once(&f->loop);
        } else if (errno == EAGAIN) {
            stuck++;
            turn(f);
        } else {
            return; /* it hung up on us, which the test will see when it reads */
        }
    }
}

static bool complete(struct answer *a, bool head)
{
    a->raw[a->n] = '\0';
    char *end = strstr(a->raw, "\r\n\r\n");
    if (!end)
        return false;
    a->body = end + 4;
    a->status = (unsigned)atoi(a->raw + sizeof("HTTP/1.1"));
    if (a->status == 100)
        return false;
    const char *length = strstr(a->raw, "Content-Length: ");
    size_t want = !head && length && length < end ? strtoul(length + 16, NULL, 10) : 0;
    return a->n - (size_t)(a->body - a->raw) >= want;
}

/* Reads until a whole reply is there, or the connection closed, or two seconds went by. */
static void hear(struct fixture *f, int fd, bool head, struct answer *a)
{
    *a = (struct answer){ .body = "" };
    for (unsigned i = 0; i < 4000 && !complete(a, head); i++) {
        ssize_t n = recv(fd, a->raw + a->n, sizeof(a->raw) - 1 - a->n, MSG_DONTWAIT);
        if (n > 0) {
            a->n += (size_t)n;
        } else if (n == 0 || errno != EAGAIN) {
            a->closed = true;
            return;
        } else {
            turn(f);
        }
    }
}

static bool is_closed(struct fixture *f, int fd)
{
    char c;
    for (unsigned i = 0; i < 2000; i++) {
        ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return true;
        turn(f);
    }
    return false;
}

static struct answer got;

static const struct answer *ask(struct fixture *f, const char *text)
{
    int fd = dial(f);
    say(f, fd, text, strlen(text));
    hear(f, fd, strncmp(text, "HEAD", 4) == 0, &got);
    close(fd);
    return &got;
}

static bool has(const struct answer *a, const char *text)
{
    return strstr(a->raw, text) != NULL;
}

static void assert_problem(const struct answer *a, unsigned status, const char *type)
{
    char uri[64];
    snprintf(uri, sizeof(uri), "/problems/%s", type);
    assert_int_equal(a->status, status);
    assert_true(has(a, "Content-Type: application/problem+json\r\n"));
    json_t *j = json_loads(a->body, 0, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "type")), uri);
    assert_int_equal(json_integer_value(json_object_get(j, "status")), status);
    assert_true(json_string_length(json_object_get(j, "title")) > 0);
    assert_true(json_string_length(json_object_get(j, "detail")) > 0);
    json_decref(j);
}

/* ---- tests ---- */

static void test_a_handler_sees_params_and_query_decoded(void **state)
{
    const struct answer *a = ask(*state, GET("/echo/x%2Fy/%41+b?q=1+2%26&z"));
    assert_int_equal(a->status, 200);
    assert_string_equal(a->body, "x/y|A+b|1 2&");
    assert_true(has(a, "Cache-Control: no-store\r\n"));
    assert_true(has(a, "X-Content-Type-Options: nosniff\r\n"));
    assert_true(has(a, "Content-Type: text/plain\r\n"));
}

static void test_head_is_get_without_a_body(void **state)
{
    const struct answer *a = ask(*state, "HEAD /echo/a/b HTTP/1.1\r\n" HOST AUTH "\r\n");
    assert_int_equal(a->status, 200);
    assert_true(has(a, "Content-Length: 4\r\n"));
    assert_string_equal(a->body, "");
}

static void test_the_token_must_be_right(void **state)
{
    static const char *const bad[] = {
        "",
        "Authorization: Bearer s3cret-tokem-of-thirty-two-characters\r\n",
        "Authorization: Bearer s3cret-token-of-thirty-two-character\r\n",
        "Authorization: Bearer s3cret-token-of-thirty-two-characters2\r\n",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Basic czNjcmV0LXRva2Vu\r\n",
        "Authorization: s3cret-token-of-thirty-two-characters\r\n",
    };
    char text[512];
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        snprintf(text, sizeof(text), "GET /echo/a/b HTTP/1.1\r\n" HOST "%s\r\n", bad[i]);
        const struct answer *a = ask(*state, text);
        assert_problem(a, 401, "unauthorized");
        assert_true(has(a, "WWW-Authenticate: Bearer"));
    }
    assert_int_equal(ask(*state,
                         "GET /echo/a/b HTTP/1.1\r\n" HOST
                         "authorization: bearer   s3cret-token-of-thirty-two-characters \r\n\r\n")
                         ->status,
                     200);
}

static void test_public_routes_need_no_token(void **state)
{
    const struct answer *a = ask(*state, "GET /problem HTTP/1.1\r\n" HOST "\r\n");
    assert_problem(a, 503, "store");
    assert_true(has(a, "Retry-After: 2\r\n"));
}

static void test_without_a_configured_token_nobody_is_admin(void **state)
{
    struct fixture *f = *state;
    struct httpd_conf conf = { .listen = *httpd_local(f->h) };
    httpd_close(&f->h);
    addr_set_port(&conf.listen, 0);
    assert_int_equal(httpd_open(&f->loop, &conf, routes, f, &f->h), 0);
    assert_problem(ask(f, GET("/echo/a/b")), 401, "unauthorized");
    assert_problem(ask(f, "GET /echo/a/b HTTP/1.1\r\n" HOST "Authorization: Bearer \r\n\r\n"), 401,
                   "unauthorized");
}

static void test_unknown_paths_and_methods(void **state)
{
    assert_problem(ask(*state, GET("/nothing")), 404, "no-such-path");
    assert_problem(ask(*state, GET("/json/")), 404, "no-such-path");
    const struct answer *a = ask(*state, "PATCH /thing HTTP/1.1\r\n" HOST AUTH "\r\n");
    assert_problem(a, 405, "method");
    assert_true(has(a, "Allow: DELETE, GET, HEAD\r\n"));
    assert_problem(ask(*state, "OPTIONS * HTTP/1.1\r\n" HOST AUTH "\r\n"), 400, "target");
    assert_int_equal(ask(*state, "DELETE /thing HTTP/1.1\r\n" HOST AUTH "\r\n")->status, 204);
}

static void test_strange_hosts_are_refused(void **state)
{
    assert_problem(ask(*state, "GET /problem HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421, "host");
    assert_problem(ask(*state, "GET /problem HTTP/1.1\r\n" HOST HOST "\r\n"), 400, "host");
    assert_problem(ask(*state, "GET /problem HTTP/1.0\r\nHost: evil.example\r\n\r\n"), 421, "host");
    assert_int_equal(ask(*state, "GET /problem HTTP/1.1\r\n\r\n")->status, 400);
    assert_int_equal(ask(*state, "GET /problem HTTP/1.0\r\n\r\n")->status, 503);
    assert_int_equal(
        ask(*state, "GET /problem HTTP/1.1\r\nHost: authd.example.com:1\r\n\r\n")->status, 503);
}

static void test_broken_targets_are_refused(void **state)
{
    assert_problem(ask(*state, GET("/echo/%zz/b")), 400, "target");
    assert_problem(ask(*state, GET("/echo/a%00/b")), 400, "target");
    assert_problem(ask(*state, GET("/echo/a/b?q=1&q=2")), 400, "target");
    assert_problem(ask(*state, GET("http://127.0.0.1/echo/a/b")), 400, "target");
}

static const struct answer *post(struct fixture *f, const char *path, const char *type,
                                 const char *body)
{
    static char text[4096];
    snprintf(text, sizeof(text),
             "POST %s HTTP/1.1\r\n" HOST AUTH "%s%s%sContent-Length: %zu\r\n\r\n%s", path,
             type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "", strlen(body),
             body);
    return ask(f, text);
}

static void test_bodies_must_be_json_objects(void **state)
{
    struct fixture *f = *state;
    const struct answer *a = post(f, "/json", "application/json; charset=utf-8", "{\"a\": [1]}");
    assert_int_equal(a->status, 201);
    assert_string_equal(a->body, "{\"a\":[1]}");
    assert_problem(post(f, "/json", NULL, "{}"), 415, "not-json");
    assert_problem(post(f, "/json", "text/plain", "{}"), 415, "not-json");
    assert_problem(post(f, "/json", "application/json", "[]"), 400, "malformed");
    assert_problem(post(f, "/json", "application/json", ""), 400, "malformed");
    assert_problem(post(f, "/json", "application/json", "{\"a\":1,\"a\":2}"), 400, "malformed");
    assert_problem(post(f, "/json", "application/json", "{} x"), 400, "malformed");
    assert_problem(post(f, "/json", "application/json", "{\"a\":\"\xff\"}"), 400, "malformed");
}

static void test_deep_nesting_is_refused(void **state)
{
    static char body[4000 - 200];
    memset(body, '[', sizeof(body) - 1);
    memcpy(body, "{\"a\":", 5);
    assert_problem(post(*state, "/json", "application/json", body), 400, "malformed");
}

static void test_a_body_may_come_in_pieces_and_chunks(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    const char text[] = "POST /size HTTP/1.1\r\n" HOST AUTH "Transfer-Encoding: chunked\r\n\r\n"
                        "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n";
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        say(f, fd, text + i, 1);
        turn(f);
    }
    hear(f, fd, false, &got);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, "12");
    close(fd);
}

static void test_the_largest_body_passes_and_one_more_byte_does_not(void **state)
{
    struct fixture *f = *state;
    static char body[64 * 1024 + 1];
    char head[256];
    for (size_t extra = 0; extra < 2; extra++) {
        int fd = dial(f);
        size_t n = sizeof(body) - 1 + extra;
        int len = snprintf(head, sizeof(head),
                           "POST /size HTTP/1.1\r\n" HOST AUTH "Content-Length: %zu\r\n\r\n", n);
        say(f, fd, head, (size_t)len);
        say(f, fd, body, n);
        hear(f, fd, false, &got);
        if (extra)
            assert_problem(&got, 413, "too-large");
        else
            assert_string_equal(got.body, "65536");
        close(fd);
    }
}

static void test_a_very_long_body_is_refused_before_it_comes(void **state)
{
    struct fixture *f = *state;
    assert_problem(
        ask(f, "POST /size HTTP/1.1\r\n" HOST AUTH "Content-Length: 99999999999\r\n\r\n"), 413,
        "too-large");
    assert_problem(ask(f, "POST /size HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n"),
                   401, "unauthorized");
}

static void test_a_chunked_body_is_bounded_too(void **state)
{
    struct fixture *f = *state;
    static char chunk[32 * 1024 + 8];
    int fd = dial(f);
    const char head[] = "POST /size HTTP/1.1\r\n" HOST AUTH "Transfer-Encoding: chunked\r\n\r\n";
    memset(chunk, 'x', sizeof(chunk));
    memcpy(chunk, "8000\r\n", 6);
    memcpy(chunk + sizeof(chunk) - 2, "\r\n", 2);
    say(f, fd, head, strlen(head));
    for (unsigned i = 0; i < 3; i++)
        say(f, fd, chunk, sizeof(chunk));
    say(f, fd, "0\r\n\r\n", 5);
    hear(f, fd, false, &got);
    assert_problem(&got, 413, "too-large");
    close(fd);

    fd = dial(f); /* and who never stops is cut off */
    say(f, fd, head, strlen(head));
    for (unsigned i = 0; i < 64; i++)
        say(f, fd, chunk, sizeof(chunk));
    assert_true(is_closed(f, fd));
    close(fd);
}

static void test_a_refused_upload_is_not_invited(void **state)
{
    const struct answer *a = ask(*state, "POST /size HTTP/1.1\r\n" HOST
                                         "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n");
    assert_problem(a, 401, "unauthorized");
    assert_false(has(a, "100 Continue"));
}

static void test_garbage_gets_an_error_or_a_close(void **state)
{
    static const char *const garbage[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls?\r\n\r\n",
        "GET /problem HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
        "POST /size HTTP/1.1\r\n" HOST AUTH "Content-Length: -1\r\n\r\n",
        "POST /size HTTP/1.1\r\n" HOST AUTH "Content-Length: 99999999999999999999\r\n\r\n",
        "POST /size HTTP/1.1\r\n" HOST AUTH "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < CS_LEN(garbage); i++) {
        int fd = dial(f);
        say(f, fd, garbage[i], strlen(garbage[i]));
        shutdown(fd, SHUT_WR);
        for (unsigned n = 0; n < 20; n++)
            turn(f);
        loop_skip(&f->loop, DURATION_S(11)); /* at the latest */
        hear(f, fd, false, &got);
        if (!(got.status >= 400 && got.status < 600) && !got.closed)
            fail_msg("garbage %zu: status %u", i, got.status);
        close(fd);
    }
    assert_int_equal(ask(f, GET("/echo/a/b"))->status, 200);
}

static void test_endless_headers_are_refused(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int fd = dial(f);
    say(f, fd, "GET /problem HTTP/1.1\r\n", 23);
    for (unsigned i = 0; i < 2000; i++) {
        int n = snprintf(line, sizeof(line), "X-Header-%u: some value or other\r\n", i);
        say(f, fd, line, (size_t)n);
    }
    hear(f, fd, false, &got);
    assert_true(got.closed || got.status == 431 || got.status == 413);
    close(fd);
}

static void test_keep_alive_serves_one_after_another(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    for (unsigned i = 0; i < 5; i++) {
        say(f, fd, GET("/echo/a/b"), strlen(GET("/echo/a/b")));
        hear(f, fd, false, &got);
        assert_int_equal(got.status, 200);
    }
    assert_int_equal(f->answered, 5);
    assert_int_equal(f->last_status, 200);
    close(fd);
}

/* ---- replies that come later ---- */

static int ask_later(struct fixture *f)
{
    int fd = dial(f);
    say(f, fd, GET("/later"), strlen(GET("/later")));
    for (unsigned i = 0; i < 2000 && !f->held; i++)
        turn(f);
    assert_non_null(f->held);
    return fd;
}

static void test_a_reply_may_come_later(void **state)
{
    struct fixture *f = *state;
    int fd = ask_later(f);
    for (unsigned i = 0; i < 20; i++)
        turn(f);
    http_reply_text(f->held, 200, "text/plain", SPAN("at last"));
    f->held = NULL;
    hear(f, fd, false, &got);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, "at last");
    say(f, fd, GET("/echo/a/b"), strlen(GET("/echo/a/b"))); /* the connection lives on */
    hear(f, fd, false, &got);
    assert_int_equal(got.status, 200);
    close(fd);
}

static void test_the_handler_learns_that_the_client_left(void **state)
{
    struct fixture *f = *state;
    f->watch_abort = true;
    close(ask_later(f));
    for (unsigned i = 0; i < 2000 && !f->aborted; i++)
        turn(f);
    assert_int_equal(f->aborted, 1);
    assert_int_equal(f->answered, 0);
    assert_int_equal(ask(f, GET("/echo/a/b"))->status, 200);
}

static void test_a_handler_that_does_not_ask_may_still_reply(void **state)
{
    struct fixture *f = *state;
    close(ask_later(f));
    for (unsigned i = 0; i < 50; i++)
        turn(f);
    http_reply_text(f->held, 200, "text/plain", SPAN("nobody hears this"));
    f->held = NULL;
    for (unsigned i = 0; i < 50; i++)
        turn(f);
    assert_int_equal(ask(f, GET("/echo/a/b"))->status, 200);
}

static void test_closing_drops_what_is_open(void **state)
{
    struct fixture *f = *state;
    int fd = ask_later(f);
    httpd_close(&f->h); /* teardown sees to it that nothing leaks */
    assert_true(is_closed(f, fd));
    close(fd);
}

/* ---- slow and many ---- */

static void test_a_slow_sender_is_cut_off_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    say(f, fd, SLOW_POST, strlen(SLOW_POST));
    for (unsigned i = 0; i < 9; i++) {
        loop_skip(&f->loop, DURATION_S(1));
        say(f, fd, "/", 1);
        turn(f);
    }
    assert_int_equal(send(fd, "/", 1, MSG_NOSIGNAL), 1);
    loop_skip(&f->loop, DURATION_S(2));
    assert_true(is_closed(f, fd));
    close(fd);
}

static void test_the_head_has_a_shorter_deadline(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    say(f, fd, "GET /echo", 9);
    for (unsigned i = 0; i < 4; i++) {
        loop_skip(&f->loop, DURATION_S(1));
        say(f, fd, "/", 1);
        turn(f);
    }
    assert_int_equal(send(fd, "/", 1, MSG_NOSIGNAL), 1);
    loop_skip(&f->loop, DURATION_S(2));
    assert_true(is_closed(f, fd));
    close(fd);
}

static void test_half_sent_requests_lock_nobody_out(void **state)
{
    static const char *const halves[] = {
        "",
        "GET /problem HT",
        "POST /size HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n",
        "GET /problem HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n",
        "GET /problem HTTP/1.1\r\n" HOST "\r\n",
    };
    struct fixture *f = *state;
    int fd[20];
    for (size_t k = 0; k < CS_LEN(halves); k++) {
        for (size_t i = 0; i < CS_LEN(fd); i++) {
            fd[i] = dial(f);
            say(f, fd[i], halves[k], strlen(halves[k]));
        }
        assert_int_equal(ask(f, "GET /problem HTTP/1.1\r\n" HOST "\r\n")->status, 503);
        for (size_t i = 0; i < CS_LEN(fd); i++)
            close(fd[i]);
    }
}

static void test_who_showed_the_token_makes_no_room(void **state)
{
    struct fixture *f = *state;
    static char body[99];
    int fd[20];
    int ours = dial(f);
    say(f, ours, SLOW_POST, strlen(SLOW_POST));
    for (unsigned i = 0; i < 20; i++)
        turn(f);
    for (size_t i = 0; i < CS_LEN(fd); i++) {
        fd[i] = dial(f);
        turn(f);
    }
    say(f, ours, body, sizeof(body));
    hear(f, ours, false, &got);
    assert_int_equal(got.status, 200);
    close(ours);
    for (size_t i = 0; i < CS_LEN(fd); i++)
        close(fd[i]);
}

static void test_an_idle_connection_is_closed(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    turn(f);
    turn(f);
    loop_skip(&f->loop, DURATION_S(11));
    assert_true(is_closed(f, fd));
    close(fd);
}

static void test_a_waiting_request_has_no_deadline(void **state)
{
    struct fixture *f = *state;
    int fd = ask_later(f);
    loop_skip(&f->loop, DURATION_S(60));
    turn(f);
    http_reply_json(f->held, 204, NULL);
    f->held = NULL;
    hear(f, fd, false, &got);
    assert_int_equal(got.status, 204);
    close(fd);
}

static void test_more_connections_than_allowed_wait_their_turn(void **state)
{
    struct fixture *f = *state;
    int fd[6];
    for (size_t i = 0; i < CS_LEN(fd); i++) {
        fd[i] = dial(f);
        turn(f);
    }
    for (size_t i = 0; i < 4; i++)
        close(fd[i]);
    for (unsigned i = 0; i < 20; i++)
        turn(f);
    for (size_t i = 4; i < CS_LEN(fd); i++)
        close(fd[i]);
    assert_int_equal(ask(f, GET("/echo/a/b"))->status, 200);
}

static void test_off_loopback_it_refuses_to_start(void **state)
{
    struct fixture *f = *state;
    struct httpd *h = NULL;
    static const char *const where[] = { "0.0.0.0", "192.0.2.1", "[::]" };
    for (size_t i = 0; i < CS_LEN(where); i++) {
        struct httpd_conf conf = { 0 };
        assert_int_equal(addr_parse(span_str(where[i]), 0, &conf.listen), 0);
        assert_int_equal(httpd_open(&f->loop, &conf, routes, f, &h), CS_EDENIED);
        assert_null(h);
    }
    struct httpd_conf conf = { .listen = *httpd_local(f->h) };
    assert_int_equal(httpd_open(&f->loop, &conf, routes, f, &h), UV_EADDRINUSE);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_handler_sees_params_and_query_decoded),
        TEST(test_head_is_get_without_a_body),
        TEST(test_the_token_must_be_right),
        TEST(test_public_routes_need_no_token),
        TEST(test_without_a_configured_token_nobody_is_admin),
        TEST(test_unknown_paths_and_methods),
        TEST(test_strange_hosts_are_refused),
        TEST(test_broken_targets_are_refused),
        TEST(test_bodies_must_be_json_objects),
        TEST(test_deep_nesting_is_refused),
        TEST(test_a_body_may_come_in_pieces_and_chunks),
        TEST(test_the_largest_body_passes_and_one_more_byte_does_not),
        TEST(test_a_very_long_body_is_refused_before_it_comes),
        TEST(test_a_chunked_body_is_bounded_too),
        TEST(test_a_refused_upload_is_not_invited),
        TEST(test_garbage_gets_an_error_or_a_close),
        TEST(test_endless_headers_are_refused),
        TEST(test_keep_alive_serves_one_after_another),
        TEST(test_a_reply_may_come_later),
        TEST(test_the_handler_learns_that_the_client_left),
        TEST(test_a_handler_that_does_not_ask_may_still_reply),
        TEST(test_closing_drops_what_is_open),
        TEST(test_a_slow_sender_is_cut_off_at_the_deadline),
        TEST(test_the_head_has_a_shorter_deadline),
        TEST(test_half_sent_requests_lock_nobody_out),
        TEST(test_who_showed_the_token_makes_no_room),
        TEST(test_an_idle_connection_is_closed),
        TEST(test_a_waiting_request_has_no_deadline),
        TEST(test_more_connections_than_allowed_wait_their_turn),
        TEST(test_off_loopback_it_refuses_to_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
