#include <stdio.h>

#include "base/lru.h"
#include "lib/test.h"

static const struct mono start = { 1000 };

static struct mono after(int64_t ms)
{
    return mono_add(start, (struct duration){ ms });
}

static void test_the_one_used_longest_ago_makes_room(void **state)
{
    (void)state;
    struct lru l;
    lru_init(&l, 2, (struct duration){ 100 });
    lru_put(&l, SPAN("a"), SPAN("1"), start);
    lru_put(&l, SPAN("b"), SPAN("2"), start);
    assert_span(lru_get(&l, SPAN("a"), start), "1");
    lru_put(&l, SPAN("c"), SPAN("3"), start);
    assert_null(lru_get(&l, SPAN("b"), start).p);
    assert_span(lru_get(&l, SPAN("a"), start), "1");
    assert_span(lru_get(&l, SPAN("c"), start), "3");
    lru_fini(&l);
}

static void test_a_value_is_replaced_whether_it_grows_or_shrinks(void **state)
{
    char value[LRU_VALUE_MAX + 1];
    struct lru l;
    (void)state;
    memset(value, 'x', sizeof(value));
    lru_init(&l, 8, (struct duration){ 100 });
    for (size_t n = 0; n <= LRU_VALUE_MAX; n += 512) {
        lru_put(&l, SPAN("key"), span_of(value, n), start);
        assert_true(span_eq(lru_get(&l, SPAN("key"), start), span_of(value, n)));
        lru_put(&l, SPAN("key"), SPAN("small"), start);
        assert_span(lru_get(&l, SPAN("key"), start), "small");
    }
    assert_int_equal(l.entries.n, 1);
    lru_put(&l, SPAN("key"), span_of(value, sizeof(value)), start);
    assert_null(lru_get(&l, SPAN("key"), start).p); /* nor is the old one kept */
    lru_fini(&l);
}

static void test_age_removal_and_clearing(void **state)
{
    (void)state;
    struct lru l;
    lru_init(&l, 8, (struct duration){ 100 });
    lru_put(&l, SPAN("a"), SPAN("1"), start);
    assert_span(lru_get(&l, SPAN("a"), after(100)), "1");
    assert_null(lru_get(&l, SPAN("a"), after(101)).p);
    assert_int_equal(l.entries.n, 0);
    lru_put(&l, SPAN("a"), SPAN("1"), start);
    lru_put(&l, SPAN("b"), SPAN("2"), start);
    lru_remove(&l, SPAN("a"));
    lru_remove(&l, SPAN("nobody"));
    assert_null(lru_get(&l, SPAN("a"), start).p);
    lru_clear(&l);
    assert_null(lru_get(&l, SPAN("b"), start).p);
    lru_fini(&l);
}

static void test_of_none_nothing_is_kept(void **state)
{
    (void)state;
    struct lru l;
    lru_init(&l, 0, (struct duration){ 100 });
    lru_put(&l, SPAN("a"), SPAN("1"), start);
    assert_null(lru_get(&l, SPAN("a"), start).p);
    lru_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_one_used_longest_ago_makes_room),
        cmocka_unit_test(test_a_value_is_replaced_whether_it_grows_or_shrinks),
        cmocka_unit_test(test_age_removal_and_clearing),
        cmocka_unit_test(test_of_none_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
