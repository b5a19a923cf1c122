#include <string.h>

#include "b2bua/media/mixer.h"
#include "base/util.h"
#include "lib/test.h"

enum { LOUD = 7932 /* a level of mu-law */, SSRC = 7 };

/* A packet of one level throughout. */
static void say(struct mixer *m, int input, uint32_t timestamp, int16_t level)
{
    char bytes[MIXER_FRAME];
    memset(bytes, g711_encode(G711_PCMU, level), sizeof(bytes));
    mixer_hear(m, input, SSRC, timestamp, G711_PCMU, span_of(bytes, sizeof(bytes)));
}

/* What the input hears in the next 20 ms: one level, or it is torn. */
static int16_t heard(struct mixer *m, int input, enum g711_law law)
{
    uint8_t frame[MIXER_FRAME];
    mixer_frame(m, input, law, frame);
    for (size_t i = 1; i < MIXER_FRAME; i++)
        assert_int_equal(frame[i], frame[0]);
    return g711_decode(law, frame[0]);
}

static void open_three(struct mixer *m)
{
    memset(m, 0, sizeof(*m));
    for (int i = 0; i < 3; i++)
        assert_int_equal(mixer_take(m), i);
}

static struct mixer mixer;

static void test_everybody_hears_all_others(void **state)
{
    struct mixer *m = &mixer;
    (void)state;
    open_three(m);
    for (uint32_t i = 0; i < 10; i++) {
        say(m, 0, i * MIXER_FRAME, LOUD);
        say(m, 1, 1000 + i * MIXER_FRAME, -LOUD / 2);
        mixer_step(m);
    }
    const int a = heard(m, 1, G711_PCMU), b = heard(m, 0, G711_PCMU), both = heard(m, 2, G711_PCMU);
    assert_int_equal(a, LOUD);
    assert_true(b > -LOUD / 2 - 200 && b < -LOUD / 2 + 200);
    assert_true(both > a + b - 200 && both < a + b + 200);
    assert_true(heard(m, 1, G711_PCMA) > LOUD - 600);
}

static void test_what_is_too_loud_is_the_loudest(void **state)
{
    struct mixer *m = &mixer;
    (void)state;
    open_three(m);
    for (uint32_t i = 0; i < 10; i++) {
        say(m, 0, i * MIXER_FRAME, 30000);
        say(m, 1, i * MIXER_FRAME, 30000);
        mixer_step(m);
    }
    assert_int_equal(heard(m, 2, G711_PCMU), 32124);
    assert_int_equal(heard(m, 2, G711_PCMA), 32256);
}

/* Packets that are late, early, doubled and lost; what is lost is silence. */
static void test_order_is_made_again(void **state)
{
    static const uint32_t order[] = { 0, 2, 1, 1, 3, 5, 4, 7, 8, 9, 10, 11 };
    struct mixer *m = &mixer;
    (void)state;
    open_three(m);
    for (size_t i = 0; i < CS_LEN(order); i++) {
        say(m, 0, order[i] * MIXER_FRAME, LOUD);
        mixer_step(m);
        const bool begun = i >= MIXER_DELAY / MIXER_FRAME;
        const bool lost = i - MIXER_DELAY / MIXER_FRAME == 6;
        assert_int_equal(heard(m, 1, G711_PCMU) > 1000, begun && !lost);
    }
}

static void test_who_was_silent_is_heard_again(void **state)
{
    struct mixer *m = &mixer;
    (void)state;
    open_three(m);
    uint32_t at = UINT32_MAX - 5 * MIXER_FRAME; /* timestamps wrap meanwhile */
    for (int pause = 0; pause < 200; pause += 40) {
        for (int i = 0; i < 5; i++, at += MIXER_FRAME) {
            say(m, 0, at, LOUD);
            mixer_step(m);
        }
        assert_true(heard(m, 1, G711_PCMU) > 1000);
        for (int i = 0; i < pause; i++, at += MIXER_FRAME)
            mixer_step(m);
    }
}

/* Its clock is faster or slower than ours by a hundredth. */
static void test_another_clock_drifts_and_is_heard(void **state)
{
    struct mixer *m = &mixer;
    (void)state;
    for (int faster = 0; faster < 2; faster++) {
        unsigned silent = 0;
        open_three(m);
        for (uint32_t i = 0, at = 0; i < 3000; i++) {
            if (faster || i % 100) {
                say(m, 0, at, LOUD);
                at += MIXER_FRAME;
            }
            if (faster && i % 100 == 0) {
                say(m, 0, at, LOUD);
                at += MIXER_FRAME;
            }
            mixer_step(m);
            silent += heard(m, 1, G711_PCMU) < 1000;
        }
        assert_in_range(silent, 0, 150);
        assert_true(m->in[0].end - m->in[0].next <= MIXER_AHEAD + MIXER_FRAME);
    }
}

static void test_another_source_begins_anew(void **state)
{
    struct mixer *m = &mixer;
    char bytes[2 * MIXER_PACKET];
    (void)state;
    open_three(m);
    memset(bytes, g711_encode(G711_PCMA, LOUD), sizeof(bytes));
    say(m, 0, 5, LOUD);
    mixer_hear(m, 0, SSRC + 1, 90000000, G711_PCMA, span_of(bytes, MIXER_PACKET));
    mixer_hear(m, 0, SSRC + 1, 90000000 + MIXER_PACKET, G711_PCMA, span_of(bytes, sizeof(bytes)));
    for (int i = 0; i < 9; i++) {
        mixer_step(m);
        assert_int_equal(heard(m, 1, G711_PCMU) > 1000,
                         i >= 2 && i < 8); /* of the long one nothing */
    }
    mixer_give_back(m, 0);
    mixer_step(m);
    assert_int_equal(mixer_take(m), 0);
    assert_int_equal(heard(m, 1, G711_PCMU), 0);
}

static void test_seats_run_out(void **state)
{
    struct mixer *m = &mixer;
    (void)state;
    memset(m, 0, sizeof(*m));
    for (int i = 0; i < MIXER_INPUTS; i++)
        assert_int_equal(mixer_take(m), i);
    assert_int_equal(mixer_take(m), -1);
    mixer_give_back(m, 5);
    assert_int_equal(mixer_take(m), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_hears_all_others),
        cmocka_unit_test(test_what_is_too_loud_is_the_loudest),
        cmocka_unit_test(test_order_is_made_again),
        cmocka_unit_test(test_who_was_silent_is_heard_again),
        cmocka_unit_test(test_another_clock_drifts_and_is_heard),
        cmocka_unit_test(test_another_source_begins_anew),
        cmocka_unit_test(test_seats_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
