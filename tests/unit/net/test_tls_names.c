#include "net/tls_names.h"

#include <openssl/pem.h>

#include "base/util.h"
#include "lib/guard.h"
#include "lib/pki.h"
#include "lib/test.h"

/* ---- server_name ---- */

struct bytes_of {
    const char *p;
    size_t n;
};
#define BYTES(lit)             \
    {                          \
        (lit), sizeof(lit) - 1 \
    }

static void test_the_name_asked_for_is_read(void **state)
{
    static const struct {
        struct bytes_of in;
        const char *out;
    } good[] = {
        { BYTES("\0\x0e\0\0\x0b"
                "example.com"),
          "example.com" },
        { BYTES("\0\x04\0\0\x01"
                "a"),
          "a" },
        { BYTES("\0\x08\0\0\x01"
                "a\x07\0\x01z"),
          "a" },                               /* another type of name beside it */
        { BYTES("\0\x05\x07\0\x02zz"), NULL }, /* and nothing else */
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(good); i++) {
        struct span in = guard_span(span_of(good[i].in.p, good[i].in.n)), out;
        assert_int_equal(tls_sni_parse(in, &out), 0);
        assert_true(good[i].out ? span_eq(out, span_str(good[i].out)) : !out.p);
    }
}

static void test_what_is_no_name_is_refused(void **state)
{
    static const struct bytes_of bad[] = {
        BYTES(""),
        BYTES("\0"),
        BYTES("\0\0"),           /* an empty list */
        BYTES("\0\x04\0\0\x01"), /* cut short */
        BYTES("\0\x03\0\0\0"),   /* an empty name */
        BYTES("\0\x04\0\0\x02"
              "a"), /* longer than its list */
        BYTES("\0\x04\0\0\x01"
              "ab"),               /* more behind it */
        BYTES("\0\x04\0\0\x01\0"), /* NUL */
        BYTES("\0\x04\0\0\x01*"),
        BYTES("\0\x04\0\0\x01\xc3"),
        BYTES("\0\x08\0\0\x01"
              "a\0\0\x01"
              "b"), /* two */
        BYTES("\0\x05\0\0\x01"
              "a\0"),
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        struct span in = guard_span(span_of(bad[i].p, bad[i].n)), out;
        assert_int_equal(tls_sni_parse(in, &out), CS_EPROTO);
        assert_null(out.p);
    }
}

/* ---- SIP domains ---- */

static X509 *read_certificate(const struct pki *p)
{
    FILE *f = fopen(p->certificate, "r");
    assert_non_null(f);
    X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    assert_non_null(x);
    return x;
}

/* RFC 5922, 7.1 and 7.2. */
static void test_a_certificate_is_of_the_domains_it_names(void **state)
{
    static const struct {
        const char *names; /* NULL: a certificate without, and CN=example.com */
        const char *domain;
        bool is;
    } cases[] = {
        { "URI:sip:example.com", "example.com", true },
        { "URI:sip:example.com", "EXAMPLE.com", true },
        { "URI:SIP:example.com", "example.com", true },
        { "URI:sip:example.com:5061", "example.com", true },
        { "URI:sip:example.com;x=y", "example.com", true },
        { "URI:sip:[2001:db8::1]", "[2001:db8::1]", true },
        { "URI:sip:alice@example.com", "example.com", false }, /* a user's */
        { "URI:sips:example.com", "example.com", false },      /* no name */
        { "URI:https://example.com", "example.com", false },
        { "URI:sip:sub.example.com", "example.com", false },
        { "DNS:example.com", "example.com", true },
        { "DNS:example.com", "sub.example.com", false },
        { "DNS:*.example.com", "sub.example.com", false }, /* no wildcards */
        { "DNS:*.example.com", "*.example.com", true },    /* a name as any other */
        { "DNS:other.com,DNS:example.com", "example.com", true },
        /* DNS names are looked at when no SIP URI is there */
        { "URI:sip:other.com,DNS:example.com", "example.com", false },
        { "URI:sip:alice@other.com,DNS:example.com", "example.com", true },
        { "URI:sip:other.com,URI:sip:example.com", "example.com", true },
        /* and the CN when there is no subjectAltName */
        { "IP:192.0.2.1", "example.com", false },
        { "email:a@example.com", "example.com", false },
        { NULL, "example.com", true },
        { NULL, "other.com", false },
        { "IP:192.0.2.1", "192.0.2.1", true },
        { "IP:192.0.2.1", "192.0.2.2", false },
        { "IP:2001:db8::1", "[2001:db8::1]", true },
        { "DNS:192.0.2.1", "192.0.2.1", true },
        { "DNS:example.com", "", false },
        { "URI:sip:", "", false },
    };
    const struct pki ca = pki_authority("ca"), alone = pki_authority("example.com");
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        const struct pki p =
            cases[i].names ? pki_certificate(&ca, "example.com-leaf", cases[i].names) : alone;
        X509 *x = read_certificate(&p);
        if (tls_names_sip_domain(x, span_str(cases[i].domain)) != cases[i].is)
            fail_msg("%s as %s", cases[i].names ? cases[i].names : "CN", cases[i].domain);
        X509_free(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_name_asked_for_is_read),
        cmocka_unit_test(test_what_is_no_name_is_refused),
        cmocka_unit_test(test_a_certificate_is_of_the_domains_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
