/* Whose numbers are. */
#include "e164/country.h"
#include "lib/test.h"

static void test_the_longest_code_decides(void **state)
{
    static const struct {
        const char *digits, *country;
    } rows[] = {
        { "4930123456", "DE" },
        { "12125550100", "US" },
        { "14165550100", "CA" },
        { "18765550100", "JM" },
        { "79161234567", "RU" },
        { "77011234567", "KZ" },
        { "3531234567", "IE" },
        { "881612345678", "001" },
        { "8821612345678", "001" },
        { "20212345678", "EG" },
        { "211912345678", "SS" },
        { "998901234567", "UZ" },
        { "1", "US" },
        { "7", "RU" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        const struct span country = country_of(span_str(rows[i].digits));
        if (!span_eq(country, span_str(rows[i].country)))
            fail_msg("%s is of " SPAN_FMT, rows[i].digits, SPAN_ARG(country));
    }
}

static void test_what_is_nobodys_has_no_country(void **state)
{
    static const char *const digits[] = {
        "", "0", "21", "2", "99", "999123", "384123", "+49", "x"
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(digits); i++)
        assert_null(country_of(span_str(digits[i])).p);
    assert_true(country_is_known(SPAN("DE")) && country_is_known(SPAN("001")));
    assert_false(country_is_known(SPAN("UK")) || country_is_known(SPAN("de")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_longest_code_decides),
        cmocka_unit_test(test_what_is_nobodys_has_no_country),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
