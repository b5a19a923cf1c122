#include "b2bua/leg/dtmf.h"
#include "lib/test.h"

static void test_bodies_of_info(void **state)
{
    static const struct {
        struct span type, body;
        char digit;
        unsigned ms;
    } cases[] = {
        { SPAN_INIT("application/dtmf-relay"), SPAN_INIT("Signal=5\r\nDuration=250\r\n"), '5',
          250 },
        { SPAN_INIT("Application/DTMF-Relay; x=y"), SPAN_INIT("signal = d\n"), 'D', DTMF_MS },
        { SPAN_INIT("application/dtmf-relay"), SPAN_INIT("Duration=0\r\nSignal=10"), '*', DTMF_MS },
        { SPAN_INIT("application/dtmf-relay"), SPAN_INIT("Signal=#\r\nDuration=4000000000"), '#',
          DTMF_LONGEST_MS },
        { SPAN_INIT("application/dtmf-relay"), SPAN_INIT("Signal=16\r\n"), 0, DTMF_MS },
        { SPAN_INIT("application/dtmf-relay"), SPAN_INIT("Signal=\r\n"), 0, DTMF_MS },
        { SPAN_INIT("application/dtmf-relay"), SPAN_INIT("5"), 0, DTMF_MS },
        { SPAN_INIT("application/dtmf"), SPAN_INIT(" 7\r\n"), '7', DTMF_MS },
        { SPAN_INIT("application/dtmf"), SPAN_INIT(""), 0, DTMF_MS },
        { SPAN_INIT("text/plain"), SPAN_INIT("5"), 0, DTMF_MS },
        { { 0 }, SPAN_INIT("5"), 0, DTMF_MS },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        unsigned ms;
        assert_int_equal(dtmf_read(cases[i].type, cases[i].body, &ms), cases[i].digit);
        assert_int_equal(ms, cases[i].ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bodies_of_info) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
