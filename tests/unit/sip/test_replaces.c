#include "base/util.h"
#include "lib/test.h"
#include "sip/replaces.h"

static void test_a_dialog_is_named(void **state)
{
    struct replaces r;
    (void)state;
    assert_int_equal(replaces_parse(SPAN("425928@b.example.org;to-tag=7743;from-tag=6472"), &r), 0);
    assert_span(r.call_id, "425928@b.example.org");
    assert_span(r.to_tag, "7743");
    assert_span(r.from_tag, "6472");
    assert_false(r.early_only);
    assert_int_equal(replaces_parse(SPAN("c ; From-Tag=a ;EARLY-ONLY;x=\"y;z\";to-tag=b"), &r), 0);
    assert_span(r.call_id, "c");
    assert_span(r.from_tag, "a");
    assert_span(r.to_tag, "b");
    assert_true(r.early_only);
}

static void test_what_names_none(void **state)
{
    static const char *const values[] = { "",
                                          "c",
                                          "c;to-tag=1",
                                          "c;from-tag=1",
                                          ";to-tag=1;from-tag=2",
                                          "c;to-tag=1;from-tag=2;to-tag=1",
                                          "c;to-tag=;from-tag=2",
                                          "c;to-tag;from-tag=2",
                                          "c;to-tag=\"1\";from-tag=2",
                                          "c;to-tag=1;from-tag=2;early-only;early-only",
                                          "c d;to-tag=1;from-tag=2",
                                          "c;to-tag=1;from-tag=2, d;to-tag=3;from-tag=4" };
    struct replaces r;
    (void)state;
    for (size_t i = 0; i < CS_LEN(values); i++) {
        assert_int_equal(replaces_parse(span_str(values[i]), &r), CS_EPROTO);
        assert_null(r.call_id.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dialog_is_named),
        cmocka_unit_test(test_what_names_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
