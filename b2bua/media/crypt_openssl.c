#include "b2bua/media/crypt_openssl.h"

/* SHA-1's own functions: a packet's HMAC through EVP copies three contexts on the heap. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* What libsrtp2 calls a key is key and salt. */
enum { ICM_SALT = 14, GCM_SALT = 12, GCM_TAG = 16, BLOCK = 16, SHA1_LEN = 20 };

struct cipher { /* struct srtp_cipher_t.state */
    srtp_cipher_t as_libsrtp;
    EVP_CIPHER_CTX *ctx; /* NULL until it is used: for RTCP that may be never */
    unsigned char key[32];
    size_t key_len;            /* without the salt */
    int tag_len;               /* GCM */
    unsigned char salt[BLOCK]; /* ICM: padded with zeros (RFC 3711, 4.1.1) */
    bool decrypts;
};

/* Fetched once: a fetch for each stream would take longer than its packets. */
static struct {
    EVP_CIPHER *icm[3], *gcm[2]; /* 128, 192, 256; 128, 256 */
} openssl;

static srtp_err_status_t status_of(bool good)
{
    return good ? srtp_err_status_ok : srtp_err_status_cipher_fail;
}

static srtp_err_status_t dealloc(srtp_cipher_t *c)
{
    struct cipher *s = c->state;
    EVP_CIPHER_CTX_free(s->ctx);
    OPENSSL_cleanse(s, sizeof(*s));
    free(s);
    return srtp_err_status_ok;
}

static srtp_err_status_t alloc(srtp_cipher_t **out, const srtp_cipher_type_t *type, int key_len,
                               int salt_len, int tag_len)
{
    struct cipher *s = calloc(1, sizeof(*s));
    *out = s ? &s->as_libsrtp : NULL;
    if (!s)
        return srtp_err_status_alloc_fail;
    s->key_len = (size_t)(key_len - salt_len);
    s->tag_len = tag_len;
    s->as_libsrtp =
        (srtp_cipher_t){ .type = type, .state = s, .key_len = key_len, .algorithm = (int)type->id };
    return srtp_err_status_ok;
}

static void forget(struct cipher *s)
{
    EVP_CIPHER_CTX_free(s->ctx);
    s->ctx = NULL;
}

/* The key as well where it is new. */
static srtp_err_status_t start(struct cipher *s, const EVP_CIPHER *cipher, const unsigned char *iv,
                               bool encrypts)
{
    if (s->ctx)
        return status_of(EVP_CipherInit_ex2(s->ctx, NULL, NULL, iv, encrypts, NULL) == 1);
    s->ctx = EVP_CIPHER_CTX_new();
    if (s->ctx && EVP_CipherInit_ex2(s->ctx, cipher, s->key, iv, encrypts, NULL) == 1)
        return srtp_err_status_ok;
    forget(s);
    return srtp_err_status_cipher_fail;
}

/* ---- counter mode (RFC 3711, 4.1.1) ---- */

static srtp_err_status_t icm_init(void *state, const uint8_t *key)
{
    struct cipher *s = state;
    forget(s);
    memcpy(s->key, key, s->key_len);
    memcpy(s->salt, key + s->key_len, ICM_SALT);
    return srtp_err_status_ok;
}

static srtp_err_status_t icm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    struct cipher *s = state;
    unsigned char counter[BLOCK];
    (void)direction; /* the same both ways */
    for (size_t i = 0; i < BLOCK; i++)
        counter[i] = s->salt[i] ^ iv[i];
    return start(s, openssl.icm[s->key_len / 8 - 2], counter, true);
}

static srtp_err_status_t icm_crypt(void *state, uint8_t *data, unsigned int *n)
{
    struct cipher *s = state;
    int done;
    return status_of(EVP_EncryptUpdate(s->ctx, data, &done, data, (int)*n) == 1);
}

/* ---- Galois/counter mode (RFC 7714) ---- */

static srtp_err_status_t gcm_init(void *state, const uint8_t *key)
{
    struct cipher *s = state;
    forget(s);
    memcpy(s->key, key, s->key_len);
    return srtp_err_status_ok;
}

static srtp_err_status_t gcm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    struct cipher *s = state;
    s->decrypts = direction == srtp_direction_decrypt;
    return start(s, openssl.gcm[s->key_len / 16 - 1], iv, !s->decrypts);
}

static srtp_err_status_t gcm_set_aad(void *state, const uint8_t *aad, uint32_t n)
{
    struct cipher *s = state;
    int done;
    return status_of(EVP_CipherUpdate(s->ctx, NULL, &done, aad, (int)n) == 1);
}

static srtp_err_status_t gcm_encrypt(void *state, uint8_t *data, unsigned int *n)
{
    struct cipher *s = state;
    int done, last;
    return status_of(EVP_CipherUpdate(s->ctx, data, &done, data, (int)*n) == 1 &&
                     EVP_CipherFinal_ex(s->ctx, data + done, &last) == 1);
}

static srtp_err_status_t gcm_get_tag(void *state, uint8_t *tag, uint32_t *n)
{
    struct cipher *s = state;
    *n = (uint32_t)s->tag_len;
    return status_of(EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_GET_TAG, s->tag_len, tag) == 1);
}

/* The tag stands behind the text. */
static srtp_err_status_t gcm_decrypt(void *state, uint8_t *data, unsigned int *n)
{
    struct cipher *s = state;
    int done, last;
    if (*n < (unsigned)s->tag_len)
        return srtp_err_status_bad_param;
    const int text = (int)*n - s->tag_len;
    if (EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_TAG, s->tag_len, data + text) != 1 ||
        EVP_CipherUpdate(s->ctx, data, &done, data, text) != 1)
        return srtp_err_status_cipher_fail;
    if (EVP_CipherFinal_ex(s->ctx, data + done, &last) != 1)
        return srtp_err_status_auth_fail;
    *n = (unsigned)text;
    return srtp_err_status_ok;
}

/* ---- HMAC-SHA1 (RFC 2104) ---- */

struct hmac { /* struct srtp_auth_t.state */
    srtp_auth_t as_libsrtp;
    uint32_t inner[5], outer[5]; /* SHA-1 behind the pads */
    SHA_CTX now;
};

static srtp_err_status_t hmac_dealloc(srtp_auth_t *a)
{
    struct hmac *h = a->state;
    OPENSSL_cleanse(h, sizeof(*h));
    free(h);
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_alloc(srtp_auth_t **out, int key_len, int out_len);

static void keep(uint32_t out[5], const uint8_t *key, size_t n, uint8_t pad)
{
    uint8_t block[SHA_CBLOCK];
    SHA_CTX c;
    memset(block, pad, sizeof(block));
    for (size_t i = 0; i < n; i++)
        block[i] ^= key[i];
    SHA1_Init(&c);
    SHA1_Update(&c, block, sizeof(block));
    memcpy(out, (const uint32_t[]){ c.h0, c.h1, c.h2, c.h3, c.h4 }, 5 * sizeof(*out));
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(&c, sizeof(c));
}

static void resume(SHA_CTX *c, const uint32_t h[5])
{
    *c = (SHA_CTX){
        .h0 = h[0], .h1 = h[1], .h2 = h[2], .h3 = h[3], .h4 = h[4], .Nl = 8 * SHA_CBLOCK
    };
}

/* Hashes the pads, once for each key; libsrtp2's are of 20 bytes. */
static srtp_err_status_t hmac_init(void *state, const uint8_t *key, int n)
{
    struct hmac *h = state;
    if (n < 0 || n > SHA_CBLOCK)
        return srtp_err_status_bad_param;
    keep(h->inner, key, (size_t)n, 0x36);
    keep(h->outer, key, (size_t)n, 0x5c);
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_start(void *state)
{
    struct hmac *h = state;
    resume(&h->now, h->inner);
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_update(void *state, const uint8_t *data, int n)
{
    struct hmac *h = state;
    SHA1_Update(&h->now, data, (size_t)n);
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_compute(void *state, const uint8_t *data, int n, int tag_len,
                                      uint8_t *tag)
{
    struct hmac *h = state;
    uint8_t all[SHA1_LEN];
    if (tag_len > SHA1_LEN)
        return srtp_err_status_bad_param;
    SHA1_Update(&h->now, data, (size_t)n);
    SHA1_Final(all, &h->now);
    resume(&h->now, h->outer);
    SHA1_Update(&h->now, all, sizeof(all));
    SHA1_Final(all, &h->now);
    memcpy(tag, all, (size_t)tag_len);
    return srtp_err_status_ok;
}

/* ---- what libsrtp2 is to try them with ---- */

#define BYTES(...)    \
    (const uint8_t[]) \
    {                 \
        __VA_ARGS__   \
    }

/* RFC 3711, B.2: the keystream, here as the text of zeros. */
static uint8_t icm_iv[BLOCK];
static const uint8_t zeros[32];
static const srtp_cipher_test_case_t icm_128_test = {
    .key_length_octets = 30,
    .key = BYTES(0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf,
                 0x4f, 0x3c, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb,
                 0xfc, 0xfd),
    .idx = icm_iv,
    .plaintext_length_octets = sizeof(zeros),
    .plaintext = zeros,
    .ciphertext_length_octets = sizeof(zeros),
    .ciphertext = BYTES(0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1, 0x6d,
                        0xd9, 0x2b, 0x4e, 0xb4, 0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7,
                        0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab),
};
/* RFC 6188, 7.1 */
static const srtp_cipher_test_case_t icm_256_test = {
    .key_length_octets = 46,
    .key = BYTES(0x57, 0xf8, 0x2f, 0xe3, 0x61, 0x3f, 0xd1, 0x70, 0xa8, 0x5e, 0xc9, 0x3c, 0x40, 0xb1,
                 0xf0, 0x92, 0x2e, 0xc4, 0xcb, 0x0d, 0xc0, 0x25, 0xb5, 0x82, 0x72, 0x14, 0x7c, 0xc4,
                 0x38, 0x94, 0x4a, 0x98, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9,
                 0xfa, 0xfb, 0xfc, 0xfd),
    .idx = icm_iv,
    .plaintext_length_octets = sizeof(zeros),
    .plaintext = zeros,
    .ciphertext_length_octets = sizeof(zeros),
    .ciphertext = BYTES(0x92, 0xbd, 0xd2, 0x8a, 0x93, 0xc3, 0xf5, 0x25, 0x11, 0xc6, 0x77, 0xd0,
                        0x8b, 0x55, 0x15, 0xa4, 0x9d, 0xa7, 0x1b, 0x23, 0x78, 0xa8, 0x54, 0xf6,
                        0x70, 0x50, 0x75, 0x6d, 0xed, 0x16, 0x5b, 0xac),
};
/* "The Galois/Counter Mode of Operation", B, cases 2 and 14: a block of zeros under a key of zeros.
 */
static const srtp_cipher_test_case_t gcm_128_test = {
    .key_length_octets = 28,
    .key =
        BYTES(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    .idx = icm_iv,
    .plaintext_length_octets = BLOCK,
    .plaintext = zeros,
    .ciphertext_length_octets = BLOCK + GCM_TAG,
    .ciphertext = BYTES(0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2, 0xb9,
                        0x71, 0xb2, 0xfe, 0x78, 0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec, 0x13, 0xbd,
                        0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf),
    .aad = zeros,
    .tag_length_octets = GCM_TAG,
};
static const srtp_cipher_test_case_t gcm_256_test = {
    .key_length_octets = 44,
    .key = BYTES(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    .idx = icm_iv,
    .plaintext_length_octets = BLOCK,
    .plaintext = zeros,
    .ciphertext_length_octets = BLOCK + GCM_TAG,
    .ciphertext = BYTES(0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3,
                        0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0,
                        0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19),
    .aad = zeros,
    .tag_length_octets = GCM_TAG,
};
/* RFC 2202, 3, case 1 */
static const srtp_auth_test_case_t hmac_test = {
    .key_length_octets = 20,
    .key = BYTES(0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b),
    .data_length_octets = 8,
    .data = (const uint8_t *)"Hi There",
    .tag_length_octets = SHA1_LEN,
    .tag = BYTES(0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b, 0xc0, 0xb6, 0xfb, 0x37,
                 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00),
};

/* ---- the types; alloc is the one thing in which key sizes differ ---- */

static const srtp_cipher_type_t icm_128, icm_256, gcm_128, gcm_256;

#define ALLOC(name, salt)                                                                 \
    static srtp_err_status_t name##_alloc(srtp_cipher_pointer_t *c, int key_len, int tag) \
    {                                                                                     \
        return alloc(c, &name, key_len, (salt), tag);                                     \
    }
ALLOC(icm_128, ICM_SALT)
ALLOC(icm_256, ICM_SALT)
ALLOC(gcm_128, GCM_SALT)
ALLOC(gcm_256, GCM_SALT)

#define ICM(text, test_, id_)                                                             \
    {                                                                                     \
        .dealloc = dealloc, .init = icm_init, .encrypt = icm_crypt, .decrypt = icm_crypt, \
        .set_iv = icm_set_iv, .description = (text), .test_data = &(test_), .id = (id_),
#define GCM(text, test_, id_)                                                                 \
    {                                                                                         \
        .dealloc = dealloc, .init = gcm_init, .set_aad = gcm_set_aad, .encrypt = gcm_encrypt, \
        .decrypt = gcm_decrypt, .set_iv = gcm_set_iv, .get_tag = gcm_get_tag,                 \
        .description = (text), .test_data = &(test_), .id = (id_),

static const srtp_cipher_type_t icm_128 =
    ICM("AES-128 counter mode of OpenSSL", icm_128_test, SRTP_AES_ICM_128).alloc = icm_128_alloc
}
;
static const srtp_cipher_type_t icm_256 =
    ICM("AES-256 counter mode of OpenSSL", icm_256_test, SRTP_AES_ICM_256).alloc = icm_256_alloc
}
;
static const srtp_cipher_type_t gcm_128 =
    GCM("AES-128 GCM of OpenSSL", gcm_128_test, SRTP_AES_GCM_128).alloc = gcm_128_alloc
}
;
static const srtp_cipher_type_t gcm_256 =
    GCM("AES-256 GCM of OpenSSL", gcm_256_test, SRTP_AES_GCM_256).alloc = gcm_256_alloc
}
;

static const srtp_auth_type_t hmac = {
    .alloc = hmac_alloc,
    .dealloc = hmac_dealloc,
    .init = hmac_init,
    .compute = hmac_compute,
    .update = hmac_update,
    .start = hmac_start,
    .description = "HMAC-SHA1 of OpenSSL",
    .test_data = &hmac_test,
    .id = SRTP_HMAC_SHA1,
};

static srtp_err_status_t hmac_alloc(srtp_auth_t **out, int key_len, int out_len)
{
    struct hmac *h = calloc(1, sizeof(*h));
    *out = h ? &h->as_libsrtp : NULL;
    if (!h)
        return srtp_err_status_alloc_fail;
    h->as_libsrtp =
        (srtp_auth_t){ .type = &hmac, .state = h, .out_len = out_len, .key_len = key_len };
    return srtp_err_status_ok;
}

int crypt_openssl_plug(void)
{
    static const srtp_cipher_type_t *const types[] = { &icm_128, &icm_256, &gcm_128, &gcm_256 };
    openssl.icm[0] = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
    openssl.icm[1] = EVP_CIPHER_fetch(NULL, "AES-192-CTR", NULL);
    openssl.icm[2] = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    openssl.gcm[0] = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    openssl.gcm[1] = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    for (size_t i = 0; i < CS_LEN(types); i++) {
        if (srtp_replace_cipher_type(types[i], types[i]->id) != srtp_err_status_ok)
            return CS_ENOTSUP;
    }
    return srtp_replace_auth_type(&hmac, hmac.id) == srtp_err_status_ok ? 0 : CS_ENOTSUP;
}
