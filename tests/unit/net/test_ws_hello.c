#include "net/ws_hello.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/guard.h"
#include "lib/test.h"

static const struct span origins[] = { SPAN_INIT("https://phone.example.com"),
                                       SPAN_INIT("https://other.example.com:8443") };
static const struct span hosts[] = { SPAN_INIT("sip.example.com"), SPAN_INIT("[2001:db8::1]") };
static const struct ws_rules rules = { .protocol = SPAN_INIT("sip"),
                                       .path = SPAN_INIT("/ws"),
                                       .origins = origins,
                                       .n_origins = CS_LEN(origins),
                                       .hosts = hosts,
                                       .n_hosts = CS_LEN(hosts) };

/* RFC 6455, 1.3 */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define GOOD                                                            \
    "Host: sip.example.com:8443\r\nUpgrade: websocket\r\n"              \
    "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n" \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n"

static size_t read_(const char *line, const char *headers, struct ws_hello *h)
{
    char text[20000];
    int n = snprintf(text, sizeof(text), "%s\r\n%s\r\n", line, headers);
    struct span in = guard_span(span_of(text, (size_t)n)); /* reading on would be seen */
    size_t used = ws_hello_read(in, &rules, h);
    assert_int_equal(used, n);
    guard_release();
    return used;
}

static unsigned status_of(const char *line, const char *headers)
{
    struct ws_hello h;
    read_(line, headers, &h);
    assert_true(h.status == 101 || (h.why && h.why[0]));
    return h.status;
}

#define GET "GET /ws HTTP/1.1"

static void test_the_example_of_the_rfc_is_taken(void **state)
{
    char text[WS_HELLO_ANSWER_MAX];
    struct buf b = BUF_INIT(text);
    struct ws_hello h;
    (void)state;
    read_(GET, GOOD "Origin: https://phone.example.com\r\n", &h);
    assert_int_equal(h.status, 101);
    assert_false(h.token.p || h.ticket.p);
    h.key = SPAN(KEY);
    ws_hello_answer(&b, &rules, &h);
    assert_true(buf_ok(&b));
    assert_non_null(memmem(b.p, b.n, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", 32));
    assert_true(span_starts(buf_span(&b), SPAN("HTTP/1.1 101 ")));
}

static void test_each_fault_has_its_status(void **state)
{
    static const struct {
        unsigned status;
        const char *line, *headers;
    } rows[] = {
        { 101, GET, GOOD },
        { 101, GET,
          "hOST: [2001:db8::1]:1\r\nUPGRADE: h2c, WebSocket\r\nconnection: UPGRADE\r\n"
          "sec-websocket-key:" KEY "\r\nSec-WebSocket-Version:\t13\r\n"
          "Sec-WebSocket-Protocol: msrp\r\nSec-WebSocket-Protocol: xmpp,sip\r\n" },
        { 101, GET, GOOD "Origin: https://other.example.com:8443\r\n" },
        { 101, GET, GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n" },
        { 101, GET, GOOD "Content-Length: 0\r\nCookie: a=b\r\n" },
        { 101, GET, GOOD "Authorization: Basic YTpi\r\n" }, /* of a proxy in front of us */
        { 101, "GET /ws?a=b&ticket=x.y-z_ HTTP/1.1", GOOD },
        { 405, "POST /ws HTTP/1.1", GOOD },
        { 505, "GET /ws HTTP/1.0", GOOD },
        { 505, "GET /ws HTTP/2.0", GOOD },
        { 404, "GET / HTTP/1.1", GOOD },
        { 404, "GET /wss HTTP/1.1", GOOD },
        { 404, "GET /ws/../ws HTTP/1.1", GOOD },
        { 403, GET, GOOD "Origin: https://phone.example.com.evil.example\r\n" },
        { 403, GET, GOOD "Origin: http://phone.example.com\r\n" },
        { 403, GET, GOOD "Origin:\r\n" },
        { 400, GET,
          GOOD "Origin: https://phone.example.com\r\nOrigin: https://phone.example.com\r\n" },
        { 400, GET, GOOD "Host: sip.example.com\r\n" },
        { 400, GET, GOOD "Sec-WebSocket-Key: " KEY "\r\n" },
        { 400, GET, GOOD "Transfer-Encoding: chunked\r\n" },
        { 400, GET, GOOD "Content-Length: 5\r\n" },
        { 400, GET, GOOD " folded: yes\r\n" },
        { 400, GET, GOOD "no colon\r\n" },
        { 400, GET, GOOD "bad name: x\r\n" },
        { 400, GET, GOOD "Space : x\r\n" },
        { 400, GET, GOOD "X: a\x01\r\n" },
        { 400, GET, GOOD "X: a\rb\r\n" },
        { 400, GET, GOOD "X: a\nY: b\r\n" },
        { 400, GET, GOOD "Authorization: Bearer \r\n" },
        { 400, GET, GOOD "Authorization: Bearer a,b\r\n" },
        { 400, GET, GOOD "Authorization: Bearer a=b\r\n" },
        { 400, "GET /ws?ticket= HTTP/1.1", GOOD },
        { 400, "GET /ws?ticket=a%20b HTTP/1.1", GOOD },
        { 400, "GET /ws?ticket=a&ticket=b HTTP/1.1", GOOD },
        { 400, "GET /ws?ticket=a HTTP/1.1", GOOD "Authorization: Bearer b\r\n" },
        { 400, "GET /ws?ticket=a HTTP/1.1", GOOD "Sec-WebSocket-Protocol: ticket.b\r\n" },
        { 400, "GET  /ws HTTP/1.1", GOOD },
        { 400, "GET http://sip.example.com/ws HTTP/1.1", GOOD },
        { 400, "GET /ws", GOOD },
        { 400, "GET /w\x7fs HTTP/1.1", GOOD },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        unsigned got = status_of(rows[i].line, rows[i].headers);
        if (got != rows[i].status)
            fail_msg("%s|%s: %u", rows[i].line, rows[i].headers, got);
    }
}

/* GOOD without the line that begins so, and with another one for it. */
static unsigned instead(const char *begins, const char *other)
{
    char text[2000] = "";
    struct span rest = SPAN(GOOD);
    size_t n = 0;
    while (rest.n) {
        struct span line = span_cut(&rest, '\n');
        if (!span_starts(line, span_str(begins)))
            n += (size_t)snprintf(text + n, sizeof(text) - n, SPAN_FMT "\n", SPAN_ARG(line));
    }
    snprintf(text + n, sizeof(text) - n, "%s", other);
    return status_of(GET, text);
}

static void test_what_is_missing_or_another_is_refused(void **state)
{
    (void)state;
    assert_int_equal(instead("Host", ""), 400);
    assert_int_equal(instead("Host", "Host:\r\n"), 400);
    assert_int_equal(instead("Host", "Host: evil.example\r\n"), 421);
    assert_int_equal(instead("Host", "Host: sip.example.com\r\n"), 101);
    assert_int_equal(instead("Upgrade", ""), 426);
    assert_int_equal(instead("Upgrade", "Upgrade: h2c\r\n"), 426);
    assert_int_equal(instead("Connection", "Connection: close\r\n"), 426);
    assert_int_equal(instead("Sec-WebSocket-Version", ""), 426);
    assert_int_equal(instead("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8\r\n"), 426);
    assert_int_equal(instead("Sec-WebSocket-Key", ""), 400);
    assert_int_equal(instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAAA\r\n"), 400);
    assert_int_equal(
        instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25!ZQ==\r\n"), 400);
    assert_int_equal(
        instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n"), 400);
    assert_int_equal(instead("Sec-WebSocket-Protocol", ""), 400);
    assert_int_equal(instead("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: sips\r\n"), 400);
}

static void test_who_it_is_stands_in_one_of_three_places(void **state)
{
    static const char text[] = "GET /ws?x=1&ticket=a.b.c HTTP/1.1\r\n" GOOD "\r\n";
    static const char other[] =
        "GET /ws HTTP/1.1\r\n" GOOD "Sec-WebSocket-Protocol: ticket.d.e.f\r\n\r\n";
    static const char third[] = "GET /ws HTTP/1.1\r\n" GOOD "Authorization: bearer  t.o.k=\r\n\r\n";
    struct ws_hello h;
    (void)state;
    ws_hello_read(SPAN(text), &rules, &h);
    assert_span(h.ticket, "a.b.c");
    assert_null(h.token.p);
    ws_hello_read(SPAN(other), &rules, &h);
    assert_span(h.ticket, "d.e.f");
    ws_hello_read(SPAN(third), &rules, &h);
    assert_span(h.token, "t.o.k=");
    assert_null(h.ticket.p);
}

static void test_more_is_asked_for_until_it_is_whole(void **state)
{
    static const char text[] = GET "\r\n" GOOD "\r\n\x82\x80mask";
    const size_t whole = sizeof(text) - 1 - 6;
    struct ws_hello h;
    (void)state;
    for (size_t n = 0; n < whole; n++) {
        struct span in = guard_span(span_of(text, n));
        assert_int_equal(ws_hello_read(in, &rules, &h), 0);
        guard_release();
    }
    assert_int_equal(ws_hello_read(SPAN(text), &rules, &h), whole); /* frames may follow at once */
    assert_int_equal(h.status, 101);
}

static void test_what_is_too_large_or_no_http_is_refused(void **state)
{
    char many[WS_HELLO_MAX + 100];
    struct ws_hello h;
    (void)state;
    memset(many, 'a', sizeof(many));
    assert_int_equal(ws_hello_read(span_of(many, WS_HELLO_MAX - 1), &rules, &h), 0);
    assert_int_equal(ws_hello_read(span_of(many, sizeof(many)), &rules, &h), sizeof(many));
    assert_int_equal(h.status, 431);
    assert_int_equal(ws_hello_read(SPAN("\x16\x03\x01"), &rules, &h), 3);
    assert_int_equal(h.status, 400);

    struct buf b = BUF_INIT(many);
    for (int i = 0; i < 70; i++)
        buf_lit(&b, "X: y\r\n");
    buf_putc(&b, 0);
    assert_int_equal(status_of(GET, many), 400);
}

static void test_a_refusal_says_what_to_do(void **state)
{
    static const unsigned statuses[] = { 400, 403, 404, 405, 421, 426, 431, 505 };
    (void)state;
    for (size_t i = 0; i < CS_LEN(statuses); i++) {
        char text[WS_HELLO_ANSWER_MAX];
        struct buf b = BUF_INIT(text);
        ws_hello_answer(&b, &rules, &(struct ws_hello){ statuses[i], "Do this.", .key = { 0 } });
        assert_true(buf_ok(&b));
        assert_true(span_ends(buf_span(&b), SPAN("\r\n\r\nDo this.\n")));
        assert_true(!memmem(b.p, b.n, "Allow: GET", 10) == (statuses[i] != 405));
        assert_true(!memmem(b.p, b.n, "Sec-WebSocket-Version: 13", 25) == (statuses[i] != 426));
    }
}

/* ---- files ---- */

static const struct asset assets[] = {
    { "", "text/html", "\"p\"", (const unsigned char *)"<p>", 3 },
    { "app.js", "text/javascript", "\"a\"", (const unsigned char *)"packed", 6, true },
    { 0 },
};
static const struct ws_files files = { .folder = SPAN_INIT("/phone/"),
                                       .list = assets,
                                       .lines = SPAN_INIT("X-Policy: none\r\n") };
static const struct ws_rules showing = { .protocol = SPAN_INIT("sip"),
                                         .hosts = hosts,
                                         .n_hosts = CS_LEN(hosts),
                                         .same_origin = true,
                                         .files = &files };

static void test_files_are_shown_to_who_asks_for_no_websocket(void **state)
{
    static const struct {
        const char *line, *headers, *file, *body;
        unsigned status;
    } rows[] = {
        { "GET /phone/", "", "", "<p>", 200 },
        { "GET /phone/?code=c&state=s", "", "", "<p>", 200 },
        { "GET /phone/app.js", "Connection: keep-alive\r\n", "app.js", "packed", 200 },
        { "HEAD /phone/app.js", "", "app.js", "", 200 },
        { "GET /phone/app.js", "If-None-Match: \"x\", \"a\"\r\n", "app.js", "", 304 },
        { "GET /phone/app.js", "If-None-Match: \"p\"\r\n", "app.js", "packed", 200 },
        { "GET /phone", "", NULL, NULL, 308 },
        { "GET /phone/none.js", "", NULL, NULL, 404 },
        { "GET /phone/../phone/", "", NULL, NULL, 404 },
        { "GET /phone/", "Upgrade: websocket\r\n", NULL, NULL, 404 },
        { "GET /phones", "", NULL, NULL, 404 },
        { "POST /phone/", "", NULL, NULL, 405 },
        { "HEAD /", "", NULL, NULL, 405 },
        { "GET /phone/", "Content-Length: 3\r\n", NULL, NULL, 400 },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char text[1000], answer[WS_HELLO_ANSWER_MAX];
        struct buf b = BUF_INIT(answer);
        struct ws_hello h;
        const int n =
            snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: sip.example.com\r\n%s\r\nGET",
                     rows[i].line, rows[i].headers);
        const size_t used = ws_hello_read(span_of(text, (size_t)n), &showing, &h);
        if (h.status != rows[i].status)
            fail_msg("%s: %u", rows[i].line, h.status);
        ws_hello_answer(&b, &showing, &h);
        assert_true(buf_ok(&b));
        assert_int_equal(h.file != NULL, rows[i].file != NULL);
        if (!h.file)
            continue;
        assert_int_equal(used, n - 3); /* the next request may be behind it */
        assert_string_equal(h.file->name, rows[i].file);
        assert_span(ws_hello_body(&h), rows[i].body);
        assert_true(span_ends(buf_span(&b), SPAN("X-Policy: none\r\n\r\n")));
        assert_true(!memmem(b.p, b.n, "Content-Encoding: gzip\r\n", 24) ==
                    !(h.file->gzip && h.status == 200));
    }
}

static void test_its_own_page_may_connect(void **state)
{
    static const struct {
        const char *origin;
        unsigned status;
    } rows[] = {
        { "https://sip.example.com:8443", 101 }, { "HTTPS://SIP.example.com:8443", 101 },
        { "http://sip.example.com:8443", 403 },  { "https://sip.example.com", 403 },
        { "https://evil.example:8443", 403 },    { "null", 403 },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char text[1000];
        struct ws_hello h;
        const int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" GOOD "Origin: %s\r\n\r\n",
                               rows[i].origin);
        ws_hello_read(span_of(text, (size_t)n), &showing, &h);
        if (h.status != rows[i].status)
            fail_msg("%s: %u", rows[i].origin, h.status);
    }
}

/* ---- the client's side ---- */

static void test_what_a_client_asks_a_server_takes(void **state)
{
    char asked[1024], answer[WS_HELLO_ANSWER_MAX], key[WS_KEY_LEN], other[WS_KEY_LEN];
    struct buf b = BUF_INIT(asked), a = BUF_INIT(answer);
    struct ws_hello h;
    unsigned status;
    (void)state;
    ws_hello_ask(&b, SPAN("sip.example.com:8443"), SPAN("/ws"), SPAN("sip"), key);
    assert_true(buf_ok(&b));
    assert_int_equal(ws_hello_read(buf_span(&b), &rules, &h), b.n);
    assert_int_equal(h.status, 101);
    ws_hello_answer(&a, &rules, &h);
    assert_int_equal(ws_hello_check(buf_span(&a), SPAN("sip"), key, &status), a.n);
    assert_int_equal(status, 101);
    for (size_t n = 0; n < a.n; n++) {
        struct span part = guard_span(span_of(answer, n));
        assert_int_equal(ws_hello_check(part, SPAN("sip"), key, &status), 0);
        guard_release();
    }
    b.n = 0;
    ws_hello_ask(&b, SPAN("sip.example.com"), SPAN("/ws"), SPAN("sip"), other);
    assert_int_equal(ws_hello_check(buf_span(&a), SPAN("sip"), other, &status), CS_EPROTO);
    assert_int_equal(ws_hello_check(buf_span(&a), SPAN("mqtt"), key, &status), CS_EPROTO);
}

#define TAKEN                                                    \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n"     \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

static void test_an_answer_is_for_us_or_a_refusal_or_nothing(void **state)
{
    static const struct {
        const char *text;
        int status; /* 0: CS_EPROTO */
    } rows[] = {
        { TAKEN "\r\n", 101 },
        { TAKEN "Server: x\r\n\r\n", 101 },
        { TAKEN "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 0 },
        { TAKEN "Sec-WebSocket-Protocol: sip\r\n\r\n", 0 },
        { TAKEN " folded\r\n\r\n", 0 },
        { "HTTP/1.1 101 Switching Protocols\r\n\r\n", 0 },
        { "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403 },
        { "HTTP/1.1 099 Odd\r\n\r\n", 0 },
        { "HTTP/1.0 404 Not Found\r\n\r\n", 0 },
        { "HTTP/1.1 40\r\n\r\n", 0 },
        { "SIP/2.0 400 Bad Request\r\n\r\n", 0 },
    };
    unsigned status;
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct span in = guard_span(span_str(rows[i].text));
        ptrdiff_t n = ws_hello_check(in, SPAN("sip"), KEY, &status);
        assert_int_equal(n, rows[i].status ? (ptrdiff_t)in.n : CS_EPROTO);
        assert_int_equal(status, rows[i].status);
        guard_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_of_the_rfc_is_taken),
        cmocka_unit_test(test_each_fault_has_its_status),
        cmocka_unit_test(test_what_is_missing_or_another_is_refused),
        cmocka_unit_test(test_who_it_is_stands_in_one_of_three_places),
        cmocka_unit_test(test_more_is_asked_for_until_it_is_whole),
        cmocka_unit_test(test_what_is_too_large_or_no_http_is_refused),
        cmocka_unit_test(test_a_refusal_says_what_to_do),
        cmocka_unit_test(test_files_are_shown_to_who_asks_for_no_websocket),
        cmocka_unit_test(test_its_own_page_may_connect),
        cmocka_unit_test(test_what_a_client_asks_a_server_takes),
        cmocka_unit_test(test_an_answer_is_for_us_or_a_refusal_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
