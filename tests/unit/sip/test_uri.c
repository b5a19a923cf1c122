#include "lib/guard.h"
#include "lib/test.h"
#include "sip/uri.h"

static struct sip_uri parsed(const char *text)
{
    struct sip_uri u;
    if (sip_uri_parse(guard_span(span_str(text)), &u))
        fail_msg("refused: %s", text);
    return u;
}

static void test_parts_are_found(void **state)
{
    (void)state;
    struct sip_uri u = parsed("sips:alice:pw@[2001:DB8::1]:5071;transport=tcp;lr;maddr=[::1]"
                              ";user=phone;method=INVITE;ttl=3;x-y=z?Subject=a%20b&Priority=");
    assert_int_equal(u.scheme, SIP_SCHEME_SIPS);
    assert_span(u.user, "alice");
    assert_span(u.password, "pw");
    assert_span(u.host, "[2001:DB8::1]");
    assert_int_equal(u.port, 5071);
    assert_span(u.transport, "tcp");
    assert_true(u.lr);
    assert_span(u.maddr, "[::1]");
    assert_span(u.user_param, "phone");
    assert_span(u.method, "INVITE");
    assert_span(u.ttl, "3");
    assert_span(sip_uri_param(&u, SPAN("X-Y")), "z");
    assert_null(sip_uri_param(&u, SPAN("z")).p);
    assert_span(u.headers, "Subject=a%20b&Priority=");

    u = parsed("sip:example.com");
    assert_null(u.user.p);
    assert_null(u.password.p);
    assert_null(u.headers.p);
    assert_span(u.params, "");
    assert_int_equal(u.port, 0);

    u = parsed("sip:a@3f2504e04f89:5060");
    assert_span(u.host, "3f2504e04f89");
    u = parsed("sip:a@example.com.;lr");
    assert_span(u.host, "example.com.");

    u = parsed("sip:a:@b.example");
    assert_span(u.password, "");
    guard_release();
}

static void test_other_schemes_are_kept_whole(void **state)
{
    (void)state;
    struct sip_uri u = parsed("http://www.example.com/?a=b");
    assert_int_equal(u.scheme, SIP_SCHEME_OTHER);
    assert_span(u.scheme_name, "http");
    assert_null(u.host.p);

    u = parsed("tel:+1-201-555-0123;phone-context=example.com");
    assert_int_equal(u.scheme, SIP_SCHEME_TEL);
    assert_span(u.user, "+1-201-555-0123");
    assert_span(sip_uri_param(&u, SPAN("phone-context")), "example.com");
    guard_release();
}

static void test_malformed_uris_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "sip",
        ":x",
        "sip:",
        "1sip:a@b.example",
        "s/p:a",
        "sip:@example.com",
        "sip::pw@example.com",
        "sip:a@",
        "sip:a@b@example.com",
        "sip:a b@example.com",
        "sip:a%4@example.com",
        "sip:a%zz@example.com",
        "sip:\xc3\xa4@example.com",
        "sip:a@exam_ple.com",
        "sip:a@-example.com",
        "sip:a@example-.com",
        "sip:a@example..com",
        "sip:a@.",
        "sip:a@1234",
        "sip:a@1.2.3.0x4",
        "sip:a@0Xa",
        "sip:a@example.1-2",
        "sip:a@1.2.3.400",
        "sip:a@1.2.3",
        "sip:a@[1.2.3.4]",
        "sip:a@[::1",
        "sip:a@[::1]x",
        "sip:a@[:::1]",
        "sip:a@2001:db8::1",
        "sip:a@example.com:",
        "sip:a@example.com:0",
        "sip:a@example.com:65536",
        "sip:a@example.com:5060x",
        "sip:a@example.com;",
        "sip:a@example.com;;lr",
        "sip:a@example.com;lr=",
        "sip:a@example.com;=x",
        "sip:a@example.com;lr;lr",
        "sip:a@example.com;x=1;X=2",
        "sip:a@example.com;lr;%6cr", /* the same name, escaped */
        "sip:a@example.com;maddr=_",
        "sip:a@example.com;x=a\"b",
        "sip:a@example.com?",
        "sip:a@example.com?a",
        "sip:a@example.com?=b",
        "sip:a@example.com?a=b&",
        "sip:a@example.com?a=b?c=<",
        "<sip:a@example.com>",
        "tel:",
        "tel:call-me",
        "tel:+1;x=1;x=2",
        "http:a b",
        "http:a%",
        "sip:a@example.com\n",
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        struct sip_uri u;
        memset(&u, 0xff, sizeof(u));
        if (sip_uri_parse(guard_span(span_str(bad[i])), &u) != CS_EPROTO)
            fail_msg("taken: %s", bad[i]);
        assert_null(u.text.p); /* cleared */
        assert_int_equal(u.port, 0);
    }
    struct sip_uri u;
    assert_int_equal(sip_uri_parse(SPAN("sip:a\0b@example.com"), &u), CS_EPROTO);
    assert_int_equal(sip_uri_parse(SPAN_NULL, &u), CS_EPROTO);
    guard_release();
}

static void test_too_many_parameters_are_refused(void **state)
{
    char text[1024];
    (void)state;
    for (unsigned n = 60; n < 70; n++) {
        struct buf b = BUF_INIT(text);
        struct sip_uri u;
        buf_lit(&b, "sip:a@example.com");
        for (unsigned i = 0; i < n; i++)
            buf_printf(&b, ";p%u", i);
        assert_int_equal(sip_uri_parse(buf_span(&b), &u), n <= 64 ? 0 : CS_EPROTO);
    }
}

/* RFC 3261, 19.1.4: its own examples, then what they leave out. */
static void test_comparison(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } pairs[] = {
        { "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true },
        { "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true },
        { "sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true },
        { "sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true },
        { "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
          "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true },
        { "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
          "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true },

        { "SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false },
        { "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false },
        { "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false },
        { "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false },
        { "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false },
        { "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false },
        { "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false },

        { "sip:a@example.com", "sips:a@example.com", false },
        { "sip:a@example.com", "sip:example.com", false },
        { "sip:a@example.com", "sip:a:@example.com", false },
        { "sip:a:pw@example.com", "sip:a:PW@example.com", false },
        { "sip:a@example.com;user=phone", "sip:a@example.com", false },
        { "sip:a@example.com;ttl=1", "sip:a@example.com", false },
        { "sip:a@example.com;maddr=192.0.2.1", "sip:a@example.com", false },
        { "sip:a@example.com;method=BYE", "sip:a@example.com", false },
        { "sip:a@example.com;lr", "sip:a@example.com", true },
        { "sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]", true },
        { "sip:a@[2001:db8::1]", "sip:a@[2001:db8::2]", false },
        { "sip:a%26b@example.com", "sip:a&b@example.com", false }, /* reserved: not the same */
        { "sip:a%2db@example.com", "sip:a-b@example.com", true },
        { "sip:a%00@example.com", "sip:a%00%00@example.com", false },
        { "sip:a@example.com;x=%41", "sip:a@example.com;X=a", true },
        { "sip:a@example.com?a=1&a=2", "sip:a@example.com?a=2&a=1", true },
        { "sip:a@example.com?a=1&a=1", "sip:a@example.com?a=1&a=2", false },
        { "sip:a@example.com?a=1", "sip:a@example.com?a=1&a=1", false },
        { "tel:+1-201-555-0123", "tel:+1(201)5550123", true },
        { "tel:+12015550123", "tel:+12015550124", false },
        { "tel:123;phone-context=a.example", "tel:123", false },
        { "tel:123;phone-context=a.example", "tel:123;phone-context=A.example", true },
        { "http://a", "HTTP://a", true },
        { "http://a", "http://A", false },
        { "http://a", "ftp://a", false },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(pairs); i++) {
        struct sip_uri a = parsed(pairs[i].a), b = parsed(pairs[i].b);
        if (sip_uri_eq(&a, &b) != pairs[i].equal || sip_uri_eq(&b, &a) != pairs[i].equal)
            fail_msg("%s and %s", pairs[i].a, pairs[i].b);
        assert_true(sip_uri_eq(&a, &a));
    }
    guard_release();
}

static void test_default_ports(void **state)
{
    (void)state;
    struct sip_uri u = parsed("sip:example.com");
    assert_int_equal(sip_uri_default_port(&u), 5060);
    u = parsed("sip:example.com;transport=TLS");
    assert_int_equal(sip_uri_default_port(&u), 5061);
    u = parsed("sips:example.com;transport=tcp");
    assert_int_equal(sip_uri_default_port(&u), 5061);
    guard_release();
}

static void test_addresses_of_record_are_canonical(void **state)
{
    static const struct {
        const char *uri, *aor;
    } table[] = {
        { "sip:alice@example.com", "sip:alice@example.com" },
        { "sips:%61lice:secret@EXAMPLE.com:5061;transport=tcp?a=b", "sip:alice@example.com" },
        { "SIP:Alice@example.com", "sip:Alice@example.com" },
        { "sip:a%2fb%7E@example.com", "sip:a%2Fb~@example.com" },
        { "sip:a%00@example.com", "sip:a%00@example.com" },
        { "sip:a%c3%a4@example.com", "sip:a%C3%A4@example.com" },
        { "sip:a&b;c@example.com", "sip:a&b;c@example.com" },
        { "sip:a@[2001:DB8:0:0::1]:5060", "sip:a@[2001:db8::1]" },
        { "sip:a@192.0.2.1", "sip:a@192.0.2.1" },
    };
    char text[SIP_AOR_MAX];
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        struct buf b = BUF_INIT(text);
        struct sip_uri u = parsed(table[i].uri);
        assert_int_equal(sip_aor_write(&b, &u), 0);
        assert_span(buf_span(&b), table[i].aor);
        struct sip_uri again; /* what is canonical stays as it is */
        struct buf c = { .p = text + b.n, .cap = sizeof(text) - b.n };
        assert_int_equal(sip_uri_parse(buf_span(&b), &again), 0);
        assert_int_equal(sip_aor_write(&c, &again), 0);
        assert_true(span_eq(buf_span(&b), buf_span(&c)));
    }
    guard_release();
}

static void test_what_is_no_address_of_record_is_refused(void **state)
{
    char text[SIP_AOR_MAX], long_uri[400];
    struct buf b = BUF_INIT(text), l = BUF_INIT(long_uri);
    (void)state;
    struct sip_uri u = parsed("sip:example.com");
    assert_int_equal(sip_aor_write(&b, &u), CS_EPROTO);
    u = parsed("tel:+1");
    assert_int_equal(sip_aor_write(&b, &u), CS_EPROTO);
    u = parsed("http://a");
    assert_int_equal(sip_aor_write(&b, &u), CS_EPROTO);
    buf_lit(&l, "sip:");
    while (l.n < 300)
        buf_putc(&l, 'a');
    buf_lit(&l, "@example.com");
    assert_int_equal(sip_uri_parse(buf_span(&l), &u), 0);
    assert_int_equal(sip_aor_write(&b, &u), CS_ELIMIT);
    assert_int_equal(b.n, 0);
    guard_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_found),
        cmocka_unit_test(test_other_schemes_are_kept_whole),
        cmocka_unit_test(test_malformed_uris_are_refused),
        cmocka_unit_test(test_too_many_parameters_are_refused),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_default_ports),
        cmocka_unit_test(test_addresses_of_record_are_canonical),
        cmocka_unit_test(test_what_is_no_address_of_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
