/* What the authority signs. */
#include <openssl/bn.h>
#include <string.h>
#include <time.h>

#include "ca.h"
#include "sip/uri.h"

enum { SERIAL_BITS = 127, DAY_S = 24 * 3600, BACKDATE_S = 300 /* clocks of devices differ */ };

EVP_PKEY *ca_new_key(void)
{
    return EVP_EC_gen("P-256");
}

/* ---- names ---- */

/* A word without a dot is a device's name, SEP001122334455; without a digit it is a slip. */
static bool is_host_name(struct span s)
{
    bool full = false;
    char before = '.';
    for (size_t i = 0; i < s.n; i++) {
        const char c = s.p[i];
        const bool dot = c == '.';
        if (!(ascii_alpha(c) || ascii_digit(c) || c == '-' || dot) || (dot && before == '.'))
            return false; /* no wildcards: nobody here would match them (RFC 5922, 7.2) */
        full |= dot || ascii_digit(c);
        before = c;
    }
    return s.n && s.n < 254 && before != '.' && full;
}

int ca_name_kind(struct span name, enum ca_name_kind *out)
{
    struct sip_uri uri;
    struct addr addr;
    *out = CA_NAME_URI;
    if (span_casestarts(name, SPAN("sip:")) || span_casestarts(name, SPAN("sips:")))
        return sip_uri_parse(name, &uri);
    *out = CA_NAME_IP;
    if (addr_parse_host(name, 0, &addr) == 0)
        return 0;
    *out = CA_NAME_DNS;
    return is_host_name(name) ? 0 : CS_EPROTO;
}

/* Made member by member: a text that OpenSSL's configuration language reads could say more than one
 * name. */
static GENERAL_NAME *general_name(const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = NULL;
    enum ca_name_kind kind;
    struct addr addr;
    if (!name || ca_name_kind(span_str(text), &kind))
        goto fail;
    value = kind == CA_NAME_IP ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    struct span bytes = span_str(text);
    if (kind == CA_NAME_IP && addr_parse_host(bytes, 0, &addr) == 0)
        bytes = addr_host_bytes(&addr);
    if (!value || !ASN1_STRING_set(value, bytes.p, (int)bytes.n))
        goto fail;
    GENERAL_NAME_set0_value(name,
                            kind == CA_NAME_IP    ? GEN_IPADD
                            : kind == CA_NAME_URI ? GEN_URI
                                                  : GEN_DNS,
                            value);
    return name;
fail:
    ASN1_STRING_free(value);
    GENERAL_NAME_free(name);
    return NULL;
}

static GENERAL_NAMES *general_names(const char *const *names, size_t n)
{
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    bool ok = all != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        GENERAL_NAME *name = general_name(names[i]);
        ok = name && sk_GENERAL_NAME_push(all, name);
        if (!ok)
            GENERAL_NAME_free(name);
    }
    if (ok)
        return all;
    GENERAL_NAMES_free(all);
    return NULL;
}

static bool add_names(X509 *x, const char *const *names, size_t n)
{
    GENERAL_NAMES *all = general_names(names, n);
    bool ok = all && X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0);
    GENERAL_NAMES_free(all);
    return ok;
}

bool ca_says(const X509 *x, const char *const *names, size_t n)
{
    GENERAL_NAMES *want = general_names(names, n),
                  *has = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    const int n_names = has ? sk_GENERAL_NAME_num(has) : 0;
    bool same = want && n_names == sk_GENERAL_NAME_num(want);
    for (int i = 0; same && i < n_names; i++)
        same = GENERAL_NAME_cmp(sk_GENERAL_NAME_value(has, i), sk_GENERAL_NAME_value(want, i)) == 0;
    GENERAL_NAMES_free(want);
    GENERAL_NAMES_free(has);
    return same;
}

/* ---- certificates ---- */

static bool add(X509 *x, const X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, (X509 *)issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

static bool add_extensions(X509 *x, const X509 *issuer, bool authority)
{
    if (authority)
        return add(x, issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add(x, issuer, NID_key_usage, "critical,keyCertSign,cRLSign") &&
               add(x, issuer, NID_subject_key_identifier, "hash");
    return add(x, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add(x, issuer, NID_key_usage, "critical,digitalSignature") &&
           add(x, issuer, NID_ext_key_usage, "clientAuth,serverAuth") &&
           add(x, issuer, NID_subject_key_identifier, "hash") &&
           add(x, issuer, NID_authority_key_identifier, "keyid:always");
}

static bool set_serial(X509 *x)
{
    BIGNUM *n = BN_new();
    bool ok = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
              BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok;
}

static bool set_subject(X509 *x, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(x);
    const size_t n = CS_MIN(strlen(name), (size_t)64); /* ub-common-name (RFC 5280, A.1) */
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)name, (int)n, -1, 0);
}

X509 *ca_certify(const struct ca *ca, EVP_PKEY *key, EVP_PKEY *signer, const char *const *names,
                 size_t n, unsigned days)
{
    X509 *x = X509_new();
    if (!x)
        return NULL;
    const X509 *issuer = ca ? ca->certificate : x;
    bool ok = X509_set_version(x, X509_VERSION_3) && set_serial(x) && set_subject(x, names[0]) &&
              X509_set_issuer_name(x, X509_get_subject_name(issuer)) &&
              X509_gmtime_adj(X509_getm_notBefore(x), -BACKDATE_S) &&
              X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, NULL) &&
              X509_set_pubkey(x, key) && (!ca || add_names(x, names, n)) &&
              add_extensions(x, issuer, !ca) && X509_sign(x, signer, EVP_sha256());
    if (ok)
        return x;
    X509_free(x);
    return NULL;
}

const char *ca_serial(const X509 *x, char text[64])
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = n ? BN_bn2hex(n) : NULL;
    snprintf(text, 64, "%s", hex ? hex : "");
    OPENSSL_free(hex);
    BN_free(n);
    return text;
}

/* ---- what is revoked ---- */

static bool add_revoked(X509_CRL *crl, const json_t *entry)
{
    const char *serial = json_string_value(json_object_get(entry, "serial"));
    const json_int_t since = json_integer_value(json_object_get(entry, "revoked"));
    BIGNUM *n = NULL;
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_INTEGER *number = NULL;
    ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)since);
    bool ok = r && when && serial && BN_hex2bn(&n, serial) &&
              (number = BN_to_ASN1_INTEGER(n, NULL)) && X509_REVOKED_set_serialNumber(r, number) &&
              X509_REVOKED_set_revocationDate(r, when) && X509_CRL_add0_revoked(crl, r);
    if (!ok)
        X509_REVOKED_free(r);
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(when);
    BN_free(n);
    return ok;
}

/* Numbers rise with time, so that nothing has to be remembered (RFC 5280, 5.2.3). */
static bool add_number(X509_CRL *crl)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    bool ok = number && ASN1_INTEGER_set_int64(number, (int64_t)time(NULL)) &&
              X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0);
    ASN1_INTEGER_free(number);
    return ok;
}

static bool add_authority(X509_CRL *crl, const X509 *issuer)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, (X509 *)issuer, NULL, NULL, crl, 0);
    X509_EXTENSION *e =
        X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    bool ok = e && X509_CRL_add_ext(crl, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

X509_CRL *ca_crl(const struct ca *ca, unsigned days)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *next = X509_time_adj_ex(NULL, (int)days, 0, NULL);
    bool ok = crl && now && next && X509_CRL_set_version(crl, X509_CRL_VERSION_2) &&
              X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->certificate)) &&
              X509_CRL_set1_lastUpdate(crl, now) && X509_CRL_set1_nextUpdate(crl, next);
    const json_t *entry;
    size_t i;
    json_array_foreach(ca->index, i, entry)
    {
        if (json_object_get(entry, "revoked"))
            ok = ok && add_revoked(crl, entry);
    }
    ok = ok && X509_CRL_sort(crl) && add_number(crl) && add_authority(crl, ca->certificate) &&
         X509_CRL_sign(crl, ca->key, EVP_sha256());
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    if (ok)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}
