#include "proto/certificate.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "base/buf.h"

enum { MAX_SERIAL = 20 }; /* octets (RFC 5280, 4.1.2.2) */

#define CERTIFICATE Countersign__Auth__Certificate

/* ---- hashes ---- */

int certificate_hash(X509 *x, unsigned char out[CERTIFICATE_HASH_LEN])
{
    unsigned n = 0;
    return X509_digest(x, EVP_sha256(), out, &n) == 1 && n == CERTIFICATE_HASH_LEN ? 0 : CS_EPROTO;
}

/* All of SubjectPublicKeyInfo: X509_pubkey_digest() would leave out the algorithm. */
int certificate_spki_hash(X509 *x, unsigned char out[CERTIFICATE_HASH_LEN])
{
    unsigned char *der = NULL;
    const int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    const bool ok = n > 0 && EVP_Digest(der, (size_t)n, out, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return ok ? 0 : CS_EPROTO;
}

static int put_spki_hash(X509 *x, struct arena *a, protobuf_c_boolean *has,
                         ProtobufCBinaryData *out)
{
    unsigned char hash[CERTIFICATE_HASH_LEN];
    if (certificate_spki_hash(x, hash))
        return CS_EPROTO;
    struct span kept = arena_dup(a, span_of(hash, sizeof(hash)));
    if (!kept.p)
        return CS_ENOMEM;
    *has = true;
    *out = (ProtobufCBinaryData){ kept.n, (uint8_t *)kept.p };
    return 0;
}

/* ---- names ---- */

/* ASCII that can be seen; whoever takes a URI to pieces looks closer. */
static bool is_uri(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
            return false;
    }
    return s.n > 0;
}

/* A host name in A-labels, as RFC 5280, 4.2.1.6 wants it; an underscore is met with, an asterisk is
 * no part of a name (RFC 5922, 7.2). */
static bool is_host(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        const char c = s.p[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && c != '-' && c != '_' && c != '.')
            return false;
        if (c == '.' && (i == 0 || s.p[i - 1] == '.'))
            return false;
    }
    return s.n > 0 && s.p[s.n - 1] != '.';
}

static int add(struct arena *a, struct span s, char **list, size_t *n)
{
    list[*n] = arena_str(a, s);
    return list[(*n)++] ? 0 : CS_ENOMEM;
}

static int add_name(const GENERAL_NAME *name, struct arena *a, CERTIFICATE *out)
{
    int type;
    const ASN1_STRING *text = GENERAL_NAME_get0_value(name, &type);
    if (type != GEN_URI && type != GEN_DNS)
        return 0;
    const struct span s = span_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
    if (s.n > CERTIFICATE_MAX_NAME)
        return 0;
    if (type == GEN_URI)
        return is_uri(s) && out->n_uri < CERTIFICATE_MAX_NAMES ? add(a, s, out->uri, &out->n_uri)
                                                               : 0;
    if (!is_host(s) || out->n_dns == CERTIFICATE_MAX_NAMES)
        return 0;
    int err = add(a, s, out->dns, &out->n_dns);
    for (char *p = err ? NULL : out->dns[out->n_dns - 1]; p && *p; p++)
        *p = ascii_lower(*p);
    return err;
}

/* One that cannot be read, or is there twice, is there. */
static int add_names(X509 *x, struct arena *a, CERTIFICATE *out)
{
    int critical, err = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
    out->has_names = true;
    out->names = names || critical != -1;
    out->uri = arena_alloc(a, CERTIFICATE_MAX_NAMES * sizeof(*out->uri));
    out->dns = arena_alloc(a, CERTIFICATE_MAX_NAMES * sizeof(*out->dns));
    if (!out->uri || !out->dns)
        err = CS_ENOMEM;
    for (int i = 0; !err && i < sk_GENERAL_NAME_num(names); i++)
        err = add_name(sk_GENERAL_NAME_value(names, i), a, out);
    GENERAL_NAMES_free(names);
    return err;
}

static bool is_text(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    }
    return s.n > 0 && s.n <= CERTIFICATE_MAX_NAME;
}

/* The last one, which is the most specific. */
static int add_common_name(X509 *x, struct arena *a, CERTIFICATE *out)
{
    const X509_NAME *subject = X509_get_subject_name(x);
    int last = -1, i = -1, err = 0;
    while ((i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0)
        last = i;
    if (last < 0)
        return 0;
    unsigned char *text = NULL;
    int n =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
    if (n > 0 && is_text(span_of(text, (size_t)n))) {
        out->common_name = arena_str(a, span_of(text, (size_t)n));
        err = out->common_name ? 0 : CS_ENOMEM;
    }
    OPENSSL_free(text);
    return err;
}

/* RFC 2253's form escapes control characters and what is not ASCII. */
struct span certificate_name(const X509_NAME *name, struct arena *a)
{
    struct span kept = SPAN_NULL;
    char *text;
    BIO *b = BIO_new(BIO_s_mem());
    if (b && X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0) {
        long n = BIO_get_mem_data(b, &text);
        if (n >= 0 && n <= CERTIFICATE_MAX_NAME)
            kept = arena_dup(a, span_of(n ? text : "", (size_t)n));
    }
    BIO_free(b);
    return kept;
}

/* ---- the rest ---- */

struct span certificate_serial(const ASN1_INTEGER *serial, struct arena *a)
{
    enum { ROOM = 2 * MAX_SERIAL + 2 };
    char *p = arena_alloc(a, ROOM);
    BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);
    char *hex = p && n && BN_num_bytes(n) <= MAX_SERIAL ? BN_bn2hex(n) : NULL;
    struct buf b = buf_of(p, ROOM);
    if (hex) {
        const bool minus = hex[0] == '-'; /* against the rules, but met with */
        struct span digits = span_str(hex + minus);
        while (digits.n > 1 && digits.p[0] == '0')
            digits = span_skip(digits, 1);
        if (minus)
            buf_putc(&b, '-');
        buf_put(&b, digits);
        buf_putc(&b, '\0');
    }
    BN_free(n);
    OPENSSL_free(hex);
    return hex ? span_of(p, b.n - 1) : SPAN_NULL;
}

/* Seconds since 1970; what was before is 0. */
static int seconds_of(const ASN1_TIME *t, uint64_t *out)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return CS_EPROTO;
    const time_t s = timegm(&tm);
    *out = s > 0 ? (uint64_t)s : 0;
    return 0;
}

static int fill(X509 *x, X509 *issuer, struct arena *a, CERTIFICATE *out)
{
    out->has_not_before_s = out->has_not_after_s = true;
    if (seconds_of(X509_get0_notBefore(x), &out->not_before_s) ||
        seconds_of(X509_get0_notAfter(x), &out->not_after_s))
        return CS_EPROTO;
    out->serial = (char *)certificate_serial(X509_get0_serialNumber(x), a).p;
    if (!out->serial)
        return CS_EPROTO;
    out->subject = (char *)certificate_name(X509_get_subject_name(x), a).p;
    out->issuer = (char *)certificate_name(X509_get_issuer_name(x), a).p;
    int err = put_spki_hash(x, a, &out->has_spki_sha256, &out->spki_sha256);
    if (!err && issuer)
        err = put_spki_hash(issuer, a, &out->has_issuer_spki_sha256, &out->issuer_spki_sha256);
    if (!err)
        err = add_names(x, a, out);
    return err ? err : add_common_name(x, a, out);
}

int certificate_facts(X509 *x, X509 *issuer, struct arena *a, CERTIFICATE *out)
{
    countersign__auth__certificate__init(out);
    int err = fill(x, issuer, a, out);
    if (err)
        countersign__auth__certificate__init(out);
    return err;
}
