#include "base/arena.h"
#include "lib/test.h"

static void test_memory_is_aligned_apart_and_lives_until_fini(void **state)
{
    (void)state;
    struct arena a;
    char *blocks[2000];
    arena_init(&a, NULL, 0, 0);
    for (size_t i = 0; i < 2000; i++) {
        blocks[i] = arena_alloc(&a, i % 37 + 1);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        memset(blocks[i], (int)(i & 0xff), i % 37 + 1);
    }
    for (size_t i = 0; i < 2000; i++) {
        for (size_t k = 0; k <= i % 37; k++)
            assert_int_equal((unsigned char)blocks[i][k], i & 0xff);
    }
    assert_non_null(arena_alloc(&a, 0));
    assert_non_null(arena_alloc(&a, 1000000));
    arena_fini(&a);
    assert_null(a.chunks);
}

static void test_the_callers_memory_serves_first_and_costs_no_heap(void **state)
{
    (void)state;
    _Alignas(max_align_t) char first[1024];
    struct arena a;
    arena_init(&a, first, sizeof(first), 0);
    arena_fail_after(0);
    char *p = arena_alloc(&a, 1000);
    assert_ptr_equal(p, first);
    assert_null(arena_alloc(&a, 100));
    arena_fail_after(-1);
    assert_non_null(arena_alloc(&a, 100));
    arena_fini(&a);
}

static void test_a_limit_holds_and_sizes_cannot_wrap(void **state)
{
    (void)state;
    struct arena a;
    size_t n = 0;
    arena_init(&a, NULL, 0, 10000);
    while (arena_alloc(&a, 100))
        n++;
    assert_in_range(n, 50, 100);
    assert_in_range(a.total, 1, 10000);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 8));
    assert_null(arena_alloc(&a, SIZE_MAX / 2));
    arena_fini(&a);
    arena_init(&a, NULL, 0, 0);
    assert_non_null(arena_alloc(&a, 1));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 8));
    arena_fini(&a);
}

static void test_copies_end_in_nul_and_absent_stays_absent(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    struct span s = arena_dup(&a, SPAN("a\0b"));
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b", 4);
    assert_null(arena_dup(&a, SPAN_NULL).p);
    assert_non_null(arena_dup(&a, SPAN("")).p);
    assert_string_equal(arena_str(&a, SPAN("text")), "text");
    const unsigned char *z = arena_zalloc(&a, 300);
    for (int i = 0; i < 300; i++)
        assert_int_equal(z[i], 0);
    arena_fini(&a);
}

static void test_a_small_one_takes_little_and_grows_like_others(void **state)
{
    (void)state;
    struct arena a;
    arena_init_small(&a);
    assert_non_null(arena_alloc(&a, 100));
    assert_in_range(a.total, 100, 1000);
    for (int i = 0; i < 1000; i++)
        assert_non_null(arena_alloc(&a, 100));
    assert_in_range(a.total, 100 * 1000, 150 * 1000);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_aligned_apart_and_lives_until_fini),
        cmocka_unit_test(test_the_callers_memory_serves_first_and_costs_no_heap),
        cmocka_unit_test(test_a_limit_holds_and_sizes_cannot_wrap),
        cmocka_unit_test(test_a_small_one_takes_little_and_grows_like_others),
        cmocka_unit_test(test_copies_end_in_nul_and_absent_stays_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
