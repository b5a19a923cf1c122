#include <stdio.h>

#include "base/list.h"
#include "base/map.h"
#include "lib/test.h"

struct item {
    struct map_node node;
    char key[16];
    bool seen;
};

enum { MANY = 10000 };
static struct item items[MANY];

static bool item_is(const struct map_node *n, const void *key)
{
    return strcmp(container_of(n, struct item, node)->key, key) == 0;
}

static struct item *find(const struct map *m, const char *key)
{
    struct map_node *n = map_find(m, map_hash(span_str(key)), item_is, key);
    return n ? container_of(n, struct item, node) : NULL;
}

static void test_ten_thousand_members_are_found_and_removed(void **state)
{
    (void)state;
    struct map m;
    map_init(&m);
    assert_null(find(&m, "nobody"));
    for (int i = 0; i < MANY; i++) {
        snprintf(items[i].key, sizeof(items[i].key), "user%d", i);
        assert_int_equal(map_insert(&m, &items[i].node, map_hash(span_str(items[i].key))), 0);
    }
    assert_int_equal(m.n, MANY);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(find(&m, items[i].key), &items[i]);
    for (int i = 0; i < MANY; i += 2)
        map_remove(&m, &items[i].node);
    assert_int_equal(m.n, MANY / 2);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(find(&m, items[i].key), i % 2 ? &items[i] : NULL);
    size_t n = 0;
    map_for_each (it, &m) {
        struct item *item = container_of(it, struct item, node);
        assert_false(item->seen);
        item->seen = true;
        n++;
        map_remove(&m, it); /* the current one may go */
    }
    assert_int_equal(n, MANY / 2);
    assert_int_equal(m.n, 0);
    map_fini(&m);
}

static void test_equal_hashes_do_not_mix_up_keys(void **state)
{
    (void)state;
    struct map m;
    struct item a = { .key = "a" }, b = { .key = "b" };
    map_init(&m);
    assert_int_equal(map_insert(&m, &a.node, 7), 0);
    assert_int_equal(map_insert(&m, &b.node, 7), 0);
    assert_ptr_equal(map_find(&m, 7, item_is, "a"), &a.node);
    assert_ptr_equal(map_find(&m, 7, item_is, "b"), &b.node);
    map_remove(&m, &a.node);
    assert_null(map_find(&m, 7, item_is, "a"));
    assert_ptr_equal(map_find(&m, 7, item_is, "b"), &b.node);
    map_fini(&m);
}

static void test_a_hash_of_two_parts_is_that_of_the_whole(void **state)
{
    (void)state;
    static const char text[] = "the quick brown fox jumps over";
    for (size_t n = 0; n < sizeof(text); n++) {
        uint64_t whole = map_hash(span_of(text, n));
        for (size_t cut = 0; cut <= n; cut++)
            assert_true(map_hash2(span_of(text, cut), span_of(text + cut, n - cut)) == whole);
        if (n)
            assert_true(whole != map_hash(span_of(text, n - 1)));
    }
    assert_true(map_hash(SPAN("\0")) != map_hash(SPAN("\0\0")));
}

struct member {
    struct list link;
    int n;
};

static void test_lists_keep_order_through_splice_and_removal(void **state)
{
    (void)state;
    struct list a = LIST_INIT(a), b = LIST_INIT(b);
    struct member m[4] = { { .n = 0 }, { .n = 1 }, { .n = 2 }, { .n = 3 } };
    list_push_back(&a, &m[1].link);
    list_push_front(&a, &m[0].link);
    list_push_back(&b, &m[2].link);
    list_push_back(&b, &m[3].link);
    list_splice(&a, &b);
    list_splice(&a, &b); /* of nothing */
    assert_true(list_empty(&b));
    int n = 0;
    list_for_each (it, &a) {
        assert_int_equal(container_of(it, struct member, link)->n, n++);
        if (n == 2)
            list_remove(it);
    }
    assert_int_equal(n, 4);
    list_remove(&m[1].link); /* twice is harmless */
    assert_ptr_equal(list_pop(&a), &m[0].link);
    assert_ptr_equal(list_pop(&a), &m[2].link);
    assert_ptr_equal(list_pop(&a), &m[3].link);
    assert_null(list_pop(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_thousand_members_are_found_and_removed),
        cmocka_unit_test(test_equal_hashes_do_not_mix_up_keys),
        cmocka_unit_test(test_a_hash_of_two_parts_is_that_of_the_whole),
        cmocka_unit_test(test_lists_keep_order_through_splice_and_removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
