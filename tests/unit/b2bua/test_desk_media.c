#include "b2bua/desk/desk_media.h"
#include "lib/test.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static struct sccp_session phone(unsigned version, uint16_t first, uint16_t second)
{
    return (struct sccp_session){ .dialect.version = version,
                                  .codecs = { { first, 40 }, { second, 40 } },
                                  .n_codecs = second  ? 2
                                              : first ? 1
                                                      : 0 };
}

static void test_the_first_shared_codec_is_taken(void **state)
{
    const struct sccp_session s = phone(17, SCCP_CODEC_G722, SCCP_CODEC_PCMA);
    struct desk_media m;
    (void)state;
    assert_int_equal(
        desk_media_read(&s,
                        SPAN(HEAD "m=video 4000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
                                  "m=audio 4002 RTP/AVP 111 0 8 9\r\na=sendonly\r\n"
                                  "a=rtpmap:111 opus/48000/2\r\n"),
                        &m),
        0);
    assert_int_equal(m.codec->sccp, SCCP_CODEC_PCMA);
    assert_int_equal(addr_port(&m.at), 4002);
    assert_int_equal(m.direction, SDP_SENDONLY);
    assert_int_equal(desk_codec_best(&s)->sccp, SCCP_CODEC_G722);
}

static void test_what_the_phone_cannot_have_is_refused(void **state)
{
    const struct sccp_session s = phone(11, SCCP_CODEC_PCMU, SCCP_CODEC_G729A);
    static const struct span none[] = {
        SPAN_INIT(HEAD "m=audio 4002 RTP/AVP 8\r\n"), SPAN_INIT(HEAD "m=audio 0 RTP/AVP 0\r\n"),
        SPAN_INIT(HEAD "m=audio 4002 RTP/SAVP 0\r\n"),
        SPAN_INIT("v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\n"
                  "m=audio 4002 RTP/AVP 0\r\n"), /* version 11 has no word for it */
    };
    struct desk_media m;
    (void)state;
    for (size_t i = 0; i < CS_LEN(none); i++)
        assert_int_equal(desk_media_read(&s, none[i], &m), CS_ENOTSUP);
    const struct sccp_session later = phone(17, SCCP_CODEC_PCMU, 0);
    assert_int_equal(desk_media_read(&later, none[3], &m), 0);
}

static void test_packets_are_as_long_as_both_take(void **state)
{
    const struct sccp_session s = phone(17, SCCP_CODEC_PCMU, 0);
    static const struct {
        struct span lines;
        unsigned ms;
    } cases[] = {
        { SPAN_INIT(""), 20 },
        { SPAN_INIT("a=ptime:30\r\n"), 30 },
        { SPAN_INIT("a=ptime:60\r\n"), 40 },
        { SPAN_INIT("a=ptime:40\r\na=maxptime:35\r\n"), 30 },
        { SPAN_INIT("a=ptime:0\r\n"), 20 },
        { SPAN_INIT("a=ptime:3\r\n"), 10 },
        { SPAN_INIT("a=ptime:99999999999999999999\r\n"), 20 },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        char text[512];
        struct buf b = BUF_INIT(text);
        struct desk_media m;
        buf_lit(&b, HEAD "m=audio 4000 RTP/AVP 0\r\n");
        buf_put(&b, cases[i].lines);
        assert_int_equal(desk_media_read(&s, buf_span(&b), &m), 0);
        assert_int_equal(m.packet_ms, cases[i].ms);
    }
}

static void test_g729_is_offered_once_and_without_annex_b(void **state)
{
    const struct sccp_session s = phone(17, SCCP_CODEC_G729AB, SCCP_CODEC_G729A);
    struct addr local;
    char text[1024];
    struct buf b = BUF_INIT(text);
    (void)state;
    assert_int_equal(addr_parse(SPAN("192.0.2.7:16384"), 0, &local), 0);
    const struct desk_media_at at = { &local, SDP_SENDRECV, 7, 1, 0, 0 };
    assert_int_equal(desk_media_offer(&s, &at, &b), 0);
    static const char want[] = "RTP/AVP 18 101\r\n"
                               "a=rtpmap:18 G729/8000\r\n"
                               "a=fmtp:18 annexb=no\r\n"
                               "a=rtpmap:101 telephone-event/8000\r\n"
                               "a=fmtp:101 0-15\r\n"
                               "a=ptime:20\r\n"
                               "a=maxptime:40\r\n";
    assert_non_null(memmem(b.p, b.n, want, sizeof(want) - 1));
    assert_int_equal(desk_codec_best(&s)->sccp, SCCP_CODEC_G729AB);
}

static void test_what_is_written_is_read_again(void **state)
{
    const struct sccp_session s = phone(20, SCCP_CODEC_G722, SCCP_CODEC_PCMU);
    struct addr local;
    char text[1024];
    struct buf b = BUF_INIT(text);
    struct desk_media m;
    (void)state;
    assert_int_equal(addr_parse(SPAN("192.0.2.7:16384"), 0, &local), 0);
    const struct desk_media_at at = { &local, SDP_SENDRECV, 7, 1, 20, 101 };
    assert_int_equal(desk_media_offer(&s, &at, &b), 0);
    assert_int_equal(desk_media_read(&s, buf_span(&b), &m), 0);
    assert_int_equal(m.codec->sccp, SCCP_CODEC_G722);
    assert_true(addr_eq(&m.at, &local));
    b.n = 0;
    assert_int_equal(
        desk_media_answer(&s, SPAN(HEAD "m=audio 4002 RTP/AVP 0 9\r\nm=video 4000 RTP/AVP 34\r\n"),
                          m.codec, &at, &b),
        0);
    assert_int_equal(desk_media_read(&s, buf_span(&b), &m), 0);
    assert_int_equal(m.codec->sccp, SCCP_CODEC_G722);
    assert_int_equal(m.events, 101);
    assert_true(span_ends(buf_span(&b), SPAN("m=video 0 RTP/AVP 34\r\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_shared_codec_is_taken),
        cmocka_unit_test(test_what_the_phone_cannot_have_is_refused),
        cmocka_unit_test(test_packets_are_as_long_as_both_take),
        cmocka_unit_test(test_g729_is_offered_once_and_without_annex_b),
        cmocka_unit_test(test_what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
