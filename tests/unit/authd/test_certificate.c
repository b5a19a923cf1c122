/* Whom a certificate may be of, by RFC 5922, 7.1; and the texts that bind one. */
#include "authd/check/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "authd/store/trunk.h"
#include "base/buf.h"

static bool write_name(void *arg, enum cert_name_kind kind, struct span name)
{
    static const char *const kinds[] = { "user ", "domain ", "common " };
    buf_put(arg, span_str(kinds[kind]));
    buf_put(arg, name);
    buf_lit(arg, ";");
    return false;
}

static bool take_second(void *arg, enum cert_name_kind kind, struct span name)
{
    (void)kind, (void)name;
    return ++*(int *)arg == 2;
}

static struct cert_facts facts_of_names(Countersign__Auth__Certificate *c, const char *const *uris,
                                        const char *const *dns)
{
    static Countersign__Auth__Check m;
    struct cert_facts f;
    countersign__auth__check__init(&m);
    m.certificate = c;
    c->uri = (char **)uris;
    for (c->n_uri = 0; uris[c->n_uri];)
        c->n_uri++;
    c->dns = (char **)dns;
    for (c->n_dns = 0; dns[c->n_dns];)
        c->n_dns++;
    assert_true(cert_facts_of(&m, &f));
    return f;
}

/* G-36 */
static void test_names_are_given_in_the_order_of_rfc_5922(void **state)
{
    (void)state;
    static const struct {
        const char *uris[4], *dns[4];
        bool names;
        const char *cn, *want;
    } rows[] = {
        { { "sip:Example.com" }, { "sbc.example.com" }, true, "cn", "domain example.com;" },
        { { "sip:alice@Example.com", "sip:example.com" },
          {},
          true,
          "cn",
          "user sip:alice@example.com;domain example.com;" },
        { { "SIP:%61lice:secret@example.com:5061;transport=tls" },
          {},
          true,
          NULL,
          "user sip:alice@example.com;" },
        { { "sip:example.com:5061;transport=tls" }, {}, true, NULL, "domain example.com;" },
        /* sips is no scheme of an identity (7.1); the DNS name counts then. */
        { { "sips:alice@example.com", "https://example.com", "tel:+1800" },
          { "PBX.example.com" },
          true,
          "cn",
          "domain pbx.example.com;" },
        /* A sip URI that cannot be read is one all the same. */
        { { "sip:a b" }, { "sbc.example.com" }, true, "cn", "" },
        { { "sip:" }, { "sbc.example.com" }, true, "cn", "" },
        { {},
          { "a.example.com", "b.example.com" },
          true,
          "cn",
          "domain a.example.com;domain b.example.com;" },
        { {}, { "xn--bcher-kva.example" }, true, NULL, "domain xn--bcher-kva.example;" },
        /* An address, an e-mail address alone: there is a subjectAltName. */
        { {}, {}, true, "SEP001122334455", "" },
        { {}, {}, false, "SEP001122334455", "common SEP001122334455;" },
        { {}, {}, false, "*.example.com", "common *.example.com;" }, /* matches nobody's name */
        { {},
          {},
          false,
          "CP-7965G-SEP001122334455",
          "common CP-7965G-SEP001122334455;common SEP001122334455;" },
        { {}, {}, false, "CP-7965G-SEP00112233445", "common CP-7965G-SEP00112233445;" },
        { {}, {}, false, "CP-7965G-SEP00112233445G", "common CP-7965G-SEP00112233445G;" },
        { {}, {}, false, "XX-7965G-SEP001122334455", "common XX-7965G-SEP001122334455;" },
        { {}, {}, false, "CP-7965GSEP001122334455", "common CP-7965GSEP001122334455;" },
        { {}, {}, true, "CP-7965G-SEP001122334455", "" },
        { {}, {}, false, NULL, "" },
        { {}, { "a.example.com" }, false, "cn", "domain a.example.com;" }, /* whatever is said */
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char space[512];
        struct buf b = BUF_INIT(space);
        Countersign__Auth__Certificate c = COUNTERSIGN__AUTH__CERTIFICATE__INIT;
        c.has_names = true;
        c.names = rows[i].names;
        c.common_name = (char *)rows[i].cn;
        struct cert_facts f = facts_of_names(&c, rows[i].uris, rows[i].dns);
        assert_false(cert_each_name(&f, write_name, &b));
        buf_putc(&b, '\0');
        if (strcmp(space, rows[i].want) != 0)
            fail_msg("row %zu: %s", i, space);
    }
}

static void test_a_time_behind_all_times_is_one_that_can_be_reckoned_with(void **state)
{
    (void)state;
    Countersign__Auth__Check m = COUNTERSIGN__AUTH__CHECK__INIT;
    Countersign__Auth__Certificate c = COUNTERSIGN__AUTH__CERTIFICATE__INIT;
    struct cert_facts f;
    m.certificate = &c;
    c.has_not_after_s = true;
    c.not_after_s = UINT64_MAX;
    assert_true(cert_facts_of(&m, &f));
    assert_true(f.not_after.ms <= INT64_MAX / 2);
    assert_true(f.not_after.ms / 1000 >= INT64_C(253402300799)); /* the year 9999 */
}

static void test_it_ends_where_somebody_was_found(void **state)
{
    (void)state;
    static const char *const uris[] = { "sip:a.test", "sip:b.test", "sip:c.test", NULL },
                             *const none[] = { NULL };
    Countersign__Auth__Certificate c = COUNTERSIGN__AUTH__CERTIFICATE__INIT;
    struct cert_facts f = facts_of_names(&c, uris, none);
    int n = 0;
    assert_true(cert_each_name(&f, take_second, &n));
    assert_int_equal(n, 2);
}

static void test_a_pin_is_a_scheme_and_a_whole_hash(void **state)
{
    (void)state;
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "sha256:" HEX "ef", "sha256:" HEX "ef" },
        { "SHA256:" HEX "EF", "sha256:" HEX "ef" },
        { "spki:" HEX ":e:f", "spki:" HEX "ef" },
        { "sha256:" HEX "e", NULL },
        { "sha256:" HEX "eff", NULL },
        { "sha256:" HEX "eg", NULL },
        { "md5:" HEX "ef", NULL },
        { HEX "ef", NULL },
        { "sha256", NULL },
        { "", NULL },
    };
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct span pin;
        int err = pin_of(span_str(rows[i].text), &a, &pin);
        if (err != (rows[i].want ? 0 : CS_EPROTO) || !span_eq(pin, span_str(rows[i].want)))
            fail_msg("row %zu", i);
    }
    unsigned char hash[32];
    char text[PIN_MAX];
    assert_int_equal(hex_decode(SPAN(HEX "ef"), hash, 32), 0);
    assert_true(span_eq(cert_pin("sha256", span_of(hash, 32), text), SPAN("sha256:" HEX "ef")));
    arena_fini(&a);
}

static void test_what_names_a_trunk_is_a_domain_or_a_pin(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "Example.COM", "example.com" },
        { "sip:example.com", "example.com" },
        { "SIP:sbc.example.com", "sbc.example.com" },
        { "spki:" HEX "EF", "spki:" HEX "ef" },
        { "*.example.com", NULL },
        { "sip:alice@example.com", NULL },
        { "sips:example.com", NULL },
        { "example.com:5061", NULL },
        { "192.0.2.1", NULL }, /* no identity of a domain */
        { "[2001:db8::1]", NULL },
        { "", NULL },
    };
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct span out;
        int err = trunk_certificate(span_str(rows[i].text), &a, &out);
        if (err != (rows[i].want ? 0 : CS_EPROTO) || !span_eq(out, span_str(rows[i].want)))
            fail_msg("row %zu", i);
    }
    const struct span domains[] = { SPAN("a.test"), SPAN("[2001:db8::1]") },
                      aors[] = { SPAN("sip:x@b.test"), SPAN("sip:x@a.test") };
    struct trunk t = { .domains = domains, .n_domains = 2 };
    assert_true(trunk_serves(&t, aors, 2));
    assert_false(trunk_serves(&t, aors, 1));
    assert_false(trunk_serves(&t, NULL, 0));
    t.n_domains = 0;
    assert_true(trunk_serves(&t, aors, 1));
    arena_fini(&a);
}

static void test_a_line_is_a_user_and_a_realm(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool good;
    } rows[] = { { "alice@example.com", true },
                 { "a@b@example.com", true },
                 { "a b@my realm", true },
                 { "alice", false },
                 { "@example.com", false },
                 { "alice@", false },
                 { "a:b@example.com", false },
                 { "", false },
                 { "@", false },
                 { "a\n@example.com", false } };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        if ((device_line_fault(span_str(rows[i].line)) == NULL) != rows[i].good)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_given_in_the_order_of_rfc_5922),
        cmocka_unit_test(test_a_time_behind_all_times_is_one_that_can_be_reckoned_with),
        cmocka_unit_test(test_it_ends_where_somebody_was_found),
        cmocka_unit_test(test_a_pin_is_a_scheme_and_a_whole_hash),
        cmocka_unit_test(test_what_names_a_trunk_is_a_domain_or_a_pin),
        cmocka_unit_test(test_a_line_is_a_user_and_a_realm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
