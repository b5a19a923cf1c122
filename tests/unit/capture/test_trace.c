#include "capture/trace.h"

#include <stdio.h>

#include "lib/test.h"

static const struct mono now = { INT64_C(1000000000) };

static struct sip_msg *message(const char *from, const char *call_id, const char *via)
{
    char text[1000];
    struct sip_msg *m;
    int n = snprintf(text, sizeof(text),
                     "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1\r\n"
                     "From: <%s>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: %s\r\n"
                     "P-Asserted-Identity: <sip:carol@example.com>\r\nCSeq: 1 INVITE\r\n\r\n",
                     via, from, call_id);
    assert_int_equal(sip_msg_parse(span_of(text, (size_t)n), true, NULL, &m), 0);
    return m;
}

static bool fits(struct trace *t, const char *from, const char *call_id, const char *remote,
                 const char *origin)
{
    struct addr a;
    struct sip_msg *m = message(from, call_id, "192.0.2.50");
    assert_int_equal(addr_parse_host(span_str(remote), 5060, &a), 0);
    bool yes = trace_fits(t, &(struct shown){ m, &a, span_str(origin) });
    sip_msg_unref(&m);
    return yes;
}

static Countersign__Auth__Trace wish(void)
{
    Countersign__Auth__Trace m = COUNTERSIGN__AUTH__TRACE__INIT;
    m.id = 7;
    m.has_seconds = true;
    m.seconds = 30;
    return m;
}

static void test_by_name_then_by_call(void **state)
{
    static struct trace t;
    char *aors[] = { (char *)"sip:alice@example.com", (char *)"1001" };
    Countersign__Auth__Trace m = wish();
    (void)state;
    m.aor = aors;
    m.n_aor = 2;
    assert_int_equal(trace_set(&t, &m, now), 0);
    assert_false(fits(&t, "sip:dave@example.com", "c1", "192.0.2.1", NULL));
    assert_false(fits(&t, "sip:alice@elsewhere.com", "c1", "192.0.2.1", NULL));
    assert_true(fits(&t, "sip:%61lice@EXAMPLE.com:5070;x=y", "c1", "192.0.2.1", NULL));
    assert_true(fits(&t, "sip:1001@elsewhere.com", "c2", "192.0.2.1", NULL));
    /* What else belongs to these calls. */
    assert_true(fits(&t, "sip:dave@example.com", "c1", "192.0.2.1", NULL));
    assert_true(fits(&t, "sip:anonymous@anonymous.invalid", "leg", "192.0.2.1", "c1"));
    assert_true(fits(&t, "sip:dave@example.com", "leg", "192.0.2.1", NULL));
    assert_int_equal(t.number, 5);
}

static void test_who_is_asserted_and_who_is_called(void **state)
{
    char *names[] = { (char *)"sip:carol@example.com", (char *)"sip:bob@example.com" };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        static struct trace t;
        Countersign__Auth__Trace m = wish();
        m.id += i;
        m.aor = &names[i];
        m.n_aor = 1;
        assert_int_equal(trace_set(&t, &m, now), 0);
        assert_true(fits(&t, "sip:dave@example.com", "c1", "192.0.2.1", NULL));
    }
}

static void test_by_call_and_by_source(void **state)
{
    static struct trace by_call, by_source, all;
    const unsigned char ip[] = { 192, 0, 2, 50 };
    Countersign__Auth__Trace m = wish();
    (void)state;
    m.call_id = (char *)"c1";
    assert_int_equal(trace_set(&by_call, &m, now), 0);
    assert_true(fits(&by_call, "sip:a@b", "c1", "192.0.2.1", NULL));
    assert_true(fits(&by_call, "sip:a@b", "leg", "192.0.2.1", "c1"));
    assert_false(fits(&by_call, "sip:a@b", "c2", "192.0.2.1", NULL));
    m = wish();
    m.has_source_ip = true;
    m.source_ip.data = (uint8_t *)ip;
    m.source_ip.len = 4;
    assert_int_equal(trace_set(&by_source, &m, now), 0);
    assert_true(fits(&by_source, "sip:a@b", "c1", "192.0.2.1", NULL)); /* its Via */
    m = wish();
    assert_int_equal(trace_set(&all, &m, now), 0);
    assert_true(fits(&all, "sip:a@b", "c9", "192.0.2.1", NULL));
    m.id++;
    m.has_source_ip = true;
    m.source_ip.data = (uint8_t *)ip;
    m.source_ip.len = 3;
    assert_int_equal(trace_set(&all, &m, now), CS_EPROTO);
}

static void test_what_is_said_again_keeps_what_it_knows(void **state)
{
    static struct trace t;
    Countersign__Auth__Trace m = wish();
    (void)state;
    m.call_id = (char *)"c1";
    assert_int_equal(trace_set(&t, &m, now), 0);
    assert_true(fits(&t, "sip:a@b", "leg", "192.0.2.1", "c1"));
    m.seconds = 60;
    assert_int_equal(trace_set(&t, &m, now), 0);
    assert_int_equal(t.until.ns, now.ns + INT64_C(60000000000));
    assert_true(fits(&t, "sip:a@b", "leg", "192.0.2.1", NULL));
    assert_int_equal(t.number, 2);
}

static void test_no_more_than_its_rate(void **state)
{
    static struct trace t;
    Countersign__Auth__Trace m = wish();
    unsigned n = 0;
    (void)state;
    m.has_rate = true;
    m.rate = 10;
    assert_int_equal(trace_set(&t, &m, now), 0);
    for (unsigned i = 0; i < 100; i++)
        n += trace_may(&t, now);
    assert_int_equal(n, 10);
    for (unsigned i = 1; i <= 1000; i++)
        n += trace_may(&t, mono_add(now, DURATION_MS(i)));
    assert_int_equal(n, 20);
    n = 0;
    for (unsigned i = 0; i < 100; i++) /* a pause saves no more than a second's */
        n += trace_may(&t, mono_add(now, DURATION_S(100)));
    assert_int_equal(n, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_name_then_by_call),
        cmocka_unit_test(test_who_is_asserted_and_who_is_called),
        cmocka_unit_test(test_by_call_and_by_source),
        cmocka_unit_test(test_what_is_said_again_keeps_what_it_knows),
        cmocka_unit_test(test_no_more_than_its_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
