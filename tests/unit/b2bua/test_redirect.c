#include "b2bua/call/redirect.h"
#include "lib/test.h"

static size_t targets(const char *status, const char *contacts,
                      struct leg_target out[REDIRECT_TARGETS_MAX], struct sip_msg **m)
{
    char text[2048];
    struct buf b = BUF_INIT(text);
    buf_printf(&b,
               "SIP/2.0 %s x\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
               "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
               "%s\r\n",
               status, contacts);
    assert_int_equal(sip_msg_parse(buf_span(&b), true, NULL, m), 0);
    return redirect_targets(*m, out);
}

static void test_the_best_is_first(void **state)
{
    struct leg_target t[REDIRECT_TARGETS_MAX];
    struct sip_msg *m;
    (void)state;
    assert_int_equal(targets("302",
                             "Contact: <sip:low@a.test>;q=0.2, <sip:one@b.test:5070;x>;q=1.000\r\n"
                             "Contact: <sips:two@c.test>, tel:+49301;q=0.5, <sip:mid@d>;q=0.5\r\n",
                             t, &m),
                     5);
    assert_span(t[0].user, "one");
    assert_span(t[0].host, "b.test");
    assert_int_equal(t[0].port, 5070);
    assert_span(t[1].user, "two");
    assert_span(t[2].user, "+49301");
    assert_null(t[2].host.p);
    assert_span(t[3].user, "mid");
    assert_span(t[4].user, "low");
    sip_msg_unref(&m);
}

static void test_a_bad_q_is_the_last(void **state)
{
    struct leg_target t[REDIRECT_TARGETS_MAX];
    struct sip_msg *m;
    (void)state;
    assert_int_equal(
        targets("300", "Contact: <sip:bad@a>;q=2\r\nContact: <sip:b@a>;q=0.001\r\n", t, &m), 2);
    assert_span(t[0].user, "b");
    sip_msg_unref(&m);
}

static void test_no_more_than_there_is_room_for(void **state)
{
    struct leg_target t[REDIRECT_TARGETS_MAX];
    struct sip_msg *m;
    char contacts[512];
    struct buf b = BUF_INIT(contacts);
    (void)state;
    for (int i = 0; i < 2 * REDIRECT_TARGETS_MAX; i++)
        buf_printf(&b, "Contact: <sip:%d@a>\r\n", i);
    assert_true(buf_ok(&b));
    contacts[b.n] = '\0';
    assert_int_equal(targets("301", contacts, t, &m), REDIRECT_TARGETS_MAX);
    assert_span(t[0].user, "0");
    sip_msg_unref(&m);
}

static void test_what_leads_nowhere(void **state)
{
    static const struct {
        const char *status, *contacts;
    } rows[] = {
        { "302", "" },
        { "302", "Contact: *\r\n" },
        { "302", "Contact: <mailto:a@b.c>, <sip:host.test>\r\n" },
        { "305", "Contact: <sip:a@b>\r\n" },
        { "380", "Contact: <sip:a@b>\r\n" },
        { "485", "Contact: <sip:a@b>\r\n" },
    };
    struct leg_target t[REDIRECT_TARGETS_MAX];
    struct sip_msg *m;
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        assert_int_equal(targets(rows[i].status, rows[i].contacts, t, &m), 0);
        sip_msg_unref(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_is_first),
        cmocka_unit_test(test_a_bad_q_is_the_last),
        cmocka_unit_test(test_no_more_than_there_is_room_for),
        cmocka_unit_test(test_what_leads_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
