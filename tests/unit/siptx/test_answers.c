#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rand.h"
#include "siptx/answers.h"

enum { CAP = 4096, COUNT = 5000 };

static bool is_b(const struct map_node *n, const void *key)
{
    return container_of(n, struct tx_entry, node)->b == *(const uint64_t *)key;
}

static const struct answer *find(const struct map *m, uint64_t i)
{
    struct map_node *n = map_find(m, i, is_b, &i);
    return n ? container_of(container_of(n, struct tx_entry, node), struct answer, entry) : NULL;
}

static bool keep(struct answers *a, struct map *m, uint64_t i, struct span text, int64_t now)
{
    return answers_keep(a, m, (struct tx_key){ i, i }, text, (struct mono){ now },
                        (struct mono){ now + 1000 });
}

/* Whatever the sizes, what is kept are the last ones, whole, and not few of them. */
static void test_the_oldest_go_first(void **state)
{
    struct answers a;
    struct map m;
    char text[600];
    static size_t size[COUNT];
    (void)state;
    map_init(&m);
    assert_int_equal(answers_init(&a, CAP), 0);
    for (uint64_t i = 0; i < COUNT; i++) {
        size[i] = rand_below(sizeof(text));
        memset(text, (int)(i % 251), sizeof(text));
        assert_true(keep(&a, &m, i, span_of(text, size[i]), 1));
        bool gone = false;
        size_t kept = 0, bytes = 0;
        for (uint64_t j = i + 1; j-- > 0 && j + 200 > i;) {
            const struct answer *o = find(&m, j);
            gone = gone || !o;
            assert_true(!o == gone); /* behind the first gap there is nothing */
            if (!o)
                continue;
            assert_int_equal(o->len, size[j]);
            for (size_t k = 0; k < o->len; k++)
                assert_int_equal((unsigned char)o->text[k], j % 251);
            kept++;
            bytes += o->size;
        }
        assert_int_equal(kept, m.n);
        assert_int_equal(kept, a.n);
        if (gone)
            assert_true(bytes > CAP - 2 * (sizeof(struct answer) + sizeof(text) + 16));
    }
    answers_fini(&a);
    map_fini(&m);
}

static void test_the_expired_make_room_early(void **state)
{
    struct answers a;
    struct map m;
    (void)state;
    map_init(&m);
    assert_int_equal(answers_init(&a, CAP), 0);
    for (uint64_t i = 0; i < 10; i++)
        assert_true(keep(&a, &m, i, SPAN("answer"), (int64_t)i * 10));
    assert_true(keep(&a, &m, 10, SPAN("answer"), 1045));
    assert_int_equal(a.n, 6); /* those of 0 to 40 have gone */
    assert_null(find(&m, 4));
    assert_non_null(find(&m, 5));
    assert_true(keep(&a, &m, 11, SPAN("answer"), 100000));
    assert_int_equal(a.n, 1);
    answers_fini(&a);
    map_fini(&m);
}

static void test_what_never_fits_is_refused(void **state)
{
    struct answers a;
    struct map m;
    static char text[CAP];
    (void)state;
    map_init(&m);
    assert_int_equal(answers_init(&a, CAP), 0);
    assert_true(keep(&a, &m, 1, SPAN("answer"), 1));
    assert_false(keep(&a, &m, 2, span_of(text, sizeof(text)), 1));
    assert_non_null(find(&m, 1));
    assert_true(keep(&a, &m, 3, span_of(text, CAP - sizeof(struct answer)), 1));
    assert_int_equal(a.n, 1);
    assert_int_equal(find(&m, 3)->len, CAP - sizeof(struct answer));
    answers_fini(&a);
    map_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_oldest_go_first),
        cmocka_unit_test(test_the_expired_make_room_early),
        cmocka_unit_test(test_what_never_fits_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
