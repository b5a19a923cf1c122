#include "lib/guard.h"
#include "lib/test.h"
#include "sip/method.h"
#include "sip/scan.h"

static struct scan over(const char *text)
{
    return scan_of(guard_span(span_str(text)));
}

static void test_white_space_and_folds_are_skipped(void **state)
{
    (void)state;
    struct scan s = over(" \t\r\n\t one\r\n  = two ");
    assert_span(scan_token(&s), "one");
    scan_expect(&s, '=');
    assert_span(scan_token(&s), "two");
    assert_true(scan_done(&s));
    guard_release();
}

static void test_line_ends_that_fold_nothing_are_not_white_space(void **state)
{
    static const char *const bad[] = { "\r\n", "\r", "\n", "\r x", "\n x", "\r\n\r\n x" };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        struct scan s = over(bad[i]);
        assert_false(scan_done(&s));
    }
    guard_release();
}

static void test_errors_stick(void **state)
{
    (void)state;
    struct scan s = over("a=b");
    scan_expect(&s, ';');
    assert_true(s.err);
    assert_null(scan_token(&s).p);
    assert_null(scan_value(&s).p);
    assert_null(scan_until(&s, ";").p);
    assert_int_equal(scan_u32(&s), 0);
    assert_false(scan_accept(&s, 'a'));
    assert_false(scan_done(&s));
    guard_release();
}

static void test_quoted_strings(void **state)
{
    static const char *const bad[] = { "\"", "\"a", "\"a\\", "\"a\\\"", "\"a\\\r\n b\"", "a\"" };
    (void)state;
    struct scan s = over(" \"a \\\"b\\\\\" \"\"");
    assert_span(scan_quoted(&s), "a \\\"b\\\\");
    assert_span(scan_quoted(&s), "");
    assert_true(scan_done(&s));
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        s = over(bad[i]);
        assert_null(scan_quoted(&s).p);
        assert_true(s.err);
    }
    guard_release();
}

static void test_values_are_tokens_quoted_strings_or_hosts(void **state)
{
    (void)state;
    struct scan s = over("a-b \"c d\" [2001:db8::1]");
    assert_span(scan_value(&s), "a-b");
    assert_span(scan_value(&s), "c d");
    assert_span(scan_value(&s), "[2001:db8::1]");
    assert_true(scan_done(&s));
    (void)scan_value(&s);
    assert_true(s.err);
    guard_release();
}

static void test_raw_text_up_to_a_stop_is_trimmed(void **state)
{
    (void)state;
    struct scan s = over("  a b \r\n , c");
    assert_span(scan_until(&s, ";,"), "a b");
    assert_true(scan_accept(&s, ','));
    assert_span(scan_until(&s, ";,"), "c");
    assert_true(scan_done(&s));
    guard_release();
}

static void test_numbers_have_bounds(void **state)
{
    (void)state;
    struct scan s = over("0009 4294967295 4294967296");
    assert_int_equal(scan_u32(&s), 9);
    assert_int_equal(scan_u32(&s), UINT32_MAX);
    assert_false(s.err);
    assert_int_equal(scan_u32(&s), 0);
    assert_true(s.err);
    s = over("-1");
    assert_int_equal(scan_u32(&s), 0);
    assert_true(s.err);
    guard_release();
}

static void test_token_characters(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool token = c && (strchr("-.!%*_+`'~", c) || ascii_digit((char)c) ||
                           (c < 128 && ascii_alpha((char)c)));
        assert_int_equal(sip_is_token_char((char)c), token);
    }
}

static void test_quoted_pairs_are_undone(void **state)
{
    char text[16];
    struct buf b = BUF_INIT(text);
    (void)state;
    sip_unquote(&b, SPAN("a\\\"b\\\\c\\"));
    assert_span(buf_span(&b), "a\"b\\c\\");
}

static void test_methods_go_both_ways_and_have_case(void **state)
{
    (void)state;
    for (enum sip_method m = SIP_OTHER + 1; m < SIP_METHOD_COUNT; m++)
        assert_int_equal(sip_method_of(sip_method_name(m)), m);
    assert_int_equal(sip_method_of(SPAN("invite")), SIP_OTHER);
    assert_int_equal(sip_method_of(SPAN("INVITED")), SIP_OTHER);
    assert_int_equal(sip_method_of(SPAN("OTHER")), SIP_OTHER);
    assert_int_equal(sip_method_of(SPAN_NULL), SIP_OTHER);
    assert_span(sip_method_name(SIP_OTHER), "OTHER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_white_space_and_folds_are_skipped),
        cmocka_unit_test(test_line_ends_that_fold_nothing_are_not_white_space),
        cmocka_unit_test(test_errors_stick),
        cmocka_unit_test(test_quoted_strings),
        cmocka_unit_test(test_values_are_tokens_quoted_strings_or_hosts),
        cmocka_unit_test(test_raw_text_up_to_a_stop_is_trimmed),
        cmocka_unit_test(test_numbers_have_bounds),
        cmocka_unit_test(test_token_characters),
        cmocka_unit_test(test_quoted_pairs_are_undone),
        cmocka_unit_test(test_methods_go_both_ways_and_have_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
