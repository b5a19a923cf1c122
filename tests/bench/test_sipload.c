/* The load generator must notice what is wrong, or its numbers mean nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "callee.h"
#include "frame.h"
#include "latency.h"
#include "message.h"

struct fixture {
    struct hash *hash;
    struct site site;
    struct phones phones;
    struct request request;
    struct answer answer;
};

static void setup(struct fixture *f, const char *algorithm)
{
    *f = (struct fixture){ .request = { .slot = 3, .serial = 7, .port = 5062 } };
    f->hash = hash_new(span_str(algorithm));
    assert_non_null(f->hash);
    assert_int_equal(phones_make(&f->phones, 2), 0);
    phones_hash(&f->phones, f->hash, SPAN("example.com"));
    site_init(&f->site, SPAN("example.com"), SPAN("example.com"), f->hash, 600);
    f->site.run = 0xabc;
}

static void teardown(struct fixture *f)
{
    phones_fini(&f->phones);
    hash_free(&f->hash);
}

#define VIA             \
    "Via: SIP/2.0/UDP " \
    "127.0.0.1:5062;rport=5062;branch=z9hG4bK00000003000000070000000000000abc\r\n"
#define DIALOG                                           \
    "From: <sip:user00000@example.com>;tag=00000000\r\n" \
    "To: <sip:user00000@example.com>;tag=x\r\n"          \
    "Call-ID: 0000000000000abc-00000000\r\nCSeq: 1 REGISTER\r\n"
#define END "Content-Length: 0\r\n\r\n"

static int read_answer(struct fixture *f, const char *text)
{
    return message_read(span_str(text), &f->site, &f->answer);
}

static void write_first(struct fixture *f)
{
    char text[2000];
    struct buf b = BUF_INIT(text);
    message_write(&b, &f->site, &f->request, &f->phones.p[0]);
    assert_true(buf_ok(&b));
}

static void test_credentials_are_what_rfc_7616_says(void **state)
{
    struct fixture f;
    char text[2000];
    struct buf b = BUF_INIT(text);
    (void)state;
    setup(&f, "MD5");
    f.site.run = 0;
    f.request.serial = 0; /* cnonce 0000000000000000 */
    struct phone *ph = &f.phones.p[0];
    memcpy(ph->nonce, "abc", ph->nonce_n = 3);
    message_write(&b, &f.site, &f.request, ph);
    assert_true(buf_ok(&b));
    text[b.n] = '\0';
    assert_non_null(
        strstr(text, "username=\"user00000\", realm=\"example.com\", nonce=\"abc\", "
                     "uri=\"sip:example.com\", response=\"0ffefbf694774ffb7e3613c31968aebc\", "
                     "algorithm=MD5, cnonce=\"0000000000000000\", qop=auth, "
                     "nc=00000001\r\n"));
    teardown(&f);
}

static void test_answer_is_matched_to_its_request(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, "MD5");
    write_first(&f);
    assert_int_equal(read_answer(&f, "SIP/2.0 200 OK\r\n" VIA DIALOG END), 0);
    assert_int_equal(f.answer.slot, 3);
    assert_int_equal(f.answer.serial, 7);
    assert_int_equal(f.answer.run, 0xabc);
    assert_true(message_matches(&f.answer, &f.site, &f.request, &f.phones.p[0]));
    f.request.phone = 1; /* another Call-ID */
    assert_false(message_matches(&f.answer, &f.site, &f.request, &f.phones.p[0]));
    f.request.phone = 0;
    f.phones.p[0].cseq++;
    assert_false(message_matches(&f.answer, &f.site, &f.request, &f.phones.p[0]));
    teardown(&f);
}

static void test_answer_that_is_not_sip_is_refused(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, "MD5");
    static const char *const bad[] = {
        "",
        "SIP/2.0 ",
        "HTTP/1.1 200 OK\r\n" VIA DIALOG END,
        "SIP/2.0 200 OK\r\n" VIA DIALOG "folded\r\n" END,
        "SIP/2.0 200 OK\r\n" VIA END,
        "SIP/2.0 200 OK\r\n" VIA "From: <sip:a@b>;tag=00000000\r\nTo: <sip:a@b>\r\n"
        "Call-ID: x\r\nCSeq: 1 REGISTER\r\n" END, /* no tag in To */
        "SIP/2.0 200 OK\r\n" VIA "From: <sip:a@b>;tag=00000000\r\nTo: <sip:a@b>;tag=x\r\n"
        "Call-ID: x\r\nCSeq: 1 INVITE\r\n" END,
    };
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_int_equal(read_answer(&f, bad[i]), CS_EPROTO);
    teardown(&f);
}

static void test_binding_is_found_among_others_with_its_time(void **state)
{
    struct fixture f;
    const struct phone *ph;
    (void)state;
    setup(&f, "MD5");
    ph = &f.phones.p[0];
    assert_int_equal(read_answer(&f, "SIP/2.0 200 OK\r\n" VIA DIALOG
                                     "Contact: <sip:x,y@198.51.100.7>;expires=9, "
                                     "<sip:user00000@198.51.100.7:5060>;q=1;expires=599\r\n" END),
                     0);
    assert_int_equal(message_expires(&f.answer, ph), 599);
    assert_int_equal(message_expires(&f.answer, &f.phones.p[1]), -1);
    assert_int_equal(read_answer(&f, "SIP/2.0 200 OK\r\n" VIA DIALOG
                                     "m: <sip:user00000@198.51.100.7:5060>\r\n" END),
                     0);
    assert_int_equal(message_expires(&f.answer, ph), -1); /* no time said */
    teardown(&f);
}

static void test_challenge_of_our_algorithm_and_realm_is_chosen(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, "SHA-256");
    assert_int_equal(
        read_answer(&f,
                    "SIP/2.0 401 Unauthorized\r\n" VIA DIALOG
                    "WWW-Authenticate: Bearer realm=\"example.com\"\r\n"
                    "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"1\", qop=\"auth\"\r\n"
                    "WWW-Authenticate: Digest realm=\"other\", nonce=\"2\", qop=\"auth\", "
                    "algorithm=SHA-256\r\n"
                    "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"3\", "
                    "algorithm=SHA-256, stale=TRUE, qop=\"auth-int,auth\", opaque=\"o\"\r\n" END),
        0);
    assert_true(span_eq(f.answer.challenge.nonce, SPAN("3")));
    assert_true(span_eq(f.answer.challenge.opaque, SPAN("o")));
    assert_true(f.answer.challenge.stale);
    teardown(&f);
}

static void test_challenge_without_qop_auth_is_none(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, "MD5");
    assert_int_equal(read_answer(&f, "SIP/2.0 401 Unauthorized\r\n" VIA DIALOG
                                     "WWW-Authenticate: Digest realm=\"example.com\", "
                                     "nonce=\"1\", qop=\"auth-int\"\r\n" END),
                     0);
    assert_null(f.answer.challenge.realm.p);
    teardown(&f);
}

static void test_message_is_challenged_by_a_proxy(void **state)
{
    struct fixture f;
    char text[2000];
    struct buf b = BUF_INIT(text);
    (void)state;
    setup(&f, "MD5");
    f.site.run = 0;
    f.request.serial = 0;
    f.request.callee = &f.phones.p[1];
    struct phone *ph = &f.phones.p[0];
    memcpy(ph->nonce, "abc", ph->nonce_n = 3);
    message_write(&b, &f.site, &f.request, ph);
    assert_true(buf_ok(&b));
    text[b.n] = '\0';
    assert_ptr_equal(strstr(text, "MESSAGE sip:user00001@example.com SIP/2.0\r\n"), text);
    assert_non_null(strstr(text, "To: <sip:user00001@example.com>\r\n"));
    assert_non_null(strstr(text, "CSeq: 1 MESSAGE\r\n"));
    assert_null(strstr(text, "Contact:"));
    assert_non_null(strstr(text, "Proxy-Authorization: Digest username=\"user00000\", "));
    assert_non_null(strstr(text, "uri=\"sip:user00001@example.com\", "
                                 "response=\"c8bd59f9db25b83830add100320d5ad5\""));
    assert_non_null(strstr(text, "Content-Length: 16\r\nContent-Type: text/plain\r\n\r\n"
                                 "0000000300000000"));
    teardown(&f);
}

static void test_407_is_for_a_message_and_401_for_a_register(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, "MD5");
    assert_int_equal(
        read_answer(&f,
                    "SIP/2.0 407 Proxy Authentication Required\r\n" VIA
                    "From: <sip:a@b>;tag=00000000\r\nTo: <sip:a@b>;tag=x\r\n"
                    "Call-ID: 0000000000000abc-00000000\r\nCSeq: 1 MESSAGE\r\n"
                    "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"1\", qop=\"auth\"\r\n"
                    "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"2\", "
                    "qop=\"auth\"\r\n" END),
        0);
    assert_true(span_eq(f.answer.challenge.nonce, SPAN("2")));
    f.phones.p[0].cseq = 1;
    assert_false(message_matches(&f.answer, &f.site, &f.request, &f.phones.p[0]));
    f.request.callee = &f.phones.p[1];
    assert_true(message_matches(&f.answer, &f.site, &f.request, &f.phones.p[0]));
    teardown(&f);
}

#define DELIVERED                                                 \
    "MESSAGE sip:user00001@198.51.100.7:5060 SIP/2.0\r\n"         \
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKserver\r\nv: SIP/2" \
    ".0/UDP 127.0.0.1:5062;branch=z9hG4bK00000003000000070000000000000abc\r\n"
#define BODY "Content-Length: 16\r\n\r\n0000000300000007"

static void test_callee_answers_what_was_passed_on(void **state)
{
    struct fixture f;
    struct delivery d;
    char text[2000];
    struct buf b = BUF_INIT(text);
    (void)state;
    setup(&f, "MD5");
    assert_int_equal(
        callee_answer(&b,
                      SPAN(DELIVERED "From: <sip:user00000@example.com>;tag=00000000\r\n"
                                     "To: <sip:user00001@example.com>\r\n"
                                     "Call-ID: 0000000000000abc-00000000\r\n"
                                     "CSeq: 1 MESSAGE\r\nSubject: x\r\n" BODY),
                      &d),
        0);
    assert_int_equal(d.run, 0xabc);
    assert_int_equal(d.caller, 0);
    assert_int_equal(d.slot, 3);
    assert_int_equal(d.serial, 7);
    assert_true(callee_is(&d, &f.phones.p[1]));
    assert_false(callee_is(&d, &f.phones.p[0]));
    assert_true(span_eq(
        buf_span(&b),
        SPAN("SIP/2.0 200 OK\r\n"
             "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKserver\r\n"
             "v: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK00000003000000070000000000000abc\r\n"
             "From: <sip:user00000@example.com>;tag=00000000\r\n"
             "Call-ID: 0000000000000abc-00000000\r\nCSeq: 1 MESSAGE\r\n"
             "To: <sip:user00001@example.com>;tag=0000000300000007\r\n" END)));
    teardown(&f);
}

static void test_callee_refuses_what_was_not_sent_so(void **state)
{
    struct fixture f;
    struct delivery d;
    (void)state;
    setup(&f, "MD5");
#define FROM "From: <sip:user00000@example.com>;tag=00000000\r\n"
#define TO   "To: <sip:user00001@example.com>\r\n"
#define ID   "Call-ID: 0000000000000abc-00000000\r\nCSeq: 1 MESSAGE\r\n"
    static const char *const bad[] = {
        "",
        "MESSAGE",
        "INVITE sip:user00001@198.51.100.7:5060 SIP/2.0\r\n" VIA VIA FROM TO ID BODY,
        "MESSAGE sip:user00001@198.51.100.7:5060 SIP/2.0\r\n" VIA FROM TO ID
            BODY, /* no server's Via */
        DELIVERED TO ID BODY,
        DELIVERED FROM ID BODY,
        DELIVERED FROM TO "CSeq: 1 MESSAGE\r\n" BODY,
        DELIVERED FROM TO ID ID BODY,
        DELIVERED FROM "To: <sip:user00001@example.com>;tag=x\r\n" ID BODY,
        DELIVERED FROM TO "Call-ID: 0000000000000abc\r\nCSeq: 1 MESSAGE\r\n" BODY,
        DELIVERED FROM TO ID "folded\r\n" BODY,
        DELIVERED FROM TO ID "Content-Length: 15\r\n\r\n0000000300000007",
        DELIVERED FROM TO ID "Content-Length: 15\r\n\r\n000000030000000",
        DELIVERED FROM TO ID END,
    };
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        char text[2000];
        struct buf b = BUF_INIT(text);
        assert_int_equal(callee_answer(&b, span_str(bad[i]), &d), CS_EPROTO);
    }
    char small[64]; /* the answer does not fit */
    struct buf b = BUF_INIT(small);
    assert_int_equal(callee_answer(&b, SPAN(DELIVERED FROM TO ID BODY), &d), CS_EPROTO);
    teardown(&f);
}

static void test_sip_in_a_stream_ends_by_its_length(void **state)
{
    struct span in = SPAN("\r\nSIP/2.0 200 OK\r\nl: 4\r\n\r\nbodySIP/2.0 401 No\r\n"
                          "Content-Length: 0\r\n\r\nSIP/2.0 200 OK\r\nContent-Length: 1\r\n\r\n");
    struct span bad = SPAN("SIP/2.0 200 OK\r\nContent-Length: x\r\n\r\n"), out;
    (void)state;
    assert_int_equal(frame_sip(&in, &out), 1);
    assert_true(span_ends(out, SPAN("body")));
    assert_int_equal(frame_sip(&in, &out), 1);
    assert_true(span_starts(out, SPAN("SIP/2.0 401")));
    assert_int_equal(frame_sip(&in, &out), 0);
    assert_int_equal(frame_sip(&bad, &out), CS_EPROTO);
}

static void test_websocket_frames_are_read_whole_and_written_masked(void **state)
{
    char space[400], long_text[200] = { 'a' };
    struct buf b = BUF_INIT(space);
    struct span in = SPAN("\x81\x02hi\x89\x00\x81\x05par"), out;
    struct span masked = SPAN("\x81\x82\x00\x00\x00\x00hi");
    unsigned opcode;
    (void)state;
    assert_int_equal(frame_ws(&in, &opcode, &out), 1);
    assert_true(opcode == FRAME_TEXT && span_eq(out, SPAN("hi")));
    assert_int_equal(frame_ws(&in, &opcode, &out), 1);
    assert_true(opcode == FRAME_PING && out.n == 0);
    assert_int_equal(frame_ws(&in, &opcode, &out), 0);
    assert_int_equal(frame_ws(&masked, &opcode, &out), CS_EPROTO);

    frame_write(&b, FRAME_TEXT, SPAN("hello"));
    assert_true(buf_ok(&b) && b.n == 2 + 4 + 5);
    assert_true((unsigned char)space[0] == 0x81 && (unsigned char)space[1] == (0x80 | 5));
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(space[6 + i] ^ space[2 + i % 4], "hello"[i]);
    b.n = 0;
    frame_write(&b, FRAME_TEXT, span_of(long_text, sizeof(long_text)));
    assert_true(buf_ok(&b) && b.n == 4 + 4 + sizeof(long_text));
    assert_true((unsigned char)space[1] == 0xfe && (unsigned char)space[3] == sizeof(long_text));
}

static void test_websocket_must_be_accepted_as_rfc_6455_says(void **state)
{
#define TAKEN "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Protocol: sip\r\n"
    struct span good = SPAN(TAKEN "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nrest");
    struct span wrong = SPAN(TAKEN "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n\r\n");
    struct span refused = SPAN("HTTP/1.1 403 Forbidden\r\n\r\n"), part = SPAN(TAKEN);
    (void)state;
    assert_int_equal(frame_welcome(&good), 1);
    assert_true(span_eq(good, SPAN("rest")));
    assert_int_equal(frame_welcome(&wrong), CS_EDENIED);
    assert_int_equal(frame_welcome(&refused), CS_EDENIED);
    assert_int_equal(frame_welcome(&part), 0);
}

static void test_percentiles_are_near_the_truth(void **state)
{
    static struct latency l;
    (void)state;
    for (int64_t us = 1; us <= 100000; us++)
        latency_add(&l, us * 1000);
    assert_in_range(latency_at(&l, 0.5), 50000, 50800);
    assert_in_range(latency_at(&l, 0.99), 99000, 100000);
    assert_int_equal(latency_at(&l, 1), 100000);
    latency_add(&l, INT64_C(3600) * 1000000000);
    assert_int_equal(l.max_us, UINT64_C(3600000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials_are_what_rfc_7616_says),
        cmocka_unit_test(test_answer_is_matched_to_its_request),
        cmocka_unit_test(test_answer_that_is_not_sip_is_refused),
        cmocka_unit_test(test_binding_is_found_among_others_with_its_time),
        cmocka_unit_test(test_challenge_of_our_algorithm_and_realm_is_chosen),
        cmocka_unit_test(test_challenge_without_qop_auth_is_none),
        cmocka_unit_test(test_message_is_challenged_by_a_proxy),
        cmocka_unit_test(test_407_is_for_a_message_and_401_for_a_register),
        cmocka_unit_test(test_callee_answers_what_was_passed_on),
        cmocka_unit_test(test_callee_refuses_what_was_not_sent_so),
        cmocka_unit_test(test_sip_in_a_stream_ends_by_its_length),
        cmocka_unit_test(test_websocket_frames_are_read_whole_and_written_masked),
        cmocka_unit_test(test_websocket_must_be_accepted_as_rfc_6455_says),
        cmocka_unit_test(test_percentiles_are_near_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
