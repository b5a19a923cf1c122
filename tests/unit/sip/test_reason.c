#include "sip/write.h"

#include "lib/test.h"

/* RFC 3261, 16.7 step 6: each is better than the next. */
static void test_answers_stand_in_order(void **state)
{
    (void)state;
    static const unsigned best_first[] = { 603, 302, 407, 404, 486, 487, 408, 500, 503 };
    for (size_t i = 1; i < CS_LEN(best_first); i++)
        assert_true(sip_status_rank(best_first[i - 1]) < sip_status_rank(best_first[i]));
}

static void test_among_equals_the_first_stays(void **state)
{
    (void)state;
    static const unsigned pairs[][2] = { { 600, 603 }, { 401, 407 }, { 407, 415 },
                                         { 415, 420 }, { 420, 484 }, { 408, 480 } };
    for (size_t i = 0; i < CS_LEN(pairs); i++)
        assert_int_equal(sip_status_rank(pairs[i][0]), sip_status_rank(pairs[i][1]));
}

static void test_no_class_reaches_into_the_next(void **state)
{
    (void)state;
    for (unsigned a = 300; a < 600; a++)
        assert_int_equal(sip_status_rank(a) / 1000, a / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_stand_in_order),
        cmocka_unit_test(test_among_equals_the_first_stays),
        cmocka_unit_test(test_no_class_reaches_into_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
