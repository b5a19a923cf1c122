/* Session descriptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/guard.h"
#include "sdp/sdp.h"

#define HEAD "v=0\r\no=alice 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"
#define SOME HEAD "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define KEY  "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define HEX8 "AB:CD:EF:01:23:45:67:89"
#define HEX  HEX8 ":" HEX8 ":" HEX8 ":" HEX8

static struct arena arena;
static struct sdp sdp;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_fini(&arena);
    guard_release();
    return 0;
}

static int parse(const char *text)
{
    return sdp_parse(guard_span(span_str(text)), &arena, &sdp);
}

static void assert_span(struct span s, const char *want)
{
    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

static void test_a_gateways_offer_is_taken_apart(void **state)
{
    struct sdp_codec c;
    struct addr rtcp;
    (void)state;
    assert_int_equal(parse("v=0\r\no=GW 7317 7642 IN IP4 192.0.2.10\r\ns=SIP Call\r\n"
                           "c=IN IP4 192.0.2.10\r\nb=AS:64\r\nt=0 0\r\n"
                           "m=audio 18012 RTP/AVP 0 101 19 98\r\nc=IN IP4 192.0.2.11\r\n"
                           "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
                           "a=fmtp:101 0-16\r\na=ptime:20\r\n"),
                     0);
    assert_span(sdp.origin.user, "GW");
    assert_int_equal(sdp.origin.version, 7642);
    assert_span(sdp.name, "SIP Call");
    assert_int_equal(sdp.bandwidth[0].value, 64);
    assert_int_equal(sdp.n_media, 1);
    const struct sdp_media *m = &sdp.media[0];
    assert_int_equal(m->port, 18012);
    assert_int_equal(m->proto, SDP_AVP);
    assert_int_equal(m->n_formats, 4);
    assert_span(sdp_connection_of(&sdp, m).host, "192.0.2.11");
    assert_int_equal(sdp_direction_of(&sdp, m), SDP_SENDRECV);
    assert_int_equal(sdp_codec(m, 0, &c), 0);
    assert_span(c.name, "PCMU");
    assert_null(c.fmtp.p);
    assert_int_equal(sdp_codec(m, 1, &c), 0);
    assert_span(c.name, "telephone-event");
    assert_span(c.fmtp, "0-16");
    assert_int_equal(sdp_codec(m, 2, &c), CS_ENOENT); /* 19 is reserved */
    assert_int_equal(sdp_codec(m, 3, &c), CS_ENOENT); /* dynamic, and nothing says what */
    assert_span(sdp_attr(&m->attrs, SPAN("ptime"))->value, "20");
    assert_null(sdp_attr(&m->attrs, SPAN("maxptime")));
    assert_int_equal(sdp_rtcp_of(&sdp, m, &rtcp), 0);
    assert_int_equal(addr_port(&rtcp), 18013);
    assert_false(sdp_is_encrypted(&sdp));
}

static void test_what_was_written_is_read_as_the_same(void **state)
{
    static const char text[] =
        SOME "a=group:BUNDLE 0\r\nm=audio 9/2 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP6 2001:db8::1\r\n"
             "b=TIAS:64000\r\na=mid:0\r\na=rtcp-mux\r\na=empty:\r\nm=image 0 udptl t38\r\n";
    char out[1024];
    struct buf b = BUF_INIT(out);
    (void)state;
    assert_int_equal(parse(text), 0);
    sdp_write(&b, &sdp);
    assert_int_equal(b.n, sizeof(text) - 1);
    assert_memory_equal(out, text, b.n);
    struct buf small = buf_of(out, 20);
    sdp_write(&small, &sdp);
    assert_false(buf_ok(&small));
}

static void test_lines_may_end_by_lf_alone(void **state)
{
    (void)state;
    assert_int_equal(
        parse("v=0\no=a 1 1 IN IP4 h.example\ns=\nc=IN IP4 h.example\nt=0 0\nm=audio 4 "
              "RTP/AVP 8\na=sendonly\n"),
        0);
    assert_int_equal(sdp.connection.addr.sa.sa_family, AF_UNSPEC);
    assert_int_equal(sdp_direction_of(&sdp, &sdp.media[0]), SDP_SENDONLY);
}

static void test_what_is_malformed_is_refused(void **state)
{
    static const struct {
        const char *text;
        int err;
    } cases[] = {
        { "", CS_EPROTO },
        { "v=1\r\n", CS_ENOTSUP },
        { "v=0\r\ns=-\r\n", CS_EPROTO },
        { HEAD, CS_EPROTO },                                    /* no t= */
        { HEAD "t=0 0\r\nm=audio 9 RTP/AVP 0\r\n", CS_EPROTO }, /* nowhere to send to */
        { SOME "c=IN IP4 192.0.2.2\r\n", CS_EPROTO },
        { SOME "m=audio 9 RTP/AVP\r\n", CS_EPROTO },
        { SOME "m=audio 65536 RTP/AVP 0\r\n", CS_EPROTO },
        { SOME "m=audio 9  RTP/AVP 0\r\n", CS_EPROTO },
        { SOME "m=audio 9 RTP/AVP 0  8\r\n", CS_EPROTO },
        { SOME "m= audio 9 RTP/AVP 0\r\n", CS_EPROTO },
        { SOME "m=audio 65535/2 RTP/AVP 0\r\n", CS_EPROTO },
        { SOME "m=audio 9/0 RTP/AVP 0\r\n", CS_EPROTO },
        { SOME "m=audio -1 RTP/AVP 0\r\n", CS_EPROTO },
        { SOME "m=audio 9 RTP/AVP 0\r\no=x\r\n", CS_EPROTO },
        { SOME "a=\r\n", CS_EPROTO },
        { SOME "a\r\n", CS_EPROTO },
        { SOME "\r\na=x\r\n", CS_EPROTO },
        { SOME "a=x\ry\r\n", CS_EPROTO },
        { SOME "b=AS\r\n", CS_EPROTO },
        { SOME "b=AS:-1\r\n", CS_EPROTO },
        { HEAD "c=IN IP4 233.1.1.1/127\r\nt=0 0\r\n", CS_ENOTSUP },
        { HEAD "c=IN IP4 1.2.3.999\r\nt=0 0\r\n", CS_EPROTO },
        { HEAD "c=IN IP4 2001:db8::1\r\nt=0 0\r\n", CS_EPROTO },
        { HEAD "c=IN IP6 192.0.2.1\r\nt=0 0\r\n", CS_EPROTO },
        { HEAD "c=IN IP6 [::1]\r\nt=0 0\r\n", CS_EPROTO },
        { HEAD "c=IN IP4 192.0.2.1 x\r\nt=0 0\r\n", CS_EPROTO },
        { HEAD "c=ATM NSAP 1\r\nt=0 0\r\n", CS_EPROTO },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        assert_int_equal(parse(cases[i].text), cases[i].err);
        assert_int_equal(sdp.n_media, 0);
        assert_null(sdp.origin.user.p);
    }
    assert_int_equal(sdp_parse(SPAN(SOME "a=x\0y\r\n"), &arena, &sdp), CS_EPROTO);
}

static void test_there_are_bounds(void **state)
{
    static char text[SDP_MAX + 2];
    struct buf b = buf_of(text, sizeof(text));
    (void)state;
    buf_put(&b, SPAN(SOME));
    for (int i = 0; i <= SDP_MAX_MEDIA; i++)
        buf_lit(&b, "m=audio 9 RTP/AVP 0\r\n");
    assert_int_equal(sdp_parse(buf_span(&b), &arena, &sdp), CS_ELIMIT);
    b.n = 0;
    buf_put(&b, SPAN(SOME));
    for (int i = 0; i <= SDP_MAX_LINES; i++)
        buf_lit(&b, "a=x\r\n");
    assert_int_equal(sdp_parse(buf_span(&b), &arena, &sdp), CS_ELIMIT);
    memset(text, 'a', sizeof(text));
    assert_int_equal(sdp_parse(span_of(text, SDP_MAX + 1), &arena, &sdp), CS_ELIMIT);
}

static void test_directions_are_medias_else_sessions(void **state)
{
    (void)state;
    assert_int_equal(parse(SOME "a=recvonly\r\nm=audio 9 RTP/AVP 0\r\nm=audio 9 RTP/AVP 0\r\n"
                                "a=inactive\r\nm=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n"
                                "a=sendrecv\r\nm=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n"
                                "a=sendrecv\r\na=ice-ufrag:abcd\r\n"),
                     0);
    assert_int_equal(sdp_direction_of(&sdp, &sdp.media[0]), SDP_RECVONLY);
    assert_int_equal(sdp_direction_of(&sdp, &sdp.media[1]), SDP_INACTIVE);
    assert_int_equal(sdp_direction_of(&sdp, &sdp.media[2]), SDP_SENDONLY); /* RFC 3264, 8.4 */
    assert_int_equal(sdp_direction_of(&sdp, &sdp.media[3]), SDP_SENDRECV); /* RFC 8840, 4.3.1 */
}

static int crypto(const char *value, struct sdp_crypto *out)
{
    char text[512];
    size_t i = 0;
    struct buf b = BUF_INIT(text);
    buf_printf(&b, SOME "m=audio 9 RTP/SAVP 0\r\na=crypto:%s\r\n", value);
    struct span s = arena_dup(&arena, buf_span(&b));
    assert_int_equal(sdp_parse(s, &arena, &sdp), 0);
    return sdp_crypto_next(&sdp.media[0], &i, out);
}

static void test_keys_are_read_and_written(void **state)
{
    char text[128];
    struct buf b = BUF_INIT(text);
    struct sdp_crypto c;
    (void)state;
    assert_int_equal(crypto("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4", &c), 1);
    assert_int_equal(c.tag, 1);
    assert_int_equal(c.suite, SDP_AES_CM_128_HMAC_SHA1_80);
    assert_int_equal(c.key_len, 30);
    assert_memory_equal(c.key, "YS___semctl () {\t220;}\n}\nunles", 30);
    assert_int_equal(c.lifetime, 1 << 20);
    assert_int_equal(c.mki, 1);
    assert_int_equal(c.mki_len, 4);
    sdp_crypto_write(&b, &c);
    assert_span(buf_span(&b), "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1048576|1:4");
    assert_int_equal(
        crypto("22 AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", &c), 1);
    assert_int_equal(c.key_len, 28);
}

static void test_keys_that_are_not_taken(void **state)
{
    static const struct {
        const char *value;
        int want;
    } cases[] = {
        { "1 F8_128_HMAC_SHA1_80 inline:" KEY, CS_ENOTSUP },
        { "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTP", CS_ENOTSUP },
        { "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY ";inline:" KEY, CS_ENOTSUP },
        { "1 AES_CM_128_HMAC_SHA1_80 uri:x", CS_ENOTSUP },
        { "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1:9", CS_ENOTSUP },
        { "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", CS_EPROTO },
        { "1 AES_CM_128_HMAC_SHA1_80 inline:", CS_EPROTO },
        { "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "AAAA", CS_EPROTO },
        { "1 AES_CM_128_HMAC_SHA1_80 inline:*" KEY, CS_EPROTO },
        { "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^99", CS_EPROTO },
        { "1 AES_CM_128_HMAC_SHA1_80", CS_EPROTO },
        { "x AES_CM_128_HMAC_SHA1_80 inline:" KEY, CS_EPROTO },
    };
    static const struct sdp_crypto none;
    struct sdp_crypto c;
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        assert_int_equal(crypto(cases[i].value, &c), cases[i].want);
        assert_memory_equal(&c, &none, sizeof(c));
    }
}

static void test_encrypted_is_what_has_srtp_and_a_key_everywhere(void **state)
{
    static const struct {
        const char *media;
        bool want;
    } cases[] = {
        { "m=audio 9 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n", true },
        { "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:sha-256 " HEX "\r\n", true },
        { "a=fingerprint:SHA-256 " HEX "\r\nm=audio 9 UDP/TLS/RTP/SAVP 0\r\n", true },
        { "m=audio 0 RTP/AVP 0\r\n", true },
        { "m=audio 9 RTP/SAVP 0\r\n", false },
        { "m=audio 9 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n", false },
        { "m=audio 9 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY
          " UNENCRYPTED_SRTP\r\n",
          false },
        { "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:md5 AB\r\n", false },
        { "a=fingerprint:sha-256 " HEX
          "\r\nm=audio 9 UDP/TLS/RTP/SAVP 0\r\nm=video 9 RTP/AVP 96\r\n",
          false },
        { "m=image 9 udptl t38\r\n", false },
    };
    char text[1024];
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct buf b = BUF_INIT(text);
        buf_put(&b, SPAN(SOME));
        buf_put(&b, span_str(cases[i].media));
        assert_int_equal(sdp_parse(buf_span(&b), &arena, &sdp), 0);
        assert_int_equal(sdp_is_encrypted(&sdp), cases[i].want);
    }
}

static void test_candidates_are_read(void **state)
{
    struct sdp_candidate c;
    (void)state;
    assert_int_equal(
        sdp_candidate_parse(SPAN("1 1 udp 2130706431 192.0.2.5 50000 typ host generation 0"), &c),
        0);
    assert_true(c.udp && c.component == 1 && c.priority == 2130706431);
    assert_int_equal(addr_port(&c.addr), 50000);
    assert_span(c.type, "host");
    assert_int_equal(
        sdp_candidate_parse(SPAN("1 2 TCP 1 4d2e.local 9 typ host tcptype active"), &c), 0);
    assert_true(!c.udp && c.addr.sa.sa_family == AF_UNSPEC);
    static const char *const bad[] = { "", "1 1 udp x 192.0.2.5 1 typ host",
                                       "1 0 udp 1 192.0.2.5 1 typ host",
                                       "1 1 udp 1 192.0.2.5 1 host",
                                       "1 1 udp 1 192.0.2.5 70000 typ host" };
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_int_equal(sdp_candidate_parse(span_str(bad[i]), &c), CS_EPROTO);
}

static void test_rtcp_has_its_own_place(void **state)
{
    struct addr a;
    char text[ADDR_STRLEN];
    (void)state;
    assert_int_equal(parse(SOME "m=audio 10 RTP/AVP 0\r\na=rtcp:53020 IN IP4 192.0.2.9\r\n"
                                "m=audio 10 RTP/AVP 0\r\na=rtcp:53021\r\n"
                                "m=audio 10 RTP/AVP 0\r\na=rtcp:x\r\n"),
                     0);
    assert_int_equal(sdp_rtcp_of(&sdp, &sdp.media[0], &a), 0);
    assert_string_equal(addr_format(&a, text), "192.0.2.9:53020");
    assert_int_equal(sdp_rtcp_of(&sdp, &sdp.media[1], &a), 0);
    assert_string_equal(addr_format(&a, text), "192.0.2.1:53021");
    assert_int_equal(sdp_rtcp_of(&sdp, &sdp.media[2], &a), CS_EPROTO);
}

/* With 0, 1, 2, ... blocks left it succeeds or says that memory is exhausted. */
static void test_no_memory_is_said(void **state)
{
    int err = CS_ENOMEM;
    (void)state;
    for (long n = 0; err; n++) {
        struct arena a;
        arena_init(&a, NULL, 0, 0);
        arena_fail_after(n);
        err = sdp_parse(SPAN(SOME "m=audio 10 RTP/AVP 0\r\na=x\r\n"), &a, &sdp);
        arena_fail_after(-1);
        assert_true(err == 0 || err == CS_ENOMEM);
        arena_fini(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_gateways_offer_is_taken_apart),
        cmocka_unit_test(test_what_was_written_is_read_as_the_same),
        cmocka_unit_test(test_lines_may_end_by_lf_alone),
        cmocka_unit_test(test_what_is_malformed_is_refused),
        cmocka_unit_test(test_there_are_bounds),
        cmocka_unit_test(test_directions_are_medias_else_sessions),
        cmocka_unit_test(test_keys_are_read_and_written),
        cmocka_unit_test(test_keys_that_are_not_taken),
        cmocka_unit_test(test_encrypted_is_what_has_srtp_and_a_key_everywhere),
        cmocka_unit_test(test_candidates_are_read),
        cmocka_unit_test(test_rtcp_has_its_own_place),
        cmocka_unit_test(test_no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
