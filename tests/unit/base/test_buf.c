#include "base/buf.h"
#include "lib/guard.h"
#include "lib/test.h"

static const char *text_of(struct buf *b)
{
    static char text[256];
    span_copy(text, sizeof(text), buf_span(b));
    return text;
}

static void test_overflow_sticks_and_writes_nothing_beyond(void **state)
{
    (void)state;
    char mem[8] = "......!!";
    struct buf b = buf_of(mem, 6);
    buf_lit(&b, "abc");
    assert_true(buf_ok(&b));
    buf_lit(&b, "defg");
    assert_false(buf_ok(&b));
    buf_putc(&b, 'x');
    assert_false(buf_ok(&b));
    buf_hex(&b, "ab", 2);
    buf_u64(&b, 123456);
    buf_printf(&b, "%s", "long enough");
    buf_json(&b, SPAN("\x01\x02"));
    assert_false(buf_ok(&b));
    assert_memory_equal(mem + 6, "!!", 2);

    struct buf none = buf_of(mem, 0);
    buf_put(&none, SPAN(""));
    buf_put(&none, SPAN_NULL);
    assert_true(buf_ok(&none));
    buf_putc(&none, 'x');
    assert_false(buf_ok(&none));
}

static void test_numbers(void **state)
{
    (void)state;
    char mem[128];
    struct buf b = BUF_INIT(mem);
    buf_u64(&b, 0);
    buf_putc(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    buf_putc(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_putc(&b, ' ');
    buf_i64(&b, -1);
    buf_putc(&b, ' ');
    buf_hex(&b, "\x00\xff\x1a", 3);
    assert_string_equal(text_of(&b), "0 18446744073709551615 -9223372036854775808 -1 00ff1a");
}

static void test_json_is_valid_whatever_a_stranger_sent(void **state)
{
    (void)state;
    static const struct {
        struct span in;
        const char *out;
    } cases[] = {
        { SPAN_INIT("plain ~"), "plain ~" },
        { SPAN_INIT("a\"b\\c/"), "a\\\"b\\\\c/" },
        { SPAN_INIT("\r\n\t\x01\x7f"), "\\u000d\\u000a\\u0009\\u0001\\u007f" },
        { SPAN_INIT("\0"), "\\u0000" },
        { SPAN_INIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
          "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
        { SPAN_INIT("\xff"), "\xef\xbf\xbd" },
        { SPAN_INIT("\x80x"), "\xef\xbf\xbdx" },                               /* no lead */
        { SPAN_INIT("\xc3"), "\xef\xbf\xbd" },                                 /* cut off */
        { SPAN_INIT("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd" },                 /* cut off */
        { SPAN_INIT("\xf0\x9f\x98"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* cut off */
        { SPAN_INIT("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd" },                 /* overlong */
        { SPAN_INIT("\xe0\x80\xaf"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { SPAN_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* surrogate */
        { SPAN_INIT("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf" },                 /* U+10FFFF */
        { SPAN_INIT("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { SPAN_INIT("\xc3\x28"), "\xef\xbf\xbd(" },
    };
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        char mem[64];
        struct buf b = BUF_INIT(mem);
        buf_json(&b, guard_span(cases[i].in));
        assert_true(buf_ok(&b));
        assert_string_equal(text_of(&b), cases[i].out);
    }
    guard_release();
}

static void test_base64url_has_one_text_for_one_value(void **state)
{
    (void)state;
    static const struct {
        struct span bytes;
        const char *text;
    } cases[] = { { SPAN_INIT(""), "" },           { SPAN_INIT("f"), "Zg" },
                  { SPAN_INIT("fo"), "Zm8" },      { SPAN_INIT("foo"), "Zm9v" },
                  { SPAN_INIT("foob"), "Zm9vYg" }, { SPAN_INIT("\xfb\xff\xfe"), "-__-" } };
    unsigned char out[16];
    size_t n;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        char mem[32];
        struct buf b = BUF_INIT(mem);
        buf_base64url(&b, cases[i].bytes.p, cases[i].bytes.n);
        assert_string_equal(text_of(&b), cases[i].text);
        assert_int_equal(base64url_decode(buf_span(&b), out, sizeof(out), &n), 0);
        assert_true(span_eq(span_of(out, n), cases[i].bytes));
    }
    assert_int_equal(base64url_decode(SPAN("Zh"), out, 16, &n), CS_EPROTO); /* left-over bits */
    assert_int_equal(base64url_decode(SPAN("Z"), out, 16, &n), CS_EPROTO);
    assert_int_equal(base64url_decode(SPAN("Zg=="), out, 16, &n), CS_EPROTO);
    assert_int_equal(base64url_decode(SPAN("Zm+v"), out, 16, &n), CS_EPROTO);
    assert_int_equal(base64url_decode(SPAN("Zm9v"), out, 2, &n), CS_ELIMIT);
}

static void test_hex_decoding_is_exact(void **state)
{
    (void)state;
    unsigned char out[2];
    assert_int_equal(hex_decode(SPAN("0aFf"), out, 2), 0);
    assert_memory_equal(out, "\x0a\xff", 2);
    assert_int_equal(hex_decode(SPAN("0aF"), out, 2), CS_EPROTO);
    assert_int_equal(hex_decode(SPAN("0aFff"), out, 2), CS_EPROTO);
    assert_int_equal(hex_decode(SPAN("0aFg"), out, 2), CS_EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflow_sticks_and_writes_nothing_beyond),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_json_is_valid_whatever_a_stranger_sent),
        cmocka_unit_test(test_base64url_has_one_text_for_one_value),
        cmocka_unit_test(test_hex_decoding_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
