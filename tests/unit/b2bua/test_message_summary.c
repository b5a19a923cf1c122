#include "b2bua/desk/message_summary.h"
#include "base/util.h"
#include "lib/test.h"

static void test_summaries(void **state)
{
    static const struct {
        const char *body;
        int err;
        struct message_summary want;
    } rows[] = {
        { "Messages-Waiting: yes\r\nMessage-Account: sip:a@b\r\nVoice-Message: 2/8 (0/2)\r\n",
          0,
          { true, 2, 8 } },
        { "messages-waiting:YES\nFax-Message: 1/0\n", 0, { true, 0, 0 } },
        { "Messages-Waiting: no\r\n", 0, { false, 0, 0 } },
        { "Messages-Waiting: yes\r\nVoice-Message: x/8\r\n", 0, { true, 0, 0 } },
        { "Messages-Waiting: perhaps\r\n", CS_EPROTO, { 0 } },
        { "Voice-Message: 1/0\r\nMessages-Waiting: yes\r\n", CS_EPROTO, { 0 } },
        { "Messages-Waiting", CS_EPROTO, { 0 } },
        { "", CS_EPROTO, { 0 } },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct message_summary s;
        assert_int_equal(message_summary_parse(span_str(rows[i].body), &s), rows[i].err);
        assert_int_equal(s.waiting, rows[i].want.waiting);
        assert_int_equal(s.fresh, rows[i].want.fresh);
        assert_int_equal(s.old, rows[i].want.old);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_summaries) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
