#include "registrar/flood.h"

#include "base/metric.h"
#include "lib/test.h"
#include "net/loop.h"

enum { SHED_METHOD, SHED_URI, SHED_SOURCE, SHED_GROUP, SHED_ALL, SHED_DELAY };

static struct world {
    struct loop loop;
    struct registrar_conf conf;
    struct group_rate_conf group;
    struct flood *flood;
} w;

static void open_flood(void)
{
    w.conf.limits.uri = 100;
    w.conf.floods.methods = ~1U; /* all but those that nobody knows */
    w.conf.floods.method_window = DURATION_S(60);
    if (!w.conf.floods.sources)
        w.conf.floods.sources = 1024;
    assert_int_equal(loop_init(&w.loop), 0);
    assert_int_equal(flood_new(&w.loop, &w.conf, &w.flood), 0);
}

static int teardown(void **state)
{
    (void)state;
    flood_free(&w.flood);
    assert_int_equal(loop_fini(&w.loop), 0);
    memset(&w, 0, sizeof(w));
    return 0;
}

static struct addr from(unsigned n)
{
    struct addr a = { 0 };
    a.in4.sin_family = AF_INET;
    a.in4.sin_addr.s_addr = htonl(0x0a000000 + n);
    return a;
}

static enum flood_answer judge_after(unsigned n, const char *method, const char *tag, int64_t ms)
{
    char text[1000];
    struct sip_msg *m;
    struct addr a = from(n);
    struct buf b = BUF_INIT(text);
    buf_printf(&b,
               "%s sip:a@example.com SIP/2.0\r\n"
               "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n"
               "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>%s\r\n"
               "Call-ID: c\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
               method, tag, method);
    assert_int_equal(sip_msg_parse(buf_span(&b), true, NULL, &m), 0);
    enum flood_answer answer = flood_judge(w.flood, &a, m, DURATION_MS(ms));
    sip_msg_unref(&m);
    return answer;
}

static enum flood_answer judge(unsigned n)
{
    return judge_after(n, "INVITE", "", 0);
}

static bool waits(unsigned n)
{
    struct addr a = from(n);
    return flood_wait(w.flood, &a).ms > 0;
}

static void know(unsigned n, const char *group)
{
    struct addr a = from(n);
    flood_know(w.flood, &a, span_str(group));
}

static void test_without_budgets_all_is_taken_up(void **state)
{
    (void)state;
    open_flood();
    for (int i = 0; i < 100000; i++) {
        assert_false(waits(1));
        assert_int_equal(judge_after(1, i % 2 ? "INVITE" : "REGISTER", "", 10000), FLOOD_PASS);
        if (i == 100)
            i = 99990;
    }
}

static void test_a_source_has_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    w.conf.floods.source = (struct rate_conf){ .rate = 10, .burst = 5 };
    open_flood();
    for (int i = 0; i < 5; i++)
        assert_false(waits(1));
    struct addr a = from(1);
    int64_t before = metric_get(M_REG_SHED, SHED_SOURCE);
    struct duration d = flood_wait(w.flood, &a);
    assert_in_range(d.ms, 50, 101); /* a tenth of a second brings the next */
    assert_int_equal(metric_get(M_REG_SHED, SHED_SOURCE), before + 1);
    assert_false(waits(2)); /* others have theirs */
    loop_skip(&w.loop, d);
    assert_false(waits(1));
    assert_true(waits(1));
    loop_skip(&w.loop, DURATION_S(1000));
    for (int i = 0; i < 5; i++)
        assert_false(waits(1));
    assert_true(waits(1));
}

/* A loop turns many times in a millisecond, or never in a round one. */
static void test_no_part_of_a_millisecond_is_lost(void **state)
{
    (void)state;
    w.conf.floods.source = (struct rate_conf){ .rate = 100, .burst = 100 };
    open_flood();
    unsigned taken = 0;
    (void)loop_now(&w.loop); /* from here on it is ours */
    while (!waits(1))
        ;
    for (int i = 0; i < 1000; i++) {
        w.loop.now.ns += 1700 * 1000;
        taken += !waits(1);
    }
    assert_in_range(taken, 169, 171);
}

static void test_a_tarpit_holds_for_longer(void **state)
{
    (void)state;
    w.conf.floods.source = (struct rate_conf){ .rate = 1000, .burst = 1 };
    w.conf.floods.tarpit = DURATION_S(3);
    open_flood();
    struct addr a = from(1);
    assert_false(waits(1));
    assert_int_equal(flood_wait(w.flood, &a).ms, 3000);
}

static void test_half_of_the_common_budget_is_kept_for_who_was_here_before(void **state)
{
    (void)state;
    w.conf.floods.all = (struct rate_conf){ .rate = 1, .burst = 10 };
    open_flood();
    know(1, "phones");
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(judge(100 + i), FLOOD_PASS);
    assert_int_equal(judge(200), FLOOD_BUSY);
    for (int i = 0; i < 5; i++)
        assert_int_equal(judge(1), FLOOD_PASS);
    assert_int_equal(judge(1), FLOOD_BUSY);
    assert_int_equal(judge_after(1, "BYE", ";tag=2", 0), FLOOD_PASS); /* a call goes on */
    assert_int_equal(judge_after(200, "BYE", ";tag=2", 0), FLOOD_BUSY);
    w.conf.floods.answer = FLOODS_SILENT;
    assert_int_equal(judge(1), FLOOD_SILENCE);
    loop_skip(&w.loop, DURATION_S(3600)); /* he is a stranger again */
    for (int i = 0; i < 5; i++)
        assert_int_equal(judge(1), FLOOD_PASS);
    assert_int_equal(judge(1), FLOOD_SILENCE);
}

static void test_a_peer_group_shares_one_budget(void **state)
{
    (void)state;
    w.group = (struct group_rate_conf){ SPAN("trunks"), { .rate = 1, .burst = 3 } };
    w.conf.floods.groups = &w.group;
    w.conf.floods.n_groups = 1;
    open_flood();
    know(1, "trunks");
    know(2, "trunks");
    know(3, "phones");
    assert_int_equal(judge(1), FLOOD_PASS);
    assert_int_equal(judge(2), FLOOD_PASS);
    assert_int_equal(judge(1), FLOOD_PASS);
    assert_int_equal(judge(2), FLOOD_BUSY);
    assert_int_equal(judge(3), FLOOD_PASS);
    assert_int_equal(judge(4), FLOOD_PASS);
}

static void test_strangers_go_first_when_requests_wait(void **state)
{
    (void)state;
    w.conf.floods.delay = DURATION_MS(100);
    open_flood();
    know(1, NULL);
    assert_int_equal(judge_after(2, "REGISTER", "", 100), FLOOD_PASS);
    assert_int_equal(judge_after(2, "REGISTER", "", 101), FLOOD_BUSY);
    assert_int_equal(judge_after(1, "REGISTER", "", 101), FLOOD_PASS);
    assert_int_equal(judge_after(1, "REGISTER", "", 401), FLOOD_BUSY);
    assert_int_equal(judge_after(1, "BYE", ";tag=2", 5000), FLOOD_PASS);
    assert_int_equal(judge_after(2, "BYE", ";tag=2", 5000), FLOOD_BUSY);
}

/* G-23 */
static void test_a_method_that_is_not_allowed_is_refused_once(void **state)
{
    (void)state;
    w.conf.floods.method_window = DURATION_S(60);
    open_flood();
    int64_t before = metric_get(M_REG_SHED, SHED_METHOD);
    assert_int_equal(judge_after(1, "FOO", "", 0), FLOOD_METHOD_REFUSED);
    assert_int_equal(judge_after(1, "FOO", "", 0), FLOOD_SILENCE);
    assert_int_equal(judge_after(1, "BAR", ";tag=2", 0), FLOOD_SILENCE);
    assert_int_equal(judge_after(2, "BAR", "", 0), FLOOD_METHOD_REFUSED);
    assert_int_equal(judge(1), FLOOD_PASS);
    loop_skip(&w.loop, DURATION_S(61));
    assert_int_equal(judge_after(1, "FOO", "", 0), FLOOD_METHOD_REFUSED);
    assert_int_equal(metric_get(M_REG_SHED, SHED_METHOD), before + 5);
    w.conf.floods.methods |= 1;
    assert_int_equal(judge_after(1, "FOO", "", 0), FLOOD_PASS);
    assert_true(span_eq(flood_allow(w.flood),
                        SPAN("Allow: INVITE, ACK, BYE, CANCEL, REGISTER, OPTIONS, INFO, UPDATE, "
                             "PRACK, SUBSCRIBE, NOTIFY, MESSAGE, REFER, PUBLISH\r\n")));
}

static void test_a_uri_that_is_too_long_is_refused(void **state)
{
    (void)state;
    open_flood();
    w.conf.limits.uri = 17;
    assert_int_equal(judge(1), FLOOD_PASS);
    w.conf.limits.uri = 16;
    assert_int_equal(judge(1), FLOOD_URI_TOO_LONG);
}

/* However many sources there are, memory is what it was; and who is heard of stays. */
static void test_many_sources_do_not_push_out_who_is_heard_of(void **state)
{
    (void)state;
    w.conf.floods.sources = 64;
    w.conf.floods.source = (struct rate_conf){ .rate = 1, .burst = 2 };
    open_flood();
    assert_false(waits(1));
    assert_false(waits(1));
    for (unsigned i = 2; i < 10000; i++) {
        loop_skip(&w.loop, DURATION_MS(i % 100 == 0));
        assert_false(waits(i));
        assert_true(waits(1));
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        T(test_without_budgets_all_is_taken_up),
        T(test_a_source_has_its_burst_and_then_its_rate),
        T(test_no_part_of_a_millisecond_is_lost),
        T(test_a_tarpit_holds_for_longer),
        T(test_half_of_the_common_budget_is_kept_for_who_was_here_before),
        T(test_a_peer_group_shares_one_budget),
        T(test_strangers_go_first_when_requests_wait),
        T(test_a_method_that_is_not_allowed_is_refused_once),
        T(test_a_uri_that_is_too_long_is_refused),
        T(test_many_sources_do_not_push_out_who_is_heard_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
