#include "http/etag.h"

#include "base/util.h"
#include "lib/test.h"

static void test_if_match(void **state)
{
    static const struct {
        const char *list;
        int err;
        bool matches;
    } cases[] = {
        { "\"a\"", 0, true },
        { " * ", 0, true },
        { "\"b\", \"a\"", 0, true },
        { "\"b\",,\"a\" ,", 0, true },
        { "\"b\"", 0, false },
        { "W/\"a\"", 0, false }, /* a weak one never does (RFC 9110, 13.1.1) */
        { "W/\"a\", \"a\"", 0, true },
        { "\"\"", 0, false },
        { "", CS_EPROTO, false },
        { ",", CS_EPROTO, false },
        { "a", CS_EPROTO, false },
        { "\"a", CS_EPROTO, false },
        { "\"a\" \"b\"", CS_EPROTO, false },
        { "\"a\"x", CS_EPROTO, false },
        { "w/\"a\"", CS_EPROTO, false },
        { "\"a\", *", CS_EPROTO, false },
        { "\"a b\"", CS_EPROTO, false },
        { "\"", CS_EPROTO, false },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        bool matches = true;
        assert_int_equal(etag_match(span_str(cases[i].list), SPAN("\"a\""), &matches),
                         cases[i].err);
        assert_int_equal(matches, cases[i].matches);
    }
}

static void test_a_tag_is_of_its_bytes(void **state)
{
    char a[ETAG_LEN + 1], b[ETAG_LEN + 1];
    bool matches;
    (void)state;
    etag_of(SPAN("one"), a);
    etag_of(SPAN("two"), b);
    assert_int_equal(strlen(a), ETAG_LEN);
    assert_string_not_equal(a, b);
    assert_int_equal(etag_match(span_str(a), span_str(a), &matches), 0);
    assert_true(matches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_if_match),
        cmocka_unit_test(test_a_tag_is_of_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
