/* Keys and certificates made in memory, and files of phones read by the tables of their format
 * alone: tags and what they say are not those of the code under test. */
#ifndef CS_TESTS_PHONE_KEYS_H
#define CS_TESTS_PHONE_KEYS_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "b2bua/provisioning/signed_file.h"
#include "lib/test.h"

enum { FILE_MAX = 64 * 1024 };

struct phone_keys {
    EVP_PKEY *key;
    X509 *x;
};

/* Signed by itself; its serial number begins with a byte that looks negative. */
static inline struct phone_keys keys_of(EVP_PKEY *key)
{
    struct phone_keys k = { key, X509_new() };
    X509_NAME *name = X509_get_subject_name(k.x);
    BIGNUM *serial = NULL;
    static const char *const parts[][2] = { { "CN", "tftp" },
                                            { "O", "Lab, and all" },
                                            { "OU", "Voice" } };
    assert_non_null(key);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(X509_NAME_add_entry_by_txt(name, parts[i][0], MBSTRING_ASC,
                                                    (const unsigned char *)parts[i][1], -1, -1, 0),
                         1);
    assert_int_equal(BN_hex2bn(&serial, "C1A2B3"), 6);
    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(k.x));
    BN_free(serial);
    X509_set_version(k.x, X509_VERSION_3);
    X509_set_issuer_name(k.x, name);
    X509_gmtime_adj(X509_getm_notBefore(k.x), 0);
    X509_gmtime_adj(X509_getm_notAfter(k.x), 3600);
    X509_set_pubkey(k.x, key);
    assert_true(X509_sign(k.x, key, EVP_sha256()) > 0);
    return k;
}

static inline struct phone_keys rsa_keys(unsigned bits)
{
    return keys_of(EVP_RSA_gen(bits));
}

static inline struct phone_keys ec_keys(void)
{
    return keys_of(EVP_EC_gen("P-256"));
}

static inline void keys_free(struct phone_keys *k)
{
    X509_free(k->x);
    EVP_PKEY_free(k->key);
}

static inline unsigned be16(const char *p)
{
    return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

/* The element of that tag; absent: there is none. A padding byte, 13, stands alone. */
static inline struct span element(struct span in, unsigned tag)
{
    for (size_t at = 0; at < in.n;) {
        if (in.p[at] == 13) {
            at++;
            continue;
        }
        const size_t n = be16(in.p + at + 1);
        assert_true(at + 3 + n <= in.n);
        if ((unsigned char)in.p[at] == tag)
            return span_of(in.p + at + 3, n);
        at += 3 + n;
    }
    return SPAN_NULL;
}

/* The header, whose length says where it ends. */
static inline struct span header_of(struct span file)
{
    assert_true(file.n > 10 && memcmp(file.p + 5, "\2\0\2", 3) == 0);
    assert_true(be16(file.p + 8) <= file.n && be16(file.p + 8) % 4 == 0);
    return span_head(file, be16(file.p + 8));
}

/* All but the signature, with its tag and length, is what was signed. */
static inline bool is_signed(struct span file, EVP_PKEY *by, const EVP_MD *md)
{
    const struct span s = element(header_of(file), 12);
    const size_t before = (size_t)(s.p - file.p) - 3;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(c, NULL, md, NULL, by), 1);
    assert_int_equal(EVP_DigestVerifyUpdate(c, file.p, before), 1);
    assert_int_equal(EVP_DigestVerifyUpdate(c, s.p + s.n, file.n - before - 3 - s.n), 1);
    const bool ok = EVP_DigestVerifyFinal(c, (const unsigned char *)s.p, s.n) == 1;
    EVP_MD_CTX_free(c);
    return ok;
}

#endif
