#include "b2bua/provisioning/trust.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "b2bua/provisioning/trust_list.h"
#include "lib/tmp.h"
#include "phone_keys.h"

#define NAME SPAN("SEP001122334455.cnf.xml.sgn")

static const struct wall now = { 1795234202000 };

static const char *pem(const char *name, const struct phone_keys *k, bool private_key)
{
    const char *path = tmp_path(name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(private_key ? PEM_write_PrivateKey(f, k->key, NULL, NULL, 0, NULL, NULL)
                                 : PEM_write_X509(f, k->x),
                     1);
    fclose(f);
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

/* A list that names this signer of lists. */
static const char *list(const char *name, const struct phone_keys *k)
{
    static char space[FILE_MAX];
    struct buf b = BUF_INIT(space);
    const struct trust_record r = { TRUST_SAST, k->x };
    struct phone_signer *s;
    assert_int_equal(phone_signer_of(k->x, k->key, PHONE_SHA1, &s), 0);
    assert_int_equal(trust_list_write(s, SPAN("ITLFile.tlv"), now, &r, 1, &b), 0);
    phone_signer_free(&s);
    return tmp_file(name, space, b.n);
}

static void test_a_file_is_signed_once(void **state)
{
    struct phone_keys k = rsa_keys(2048);
    const struct trust_conf conf = { .certificate_file = pem("tftp.crt", &k, false),
                                     .key_file = pem("tftp.key", &k, true),
                                     .itl_file = list("ITLFile.tlv", &k) };
    struct trust *t;
    struct span a, again, later, other;
    (void)state;
    assert_int_equal(trust_open(&conf, &t), 0);
    assert_true(trust_list_is(trust_itl(t)));
    assert_null(trust_ctl(t).p);
    assert_int_equal(trust_sign(t, NAME, SPAN("<device/>"), now, &a), 0);
    assert_true(is_signed(a, k.key, EVP_sha1()));
    assert_int_equal(
        trust_sign(t, NAME, SPAN("<device/>"), (struct wall){ now.ms + 60000 }, &again), 0);
    assert_ptr_equal(a.p, again.p); /* with the time of the first */
    assert_int_equal(trust_sign(t, NAME, SPAN("<device><a/></device>"), now, &later), 0);
    assert_ptr_not_equal(a.p, later.p);
    assert_int_equal(
        trust_sign(t, SPAN("SEP001122334456.cnf.xml.sgn"), SPAN("<device/>"), now, &other), 0);
    assert_ptr_not_equal(a.p, other.p);
    trust_close(&t);
    keys_free(&k);
}

static struct span pem_text(const struct phone_keys *k, char space[4096])
{
    BIO *b = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(b, k->x), 1);
    const int n = BIO_read(b, space, 4096);
    BIO_free(b);
    return span_of(space, (size_t)n);
}

static void test_what_is_encrypted_is_for_that_certificate(void **state)
{
    struct phone_keys k = rsa_keys(2048), phone = rsa_keys(2048), ec = ec_keys();
    const struct trust_conf conf = { .certificate_file = pem("tftp.crt", &k, false),
                                     .key_file = pem("tftp.key", &k, true),
                                     .hash = TRUST_HASH_SHA512 };
    char space[4096], digits[64], want[64];
    struct buf hash = BUF_INIT(digits), wanted = BUF_INIT(want);
    unsigned char md5[16];
    unsigned n;
    struct trust *t;
    struct span a, again;
    (void)state;
    assert_int_equal(trust_open(&conf, &t), 0);
    const struct span certificate = pem_text(&phone, space);
    assert_int_equal(trust_encrypt(t, NAME, SPAN("<device/>"), certificate, now, &a), 0);
    assert_true(is_signed(a, k.key, EVP_sha512()));
    assert_int_equal(trust_encrypt(t, NAME, SPAN("<device/>"), certificate, now, &again), 0);
    assert_ptr_equal(a.p, again.p);
    assert_int_equal(trust_certificate_hash(certificate, &hash), 0);
    assert_int_equal(X509_digest(phone.x, EVP_md5(), md5, &n), 1);
    buf_hex(&wanted, md5, n);
    assert_true(span_eq(buf_span(&hash), buf_span(&wanted)));
    assert_int_equal(trust_encrypt(t, NAME, SPAN("x"), pem_text(&ec, space), now, &a), CS_ENOTSUP);
    assert_null(a.p);
    assert_int_equal(trust_encrypt(t, NAME, SPAN("x"), SPAN("no certificate"), now, &a),
                     CS_ENOTSUP);
    assert_int_equal(trust_certificate_hash(SPAN("no certificate"), &hash), CS_ENOTSUP);
    trust_close(&t);
    keys_free(&k);
    keys_free(&phone);
    keys_free(&ec);
}

static void test_what_phones_would_not_believe_is_refused(void **state)
{
    struct phone_keys k = rsa_keys(2048), ec = ec_keys();
    const char *crt = pem("tftp.crt", &k, false), *key = pem("tftp.key", &k, true);
    const struct trust_conf wrong[] = {
        { .certificate_file = crt, .key_file = key, .itl_file = tmp_file("x.tlv", "no list", 7) },
        { .certificate_file = crt, .key_file = key, .ctl_file = tmp_path("not-there.tlv") },
        { .certificate_file = crt, .key_file = tmp_path("not-there.key") },
        { .certificate_file = key, .key_file = key },
        { .certificate_file = pem("ec.crt", &ec, false), .key_file = pem("ec.key", &ec, true) },
        { .certificate_file = crt, .key_file = tmp_path("ec.key") },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(wrong); i++) {
        struct trust *t;
        assert_int_equal(trust_open(&wrong[i], &t), CS_ECONF);
        assert_null(t);
    }
    keys_free(&k);
    keys_free(&ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_signed_once),
        cmocka_unit_test(test_what_is_encrypted_is_for_that_certificate),
        cmocka_unit_test(test_what_phones_would_not_believe_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
