#include "proto/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "base/buf.h"

#define CERTIFICATE Countersign__Auth__Certificate

static EVP_PKEY *key;

static int make_key(void **state)
{
    (void)state;
    key = EVP_EC_gen("P-256");
    return key ? 0 : -1;
}

static int drop_key(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    return 0;
}

struct name {
    int type;
    struct span text;
};
#define URI(s)                \
    {                         \
        GEN_URI, SPAN_INIT(s) \
    }
#define DNS(s)                \
    {                         \
        GEN_DNS, SPAN_INIT(s) \
    }
#define EMAIL(s)                \
    {                           \
        GEN_EMAIL, SPAN_INIT(s) \
    }
#define IP(s)                   \
    {                           \
        GEN_IPADD, SPAN_INIT(s) \
    }

static void add_san(X509 *x, const struct name *names, size_t n)
{
    GENERAL_NAMES *all = GENERAL_NAMES_new();
    for (size_t i = 0; i < n; i++) {
        GENERAL_NAME *one = GENERAL_NAME_new();
        ASN1_STRING *s =
            names[i].type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
        ASN1_STRING_set(s, names[i].text.p, (int)names[i].text.n);
        GENERAL_NAME_set0_value(one, names[i].type, s);
        sk_GENERAL_NAME_push(all, one);
    }
    assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, X509V3_ADD_APPEND), 1);
    GENERAL_NAMES_free(all);
}

static X509 *make(struct span cn)
{
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 0xabc);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    if (cn.p)
        X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
                                   (const unsigned char *)cn.p, (int)cn.n, -1, 0);
    return x;
}

static void finish(X509 *x)
{
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
}

/* "uri uri|dns dns|cn" */
static void check_names(X509 *x, bool names, const char *want)
{
    char space[4096];
    struct buf b = BUF_INIT(space);
    struct arena a;
    CERTIFICATE c;
    arena_init(&a, NULL, 0, 0);
    assert_int_equal(certificate_facts(x, NULL, &a, &c), 0);
    for (size_t i = 0; i < c.n_uri; i++)
        buf_printf(&b, "%s%s", i ? " " : "", c.uri[i]);
    buf_putc(&b, '|');
    for (size_t i = 0; i < c.n_dns; i++)
        buf_printf(&b, "%s%s", i ? " " : "", c.dns[i]);
    buf_printf(&b, "|%s", c.common_name ? c.common_name : "");
    buf_putc(&b, '\0');
    assert_string_equal(space, want);
    assert_true(c.has_names && c.names == names);
    assert_false(c.has_issuer_spki_sha256);
    arena_fini(&a);
}

static void test_names_that_do_not_fit_their_type_are_left_out(void **state)
{
    (void)state;
    static const struct {
        struct name names[4];
        const char *want;
    } rows[] = {
        { { URI("sip:alice@example.com") }, "sip:alice@example.com||cn" },
        { { URI("sip:Example.COM"), DNS("PBX.Example.com"), URI("https://example.com/") },
          "sip:Example.COM https://example.com/|pbx.example.com|cn" },
        { { URI("sip:alice@example.com\0.evil.example"), DNS("good.example\0.evil.example") },
          "||cn" },
        { { DNS("*.example.com"), DNS("pbx.example.com") }, "|pbx.example.com|cn" },
        { { DNS("xn--bcher-kva.example"), DNS("b\xc3\xbc"
                                              "cher.example") },
          "|xn--bcher-kva.example|cn" },
        { { IP("\x7f\0\0\1"), EMAIL("alice@example.com") }, "||cn" },
        { { DNS(""), URI(""), DNS(".example.com"), DNS("a..b") }, "||cn" },
        { { DNS("example.com."), URI("sip:a b@c"), URI("sip:a\x7f@c"), URI("sip:\xff@c") },
          "||cn" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        size_t n = 0;
        while (n < CS_LEN(rows[i].names) && rows[i].names[n].text.p)
            n++;
        X509 *x = make(SPAN("cn"));
        add_san(x, rows[i].names, n);
        finish(x);
        check_names(x, true, rows[i].want);
        X509_free(x);
    }
}

static void test_a_common_name_is_the_last_one_and_whole(void **state)
{
    (void)state;
    X509 *x = make(SPAN("first"));
    X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
                               (const unsigned char *)"SEP001122334455", -1, -1, 0);
    finish(x);
    check_names(x, false, "||SEP001122334455");
    X509_free(x);
    x = make(SPAN("good\0.evil"));
    finish(x);
    check_names(x, false, "||");
    X509_free(x);
    x = make(SPAN_NULL);
    finish(x);
    check_names(x, false, "||");
    X509_free(x);
}

/* A second extension, or one that is no names: there is one, and nobody knows what it says. */
static void test_names_that_cannot_be_read_are_names(void **state)
{
    (void)state;
    static const struct name good[] = { DNS("pbx.example.com") };
    X509 *x = make(SPAN("cn"));
    add_san(x, good, 1);
    add_san(x, good, 1);
    finish(x);
    check_names(x, true, "||cn");
    X509_free(x);

    x = make(SPAN("cn"));
    ASN1_OCTET_STRING *junk = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(junk, (const unsigned char *)"junk", 4);
    X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, junk);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(junk);
    finish(x);
    check_names(x, true, "||cn");
    X509_free(x);
}

static void test_names_are_bounded(void **state)
{
    (void)state;
    char text[CERTIFICATE_MAX_NAME + 1];
    memset(text, 'a', sizeof(text));
    struct name many[CERTIFICATE_MAX_NAMES + 3];
    for (size_t i = 0; i < CS_LEN(many); i++)
        many[i] = (struct name)DNS("a.example");
    many[0] = (struct name){ GEN_DNS, span_of(text, sizeof(text)) };
    many[1] = (struct name){ GEN_DNS, span_of(text, sizeof(text) - 1) };
    X509 *x = make(SPAN_NULL);
    add_san(x, many, CS_LEN(many));
    finish(x);
    struct arena a;
    CERTIFICATE c;
    arena_init(&a, NULL, 0, 0);
    assert_int_equal(certificate_facts(x, NULL, &a, &c), 0);
    assert_int_equal(c.n_dns, CERTIFICATE_MAX_NAMES);
    assert_int_equal(strlen(c.dns[0]), CERTIFICATE_MAX_NAME);
    assert_string_equal(c.dns[1], "a.example");
    arena_fini(&a);
    X509_free(x);
}

static void test_it_says_which_one_it_is(void **state)
{
    (void)state;
    static const char *const serials[] = { "0", "ABC", "-ABC",
                                           "FEDCBA98765432100123456789ABCDEFFEDCBA98" };
    struct arena a;
    CERTIFICATE c;
    arena_init(&a, NULL, 0, 0);
    for (size_t i = 0; i < CS_LEN(serials); i++) {
        BIGNUM *n = NULL;
        BN_hex2bn(&n, serials[i]);
        X509 *x = make(SPAN("a,b\n"));
        BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
        BN_free(n);
        ASN1_TIME_set(X509_getm_notBefore(x), -1);
        ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "99991231235959Z");
        finish(x);
        assert_int_equal(certificate_facts(x, x, &a, &c), 0);
        assert_string_equal(c.serial, serials[i]);
        assert_string_equal(c.subject, "CN=a\\,b\\0A");
        assert_int_equal(c.not_before_s, 0);
        assert_int_equal(c.not_after_s, 253402300799);
        assert_int_equal(c.spki_sha256.len, CERTIFICATE_HASH_LEN);
        assert_memory_equal(c.spki_sha256.data, c.issuer_spki_sha256.data, CERTIFICATE_HASH_LEN);
        X509_free(x);
    }
    X509 *x = make(SPAN_NULL); /* more than RFC 5280 allows */
    BIGNUM *n = NULL;
    BN_hex2bn(&n, "10000000000000000000000000000000000000000");
    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    finish(x);
    assert_int_equal(certificate_facts(x, x, &a, &c), CS_EPROTO);
    assert_null(c.serial);
    X509_free(x);
    arena_fini(&a);
}

static void test_memory_may_be_exhausted_anywhere(void **state)
{
    (void)state;
    static const struct name names[] = { DNS("pbx.example.com"), URI("sip:example.com") };
    X509 *x = make(SPAN("cn"));
    add_san(x, names, 2);
    finish(x);
    int err = CS_ENOMEM;
    for (size_t limit = 64; err && limit < 65536; limit += 64) {
        struct arena a;
        CERTIFICATE c;
        arena_init(&a, NULL, 0, limit);
        err = certificate_facts(x, x, &a, &c);
        assert_true(err == 0 || !c.serial);
        arena_fini(&a);
    }
    assert_int_equal(err, 0);
    X509_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_that_do_not_fit_their_type_are_left_out),
        cmocka_unit_test(test_a_common_name_is_the_last_one_and_whole),
        cmocka_unit_test(test_names_that_cannot_be_read_are_names),
        cmocka_unit_test(test_names_are_bounded),
        cmocka_unit_test(test_it_says_which_one_it_is),
        cmocka_unit_test(test_memory_may_be_exhausted_anywhere),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}
