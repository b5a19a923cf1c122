#include "lib/test.h"
#include "redis/settings.h"

static struct addr addr_of(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(span_str(text), 6379, &a), 0);
    return a;
}

static void test_whether_two_lead_to_the_same_data(void **state)
{
    struct addr one = addr_of("10.0.0.1"), two = addr_of("10.0.0.2"), three = addr_of("10.0.0.3");
    struct addr some[] = { one, two }, others[] = { two, three }, third[] = { three };
    struct redis_sentinel_settings x = { .master = SPAN("x") }, y = { .master = SPAN("y") };
    const struct redis_settings all[] = {
        { .socket = "a" },
        { .socket = "b" },
        { .address = one },
        { .address = two },
        { .sentinel = &x },
        { .sentinel = &y },
        { .cluster = some, .n_cluster = 2 },
    };
    const struct redis_settings overlapping = { .cluster = others, .n_cluster = 2 };
    const struct redis_settings apart = { .cluster = third, .n_cluster = 1 };
    size_t n = CS_LEN(all);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            assert_int_equal(redis_settings_agree(&all[i], &all[j]), i == j);
    }
    assert_true(redis_settings_agree(&all[n - 1], &overlapping));
    assert_false(redis_settings_agree(&all[n - 1], &apart));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whether_two_lead_to_the_same_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
