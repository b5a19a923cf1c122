#include "b2bua/trunk/registering.h"
#include "lib/test.h"

#define US "sip:us@192.0.2.1:5060"

static struct sip_msg *answer(const char *status, const char *lines)
{
    char text[1024];
    struct buf b = BUF_INIT(text);
    struct sip_msg *m;
    buf_printf(&b,
               "SIP/2.0 %s x\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
               "From: <sip:a@x>;tag=1\r\nTo: <sip:a@x>;tag=2\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n"
               "%s\r\n",
               status, lines);
    assert_int_equal(sip_msg_parse(buf_span(&b), true, NULL, &m), 0);
    return m;
}

static void grants(const char *lines, uint32_t want)
{
    struct sip_msg *m = answer("200", lines);
    assert_int_equal(registering_granted(m, SPAN(US), 600), want);
    sip_msg_unref(&m);
}

static void test_our_own_contact_says_how_long(void **state)
{
    (void)state;
    grants("", 600);
    grants("Expires: 60\r\n", 60);
    grants("Expires: 60\r\nContact: <" US ">;expires=90\r\n", 90);
    grants("Expires: 60\r\nContact: <sip:other@192.0.2.1:5060>;expires=90\r\n", 60);
    grants("Contact: <sip:other@x>;expires=1, <" US ">;expires=0\r\n", 0);
    grants("Expires: 60\r\nContact: <" US ">;expires=soon\r\n", 60);
}

static void longer(const char *status, const char *lines, uint32_t want)
{
    struct sip_msg *m = answer(status, lines);
    assert_int_equal(registering_longer(m, 600), want);
    sip_msg_unref(&m);
}

static void test_423_asks_for_more(void **state)
{
    (void)state;
    longer("423", "Min-Expires: 1800\r\n", 1800);
    longer("423", "Min-Expires: 600\r\n", 0); /* else it would go on for ever */
    longer("423", "", 0);
    longer("403", "Min-Expires: 1800\r\n", 0);
}

static void test_it_is_refreshed_before_its_end(void **state)
{
    (void)state;
    assert_int_equal(registering_refresh(0).ms, 500);
    assert_int_equal(registering_refresh(60).ms, 30000);
    for (int i = 0; i < 100; i++)
        assert_in_range(registering_refresh(1000).ms, 800000, 900000);
}

static void test_failures_are_followed_by_longer_and_longer_waits(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 20; n++) {
        uint64_t most = 1000;
        for (unsigned i = 1; i < n && most < REGISTERING_RETRY_MOST_S * 1000; i++)
            most *= 2;
        most = most < REGISTERING_RETRY_MOST_S * 1000 ? most : REGISTERING_RETRY_MOST_S * 1000;
        for (int i = 0; i < 20; i++)
            assert_in_range(registering_retry(DURATION_MS(1000), n).ms, most / 2, most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_own_contact_says_how_long),
        cmocka_unit_test(test_423_asks_for_more),
        cmocka_unit_test(test_it_is_refreshed_before_its_end),
        cmocka_unit_test(test_failures_are_followed_by_longer_and_longer_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
