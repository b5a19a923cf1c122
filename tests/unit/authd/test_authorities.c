/* Authorities on disk, and what their lists say: made here, by OpenSSL. */
#include "authd/check/authorities.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"
#include "proto/certificate.h"

enum { HOUR = 3600, REVOKED = 0xabc, OTHER = 0xabd, FULL = 0, CRITICAL = 1 };

static struct loop loop;
static EVP_PKEY *key, *strange;
static X509 *ca;
static unsigned char spki[CERTIFICATE_HASH_LEN];
static char ca_file[256], crl_file[256];
static struct authority_conf conf[2];

static X509_NAME *name_of(const char *text)
{
    X509_NAME *n = X509_NAME_new();
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0);
    return n;
}

static X509 *make_ca(EVP_PKEY *own)
{
    X509 *x = X509_new();
    X509_NAME *n = name_of("authority");
    X509_set_version(x, 2);
    X509_set_subject_name(x, n);
    X509_set_issuer_name(x, n);
    X509_NAME_free(n);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), HOUR);
    X509_set_pubkey(x, own);
    assert_true(X509_sign(x, own, EVP_sha256()) > 0);
    return x;
}

static void save(const char *path, const char *mode, X509 *x, X509_CRL *crl)
{
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    assert_true(!x || PEM_write_X509(f, x));
    assert_true(!crl || PEM_write_X509_CRL(f, crl));
    fclose(f);
}

/* Of this number alone; made `age` seconds ago, good for `left` from now. */
static X509_CRL *make_crl(EVP_PKEY *by, long serial, long age, long left, int kind)
{
    X509_CRL *crl = X509_CRL_new();
    X509_NAME *n = name_of("authority");
    ASN1_TIME *t = ASN1_TIME_new();
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, n);
    X509_NAME_free(n);
    X509_gmtime_adj(t, -age);
    X509_CRL_set1_lastUpdate(crl, t);
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(r, number);
    X509_REVOKED_set_revocationDate(r, t);
    X509_CRL_add0_revoked(crl, r);
    if (kind == CRITICAL) { /* a delta CRL: less than a list */
        assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, number, 1, 0), 1);
    }
    ASN1_INTEGER_free(number);
    X509_gmtime_adj(t, left);
    X509_CRL_set1_nextUpdate(crl, t);
    ASN1_TIME_free(t);
    X509_CRL_sort(crl);
    assert_true(X509_CRL_sign(crl, by, EVP_sha256()) > 0);
    return crl;
}

static void save_crl(const char *mode, EVP_PKEY *by, long serial, long age, long left, int kind)
{
    X509_CRL *crl = make_crl(by, serial, age, left, kind);
    save(crl_file, mode, NULL, crl);
    X509_CRL_free(crl);
}

static int setup(void **state)
{
    (void)state;
    snprintf(ca_file, sizeof(ca_file), "%s", tmp_path("ca.crt"));
    snprintf(crl_file, sizeof(crl_file), "%s", tmp_path("crl.pem"));
    key = EVP_EC_gen("P-256");
    strange = EVP_EC_gen("P-256");
    ca = make_ca(key);
    save(ca_file, "w", ca, NULL);
    assert_int_equal(certificate_spki_hash(ca, spki), 0);
    conf[0] = (struct authority_conf){ .name = SPAN("first"), .ca_file = ca_file };
    conf[1] = (struct authority_conf){ .name = SPAN("second"), .ca_file = ca_file };
    return loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    EVP_PKEY_free(strange);
    X509_free(ca);
    return run_down(&loop) ? 0 : -1;
}

static enum authority_answer ask(struct authorities *a, const char *serial, const char *only)
{
    const struct span name = span_str(only);
    const struct cert_facts f = { .issuer_spki = span_of(spki, sizeof(spki)),
                                  .serial = span_str(serial) };
    return authorities_ask(a, &f, &name, only ? 1 : 0);
}

static struct authorities *open_first(enum stale_mode stale)
{
    struct authorities *a;
    conf[0].crl_file = crl_file;
    conf[0].stale = stale;
    assert_int_equal(authorities_new(&loop, conf, 1, &a), 0);
    return a;
}

static void test_only_who_signed_it_can_tell(void **state)
{
    (void)state;
    struct authorities *a;
    conf[0].crl_file = NULL;
    assert_int_equal(authorities_new(&loop, conf, 2, &a), 0);
    assert_int_equal(ask(a, "ABC", NULL), AUTHORITY_GOOD);
    assert_int_equal(ask(a, "ABC", "second"), AUTHORITY_GOOD);
    assert_int_equal(ask(a, "ABC", "third"), AUTHORITY_UNKNOWN);
    struct cert_facts f = { .serial = SPAN("ABC") }; /* nobody knows who signed it */
    assert_int_equal(authorities_ask(a, &f, NULL, 0), AUTHORITY_UNKNOWN);
    static const unsigned char another[CERTIFICATE_HASH_LEN];
    f.issuer_spki = span_of(another, sizeof(another));
    assert_int_equal(authorities_ask(a, &f, NULL, 0), AUTHORITY_UNKNOWN);
    assert_int_equal(sk_X509_num(authorities_trusted(a, SPAN("first"))), 1);
    assert_null(authorities_trusted(a, SPAN("third")));
    authorities_free(&a);
}

static void test_what_is_listed_is_revoked(void **state)
{
    (void)state;
    save_crl("w", key, REVOKED, 0, HOUR, FULL);
    struct authorities *a = open_first(STALE_REFUSE);
    assert_int_equal(ask(a, "ABC", NULL), AUTHORITY_REVOKED);
    assert_int_equal(ask(a, "ABD", NULL), AUTHORITY_GOOD);
    assert_int_equal(ask(a, NULL, NULL), AUTHORITY_REVOKED); /* what cannot be looked for */
    assert_int_equal(ask(a, "rubbish", NULL), AUTHORITY_REVOKED);
    authorities_free(&a);
}

static void test_of_several_lists_the_newest_counts(void **state)
{
    (void)state;
    save_crl("w", key, OTHER, 60, HOUR, FULL);
    save_crl("a", key, REVOKED, 30, HOUR, FULL);
    save_crl("a", key, OTHER, 90, HOUR, FULL);
    struct authorities *a = open_first(STALE_REFUSE);
    assert_int_equal(ask(a, "ABC", NULL), AUTHORITY_REVOKED);
    assert_int_equal(ask(a, "ABD", NULL), AUTHORITY_GOOD);
    authorities_free(&a);
}

static void test_a_list_that_is_too_old_is_refused_where_that_is_wanted(void **state)
{
    (void)state;
    save_crl("w", key, REVOKED, 60, -10, FULL);
    struct authorities *a = open_first(STALE_REFUSE);
    assert_int_equal(ask(a, "ABD", NULL), AUTHORITY_STALE);
    assert_int_equal(ask(a, "ABC", NULL), AUTHORITY_REVOKED);
    authorities_free(&a);
    a = open_first(STALE_WARN);
    assert_int_equal(ask(a, "ABD", NULL), AUTHORITY_GOOD);
    authorities_free(&a);
}

static void test_files_that_cannot_be_used_are_refused(void **state)
{
    (void)state;
    struct authorities *a;
    conf[0].crl_file = crl_file;
    save_crl("w", strange, REVOKED, 0, HOUR, FULL); /* in the authority's name */
    assert_int_equal(authorities_new(&loop, conf, 1, &a), CS_EDENIED);
    save_crl("w", key, REVOKED, 0, HOUR, CRITICAL);
    assert_int_equal(authorities_new(&loop, conf, 1, &a), CS_ENOTSUP);
    save(crl_file, "w", NULL, NULL);
    assert_int_equal(authorities_new(&loop, conf, 1, &a), CS_ENOENT);
    save_crl("w", key, REVOKED, 0, HOUR, FULL);
    assert_int_equal(truncate(crl_file, 100), 0);
    assert_int_equal(authorities_new(&loop, conf, 1, &a), CS_EPROTO);
    conf[0].crl_file = "/nowhere";
    assert_int_equal(authorities_new(&loop, conf, 1, &a), UV_ENOENT);
    conf[0].crl_file = NULL;
    conf[0].ca_file = crl_file; /* no certificate in it */
    save_crl("w", key, REVOKED, 0, HOUR, FULL);
    assert_int_equal(authorities_new(&loop, conf, 1, &a), CS_ENOENT);
    conf[0].ca_file = ca_file;
    assert_null(a);
}

static void test_a_changed_file_is_read_and_a_bad_one_left(void **state)
{
    (void)state;
    save_crl("w", key, OTHER, 60, HOUR, FULL);
    struct authorities *a = open_first(STALE_REFUSE);
    assert_int_equal(ask(a, "ABC", NULL), AUTHORITY_GOOD);
    save_crl("w", key, REVOKED, 30, HOUR, FULL);
    authorities_reload(a);
    assert_int_equal(ask(a, "ABC", NULL), AUTHORITY_REVOKED);
    save_crl("w", strange, OTHER, 0, HOUR, FULL);
    authorities_reload(a);
    assert_int_equal(ask(a, "ABC", NULL), AUTHORITY_REVOKED);
    save_crl("w", key, OTHER, 0, HOUR, FULL);
    loop_skip(&loop, DURATION_S(2)); /* by itself */
    assert_int_equal(ask(a, "ABC", NULL), AUTHORITY_GOOD);
    authorities_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_who_signed_it_can_tell),
        cmocka_unit_test(test_what_is_listed_is_revoked),
        cmocka_unit_test(test_of_several_lists_the_newest_counts),
        cmocka_unit_test(test_a_list_that_is_too_old_is_refused_where_that_is_wanted),
        cmocka_unit_test(test_files_that_cannot_be_used_are_refused),
        cmocka_unit_test(test_a_changed_file_is_read_and_a_bad_one_left),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
