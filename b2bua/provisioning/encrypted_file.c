#include "b2bua/provisioning/encrypted_file.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "b2bua/provisioning/tlv.h"
#include "base/ct.h"
#include "base/rand.h"

enum {
    TAG_ENCRYPTION = 16,
    TAG_CIPHER = 17,
    TAG_CIPHER_UNKNOWN = 18,
    TAG_IV = 19,
    TAG_PADDING_SIZE = 20,
    TAG_KEY = 21,
    TAG_KEY_UNKNOWN = 22,
    TAG_KEY_BITS = 23,
    TAG_KEY_CIPHER = 24,
    TAG_WRAPPED = 25,
    TAG_PLAIN_HASH = 26,
    TAG_PLAIN_DIGEST = 27,
    BLOCK = 16,
    WRAPPED_MAX = 512,
    FILLER = '\r',
};

struct secrets {
    unsigned char key[BLOCK], iv[BLOCK];
};

/* PKCS #1 v1.5, as phones want it. */
static int wrap(const X509 *device, const unsigned char key[BLOCK], unsigned char out[WRAPPED_MAX],
                size_t *n)
{
    EVP_PKEY *k = X509_get0_pubkey(device);
    *n = WRAPPED_MAX;
    if (!k || EVP_PKEY_get_base_id(k) != EVP_PKEY_RSA || EVP_PKEY_get_size(k) > WRAPPED_MAX)
        return CS_ENOTSUP;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k, NULL);
    const bool ok = c && EVP_PKEY_encrypt_init(c) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
                    EVP_PKEY_encrypt(c, out, n, key, BLOCK) == 1;
    EVP_PKEY_CTX_free(c);
    ERR_clear_error();
    return ok ? 0 : c ? CS_ENOTSUP : CS_ENOMEM;
}

/* text is whole blocks. */
static int encrypt(const struct secrets *s, const char *text, size_t n, unsigned char *out)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int some = 0, rest = 0;
    const bool ok = c && EVP_EncryptInit_ex(c, EVP_aes_128_cbc(), NULL, s->key, s->iv) == 1 &&
                    EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
                    EVP_EncryptUpdate(c, out, &some, (const unsigned char *)text, (int)n) == 1 &&
                    EVP_EncryptFinal_ex(c, out + some, &rest) == 1 &&
                    (size_t)some + (size_t)rest == n;
    EVP_CIPHER_CTX_free(c);
    return ok ? 0 : CS_ENOMEM;
}

static int write_more(const struct phone_signer *s, const struct secrets *secrets, size_t padding,
                      const X509 *device, struct span plain, struct buf *b)
{
    const enum phone_hash hash = phone_signer_hash(s);
    unsigned char wrapped[WRAPPED_MAX], digest[EVP_MAX_MD_SIZE];
    unsigned n_digest;
    size_t n;
    int err = wrap(device, secrets->key, wrapped, &n);
    if (!err && EVP_Digest(plain.p, plain.n, digest, &n_digest, phone_hash_of(hash), NULL) != 1)
        err = CS_ENOMEM;
    if (err)
        return err;
    const size_t all = tlv_begin(b, TAG_ENCRYPTION), cipher = tlv_begin(b, TAG_CIPHER);
    tlv_u8(b, TAG_CIPHER_UNKNOWN, 0);
    tlv_put(b, TAG_IV, span_of((const char *)secrets->iv, BLOCK));
    tlv_u16(b, TAG_PADDING_SIZE, (unsigned)padding);
    tlv_end(b, cipher);
    const size_t key = tlv_begin(b, TAG_KEY);
    tlv_u8(b, TAG_KEY_UNKNOWN, 0);
    tlv_u16(b, TAG_KEY_BITS, (unsigned)n * 8);
    tlv_u8(b, TAG_KEY_CIPHER, 1);
    tlv_put(b, TAG_WRAPPED, span_of((const char *)wrapped, n));
    tlv_end(b, key);
    tlv_end(b, all);
    tlv_u8(b, TAG_PLAIN_HASH, hash);
    tlv_put(b, TAG_PLAIN_DIGEST, span_of((const char *)digest, n_digest));
    return buf_ok(b) ? 0 : CS_ELIMIT;
}

int encrypted_file_write(const struct phone_signer *s, struct span name, struct wall time,
                         const X509 *device, struct span plain, struct buf *out)
{
    const size_t padding = BLOCK - plain.n % BLOCK, n = plain.n + padding;
    char head[SIGNED_HEAD_MAX], *text = malloc(n);
    unsigned char *cipher = malloc(n);
    struct buf more = BUF_INIT(head);
    struct secrets secrets;
    rand_bytes(&secrets, sizeof(secrets));
    int err = text && cipher ? 0 : CS_ENOMEM;
    if (!err) {
        memcpy(text, plain.p, plain.n);
        memset(text + plain.n, FILLER, padding);
        err = encrypt(&secrets, text, n, cipher);
        ct_wipe(text, n);
    }
    if (!err)
        err = write_more(s, &secrets, padding, device, plain, &more);
    const struct signed_file f = { .kind = SIGNED_ENCRYPTED,
                                   .name = name,
                                   .time = time,
                                   .more = buf_span(&more),
                                   .payload = span_of((const char *)cipher, n) };
    if (!err)
        err = signed_file_write(s, &f, out);
    ct_wipe(&secrets, sizeof(secrets));
    free(text);
    free(cipher);
    return err;
}
