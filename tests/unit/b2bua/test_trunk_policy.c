#include "b2bua/trunk/trunk_policy.h"
#include "lib/test.h"

static struct sip_msg *request(const char *method, const char *lines)
{
    char text[1024];
    struct buf b = BUF_INIT(text);
    struct sip_msg *m;
    buf_printf(&b,
               "%s sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
               "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c1\r\nCSeq: 1 %s\r\n%s\r\n",
               method, method, lines);
    assert_int_equal(sip_msg_parse(buf_span(&b), true, NULL, &m), 0);
    return m;
}

/* C-24: what is not allowed by name is forbidden, and each flag allows one thing. */
static void test_each_flag_allows_one_thing(void **state)
{
    static const struct {
        const char *method, *lines;
        struct trunk_conf allowing;
    } rows[] = {
        { "REFER", "", { .refer = true } },
        { "NOTIFY", "", { .notify = true } },
        { "SUBSCRIBE", "", { .subscribe = true } },
        { "INVITE", "Replaces: c;to-tag=1;from-tag=2\r\n", { .replaces = true } },
    };
    const struct trunk_conf none = { 0 };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct sip_msg *m = request(rows[i].method, rows[i].lines);
        assert_true(trunk_policy_forbids(&none, m));
        for (size_t k = 0; k < CS_LEN(rows); k++)
            assert_int_equal(trunk_policy_forbids(&rows[k].allowing, m), i != k);
        sip_msg_unref(&m);
    }
}

static void test_calls_need_no_flag(void **state)
{
    static const char *const methods[] = { "INVITE", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK" };
    const struct trunk_conf none = { 0 };
    (void)state;
    for (size_t i = 0; i < CS_LEN(methods); i++) {
        struct sip_msg *m = request(methods[i], "");
        assert_false(trunk_policy_forbids(&none, m));
        sip_msg_unref(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_flag_allows_one_thing),
        cmocka_unit_test(test_calls_need_no_flag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
