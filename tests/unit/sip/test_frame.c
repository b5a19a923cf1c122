#include "lib/guard.h"
#include "lib/test.h"
#include "sip/msg.h"

#define LINE "OPTIONS sip:a@example.com SIP/2.0\r\n"

static ptrdiff_t frame(const char *text)
{
    ptrdiff_t n = sip_frame(guard_span(span_str(text)), NULL);
    guard_release();
    return n;
}

static void test_a_message_is_framed_when_it_is_whole(void **state)
{
    static const char text[] = LINE "x: y\r\n z\r\nContent-Length : 3\r\n\r\nabc"
                                    "SIP/2.0 200 OK\r\n";
    const size_t whole = sizeof(text) - 1 - 16;
    (void)state;
    for (size_t n = 0; n < sizeof(text); n++) {
        struct span head = guard_span(span_head(SPAN(text), n));
        assert_int_equal(sip_frame(head, NULL), n < whole ? 0 : whole);
        guard_release();
    }
    assert_int_equal(frame("SIP/2.0 200 OK\r\nl:0\r\n\r\n"), 23);
    assert_int_equal(frame("sip/2.0 200\r\nL: 00\r\n\r\n"), 22);
}

static void test_what_cannot_become_a_message_is_refused(void **state)
{
    static const char *const bad[] = {
        "\x16\x03\x01", /* TLS */
        "\r\n" LINE,    /* to be stripped first */
        " ",
        "GET / HTTP/1.1\r\n", /* before its end is seen */
        "GET / HTTP/1.1\r\n\r\n",
        "x\n",
        LINE "\r\n",                              /* no length */
        LINE "Content-Length: 1\r\nl: 2\r\n\r\n", /* two of them */
        LINE "Content-Length: -1\r\n\r\n",
        LINE "Content-Length: five\r\n\r\n",
        LINE "Content-Length:\r\n\r\n",
        LINE "Content-Length: 1 1\r\n\r\n",
        LINE "Content-Length: 99999999999999999999\r\n\r\n",
        LINE "Content-Length: 0\n\r\n", /* bare LF */
        LINE "Content-Length: 0\r\n\n",
        "OPTIONS sip:a@example.com SIP/2.0\nl: 0\r\n\r\n",
        "OPTIONS sip:a@example.com SIP/2.0\r\n l: 0\r\n\r\n", /* folded start line */
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        if (frame(bad[i]) != CS_EPROTO)
            fail_msg("%zu: %s", i, bad[i]);
    }
}

static void test_the_same_length_twice_is_one(void **state)
{
    (void)state;
    assert_int_equal(frame(LINE "l: 0\r\nContent-Length: 0\r\n\r\n"), sizeof(LINE) - 1 + 27);
}

static void test_a_malformed_head_is_framed_for_its_400(void **state)
{
    (void)state;
    assert_int_equal(frame(LINE "no colon\r\nl: 0\r\n\r\n"), sizeof(LINE) - 1 + 18);
    assert_int_equal(frame("OPTIONS  x  SIP/2.0 \r\nl: 0\r\n\r\n"), 30);
}

static void test_limits_hold_before_the_end_is_seen(void **state)
{
    const struct sip_limits l = { .message = 100, .line = 50, .headers = 2 };
    char text[256];
    struct buf b = BUF_INIT(text);
    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(sip_frame(span_of(text, 50), &l), 0);
    assert_int_equal(sip_frame(span_of(text, 51), &l), CS_ELIMIT); /* start line without end */
    buf_lit(&b, LINE);
    assert_int_equal(sip_frame(span_of(text, b.n + 50), &l), 0);
    assert_int_equal(sip_frame(span_of(text, b.n + 51), &l), CS_ELIMIT); /* header line */
    buf_lit(&b, "x: y\r\n");
    assert_int_equal(sip_frame(span_of(text, b.n + 30), &l), 0);
    assert_int_equal(sip_frame(SPAN(LINE "a:b\r\nc:d\r\nl:0\r\n\r\n"), &l), CS_ELIMIT); /* count */
    assert_int_equal(sip_frame(SPAN(LINE "l: 57\r\n\r\n"), &l), CS_ELIMIT); /* 101 bytes */
    assert_int_equal(sip_frame(SPAN(LINE "l: 56\r\n\r\n"), &l), 0);
    assert_int_equal(sip_frame(SPAN(LINE "l: 4294967295\r\n\r\n"), NULL), CS_ELIMIT);
}

/* A long body must not be taken for a long line. */
static void test_a_long_body_is_no_long_line(void **state)
{
    static char text[20000];
    struct buf b = BUF_INIT(text);
    (void)state;
    buf_lit(&b, LINE "l: 10000\r\n\r\n");
    memset(text + b.n, 'a', 10000);
    assert_int_equal(sip_frame(span_of(text, b.n + 9999), NULL), 0);
    assert_int_equal(sip_frame(span_of(text, b.n + 10000), NULL), b.n + 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_is_framed_when_it_is_whole),
        cmocka_unit_test(test_what_cannot_become_a_message_is_refused),
        cmocka_unit_test(test_the_same_length_twice_is_one),
        cmocka_unit_test(test_a_malformed_head_is_framed_for_its_400),
        cmocka_unit_test(test_limits_hold_before_the_end_is_seen),
        cmocka_unit_test(test_a_long_body_is_no_long_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
