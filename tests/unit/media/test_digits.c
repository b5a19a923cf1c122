/* Digits in the place of packets of sound. */
#include "b2bua/media/digits.h"
#include "lib/test.h"

enum { EVENTS = 101, FRAME = 160 };

struct stream { /* of sound, 20 ms each */
    struct digits digits;
    uint16_t seq;
    uint32_t timestamp;
    int64_t ms;
    char packet[64];
    size_t n;
};

/* The next packet; true: it says a digit. */
static bool next(struct stream *s)
{
    struct rtp p;
    s->seq++;
    s->timestamp += FRAME;
    s->ms += 20;
    memset(s->packet, 0x55, sizeof(s->packet));
    memcpy(s->packet, (const char[]){ (char)0x80, 0, (char)(s->seq >> 8), (char)s->seq }, 4);
    for (size_t i = 0; i < 4; i++)
        s->packet[4 + i] = (char)(s->timestamp >> (24 - 8 * i));
    s->n = sizeof(s->packet);
    assert_int_equal(rtp_parse(span_of(s->packet, s->n), &p), 0);
    return digits_take(&s->digits, &p, (struct mono){ s->ms * 1000000 }, s->packet, &s->n);
}

static void press(struct stream *s, unsigned char event)
{
    const struct digit d = { event, EVENTS, 5 * FRAME, { s->ms * 1000000 } };
    digits_add(&s->digits, &d);
}

static void check(struct stream *s, unsigned char event, bool first, uint32_t begun,
                  uint16_t duration, bool over)
{
    struct rtp p;
    assert_true(next(s));
    assert_int_equal(s->n, RTP_HEADER + DIGIT_PACKET);
    assert_int_equal(rtp_parse(span_of(s->packet, s->n), &p), 0);
    assert_true(p.payload == EVENTS && p.marker == first && p.seq == s->seq);
    assert_int_equal(p.timestamp, begun);
    const unsigned char *said = (const unsigned char *)s->packet + RTP_HEADER;
    assert_int_equal(said[0], event);
    assert_int_equal(said[1] & 0xc0, over ? 0x80 : 0);
    assert_int_equal(said[2] << 8 | said[3], duration);
}

static void check_digit(struct stream *s, unsigned char event)
{
    const uint32_t begun = s->timestamp + FRAME;
    for (uint16_t i = 1; i < 5; i++)
        check(s, event, i == 1, begun, i * FRAME, false);
    for (unsigned i = 0; i < 3; i++)
        check(s, event, false, begun, 5 * FRAME, true);
}

static void test_a_digit_grows_and_its_end_is_said_thrice(void **state)
{
    struct stream s = { .seq = 65530, .timestamp = UINT32_MAX - FRAME };
    (void)state;
    assert_false(next(&s));
    press(&s, 5);
    check_digit(&s, 5);
    assert_false(next(&s));
    assert_int_equal(s.packet[RTP_HEADER], 0x55);
}

static void test_between_two_there_is_sound(void **state)
{
    struct stream s = { .seq = 1 };
    (void)state;
    press(&s, 1);
    press(&s, 11);
    check_digit(&s, 1);
    for (unsigned i = 0; i < 3; i++)
        assert_false(next(&s));
    check_digit(&s, 11);
}

static void test_who_sends_nothing_says_no_digit_later(void **state)
{
    struct stream s = { .seq = 1 };
    (void)state;
    press(&s, 1);
    s.ms += 2100;
    press(&s, 2);
    check_digit(&s, 2);
    for (unsigned i = 0; i < 2 * DIGITS_MAX; i++)
        press(&s, 3);
    assert_int_equal(s.digits.n, DIGITS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_digit_grows_and_its_end_is_said_thrice),
        cmocka_unit_test(test_between_two_there_is_sound),
        cmocka_unit_test(test_who_sends_nothing_says_no_digit_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
