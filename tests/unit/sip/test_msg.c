#include "lib/guard.h"
#include "lib/test.h"
#include "sip/msg.h"

#define LINE   "OPTIONS sip:a@example.com SIP/2.0\r\n"
#define VIA    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n"
#define FROM   "From: <sip:b@example.com>;tag=1\r\n"
#define TO     "To: <sip:a@example.com>\r\n"
#define ID     "Call-ID: c@d\r\n"
#define CSEQ   "CSeq: 1 OPTIONS\r\n"
#define COMMON VIA FROM TO ID CSEQ
#define END    "\r\n"

static struct sip_msg *parsed(const char *text)
{
    struct sip_msg *m;
    if (sip_msg_parse(guard_span(span_str(text)), true, NULL, &m))
        fail_msg("refused: %s", text);
    return m;
}

static void assert_bad(const char *text, unsigned status, const char *why)
{
    struct sip_msg *m = parsed(text);
    if (m->bad != status || (why && strcmp(m->bad_why, why) != 0))
        fail_msg("%u %s for %s", m->bad, m->bad ? m->bad_why : "", text);
    sip_msg_unref(&m);
}

static void assert_dropped(const char *text)
{
    struct sip_msg *m;
    if (sip_msg_parse(guard_span(span_str(text)), true, NULL, &m) != CS_EPROTO)
        fail_msg("taken: %s", text);
    assert_null(m);
}

static void test_requests(void **state)
{
    (void)state;
    struct sip_msg *m = parsed("\r\n\r\n" LINE COMMON "Max-Forwards: 70\r\nl: 2\r\n" END "hi!");
    assert_true(m->is_request);
    assert_int_equal(m->bad, 0);
    assert_int_equal(m->method, SIP_OPTIONS);
    assert_span(m->uri.user, "a");
    assert_span(m->via.branch, "z9hG4bKx");
    assert_span(m->from.tag, "1");
    assert_null(m->to.tag.p);
    assert_span(m->call_id, "c@d");
    assert_int_equal(m->cseq, 1);
    assert_int_equal(m->max_forwards, 70);
    assert_span(m->body, "hi");
    assert_int_equal(m->n_hdr, 7);
    assert_true(span_ends(m->raw, SPAN("\r\n\r\nhi"))); /* cut behind the body */
    sip_msg_unref(&m);
    assert_null(m);
    guard_release();
}

static void test_responses(void **state)
{
    (void)state;
    struct sip_msg *m = parsed("SIP/2.0 486 Busy  Here\r\n" COMMON END);
    assert_false(m->is_request);
    assert_int_equal(m->status, 486);
    assert_span(m->reason, "Busy  Here");
    assert_int_equal(m->method, SIP_OPTIONS); /* from CSeq */
    assert_int_equal(m->max_forwards, -1);
    sip_msg_unref(&m);
    guard_release();
}

static void test_malformed_responses_are_dropped(void **state)
{
    (void)state;
    assert_dropped("SIP/2.0 099 X\r\n" COMMON END);
    assert_dropped("SIP/2.0 700 X\r\n" COMMON END);
    assert_dropped("SIP/2.0 20 X\r\n" COMMON END);
    assert_dropped("SIP/2.0 2000 X\r\n" COMMON END);
    assert_dropped("SIP/3.0 200 X\r\n" COMMON END);
    assert_dropped("SIP/2.0  200 X\r\n" COMMON END);
    assert_dropped("SIP/2.0\r\n" COMMON END);
    assert_dropped("SIP/2.0 200 X\r\n" VIA FROM TO ID END);
    assert_dropped("SIP/2.0 200 X\r\n" COMMON "To: x\r\n" END);
    assert_dropped("SIP/2.0 200 X\r\n" COMMON "Content-Length: 1\r\n" END);
    assert_dropped("SIP/2.0 200 X\r\n" COMMON "x\ry: z\r\n" END);
    guard_release();
}

static void test_what_is_not_sip_or_has_no_way_back_is_dropped(void **state)
{
    (void)state;
    assert_dropped("");
    assert_dropped("\r\n");
    assert_dropped("\r\n\r\n");
    assert_dropped("OPTIONS");
    assert_dropped("GET / HTTP/1.1\r\n" COMMON END);
    assert_dropped("OPTIONS sip:a@example.com\r\n" COMMON END);
    assert_dropped(" OPTIONS sip:a@example.com SIP/2.0\r\n" COMMON END);
    assert_dropped("OPT(IONS sip:a@example.com SIP/2.0\r\n" COMMON END);
    assert_dropped("OPTIONS sip:a@example.com SIP/2.0\r\n folded\r\n" COMMON END);
    assert_dropped(LINE FROM TO ID CSEQ END);
    assert_dropped(LINE "Via: SIP/2.0/UDP _\r\n" FROM TO ID CSEQ END);
    assert_dropped(LINE);
    guard_release();
}

static void test_malformed_requests_are_answerable(void **state)
{
    static const char *const bad[] = {
        "OPTIONS sip:a@example.com SIP/2.0 \r\n" COMMON END,
        "OPTIONS  sip:a@example.com SIP/2.0\r\n" COMMON END,
        "OPTIONS sip:a@ SIP/2.0\r\n" COMMON END,
        "OPTIONS sip:a@example.com SIP/2.0\n" COMMON END,
        LINE COMMON,                      /* no empty line */
        LINE COMMON "x: y",               /* nor an end of the last one */
        LINE COMMON "x: y\n" END,         /* bare LF */
        LINE COMMON "x: y\ry: z\r\n" END, /* bare CR */
        LINE COMMON "x: y\r\r\n" END,     /* the same */
        LINE COMMON "x: \x01y\r\n" END,   /* control characters */
        LINE COMMON "x: \x7fy\r\n" END,
        LINE COMMON "x: \"\x07\"\r\n" END, /* even when quoted, unless escaped */
        LINE COMMON "x: \\\x07\r\n" END,   /* and escapes mean nothing outside of quotes */
        LINE COMMON "x: \"\\\x07\" \x07\r\n" END,
        LINE COMMON "x: y\r\n \r\n" END, /* a line of white space: a fold, or the end? */
        LINE COMMON "x: y\r\n \r\n z\r\n" END,
        LINE COMMON "x\r\n" END,
        LINE COMMON ": y\r\n" END,
        LINE COMMON "x y: z\r\n" END,
        LINE COMMON "x\r\n : z\r\n" END,
        LINE COMMON "Max-Forwards: 256\r\n" END,
        LINE COMMON "Max-Forwards: -1\r\n" END,
        LINE COMMON "Max-Forwards: \r\n" END,
        LINE COMMON "Content-Length: 1\r\nContent-Length: 2\r\n" END "ab",
        LINE COMMON "Content-Length: 1\r\nl: 01x\r\n" END "ab",
        LINE COMMON "Content-Length: +1\r\n" END "a",
        LINE COMMON "Content-Length: 4294967297\r\n" END "a",
        LINE COMMON "Content-Length: 1, 1\r\n" END "a",
        LINE COMMON FROM END,
        LINE COMMON "t: <sip:a@example.com>\r\n" END,
        LINE COMMON "i: c@d\r\n" END,
        LINE COMMON CSEQ END,
        LINE COMMON "Max-Forwards: 1\r\nMax-Forwards: 1\r\n" END,
        LINE COMMON "Expires: 1\r\nExpires: 1\r\n" END,
        LINE COMMON "c: a/b\r\nContent-Type: a/b\r\n" END,
        LINE VIA TO ID CSEQ END,
        LINE VIA FROM ID CSEQ END,
        LINE VIA FROM TO CSEQ END,
        LINE VIA FROM TO ID END,
        LINE VIA FROM TO "Call-ID: \r\n" CSEQ END,
        LINE VIA FROM TO "Call-ID: a b\r\n" CSEQ END,
        LINE VIA FROM TO "Call-ID: a,b\r\n" CSEQ END,
        LINE VIA FROM TO ID "CSeq: 2147483648 OPTIONS\r\n" END,
        LINE VIA FROM TO ID "CSeq: -1 OPTIONS\r\n" END,
        LINE VIA FROM TO ID "CSeq: 1OPTIONS\r\n" END,
        LINE VIA FROM TO ID "CSeq: 1\r\n" END,
        LINE VIA FROM TO ID "CSeq: 1 OPTIONS x\r\n" END,
        LINE VIA FROM TO ID "CSeq: 1 options\r\n" END,
        LINE VIA FROM TO ID "CSeq: 1 INVITE\r\n" END,
        LINE VIA "From: <sip:b@example.com>;tag=1;tag=2\r\n" TO ID CSEQ END,
        LINE VIA FROM "To: <sip:a@example.com>, <sip:b@example.com>\r\n" ID CSEQ END,
        LINE "Via: SIP/2.0/UDP 192.0.2.1;branch=a;branch=b\r\n" FROM TO ID CSEQ END,
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_bad(bad[i], 400, NULL);
    assert_bad("OPTIONS sip:a@example.com SIP/2.1\r\n" COMMON END, 505, "Version Not Supported");
    assert_bad("OPTIONS sip:a@example.com SIP/22.0\r\n" COMMON END, 505, "Version Not Supported");
    guard_release();
}

static void test_nul_is_refused_but_for_a_quoted_pair(void **state)
{
    struct sip_msg *m;
    (void)state;
    assert_int_equal(sip_msg_parse(SPAN(LINE COMMON "x: a\0b\r\n" END), true, NULL, &m), 0);
    assert_int_equal(m->bad, 400);
    sip_msg_unref(&m);
    assert_int_equal(sip_msg_parse(SPAN(LINE COMMON "x: \"\\\0\"\r\n" END), true, NULL, &m), 0);
    assert_int_equal(m->bad, 0);
    sip_msg_unref(&m);
    assert_int_equal(
        sip_msg_parse(SPAN("OPTIONS sip:a\0@example.com SIP/2.0\r\n" COMMON END), true, NULL, &m),
        0);
    assert_int_equal(m->bad, 400);
    sip_msg_unref(&m);
}

static void test_what_is_unusual_but_legal_is_taken(void **state)
{
    static const char *const good[] = {
        LINE COMMON END,
        "OPTIONS sip:a@example.com sip/2.0\r\n" COMMON END,
        LINE COMMON "Content-Length: 1\r\nl: 01\r\n" END "a", /* the same said twice */
        LINE COMMON "x: a\tb\r\n" END,
        LINE COMMON "x: a\r\n\tb\r\n c\r\n" END,
        LINE COMMON "x:\r\n" END,
        LINE COMMON "x : \r\n" END,
        LINE COMMON "x: \xff\xfe\r\n" END,
        LINE VIA FROM TO ID "CSeq: 2147483647 OPTIONS\r\n" END,
        LINE VIA FROM TO "Call-ID: abc==\"<\r\n" CSEQ END,
        LINE "v: ,, SIP/2.0/UDP 192.0.2.1\r\n" FROM TO ID CSEQ END,
        "OPTIONS urn:x:y SIP/2.0\r\n" COMMON END,
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(good); i++)
        assert_bad(good[i], 0, NULL);
    guard_release();
}

static void test_every_name_and_compact_form_is_known(void **state)
{
    static const struct {
        const char *name, *compact;
        enum sip_hdr_id id;
    } names[] = {
        { "Via", "v", SIP_HDR_VIA },
        { "From", "f", SIP_HDR_FROM },
        { "To", "t", SIP_HDR_TO },
        { "Call-ID", "i", SIP_HDR_CALL_ID },
        { "CSeq", NULL, SIP_HDR_CSEQ },
        { "Contact", "m", SIP_HDR_CONTACT },
        { "Route", NULL, SIP_HDR_ROUTE },
        { "Record-Route", NULL, SIP_HDR_RECORD_ROUTE },
        { "Max-Forwards", NULL, SIP_HDR_MAX_FORWARDS },
        { "Content-Length", "l", SIP_HDR_CONTENT_LENGTH },
        { "Content-Type", "c", SIP_HDR_CONTENT_TYPE },
        { "Content-Encoding", "e", SIP_HDR_CONTENT_ENCODING },
        { "Authorization", NULL, SIP_HDR_AUTHORIZATION },
        { "Proxy-Authorization", NULL, SIP_HDR_PROXY_AUTHORIZATION },
        { "WWW-Authenticate", NULL, SIP_HDR_WWW_AUTHENTICATE },
        { "Proxy-Authenticate", NULL, SIP_HDR_PROXY_AUTHENTICATE },
        { "Expires", NULL, SIP_HDR_EXPIRES },
        { "Min-Expires", NULL, SIP_HDR_MIN_EXPIRES },
        { "Require", NULL, SIP_HDR_REQUIRE },
        { "Proxy-Require", NULL, SIP_HDR_PROXY_REQUIRE },
        { "Supported", "k", SIP_HDR_SUPPORTED },
        { "Unsupported", NULL, SIP_HDR_UNSUPPORTED },
        { "Allow", NULL, SIP_HDR_ALLOW },
        { "Path", NULL, SIP_HDR_PATH },
        { "Service-Route", NULL, SIP_HDR_SERVICE_ROUTE },
        { "User-Agent", NULL, SIP_HDR_USER_AGENT },
        { "Server", NULL, SIP_HDR_SERVER },
        { "Date", NULL, SIP_HDR_DATE },
        { "Retry-After", NULL, SIP_HDR_RETRY_AFTER },
        { "Reason", NULL, SIP_HDR_REASON },
        { "P-Asserted-Identity", NULL, SIP_HDR_P_ASSERTED_IDENTITY },
        { "P-Preferred-Identity", NULL, SIP_HDR_P_PREFERRED_IDENTITY },
        { "Remote-Party-ID", NULL, SIP_HDR_REMOTE_PARTY_ID },
        { "Privacy", NULL, SIP_HDR_PRIVACY },
        { "Max-Breadth", NULL, SIP_HDR_MAX_BREADTH },
        { "Subject", "s", SIP_HDR_SUBJECT },
        { "Event", "o", SIP_HDR_EVENT },
        { "Refer-To", "r", SIP_HDR_REFER_TO },
        { "Referred-By", "b", SIP_HDR_REFERRED_BY },
        { "Session-Expires", "x", SIP_HDR_SESSION_EXPIRES },
        { "Allow-Events", "u", SIP_HDR_ALLOW_EVENTS },
        { "Timestamp", NULL, SIP_HDR_TIMESTAMP },
        { "Warning", NULL, SIP_HDR_WARNING },
        { "Accept", NULL, SIP_HDR_ACCEPT },
        { "Replaces", NULL, SIP_HDR_REPLACES },
        { "Countersign-Rests-On", NULL, SIP_HDR_RESTS_ON },
        { "Countersign-Origin", NULL, SIP_HDR_ORIGIN },
        { "Accept-Contact", "a", SIP_HDR_OTHER },
        { "Reject-Contact", "j", SIP_HDR_OTHER },
        { "X-Contact", "z", SIP_HDR_OTHER },
        { "Contacts", "1", SIP_HDR_OTHER },
    };
    char text[512];
    (void)state;
    assert_int_equal(CS_LEN(names), SIP_HDR_COUNT - 1 + 4);
    for (size_t i = 0; i < CS_LEN(names); i++) {
        for (int form = 0; form < 3; form++) {
            struct buf b = BUF_INIT(text);
            struct sip_msg *m;
            const char *name = form ? names[i].name : names[i].compact;
            if (!name)
                continue;
            buf_lit(&b, LINE COMMON);
            for (const char *p = name; *p; p++)
                buf_putc(&b, form == 2 && *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p);
            buf_lit(&b, ": 7\r\n" END);
            assert_int_equal(sip_msg_parse(buf_span(&b), true, NULL, &m), 0);
            bool kept = m->n_hdr == 6;
            assert_true(kept);
            assert_int_equal(m->hdr[5].id, names[i].id);
            assert_span(m->hdr[5].value, "7");
            assert_true(sip_has(m, names[i].id));
            sip_msg_unref(&m);
        }
    }
}

static void test_lists_are_walked_over_all_lines(void **state)
{
    static const char *const want[] = { "<sip:a,b@example.com>;q=1",
                                        "\"x, \\\" y\" <sip:c@d.example>", "sip:e@f.example", "*" };
    (void)state;
    struct sip_msg *m =
        parsed(LINE COMMON "m: <sip:a,b@example.com>;q=1 ,, \"x, \\\" y\" <sip:c@d.example>\r\n"
                           "Contact: ,\r\nX: y\r\nContact: sip:e@f.example\r\n ,*\r\n"
                           "Supported: path\r\nk: GRUU, Outbound\r\n"
                           "Authorization: Digest a=b, c=d\r\nAuthorization: Basic x\r\n" END);
    size_t n = 0;
    for (struct sip_values it = sip_values(m, SIP_HDR_CONTACT); sip_next(&it); n++)
        assert_span(it.value, want[n]);
    assert_int_equal(n, 4);
    assert_true(sip_lists(m, SIP_HDR_SUPPORTED, SPAN("outbound")));
    assert_false(sip_lists(m, SIP_HDR_SUPPORTED, SPAN("out")));
    assert_false(sip_lists(m, SIP_HDR_REQUIRE, SPAN("path")));
    struct sip_values it = sip_values(m, SIP_HDR_AUTHORIZATION);
    assert_true(sip_next(&it));
    assert_span(it.value, "Digest a=b, c=d");
    assert_true(sip_next(&it));
    assert_span(it.value, "Basic x");
    assert_false(sip_next(&it));
    assert_false(sip_next(&it));
    sip_msg_unref(&m);
    guard_release();
}

static void test_numbers_are_read_once_or_not(void **state)
{
    uint32_t v = 5;
    (void)state;
    struct sip_msg *m = parsed(LINE COMMON "Expires: 4294967295\r\nRetry-After: 1\r\n"
                                           "Retry-After: 1\r\nTimestamp: 1.5\r\n" END);
    assert_int_equal(sip_hdr_u32(m, SIP_HDR_MIN_EXPIRES, &v), CS_ENOENT);
    assert_int_equal(sip_hdr_u32(m, SIP_HDR_RETRY_AFTER, &v), CS_EPROTO);
    assert_int_equal(sip_hdr_u32(m, SIP_HDR_TIMESTAMP, &v), CS_EPROTO);
    assert_int_equal(v, 5);
    assert_int_equal(sip_hdr_u32(m, SIP_HDR_EXPIRES, &v), 0);
    assert_int_equal(v, UINT32_MAX);
    sip_msg_unref(&m);
    guard_release();
}

static void test_limits(void **state)
{
    static const char text[] = LINE COMMON "x: 12345\r\n 67\r\n" END;
    const struct sip_limits tight[] = { { .message = sizeof(text) - 2 },
                                        { .line = 40 },
                                        { .headers = 5 } };
    const struct sip_limits fit = { sizeof(text) - 1, 42, 6 };
    struct sip_msg *m;
    (void)state;
    for (size_t i = 0; i < CS_LEN(tight); i++) {
        assert_int_equal(sip_msg_parse(SPAN(text), true, &tight[i], &m), CS_ELIMIT);
        assert_null(m);
    }
    assert_int_equal(sip_msg_parse(SPAN(text), true, &fit, &m), 0);
    sip_msg_unref(&m);
}

static void test_streams_must_say_the_length(void **state)
{
    struct sip_msg *m;
    (void)state;
    assert_int_equal(sip_msg_parse(SPAN(LINE COMMON END "body"), false, NULL, &m), 0);
    assert_int_equal(m->bad, 400);
    sip_msg_unref(&m);
    m = parsed(LINE COMMON END "body"); /* a datagram has one */
    assert_span(m->body, "body");
    sip_msg_unref(&m);
    guard_release();
}

static void test_references_are_counted(void **state)
{
    (void)state;
    struct sip_msg *m = parsed(LINE COMMON END), *again = sip_msg_ref(m), *none = NULL;
    sip_msg_unref(&m);
    assert_null(m);
    assert_span(again->call_id, "c@d");
    assert_non_null(arena_str(&again->arena, SPAN("kept with the message")));
    sip_msg_unref(&again);
    sip_msg_unref(&none);
    guard_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_malformed_responses_are_dropped),
        cmocka_unit_test(test_what_is_not_sip_or_has_no_way_back_is_dropped),
        cmocka_unit_test(test_malformed_requests_are_answerable),
        cmocka_unit_test(test_nul_is_refused_but_for_a_quoted_pair),
        cmocka_unit_test(test_what_is_unusual_but_legal_is_taken),
        cmocka_unit_test(test_every_name_and_compact_form_is_known),
        cmocka_unit_test(test_lists_are_walked_over_all_lines),
        cmocka_unit_test(test_numbers_are_read_once_or_not),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_streams_must_say_the_length),
        cmocka_unit_test(test_references_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
