#include "base/memo.h"

#include "lib/test.h"

static void test_what_was_put_is_found_under_its_key_alone(void **state)
{
    (void)state;
    struct memo m;
    unsigned char out[4];
    const struct memo_key ab = memo_key_of(SPAN("a"), SPAN("b"));
    const struct memo_key joined = memo_key_of(SPAN("ab"), SPAN_NULL);
    const struct memo_key other = memo_key_of(SPAN("ba"), SPAN_NULL);
    assert_memory_equal(&ab, &joined, sizeof(ab));
    assert_int_equal(memo_init(&m, 1), 0);
    assert_false(memo_get(&m, &ab, out, sizeof(out)));
    memo_put(&m, &ab, "1234", 4);
    assert_true(memo_get(&m, &joined, out, sizeof(out)));
    assert_memory_equal(out, "1234", 4);
    assert_false(memo_get(&m, &other, out, sizeof(out)));
    memo_put(&m, &other, "5678", 4); /* there is one place */
    assert_false(memo_get(&m, &ab, out, sizeof(out)));
    assert_true(memo_get(&m, &other, out, sizeof(out)));
    assert_memory_equal(out, "5678", 4);
    memo_fini(&m);
    memo_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_put_is_found_under_its_key_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
