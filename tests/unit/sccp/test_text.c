#include "b2bua/sccp/text.h"

#include "lib/guard.h"
#include "lib/test.h"

static void test_texts_are_written_as_the_phone_reads_them(void **state)
{
    static const struct {
        const char *text, *latin, *utf8;
    } rows[] = {
        { "", "", "" },
        { "Front desk", "Front desk", "Front desk" },
        { "J\xc3\xbcrgen", "J\xfcrgen", "J\xc3\xbcrgen" },
        { "\xc5\x81\xc3\xb3"
          "d\xc5\xba",
          "L\xf3"
          "dz",
          "\xc5\x81\xc3\xb3"
          "d\xc5\xba" },
        { "\xe2\x80\x9cO\xe2\x80\x99Neil\xe2\x80\x9d\xe2\x80\xa6", "\"O'Neil\"...",
          "\xe2\x80\x9cO\xe2\x80\x99Neil\xe2\x80\x9d\xe2\x80\xa6" },
        { "\xd0\x98\xd0\xbc\xd1\x8f", "???", "\xd0\x98\xd0\xbc\xd1\x8f" },
        { "a\r\nb\tc\x7f", "a  b c ", "a  b c " },
        { "\xff\xfe", "??", "??" },
        { "\xc2\x80\x09x", "? x", "? x" }, /* no label, in disguise */
        { "\x80\x09", "? ", "? " },        /* nor one that may not be there */
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char out[64];
        struct span in = guard_span(span_str(rows[i].text));
        assert_span(span_of(out, sccp_text_write(out, sizeof(out), in, false, false)),
                    rows[i].latin);
        assert_span(span_of(out, sccp_text_write(out, sizeof(out), in, true, false)), rows[i].utf8);
        guard_release();
    }
}

static void test_labels_pass_where_they_may(void **state)
{
    char out[64];
    struct span prompt = SPAN("\x80\x17 \xc3\xa9");
    (void)state;
    assert_span(span_of(out, sccp_text_write(out, 64, prompt, false, true)), "\x80\x17 \xe9");
    assert_span(span_of(out, sccp_text_write(out, 64, prompt, true, true)), "\x80\x17 \xc3\xa9");
    assert_span(span_of(out, sccp_text_write(out, 64, SPAN("\x80"), true, true)), "?");
}

static void test_a_cut_leaves_whole_characters(void **state)
{
    char out[64];
    (void)state;
    assert_int_equal(sccp_text_write(out, 3, SPAN("ab\xc3\xbc"), true, false), 2);
    assert_int_equal(sccp_text_write(out, 3, SPAN("ab\xc3\xbc"), false, false), 3);
    assert_int_equal(sccp_text_write(out, 3, SPAN("ab\x80\x17"), false, true), 2);
    assert_int_equal(sccp_text_write(out, 2, SPAN("\xe2\x80\xa6"), false, true), 0);
    assert_int_equal(sccp_text_write(out, 0, SPAN("x"), false, false), 0);
}

static void test_what_phones_write_becomes_utf8(void **state)
{
    static const struct {
        const char *text, *read;
    } rows[] = { { "J\xfcrgen", "J\xc3\xbcrgen" },
                 { "J\xc3\xbcrgen", "J\xc3\xbcrgen" },
                 { "\x80\x16", "[Ring out]" },
                 { "\x80\x7e", "[label 126]" },
                 { "x\x80", "x\xc2\x80" } };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char out[64];
        struct buf b = BUF_INIT(out);
        sccp_text_read(&b, guard_span(span_str(rows[i].text)), true);
        assert_span(buf_span(&b), rows[i].read);
        guard_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_are_written_as_the_phone_reads_them),
        cmocka_unit_test(test_labels_pass_where_they_may),
        cmocka_unit_test(test_a_cut_leaves_whole_characters),
        cmocka_unit_test(test_what_phones_write_becomes_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
