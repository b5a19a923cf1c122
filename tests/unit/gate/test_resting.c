#include "gate/resting.h"

#include "base/util.h"
#include "lib/test.h"

static const char tags[] = "01234567ABCDEFGH";

static struct resting resting(const char *value)
{
    struct resting r;
    assert_int_equal(resting_parse(span_str(value), &r), 0);
    return r;
}

static void test_it_is_written_and_read(void **state)
{
    char text[200];
    struct buf b = BUF_INIT(text);
    (void)state;
    resting_write(&b, span_of(tags, 16), true, 1795254060);
    assert_span(buf_span(&b), "Countersign-Rests-On: 30313233343536374142434445464748;"
                              "issued=1795254060\r\n");
    struct resting r = resting("30313233343536374142434445464748;issued=1795254060");
    assert_int_equal(r.n, 2);
    assert_memory_equal(r.tags, tags, 16);
    assert_true(r.issued && r.issued_s == 1795254060);
    b.n = 0;
    resting_write(&b, span_of(tags, 7), false, 0);
    resting_write(&b, SPAN_NULL, false, 0);
    assert_int_equal(b.n, 0);
}

static void test_what_is_malformed_rests_on_nothing(void **state)
{
    static const char *const values[] = { "",
                                          "3031",
                                          "303132333435363",
                                          "303132333435363x",
                                          "3031323334353637;",
                                          "3031323334353637;issued=",
                                          "3031323334353637;issued=-1",
                                          "3031323334353637;since=1" };
    struct resting r;
    (void)state;
    for (size_t i = 0; i < CS_LEN(values); i++) {
        assert_int_equal(resting_parse(span_str(values[i]), &r), CS_EPROTO);
        assert_int_equal(r.n, 0);
    }
}

static void test_what_falls(void **state)
{
    Countersign__Auth__Revoked what = COUNTERSIGN__AUTH__REVOKED__INIT;
    struct resting dated = resting("30313233343536374142434445464748;issued=100"),
                   undated = resting("3031323334353637");
    (void)state;
    assert_false(resting_falls(&dated, &what));
    what.has_rests_on = true;
    what.rests_on.data = (uint8_t *)tags + 8;
    what.rests_on.len = 8;
    assert_true(resting_falls(&dated, &what));
    assert_false(resting_falls(&undated, &what));
    what.rests_on.data = (uint8_t *)tags;
    assert_true(resting_falls(&undated, &what));
    what.has_issued_before_s = true;
    what.issued_before_s = 100;
    assert_false(resting_falls(&dated, &what));
    assert_true(resting_falls(&undated, &what));
    what.issued_before_s = 101;
    assert_true(resting_falls(&dated, &what));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_written_and_read),
        cmocka_unit_test(test_what_is_malformed_rests_on_nothing),
        cmocka_unit_test(test_what_falls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
