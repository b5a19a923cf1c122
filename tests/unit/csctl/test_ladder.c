#include "common/tools/csctl/ladder.h"

#include <stdio.h>

#include "lib/test.h"

static void test_lanes_come_as_parties_do(void **state)
{
    struct ladder l = { 0 };
    bool news;
    char text[1000];
    struct buf b = BUF_INIT(text);
    (void)state;
    assert_int_equal(ladder_lane(&l, SPAN("phone"), &news), 0);
    assert_true(news);
    assert_int_equal(ladder_lane(&l, SPAN("b2bua"), &news), 1);
    assert_int_equal(ladder_lane(&l, SPAN("phone"), &news), 0);
    assert_false(news);
    ladder_head(&l, &b);
    assert_span(buf_span(&b), "            phone                           b2bua\n");
}

static void test_arrows_both_ways(void **state)
{
    struct ladder l = { .name = { "a", "b", "c" }, .n = 3 };
    char text[1000];
    struct buf b = BUF_INIT(text);
    (void)state;
    ladder_write(&l, &(struct ladder_step){ SPAN("  0.5"), 0, 1, SPAN("INVITE bob"), SPAN("why") },
                 &b);
    assert_span(
        buf_span(&b),
        "  0.5       |--INVITE bob------------------>|                               |  why\n");
    b.n = 0;
    ladder_write(&l, &(struct ladder_step){ SPAN(""), 2, 0, SPAN("200 \033[31m"), SPAN_NULL }, &b);
    assert_span(buf_span(&b),
                "            |<-200 ?[31m----------------------------------------------------|\n");
}

static void test_what_is_too_long_or_too_many(void **state)
{
    struct ladder l = { 0 };
    bool news;
    char name[8], text[1000];
    struct buf b = BUF_INIT(text);
    (void)state;
    for (unsigned i = 0; i < LADDER_LANES; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        assert_int_equal(ladder_lane(&l, span_str(name), &news), i);
    }
    assert_int_equal(ladder_lane(&l, SPAN("one more"), &news), LADDER_LANES - 1);
    assert_false(news);
    ladder_write(&l,
                 &(struct ladder_step){ SPAN(""), 0, 1,
                                        SPAN("a text that is longer than its arrow"), SPAN_NULL },
                 &b);
    assert_true(span_starts(buf_span(&b), SPAN("            |--a text that is longer than~->|")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes_come_as_parties_do),
        cmocka_unit_test(test_arrows_both_ways),
        cmocka_unit_test(test_what_is_too_long_or_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
