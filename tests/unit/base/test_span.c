#include "base/span.h"
#include "lib/test.h"

#define EQ(span, text) assert_true(span_eq(span, SPAN(text)))

static void test_absent_differs_from_empty_but_both_hold_nothing(void **state)
{
    (void)state;
    assert_null(SPAN_NULL.p);
    assert_non_null(SPAN("").p);
    assert_true(span_eq(SPAN_NULL, SPAN("")));
    assert_null(span_str(NULL).p);
    assert_null(span_skip(SPAN_NULL, 5).p);
    assert_int_equal(span_find(SPAN_NULL, 'x'), -1);
    assert_int_equal(span_trim(SPAN_NULL).n, 0);
}

static void test_case_is_ascii_only(void **state)
{
    (void)state;
    assert_true(span_caseeq(SPAN("Content-Length"), SPAN("cONTENT-lENGTH")));
    assert_false(span_caseeq(SPAN("a"), SPAN("ab")));
    assert_false(span_caseeq(SPAN("\xc4"), SPAN("\xe4"))); /* Latin-1 A and a umlaut */
    assert_false(span_caseeq(SPAN("@"), SPAN("`")));       /* 0x40 and 0x60 */
    assert_false(span_caseeq(SPAN("["), SPAN("{")));
}

static void test_heads_and_tails(void **state)
{
    (void)state;
    assert_true(span_starts(SPAN("sip:x"), SPAN("sip:")));
    assert_false(span_starts(SPAN("si"), SPAN("sip:")));
    assert_false(span_starts(SPAN("SIP:x"), SPAN("sip:")));
    assert_true(span_casestarts(SPAN("SIP:x"), SPAN("sip:")));
    assert_true(span_ends(SPAN("nonce_secret"), SPAN("_secret")));
    assert_false(span_ends(SPAN("cret"), SPAN("_secret")));
    EQ(span_head(SPAN("abc"), 2), "ab");
    EQ(span_head(SPAN("abc"), 9), "abc");
    EQ(span_skip(SPAN("abc"), 2), "c");
    EQ(span_skip(SPAN("abc"), 3), "");
    EQ(span_skip(SPAN("abc"), 9), "");
    EQ(span_trim(SPAN(" \ta b\t ")), "a b");
    EQ(span_trim(SPAN(" \t ")), "");
}

static void test_cutting_leaves_absent_behind_the_last_part(void **state)
{
    (void)state;
    struct span s = SPAN("a,,b");
    EQ(span_cut(&s, ','), "a");
    EQ(span_cut(&s, ','), "");
    assert_non_null(s.p);
    EQ(span_cut(&s, ','), "b");
    assert_null(s.p);
    s = SPAN("a,");
    EQ(span_cut(&s, ','), "a");
    assert_non_null(s.p); /* an empty part follows */
    EQ(span_cut(&s, ','), "");
    assert_null(s.p);
}

static void test_decimal_numbers_obey_their_bound(void **state)
{
    (void)state;
    static const struct {
        struct span text;
        uint64_t max, value;
        bool good;
    } cases[] = {
        { SPAN_INIT("0"), 0, 0, true },
        { SPAN_INIT("1"), 0, 0, false },
        { SPAN_INIT("7"), 5, 0, false },
        { SPAN_INIT("5"), 5, 5, true },
        { SPAN_INIT("00012"), 12, 12, true },
        { SPAN_INIT("13"), 12, 0, false },
        { SPAN_INIT("65535"), 65535, 65535, true },
        { SPAN_INIT("65536"), 65535, 0, false },
        { SPAN_INIT("18446744073709551615"), UINT64_MAX, UINT64_MAX, true },
        { SPAN_INIT("18446744073709551616"), UINT64_MAX, 0, false },
        { SPAN_INIT("99999999999999999999999"), UINT64_MAX, 0, false },
        { SPAN_INIT(""), 9, 0, false },
        { SPAN_INIT("+1"), 9, 0, false },
        { SPAN_INIT("-1"), 9, 0, false },
        { SPAN_INIT(" 1"), 9, 0, false },
        { SPAN_INIT("1\0"), 9, 0, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t v = 4711;
        int err = span_u64(cases[i].text, cases[i].max, &v);
        assert_int_equal(err, cases[i].good ? 0 : CS_EPROTO);
        assert_int_equal(v, cases[i].good ? cases[i].value : 4711);
    }
}

static void test_hexadecimal_has_one_to_sixteen_digits(void **state)
{
    (void)state;
    uint64_t v;
    assert_int_equal(span_hex(SPAN("00fF"), &v), 0);
    assert_int_equal(v, 255);
    assert_int_equal(span_hex(SPAN("ffffffffffffffff"), &v), 0);
    assert_int_equal(v, UINT64_MAX);
    assert_int_equal(span_hex(SPAN("00000000000000000"), &v), CS_EPROTO);
    assert_int_equal(span_hex(SPAN(""), &v), CS_EPROTO);
    assert_int_equal(span_hex(SPAN("0x1"), &v), CS_EPROTO);
    assert_int_equal(span_hex(SPAN("g"), &v), CS_EPROTO);
}

static void test_copies_are_terminated_and_order_is_by_bytes(void **state)
{
    (void)state;
    char out[4];
    span_copy(out, sizeof(out), SPAN("abcdef"));
    assert_string_equal(out, "abc");
    span_copy(out, sizeof(out), SPAN_NULL);
    assert_string_equal(out, "");
    assert_true(span_cmp(SPAN("a"), SPAN("b")) < 0);
    assert_true(span_cmp(SPAN("a"), SPAN("ab")) < 0);
    assert_true(span_cmp(SPAN("\xff"), SPAN("a")) > 0);
    assert_int_equal(span_cmp(SPAN_NULL, SPAN("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent_differs_from_empty_but_both_hold_nothing),
        cmocka_unit_test(test_case_is_ascii_only),
        cmocka_unit_test(test_heads_and_tails),
        cmocka_unit_test(test_cutting_leaves_absent_behind_the_last_part),
        cmocka_unit_test(test_decimal_numbers_obey_their_bound),
        cmocka_unit_test(test_hexadecimal_has_one_to_sixteen_digits),
        cmocka_unit_test(test_copies_are_terminated_and_order_is_by_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
