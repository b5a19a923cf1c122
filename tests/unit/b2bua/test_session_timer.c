#include <stdio.h>

#include "b2bua/ua/session_timer.h"
#include "lib/test.h"

static const struct session_timer_conf conf = { { 300000 }, { 90000 } };

static struct sip_msg *message(const char *start, const char *lines)
{
    char text[1024];
    struct sip_msg *m;
    int n = snprintf(
        text, sizeof(text),
        "%s\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\n"
        "To: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n%sContent-Length: 0\r\n\r\n",
        start, lines);
    assert_int_equal(sip_msg_parse(span_of(text, (size_t)n), true, NULL, &m), 0);
    return m;
}

/* RFC 4028, 9, table 2, and intervals. */
static void test_what_is_asked(void **state)
{
    static const struct {
        const char *lines;
        unsigned status;
        const char *answer;
    } rows[] = {
        { "", 0, "Session-Expires: 300;refresher=uas\r\n" },
        { "Supported: timer\r\n", 0, "Session-Expires: 300;refresher=uac\r\nRequire: timer\r\n" },
        { "Supported: timer\r\nSession-Expires: 200;refresher=uas\r\n", 0,
          "Session-Expires: 200;refresher=uas\r\n" },
        { "Supported: timer\r\nSession-Expires: 200;refresher=uac\r\n", 0,
          "Session-Expires: 200;refresher=uac\r\nRequire: timer\r\n" },
        { "Supported: timer\r\nx: 1800\r\n", 0,
          "Session-Expires: 300;refresher=uac\r\nRequire: timer\r\n" },
        { "Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 900\r\n", 0,
          "Session-Expires: 900;refresher=uac\r\nRequire: timer\r\n" },
        { "Supported: timer\r\nSession-Expires: 89\r\n", 422, NULL },
        { "Session-Expires: 89\r\n", 0, "Session-Expires: 90;refresher=uas\r\n" }, /* a proxy's */
        { "Supported: timer\r\nSession-Expires: soon\r\n", 0,
          "Session-Expires: 300;refresher=uac\r\nRequire: timer\r\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct session_timer t = { 0 };
        char text[128];
        struct buf b = BUF_INIT(text);
        struct sip_msg *m = message("INVITE sip:b@x SIP/2.0", rows[i].lines);
        assert_int_equal(session_timer_asked(&t, &conf, m), rows[i].status);
        if (rows[i].answer) {
            session_timer_write_answer(&b, &t);
            assert_span(buf_span(&b), rows[i].answer);
        }
        sip_msg_unref(&m);
    }
}

static void test_what_is_answered(void **state)
{
    static const struct {
        const char *lines;
        uint32_t interval_s;
        bool ours;
        int64_t due_ms;
    } rows[] = {
        { "", 300, true, 150000 },
        { "Session-Expires: 1800;refresher=uac\r\n", 1800, true, 900000 },
        { "Session-Expires: 1800;refresher=uas\r\n", 1800, false, 1768000 },
        { "Session-Expires: 90;refresher=uas\r\n", 90, false, 60000 },
        { "Session-Expires: 1;refresher=uac\r\n", 90, true, 45000 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct session_timer t = { 0 };
        struct sip_msg *m = message("SIP/2.0 200 OK", rows[i].lines);
        session_timer_answered(&t, &conf, m);
        assert_int_equal(t.interval_s, rows[i].interval_s);
        assert_int_equal(t.ours, rows[i].ours);
        assert_int_equal(session_timer_due(&t).ms, rows[i].due_ms);
        sip_msg_unref(&m);
    }
}

static void test_a_refusal_is_heeded_once(void **state)
{
    struct session_timer t = { 0 };
    char text[128];
    struct buf b = BUF_INIT(text);
    struct sip_msg *m = message("SIP/2.0 422 Session Interval Too Small", "Min-SE: 1800\r\n");
    (void)state;
    assert_true(session_timer_refused(&t, m));
    session_timer_write_ask(&b, &t, &conf);
    assert_span(buf_span(&b), "Session-Expires: 1800\r\nMin-SE: 1800\r\n");
    assert_false(session_timer_refused(&t, m));
    sip_msg_unref(&m);
    m = message("SIP/2.0 422 Session Interval Too Small", "");
    t = (struct session_timer){ 0 };
    assert_false(session_timer_refused(&t, m));
    sip_msg_unref(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_asked),
        cmocka_unit_test(test_what_is_answered),
        cmocka_unit_test(test_a_refusal_is_heeded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
