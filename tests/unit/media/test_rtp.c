/* RTP and RTCP on the wire, and what is counted of a stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "b2bua/media/rtp.h"
#include "lib/guard.h"

#define PACKET(...) guard_span(SPAN(__VA_ARGS__))

static int end(void **state)
{
    (void)state;
    guard_release();
    return 0;
}

static void test_a_packet_is_taken_apart(void **state)
{
    struct rtp p;
    (void)state;
    assert_int_equal(
        rtp_parse(PACKET("\x80\x88\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xefpayload"), &p), 0);
    assert_true(p.payload == 8 && p.marker && p.seq == 0x1234 && p.timestamp == 160);
    assert_true(p.ssrc == 0xdeadbeef && p.head == 12);
    /* Two CSRCs, an extension of one word. */
    assert_int_equal(rtp_parse(PACKET("\x92\x00\x00\x01\0\0\0\0\0\0\0\1"
                                      "csrccsrc\xbe\xde\0\1word!"),
                               &p),
                     0);
    assert_int_equal(p.head, 12 + 8 + 8);
}

static void test_what_is_no_rtp_is_refused(void **state)
{
    static const struct span bad[] = {
        SPAN_INIT(""),
        SPAN_INIT("\x80\x00\x00\x01\0\0\0\0\0\0\0"),           /* 11 bytes */
        SPAN_INIT("\x40\x00\x00\x01\0\0\0\0\0\0\0\1"),         /* version 1 */
        SPAN_INIT("\x81\x00\x00\x01\0\0\0\0\0\0\0\1csr"),      /* a CSRC cut short */
        SPAN_INIT("\x90\x00\x00\x01\0\0\0\0\0\0\0\1\xbe\xde"), /* an extension cut short */
        SPAN_INIT("\x90\x00\x00\x01\0\0\0\0\0\0\0\1\xbe\xde\xff\xff"),
    };
    struct rtp p;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(rtp_parse(guard_span(bad[i]), &p), CS_EPROTO);
        assert_int_equal(p.head, 0);
    }
}

static void test_rtcp_is_told_from_rtp_and_looked_at(void **state)
{
    (void)state;
    assert_true(rtp_is_rtcp(PACKET("\x80\xc8")));
    assert_true(rtp_is_rtcp(PACKET("\x80\xc9")));
    assert_false(rtp_is_rtcp(PACKET("\x80\x80"))); /* PCMU with a marker */
    assert_false(rtp_is_rtcp(PACKET("\x80")));
    assert_true(rtcp_is_valid(PACKET("\x80\xc9\0\1\0\0\0\1"), false));
    assert_true(rtcp_is_valid(PACKET("\x80\xc9\0\1\0\0\0\1\x81\xca\0\1\0\0\0\1"), false));
    assert_false(rtcp_is_valid(PACKET("\x80\xc9\0\1\0\0\0\1\x81\xca\0\2\0\0\0\1"), false));
    assert_false(rtcp_is_valid(PACKET("\x80\xca\0\1\0\0\0\1"), false)); /* begins with SDES */
    assert_false(rtcp_is_valid(PACKET("\x80\xc9\0\0"), false));
    assert_true(rtcp_is_valid(PACKET("\x80\xc9\0\1\0\0\0\1sealed beyond"), true));
}

static struct rtp_quality after(const uint16_t *seq, size_t n)
{
    struct rtp_quality q = { 0 };
    struct mono now = { 1000000000 };
    for (size_t i = 0; i < n; i++) {
        const struct rtp p = { .seq = seq[i], .timestamp = 160u * seq[i], .ssrc = 1 };
        rtp_quality_add(&q, &p, 8000, now);
        now.ns += 20000000;
    }
    return q;
}
#define AFTER(...)                           \
    after((const uint16_t[]){ __VA_ARGS__ }, \
          sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

static void test_loss_is_what_did_not_come(void **state)
{
    struct rtp_quality q = AFTER(1, 2, 3);
    (void)state;
    assert_int_equal(rtp_quality_lost(&q), 0);
    q = AFTER(1, 2, 5);
    assert_int_equal(rtp_quality_lost(&q), 2);
    q = AFTER(1, 4, 2, 3, 5); /* late is not lost */
    assert_int_equal(rtp_quality_lost(&q), 0);
    q = AFTER(1, 2, 2, 2); /* and twice is not more than once */
    assert_int_equal(rtp_quality_lost(&q), 0);
    q = AFTER(65534, 65535, 0, 2);
    assert_int_equal(rtp_quality_lost(&q), 1);
    q = AFTER(1, 3, 40000, 40001); /* it began again: what was lost before stays lost */
    assert_int_equal(rtp_quality_lost(&q), 1);
}

static void test_jitter_is_of_arrival_against_the_clock(void **state)
{
    struct rtp_quality q = { 0 };
    struct mono now = { 5000000000 };
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        const struct rtp p = { .seq = (uint16_t)i, .timestamp = 160 * i, .ssrc = 1 };
        rtp_quality_add(&q, &p, 8000, now);
        now.ns += 20000000;
    }
    assert_int_equal(rtp_quality_jitter_us(&q), 0);
    for (unsigned i = 200; i < 600;
         i++) { /* each second one 5 ms late: it differs by 5 ms each time */
        const struct rtp p = { .seq = (uint16_t)i, .timestamp = 160 * i, .ssrc = 1 };
        rtp_quality_add(&q, &p, 8000, (struct mono){ now.ns + (i & 1 ? 5000000 : 0) });
        now.ns += 20000000;
    }
    assert_in_range(rtp_quality_jitter_us(&q), 4500, 5500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_packet_is_taken_apart),
        cmocka_unit_test(test_what_is_no_rtp_is_refused),
        cmocka_unit_test(test_rtcp_is_told_from_rtp_and_looked_at),
        cmocka_unit_test(test_loss_is_what_did_not_come),
        cmocka_unit_test(test_jitter_is_of_arrival_against_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
