#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rand.h"
#include "siptx/answers.h"

enum { CAP = 4096, COUNT = 5000, OVERHEAD = 32 /* of an answer kept */ };

static struct tx_key key_of(uint64_t i)
{
    /* Few homes in the index, so that they crowd. */
    return (struct tx_key){ i % 7 + (i << 40), i };
}

static struct span find(const struct answers *a, uint64_t i, int64_t now)
{
    return answers_find(a, key_of(i), (struct mono){ now });
}

static bool keep(struct answers *a, uint64_t i, struct span text, int64_t now)
{
    return answers_keep(a, key_of(i), text, (struct mono){ now }, (struct mono){ now + 1000 });
}

static void test_a_key_kept_again_gives_the_answer_that_is_still_good(void **state)
{
    struct answers a;
    (void)state;
    assert_int_equal(answers_init(&a, CAP), 0);
    assert_true(keep(&a, 1, SPAN("old"), 0));
    assert_true(
        answers_keep(&a, key_of(1), SPAN("new"), (struct mono){ 999 }, (struct mono){ 5000 }));
    assert_true(span_eq(find(&a, 1, 1001), SPAN("new")));
    answers_fini(&a);
}

static void test_very_many_very_small_ones_do_not_fill_the_index(void **state)
{
    struct answers a;
    (void)state;
    assert_int_equal(answers_init(&a, 64 * 1024), 0);
    for (uint64_t i = 0; i < COUNT; i++)
        assert_true(keep(&a, i, SPAN(""), 1));
    assert_true(a.n < a.n_slots);
    assert_non_null(find(&a, COUNT - 1, 1).p);
    assert_null(find(&a, 0, 1).p);
    answers_fini(&a);
}

/* Whatever the sizes, what is kept are the last ones, whole, and not few of them. */
static void test_the_oldest_go_first(void **state)
{
    struct answers a;
    char text[600];
    static size_t size[COUNT];
    (void)state;
    assert_int_equal(answers_init(&a, CAP), 0);
    for (uint64_t i = 0; i < COUNT; i++) {
        size[i] = rand_below(sizeof(text));
        memset(text, (int)(i % 251), sizeof(text));
        assert_true(keep(&a, i, span_of(text, size[i]), 1));
        bool gone = false;
        size_t kept = 0, bytes = 0;
        for (uint64_t j = i + 1; j-- > 0 && j + 200 > i;) {
            struct span o = find(&a, j, 1);
            gone = gone || !o.p;
            assert_true(!o.p == gone); /* behind the first gap there is nothing */
            if (!o.p)
                continue;
            assert_int_equal(o.n, size[j]);
            for (size_t k = 0; k < o.n; k++)
                assert_int_equal((unsigned char)o.p[k], j % 251);
            kept++;
            bytes += OVERHEAD + o.n;
        }
        assert_int_equal(kept, a.n);
        if (gone)
            assert_true(bytes + 16 * kept > CAP - 2 * (OVERHEAD + sizeof(text) + 16));
    }
    answers_fini(&a);
}

static void test_the_expired_make_room_early(void **state)
{
    struct answers a;
    (void)state;
    assert_int_equal(answers_init(&a, CAP), 0);
    for (uint64_t i = 0; i < 10; i++)
        assert_true(keep(&a, i, SPAN("answer"), (int64_t)i * 10));
    assert_true(keep(&a, 10, SPAN("answer"), 1045));
    assert_int_equal(a.n, 6); /* those of 0 to 40 have gone */
    assert_null(find(&a, 4, 1045).p);
    assert_non_null(find(&a, 5, 1045).p);
    assert_null(find(&a, 5, 1051).p); /* expired, though it is still there */
    assert_true(keep(&a, 11, SPAN("answer"), 100000));
    assert_int_equal(a.n, 1);
    answers_fini(&a);
}

static void test_what_never_fits_is_refused(void **state)
{
    struct answers a;
    static char text[CAP];
    (void)state;
    assert_int_equal(answers_init(&a, CAP), 0);
    assert_true(keep(&a, 1, SPAN("answer"), 1));
    assert_false(keep(&a, 2, span_of(text, sizeof(text)), 1));
    assert_true(span_eq(find(&a, 1, 1), SPAN("answer")));
    assert_true(keep(&a, 3, span_of(text, CAP - OVERHEAD), 1));
    assert_int_equal(a.n, 1);
    assert_int_equal(find(&a, 3, 1).n, CAP - OVERHEAD);
    answers_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_oldest_go_first),
        cmocka_unit_test(test_a_key_kept_again_gives_the_answer_that_is_still_good),
        cmocka_unit_test(test_very_many_very_small_ones_do_not_fill_the_index),
        cmocka_unit_test(test_the_expired_make_room_early),
        cmocka_unit_test(test_what_never_fits_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
