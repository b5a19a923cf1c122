#include "lib/guard.h"
#include "lib/test.h"
#include "sip/write.h"

static char text[4096];

static struct sip_msg *parsed(const char *message, const char *source)
{
    struct sip_msg *m;
    if (sip_msg_parse(guard_span(span_str(message)), true, NULL, &m))
        fail_msg("refused: %s", message);
    assert_int_equal(m->bad, 0);
    if (source)
        assert_int_equal(addr_parse(span_str(source), 0, &m->source), 0);
    guard_release();
    return m;
}

static const char invite[] =
    "INVITE sip:bob@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport, SIP/2.0/UDP 10.0.0.2\r\n"
    "v: SIP/2.0/UDP 10.0.0.3\r\n"
    "Route: <sip:r1;lr>, <sip:r2,x;lr>\r\n"
    "Route: <sip:r3;lr>\r\n"
    "Max-Forwards: 70\r\n"
    "f: A\r\n <sip:a@example.com>;tag=1\r\n"
    "To: <sip:bob@example.com>\r\n"
    "Call-ID: c@d\r\n"
    "CSeq: 7 INVITE\r\n"
    "P-Asserted-Identity: <sip:x@example.com>\r\n"
    "X-Empty:\r\n"
    "Timestamp: 54\r\n"
    "Content-Length: 2\r\n"
    "\r\n"
    "hi";

static void test_a_reply_copies_what_identifies_the_request(void **state)
{
    struct buf b = BUF_INIT(text);
    (void)state;
    struct sip_msg *m = parsed(invite, "192.0.2.9:5099");
    sip_write_reply(&b, m, 486, SPAN_NULL, SPAN("t"));
    sip_write_hdr(&b, SPAN("Retry-After"), SPAN("5"));
    sip_write_end(&b, SPAN("text/plain"), SPAN("no"));
    assert_span(buf_span(&b),
                "SIP/2.0 486 Busy Here\r\n"
                "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.9;rport=5099, "
                "SIP/2.0/UDP 10.0.0.2\r\n"
                "v: SIP/2.0/UDP 10.0.0.3\r\n"
                "From: A\r\n <sip:a@example.com>;tag=1\r\n"
                "To: <sip:bob@example.com>;tag=t\r\n"
                "Call-ID: c@d\r\n"
                "CSeq: 7 INVITE\r\n"
                "Retry-After: 5\r\n"
                "Content-Type: text/plain\r\n"
                "Content-Length: 2\r\n\r\nno");
    sip_msg_unref(&m);
}

static void test_a_100_has_no_tag_but_the_timestamp(void **state)
{
    struct buf b = BUF_INIT(text);
    struct sip_msg *answer;
    (void)state;
    struct sip_msg *m = parsed(invite, NULL);
    sip_write_reply(&b, m, 100, SPAN("Busy thinking"), SPAN("t"));
    sip_write_end(&b, SPAN_NULL, SPAN(""));
    assert_int_equal(sip_msg_parse(buf_span(&b), false, NULL, &answer), 0);
    assert_span(answer->reason, "Busy thinking");
    assert_null(answer->to.tag.p);
    assert_span(sip_hdr_value(answer, SIP_HDR_TIMESTAMP), "54");
    assert_true(span_eq(answer->via.text, m->via.text)); /* no source: no received */
    sip_msg_unref(&answer);
    sip_msg_unref(&m);
}

/* RFC 3261, 18.2.1 and RFC 3581, 4 */
static void test_received_and_rport_tell_the_source(void **state)
{
    static const struct {
        const char *via, *source, *want;
    } table[] = {
        { "SIP/2.0/UDP 192.0.2.1", "192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1" },
        { "SIP/2.0/UDP 192.0.2.1:9", "192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1:9" },
        { "SIP/2.0/UDP 192.0.2.1", "192.0.2.2:1", "SIP/2.0/UDP 192.0.2.1;received=192.0.2.2" },
        { "SIP/2.0/UDP a.example", "192.0.2.2:1", "SIP/2.0/UDP a.example;received=192.0.2.2" },
        { "SIP/2.0/UDP 192.0.2.1;rport", "192.0.2.1:7",
          "SIP/2.0/UDP 192.0.2.1;received=192.0.2.1;rport=7" },
        { "SIP/2.0/UDP 192.0.2.1;received=203.0.113.9;x;rport=99;branch=z", "192.0.2.1:7",
          "SIP/2.0/UDP 192.0.2.1;x;branch=z;received=192.0.2.1;rport=7" },
        { "SIP/2.0/UDP [2001:db8::1];rport", "[2001:db8::2]:7",
          "SIP/2.0/UDP [2001:db8::1];received=2001:db8::2;rport=7" },
    };
    char message[512];
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        struct buf b = BUF_INIT(text), in = BUF_INIT(message);
        struct sip_msg *answer;
        buf_printf(&in,
                   "OPTIONS sip:a SIP/2.0\r\nVia: %s\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>\r\n"
                   "Call-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
                   table[i].via);
        buf_putc(&in, '\0');
        struct sip_msg *m = parsed(message, table[i].source);
        sip_write_reply(&b, m, 200, SPAN_NULL, SPAN_NULL);
        sip_write_end(&b, SPAN_NULL, SPAN(""));
        assert_int_equal(sip_msg_parse(buf_span(&b), false, NULL, &answer), 0);
        assert_span(answer->via.text, table[i].want);
        sip_msg_unref(&answer);
        sip_msg_unref(&m);
    }
}

static void test_a_reply_keeps_the_tag_of_a_dialog(void **state)
{
    struct buf b = BUF_INIT(text);
    (void)state;
    struct sip_msg *m =
        parsed("BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a.b\r\nFrom: <sip:a>;tag=1\r\n"
               "To: <sip:a>;tag=2\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n",
               NULL);
    sip_write_reply(&b, m, 200, SPAN_NULL, SPAN("t"));
    assert_span(buf_span(&b), "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a.b\r\nFrom: <sip:a>;tag=1\r\n"
                              "To: <sip:a>;tag=2\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n");
    sip_msg_unref(&m);
}

static void test_an_empty_edit_changes_nothing(void **state)
{
    struct buf b = BUF_INIT(text);
    struct sip_edit edit = { .max_forwards = -1 };
    (void)state;
    struct sip_msg *m = parsed(invite, NULL);
    sip_write_request(&b, m, &edit);
    assert_span(buf_span(&b), invite);
    sip_msg_unref(&m);
}

static void test_a_proxy_edits_what_it_must(void **state)
{
    const struct span routes[] = { SPAN("<sip:n1;lr>"), SPAN("<sip:n2;lr>") };
    struct buf b = BUF_INIT(text);
    struct sip_edit edit = {
        .uri = SPAN("sip:bob@10.9.9.9"),
        .via = SPAN("SIP/2.0/TCP us;branch=z9hG4bK2"),
        .max_forwards = 0,
        .drop_routes = 1,
        .routes = routes,
        .n_routes = 2,
        .record_route = SPAN("<sip:us;lr>"),
        .strip = SIP_HDR_BIT(SIP_HDR_P_ASSERTED_IDENTITY) | SIP_HDR_BIT(SIP_HDR_OTHER),
        .append = SPAN("P-Asserted-Identity: <sip:a@example.com>\r\n"),
    };
    (void)state;
    struct sip_msg *m = parsed(invite, "10.0.0.1:5062");
    sip_write_request(&b, m, &edit);
    assert_span(buf_span(&b),
                "INVITE sip:bob@10.9.9.9 SIP/2.0\r\n"
                "Via: SIP/2.0/TCP us;branch=z9hG4bK2\r\n"
                "Record-Route: <sip:us;lr>\r\n"
                "Route: <sip:n1;lr>\r\n"
                "Route: <sip:n2;lr>\r\n"
                "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=10.0.0.1;rport=5062, "
                "SIP/2.0/UDP 10.0.0.2\r\n"
                "v: SIP/2.0/UDP 10.0.0.3\r\n"
                "Route: <sip:r2,x;lr>\r\n"
                "Route: <sip:r3;lr>\r\n"
                "f: A\r\n <sip:a@example.com>;tag=1\r\n"
                "To: <sip:bob@example.com>\r\n"
                "Call-ID: c@d\r\n"
                "CSeq: 7 INVITE\r\n"
                "X-Empty:\r\n"
                "Timestamp: 54\r\n"
                "Content-Length: 2\r\n"
                "Max-Forwards: 0\r\n"
                "P-Asserted-Identity: <sip:a@example.com>\r\n"
                "\r\nhi");
    sip_msg_unref(&m);
}

static void test_routes_are_dropped_over_lines(void **state)
{
    static const unsigned left[] = { 3, 2, 1, 0, 0 };
    (void)state;
    struct sip_msg *m = parsed(invite, NULL);
    for (unsigned drop = 0; drop < CS_LEN(left); drop++) {
        struct buf b = BUF_INIT(text);
        struct sip_edit edit = { .max_forwards = -1, .drop_routes = drop };
        struct sip_msg *out;
        unsigned n = 0;
        sip_write_request(&b, m, &edit);
        assert_int_equal(sip_msg_parse(buf_span(&b), false, NULL, &out), 0);
        for (struct sip_values it = sip_values(out, SIP_HDR_ROUTE); sip_next(&it);)
            n++;
        assert_int_equal(n, left[drop]);
        sip_msg_unref(&out);
    }
    sip_msg_unref(&m);
}

static void test_a_missing_content_length_is_added(void **state)
{
    struct buf b = BUF_INIT(text);
    struct sip_edit edit = { .max_forwards = -1 };
    (void)state;
    struct sip_msg *m = parsed("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a.b\r\nFrom: <sip:a>\r\n"
                               "To: <sip:a>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\nabc",
                               NULL);
    sip_write_request(&b, m, &edit);
    assert_true(span_ends(buf_span(&b), SPAN("OPTIONS\r\nContent-Length: 3\r\n\r\nabc")));
    assert_int_equal(sip_frame(buf_span(&b), NULL), b.n);
    sip_msg_unref(&m);
}

static void test_a_response_loses_its_topmost_via(void **state)
{
#define REST                                                                                    \
    "From: <sip:a>;tag=1\r\nTo: <sip:a>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nServer: s\r\n" \
    "Content-Length: 0\r\n"
    struct buf b = BUF_INIT(text);
    (void)state;
    struct sip_msg *m = parsed("SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP us;branch=z9hG4bK2 , "
                               "SIP/2.0/UDP a.b\r\nVia: SIP/2.0/UDP c.d\r\n" REST "\r\n",
                               NULL);
    sip_write_response(&b, m, SIP_HDR_BIT(SIP_HDR_SERVER), SPAN("X: y\r\n"));
    assert_span(buf_span(&b), "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP a.b\r\n"
                              "Via: SIP/2.0/UDP c.d\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>;tag=2\r\n"
                              "Call-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\nX: y\r\n\r\n");
    sip_msg_unref(&m);

    b = buf_of(text, sizeof(text));
    m = parsed("SIP/2.0 200 \r\nVia: SIP/2.0/UDP us\r\nVia: SIP/2.0/UDP c.d\r\n" REST "\r\n", NULL);
    sip_write_response(&b, m, 0, SPAN_NULL);
    assert_span(buf_span(&b), "SIP/2.0 200 \r\nVia: SIP/2.0/UDP c.d\r\n" REST "\r\n");
    sip_msg_unref(&m);
}

/* RFC 3261, 17.1.1.3 and 9.1 */
static void test_ack_and_cancel_match_their_invite(void **state)
{
    struct buf b = BUF_INIT(text);
    (void)state;
    struct sip_msg *m = parsed(invite, NULL);
    struct sip_msg *r =
        parsed("SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
               "From: <sip:a@example.com>;tag=1\r\nTo: <sip:bob@example.com>;tag=9\r\n"
               "Call-ID: c@d\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n",
               NULL);
#define HOP                                                                                    \
    "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport\r\nRoute: <sip:r1;lr>, <sip:r2,x;lr>\r\n" \
    "Route: <sip:r3;lr>\r\nMax-Forwards: 70\r\nFrom: A\r\n <sip:a@example.com>;tag=1\r\n"
    sip_write_ack(&b, m, r);
    assert_span(buf_span(&b), "ACK sip:bob@example.com SIP/2.0\r\n" HOP
                              "To: <sip:bob@example.com>;tag=9\r\nCall-ID: c@d\r\n"
                              "CSeq: 7 ACK\r\nContent-Length: 0\r\n\r\n");
    b = buf_of(text, sizeof(text));
    sip_write_cancel(&b, m, SPAN_NULL);
    assert_span(buf_span(&b), "CANCEL sip:bob@example.com SIP/2.0\r\n" HOP
                              "To: <sip:bob@example.com>\r\nCall-ID: c@d\r\n"
                              "CSeq: 7 CANCEL\r\nContent-Length: 0\r\n\r\n");
    b = buf_of(text, sizeof(text));
    sip_write_cancel(&b, m, SPAN("SIP;cause=200"));
    assert_span(buf_span(&b), "CANCEL sip:bob@example.com SIP/2.0\r\n" HOP
                              "To: <sip:bob@example.com>\r\nCall-ID: c@d\r\nCSeq: 7 CANCEL\r\n"
                              "Reason: SIP;cause=200\r\nContent-Length: 0\r\n\r\n");
    sip_msg_unref(&r);
    sip_msg_unref(&m);
}

static void test_overflow_sticks(void **state)
{
    struct sip_edit edit = { .max_forwards = 1, .drop_routes = 1 };
    (void)state;
    struct sip_msg *m = parsed(invite, "192.0.2.9:5099");
    for (size_t cap = 0; cap < sizeof(invite) - 1; cap += 7) {
        struct buf b = buf_of(text, cap);
        sip_write_request(&b, m, &edit);
        assert_false(buf_ok(&b));
        assert_true(b.n <= cap);
    }
    sip_msg_unref(&m);
}

static void test_usual_reasons(void **state)
{
    (void)state;
    assert_span(sip_reason(100), "Trying");
    assert_span(sip_reason(423), "Interval Too Brief");
    assert_span(sip_reason(699), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reply_copies_what_identifies_the_request),
        cmocka_unit_test(test_a_100_has_no_tag_but_the_timestamp),
        cmocka_unit_test(test_received_and_rport_tell_the_source),
        cmocka_unit_test(test_a_reply_keeps_the_tag_of_a_dialog),
        cmocka_unit_test(test_an_empty_edit_changes_nothing),
        cmocka_unit_test(test_a_proxy_edits_what_it_must),
        cmocka_unit_test(test_routes_are_dropped_over_lines),
        cmocka_unit_test(test_a_missing_content_length_is_added),
        cmocka_unit_test(test_a_response_loses_its_topmost_via),
        cmocka_unit_test(test_ack_and_cancel_match_their_invite),
        cmocka_unit_test(test_overflow_sticks),
        cmocka_unit_test(test_usual_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
