#include "b2bua/provisioning/signed_file.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "b2bua/provisioning/tlv.h"
#include "base/ct.h"
#include "base/log.h"

enum {
    TAG_VERSION = 1,
    TAG_HEADER = 2,
    TAG_SIGNER = 3,
    TAG_SUBJECT = 4,
    TAG_SERIAL = 5,
    TAG_ISSUER = 6,
    TAG_INFO = 7,
    TAG_HASH = 8,
    TAG_ALGORITHMS = 9,
    TAG_ALGORITHM = 10,
    TAG_MODULUS = 11,
    TAG_SIGNATURE = 12,
    TAG_PADDING = 13, /* a bare byte */
    TAG_NAME = 14,
    TAG_TIME = 15,
    TAG_SIGNER_VERSION = 28,
    RSA_PKCS1 = 0,
    TLV_HEAD = 3,
    HEADER_AT = 8, /* where the header's length stands: behind the version and its own head */
    SIGNATURE_MAX = 256,
};

struct phone_signer {
    X509 *certificate;
    EVP_PKEY *key;
    enum phone_hash hash;
    unsigned modulus; /* as files write it */
    struct phone_identity identity;
};

static const struct log slog = { .module = "provisioning" };

/* ---- names ---- */

/* "CN=a,O=b,OU=c": in the certificate's order, escaped as in RFC 4514. */
static int name_text(const X509_NAME *name, char out[PHONE_NAME_TEXT])
{
    const unsigned long how = (XN_FLAG_RFC2253 & ~(unsigned long)XN_FLAG_DN_REV);
    BIO *b = BIO_new(BIO_s_mem());
    char *text;
    const int n = b ? X509_NAME_print_ex(b, name, 0, how) : -1;
    const bool fits = n >= 0 && n < PHONE_NAME_TEXT;
    if (fits) {
        const size_t got = (size_t)BIO_get_mem_data(b, &text);
        memcpy(out, text, got);
        out[got] = '\0';
    }
    BIO_free(b);
    return fits ? 0 : CS_ELIMIT;
}

int phone_identity_of(const X509 *x, struct phone_identity *out)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    *out = (struct phone_identity){ 0 };
    int err = n && BN_num_bytes(n) <= PHONE_SERIAL ? 0 : CS_ELIMIT;
    if (!err)
        out->n_serial = (size_t)BN_bn2bin(n, out->serial);
    BN_free(n);
    if (!err)
        err = name_text(X509_get_subject_name(x), out->subject);
    return err ? err : name_text(X509_get_issuer_name(x), out->issuer);
}

/* ---- who signs ---- */

const EVP_MD *phone_hash_of(enum phone_hash hash)
{
    return hash == PHONE_SHA512 ? EVP_sha512() : EVP_sha1();
}

bool phone_signer_is(const struct phone_signer *s, const X509 *x)
{
    return X509_cmp(s->certificate, x) == 0;
}

enum phone_hash phone_signer_hash(const struct phone_signer *s)
{
    return s->hash;
}

int phone_signer_of(X509 *x, EVP_PKEY *key, enum phone_hash hash, struct phone_signer **out)
{
    const int bits = EVP_PKEY_get_bits(key);
    *out = NULL;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || (bits != 1024 && bits != 2048)) {
        log_error(&slog, "phones take signatures by RSA of 1024 or 2048 bits alone");
        return CS_ECONF;
    }
    if (X509_check_private_key(x, key) != 1) {
        log_error(&slog, "the key of signed files does not belong to their certificate");
        return CS_ECONF;
    }
    struct phone_signer *s = calloc(1, sizeof(*s));
    if (!s)
        return CS_ENOMEM;
    s->hash = hash;
    s->modulus = bits == 2048 ? 2 : 1;
    int err = phone_identity_of(x, &s->identity);
    if (err) {
        free(s);
        return CS_ECONF;
    }
    X509_up_ref(x);
    EVP_PKEY_up_ref(key);
    s->certificate = x;
    s->key = key;
    *out = s;
    return 0;
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

int phone_signer_new(const char *certificate_file, const char *key_file, enum phone_hash hash,
                     struct phone_signer **out)
{
    struct secret pem = { 0 };
    *out = NULL;
    int err = secret_read_file(&pem, key_file);
    if (err) {
        log_error(&slog, "the key of signed files cannot be read, or everybody may read it",
                  kv_str("file", key_file), kv_err(err));
        return CS_ECONF;
    }
    BIO *kb = BIO_new_mem_buf(pem.p, (int)pem.n), *cb = BIO_new_file(certificate_file, "r");
    EVP_PKEY *key = kb ? PEM_read_bio_PrivateKey(kb, NULL, no_passphrase, NULL) : NULL;
    X509 *x = cb ? PEM_read_bio_X509(cb, NULL, no_passphrase, NULL) : NULL;
    BIO_free(kb);
    BIO_free(cb);
    secret_fini(&pem);
    if (key && x) {
        err = phone_signer_of(x, key, hash, out);
    } else {
        log_error(&slog, "this is no key and certificate in PEM", kv_str("key", key_file),
                  kv_str("certificate", certificate_file));
        err = CS_ECONF;
    }
    X509_free(x);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

void phone_signer_free(struct phone_signer **sp)
{
    struct phone_signer *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    X509_free(s->certificate);
    EVP_PKEY_free(s->key);
    free(s);
}

/* ---- the file ---- */

static unsigned version_of(enum signed_kind kind)
{
    static const unsigned versions[] = {
        [SIGNED_LIST] = 0x0102, [SIGNED_PLAIN] = 0x0100, [SIGNED_ENCRYPTED] = 0x0200
    };
    return versions[kind];
}

static void write_before(const struct phone_signer *s, const struct signed_file *f, struct buf *b)
{
    const struct phone_identity *id = &s->identity;
    tlv_u16(b, TAG_VERSION, version_of(f->kind));
    tlv_u16(b, TAG_HEADER, 0); /* known when the rest is */
    if (f->kind == SIGNED_LIST)
        tlv_u16(b, TAG_SIGNER_VERSION, f->https ? 0x0101 : 0x0100);
    const size_t signer = tlv_begin(b, TAG_SIGNER);
    tlv_text(b, TAG_SUBJECT, span_str(id->subject));
    tlv_text(b, TAG_ISSUER, span_str(id->issuer));
    tlv_put(b, TAG_SERIAL, span_of((const char *)id->serial, id->n_serial));
    tlv_end(b, signer);
    const size_t info = tlv_begin(b, TAG_INFO);
    tlv_u8(b, TAG_HASH, s->hash);
    const size_t algorithms = tlv_begin(b, TAG_ALGORITHMS);
    tlv_u8(b, TAG_ALGORITHM, RSA_PKCS1);
    tlv_u8(b, TAG_MODULUS, s->modulus);
    tlv_end(b, algorithms);
    tlv_end(b, info);
}

/* The signature covers what stands before and behind it, and the payload, but not itself, nor tag
 * and length before it. */
static int sign(const struct phone_signer *s, const struct buf *before, const struct buf *behind,
                struct span payload, unsigned char out[SIGNATURE_MAX], size_t *n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    *n = SIGNATURE_MAX;
    int err = c ? 0 : CS_ENOMEM;
    if (!err &&
        (EVP_DigestSignInit(c, NULL, phone_hash_of(s->hash), NULL, s->key) != 1 ||
         EVP_DigestSignUpdate(c, before->p, before->n) != 1 ||
         EVP_DigestSignUpdate(c, behind->p, behind->n) != 1 ||
         EVP_DigestSignUpdate(c, payload.p, payload.n) != 1 || EVP_DigestSignFinal(c, out, n) != 1))
        err = CS_ENOTSUP;
    EVP_MD_CTX_free(c);
    ERR_clear_error();
    return err;
}

int signed_file_write(const struct phone_signer *s, const struct signed_file *f, struct buf *out)
{
    char first[SIGNED_HEAD_MAX], last[SIGNED_HEAD_MAX];
    unsigned char signature[SIGNATURE_MAX];
    struct buf before = BUF_INIT(first), behind = BUF_INIT(last);
    size_t n = (size_t)EVP_PKEY_get_size(s->key);
    write_before(s, f, &before);
    tlv_text(&behind, TAG_NAME, f->name);
    tlv_u32(&behind, TAG_TIME, (uint32_t)(f->time.ms / 1000));
    buf_put(&behind, f->more);
    while ((before.n + TLV_HEAD + n + behind.n) % 4 && buf_ok(&behind))
        buf_putc(&behind, TAG_PADDING);
    tlv_patch(&before, HEADER_AT, before.n + TLV_HEAD + n + behind.n);
    if (!buf_ok(&before) || !buf_ok(&behind))
        return CS_ELIMIT;
    int err = sign(s, &before, &behind, f->payload, signature, &n);
    if (err)
        return err;
    buf_put(out, buf_span(&before));
    tlv_put(out, TAG_SIGNATURE, span_of((const char *)signature, n));
    buf_put(out, buf_span(&behind));
    buf_put(out, f->payload);
    return buf_ok(out) ? 0 : CS_ELIMIT;
}
