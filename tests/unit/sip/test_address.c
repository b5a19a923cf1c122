/* Via values, addresses and their parameters. */
#include "lib/guard.h"
#include "lib/test.h"
#include "sip/msg.h"

static struct span text_of(const char *text)
{
    return guard_span(span_str(text));
}

static void test_via_parts_are_found(void **state)
{
    struct sip_via v;
    (void)state;
    assert_int_equal(sip_via_parse(text_of("sip / 2.0 / tls [2001:db8::1] : 5061 ;Branch=z9hG4bKx"
                                           ";rport=5062;received=192.0.2.1;maddr=a.example;ttl=1;"
                                           "x=\"y;z\"\r\n ;q"),
                                   &v),
                     0);
    assert_span(v.transport, "tls");
    assert_span(v.host, "[2001:db8::1]");
    assert_int_equal(v.port, 5061);
    assert_span(v.branch, "z9hG4bKx");
    assert_true(v.rfc3261);
    assert_span(v.rport, "5062");
    assert_span(v.received, "192.0.2.1");
    assert_span(v.maddr, "a.example");
    assert_span(v.ttl, "1");

    assert_int_equal(sip_via_parse(text_of("SIP/2.0/UDP a.example"), &v), 0);
    assert_int_equal(v.port, 0);
    assert_null(v.branch.p);
    assert_null(v.rport.p);
    assert_span(v.params, "");
    assert_int_equal(sip_via_parse(text_of("SIP/2.0/UDP a.example;rport"), &v), 0);
    assert_span(v.rport, "");
    guard_release();
}

static void test_malformed_via_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0 a.example",
        "SIP/3.0/UDP a.example",
        "HTTP/2.0/UDP a.example",
        "SIP/2.0/UDPa.example",
        "SIP/2.0/UDP a_b",
        "SIP/2.0/UDP [::1",
        "SIP/2.0/UDP ::1",
        "SIP/2.0/UDP a.example:",
        "SIP/2.0/UDP a.example:0",
        "SIP/2.0/UDP a.example:65536",
        "SIP/2.0/UDP a.example b",
        "SIP/2.0/UDP a.example;",
        "SIP/2.0/UDP a.example;;branch=x",
        "SIP/2.0/UDP a.example;branch",
        "SIP/2.0/UDP a.example;branch=",
        "SIP/2.0/UDP a.example;branch=\"x\"",
        "SIP/2.0/UDP a.example;branch=x;BRANCH=y",
        "SIP/2.0/UDP a.example;rport=x",
        "SIP/2.0/UDP a.example;rport=65536",
        "SIP/2.0/UDP a.example;received=b.example",
        "SIP/2.0/UDP a.example;received",
        "SIP/2.0/UDP a.example;maddr=\"\"",
        "SIP/2.0/UDP a.example;ttl=256",
        "SIP/2.0/UDP a.example;x=\"y",
        "SIP/2.0/UDP a.example, SIP/2.0/UDP b.example",
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        struct sip_via v;
        memset(&v, 0xff, sizeof(v));
        if (sip_via_parse(text_of(bad[i]), &v) != CS_EPROTO)
            fail_msg("taken: %s", bad[i]);
        assert_null(v.text.p);
        assert_null(v.host.p);
    }
    guard_release();
}

static void test_address_parts_are_found(void **state)
{
    static const struct {
        const char *text, *display, *uri, *params, *tag;
    } table[] = {
        { "sip:a@b.example", NULL, "sip:a@b.example", "", NULL },
        { "sip:a@b.example;tag=x;y", NULL, "sip:a@b.example", ";tag=x;y", "x" },
        { "sip:a@b.example ; TAG = x", NULL, "sip:a@b.example", "; TAG = x", "x" },
        { "<sip:a@b.example;lr>;tag=x", NULL, "sip:a@b.example;lr", ";tag=x", "x" },
        { "A. Bell<sip:a@b.example>", "A. Bell", "sip:a@b.example", "", NULL },
        { "\"B, <b>; \\\"\"\r\n <sip:a@b.example>;tag=x", "\"B, <b>; \\\"\"", "sip:a@b.example",
          ";tag=x", "x" },
        { "J\xc3\xbcrgen M <sip:a@b.example>", "J\xc3\xbcrgen M", "sip:a@b.example", "", NULL },
        { "\"\" <sip:a@b.example>", "\"\"", "sip:a@b.example", "", NULL },
        { "<sip:a@b.example?x=y>;z=\"<>,;\"", NULL, "sip:a@b.example?x=y", ";z=\"<>,;\"", NULL },
        { "sip:a@b.example;x=\"<sip:c@d.example>\"", NULL, "sip:a@b.example",
          ";x=\"<sip:c@d.example>\"", NULL },
        { "<http://a/?b>", NULL, "http://a/?b", "", NULL },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        struct sip_addr a;
        if (sip_addr_parse(text_of(table[i].text), &a))
            fail_msg("refused: %s", table[i].text);
        if (table[i].display)
            assert_span(a.display, table[i].display);
        else
            assert_null(a.display.p);
        assert_span(a.uri.text, table[i].uri);
        assert_span(a.params, table[i].params);
        if (table[i].tag)
            assert_span(a.tag, table[i].tag);
        else
            assert_null(a.tag.p);
        assert_span(a.text, table[i].text);
    }
    guard_release();
}

static void test_malformed_addresses_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "*",
        "<>",
        "alice",
        "<sip:a@b.example",
        "sip:a@b.example>",
        "< sip:a@b.example>",
        "<sip:a@b.example >",
        "<sip:a@b.example> x",
        "<sip:a@b.example>;",
        "<sip:a@b.example>;;x",
        "<sip:a@b.example>;tag",
        "<sip:a@b.example>;tag=",
        "<sip:a@b.example>;tag=\"x\"",
        "<sip:a@b.example>;tag=x;tag=x",
        "<sip:a@b.example>;x=1;X=2",
        "<sip:a@b.example>,<sip:c@d.example>",
        "<sip:a@b.example><sip:c@d.example>",
        "\"a <sip:a@b.example>",
        "\"a\" b <sip:a@b.example>",
        "\"a\" sip:a@b.example",
        "a, b <sip:a@b.example>",
        "a;b <sip:a@b.example>",
        "sip:a@b.example?x=y",
        "sip:a,c@b.example",
        "sip:a@b.example x",
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        struct sip_addr a;
        memset(&a, 0xff, sizeof(a));
        if (sip_addr_parse(text_of(bad[i]), &a) != CS_EPROTO)
            fail_msg("taken: %s", bad[i]);
        assert_null(a.text.p);
        assert_null(a.uri.text.p);
    }
    guard_release();
}

static void test_parameters_are_found_by_name(void **state)
{
    struct span v, params = text_of(";a=b ;C;d=\"e f\"; g = [::1]");
    (void)state;
    assert_int_equal(sip_param(params, SPAN("A"), &v), 0);
    assert_span(v, "b");
    assert_int_equal(sip_param(params, SPAN("c"), &v), 0);
    assert_span(v, "");
    assert_int_equal(sip_param(params, SPAN("d"), &v), 0);
    assert_span(v, "e f");
    assert_int_equal(sip_param(params, SPAN("g"), &v), 0);
    assert_span(v, "[::1]");
    assert_int_equal(sip_param(params, SPAN("h"), &v), CS_ENOENT);
    assert_null(v.p);
    assert_int_equal(sip_param(SPAN(""), SPAN("a"), &v), CS_ENOENT);
    assert_int_equal(sip_param(SPAN(";a=1;a=1"), SPAN("a"), &v), CS_EPROTO);
    assert_int_equal(sip_param(SPAN(";a;"), SPAN("a"), &v), CS_EPROTO);
    assert_null(v.p);
    guard_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_via_parts_are_found),
        cmocka_unit_test(test_malformed_via_is_refused),
        cmocka_unit_test(test_address_parts_are_found),
        cmocka_unit_test(test_malformed_addresses_are_refused),
        cmocka_unit_test(test_parameters_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
