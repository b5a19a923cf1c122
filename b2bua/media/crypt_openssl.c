#include "b2bua/media/crypt_openssl.h"

/* SHA-1's own functions: a packet's HMAC through EVP copies three contexts on the heap. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <assert.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* What libsrtp2 calls a key is key and salt. */
enum { ICM_SALT = 14, GCM_SALT = 12, GCM_IV = 12, GCM_TAG = 16, BLOCK = 16, SHA1_LEN = 20 };

struct cipher { /* struct srtp_cipher_t.state: for each stream no more than its key */
    srtp_cipher_t as_libsrtp;
    unsigned char tag_len; /* GCM */
    unsigned char key[];   /* in counter mode the salt behind it */
};

enum kind { ICM_128, ICM_256, GCM_128, GCM_256, KINDS };

/* OpenSSL's ciphers as its provider has them (provider-cipher(7)). EVP, which stands before them,
 * asks by name for lengths that are known here, each time that a key or an IV is set: that takes
 * longer than to encrypt a packet. */
struct algorithm {
    EVP_CIPHER *fetched; /* that it stays */
    void *provider;
    OSSL_FUNC_cipher_newctx_fn *newctx;
    OSSL_FUNC_cipher_freectx_fn *freectx;
    OSSL_FUNC_cipher_encrypt_init_fn *encrypt_init;
    OSSL_FUNC_cipher_decrypt_init_fn *decrypt_init;
    OSSL_FUNC_cipher_update_fn *update;
    OSSL_FUNC_cipher_final_fn *final;
    OSSL_FUNC_cipher_get_ctx_params_fn *get_params;
    OSSL_FUNC_cipher_set_ctx_params_fn *set_params;
};
static struct algorithm algorithms[KINDS];

/* What OpenSSL makes of a key takes the most of a kilobyte. Kept for each stream, that would not be
 * in a cache any more when the next packet comes: to make it again, in the thread's own context,
 * costs less than to fetch it. Nothing of it is relied on from one packet to the next. */
struct contexts {
    void *ctx[KINDS];
    const struct cipher *of[KINDS]; /* whose key it has */
};

static pthread_key_t contexts_key; /* for the thread's end */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;
static _Thread_local struct contexts *contexts;

static void contexts_free(void *arg)
{
    struct contexts *c = arg;
    for (size_t i = 0; i < KINDS; i++) {
        if (c->ctx[i])
            algorithms[i].freectx(c->ctx[i]);
    }
    free(c);
}

static struct contexts *contexts_new(void)
{
    struct contexts *c = calloc(1, sizeof(*c));
    bool good = c;
    for (size_t i = 0; good && i < KINDS; i++)
        good = (c->ctx[i] = algorithms[i].newctx(algorithms[i].provider)) != NULL;
    if (good && pthread_setspecific(contexts_key, c) == 0)
        return contexts = c;
    if (c)
        contexts_free(c);
    return NULL;
}

static void take(struct algorithm *a, const OSSL_DISPATCH *d)
{
    for (; d->function_id; d++) {
        switch (d->function_id) {
        case OSSL_FUNC_CIPHER_NEWCTX:
            a->newctx = OSSL_FUNC_cipher_newctx(d);
            break;
        case OSSL_FUNC_CIPHER_FREECTX:
            a->freectx = OSSL_FUNC_cipher_freectx(d);
            break;
        case OSSL_FUNC_CIPHER_ENCRYPT_INIT:
            a->encrypt_init = OSSL_FUNC_cipher_encrypt_init(d);
            break;
        case OSSL_FUNC_CIPHER_DECRYPT_INIT:
            a->decrypt_init = OSSL_FUNC_cipher_decrypt_init(d);
            break;
        case OSSL_FUNC_CIPHER_UPDATE:
            a->update = OSSL_FUNC_cipher_update(d);
            break;
        case OSSL_FUNC_CIPHER_FINAL:
            a->final = OSSL_FUNC_cipher_final(d);
            break;
        case OSSL_FUNC_CIPHER_GET_CTX_PARAMS:
            a->get_params = OSSL_FUNC_cipher_get_ctx_params(d);
            break;
        case OSSL_FUNC_CIPHER_SET_CTX_PARAMS:
            a->set_params = OSSL_FUNC_cipher_set_ctx_params(d);
            break;
        default:
            break;
        }
    }
}

static bool find(struct algorithm *a, const char *name)
{
    int unused;
    a->fetched = EVP_CIPHER_fetch(NULL, name, NULL);
    if (!a->fetched)
        return false;
    const OSSL_PROVIDER *p = EVP_CIPHER_get0_provider(a->fetched);
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(p, OSSL_OP_CIPHER, &unused);
    a->provider = OSSL_PROVIDER_get0_provider_ctx(p);
    for (const OSSL_ALGORITHM *at = all; at && at->algorithm_names; at++) {
        const size_t n = strcspn(at->algorithm_names, ":");
        if (n == strlen(name) && strncmp(at->algorithm_names, name, n) == 0)
            take(a, at->implementation);
    }
    OSSL_PROVIDER_unquery_operation(p, OSSL_OP_CIPHER, all);
    return a->newctx && a->freectx && a->encrypt_init && a->decrypt_init && a->update && a->final &&
           a->get_params && a->set_params;
}

static void begin(void)
{
    static const char *const names[KINDS] = { "AES-128-CTR", "AES-256-CTR", "AES-128-GCM",
                                              "AES-256-GCM" };
    ready = pthread_key_create(&contexts_key, contexts_free) == 0;
    for (size_t i = 0; i < KINDS; i++)
        ready &= find(&algorithms[i], names[i]);
}

static enum kind kind_of(const struct cipher *s)
{
    switch (s->as_libsrtp.algorithm) {
    case SRTP_AES_ICM_128:
        return ICM_128;
    case SRTP_AES_ICM_256:
        return ICM_256;
    case SRTP_AES_GCM_128:
        return GCM_128;
    default:
        return GCM_256;
    }
}

static srtp_err_status_t status_of(bool good)
{
    return good ? srtp_err_status_ok : srtp_err_status_cipher_fail;
}

static size_t key_len(enum kind kind)
{
    return kind == ICM_128 || kind == GCM_128 ? 16 : 32;
}

/* Sets the thread's context. The IV is a block of counter mode, or GCM's. */
static bool start(const struct cipher *s, const unsigned char *iv, bool decrypts)
{
    const enum kind kind = kind_of(s);
    const struct algorithm *a = &algorithms[kind];
    const size_t iv_len = kind >= GCM_128 ? GCM_IV : BLOCK;
    struct contexts *c = contexts ? contexts : contexts_new();
    if (!c)
        return false;
    c->of[kind] = s;
    return (decrypts ? a->decrypt_init : a->encrypt_init)(c->ctx[kind], s->key, key_len(kind), iv,
                                                          iv_len, NULL) == 1;
}

/* Between set_iv and the packet's end: libsrtp2 uses one cipher of a kind at a time. */
static void *context_of(const struct cipher *s)
{
    const enum kind kind = kind_of(s);
    assert(contexts && contexts->of[kind] == s);
    return contexts->ctx[kind];
}

/* out NULL: what is authenticated alone. */
static bool update(const struct cipher *s, unsigned char *out, const unsigned char *in, size_t n)
{
    size_t done;
    return algorithms[kind_of(s)].update(context_of(s), out, &done, n, in, n) == 1;
}

static bool final(const struct cipher *s)
{
    unsigned char none[BLOCK];
    size_t done;
    return algorithms[kind_of(s)].final(context_of(s), none, &done, sizeof(none)) == 1;
}

/* Another key takes its place where it was the last one. */
static void forget(const struct cipher *s)
{
    static const unsigned char nothing[32];
    const enum kind kind = kind_of(s);
    if (!contexts || contexts->of[kind] != s)
        return;
    contexts->of[kind] = NULL;
    (void)algorithms[kind].encrypt_init(contexts->ctx[kind], nothing, key_len(kind), NULL, 0, NULL);
}

/* Bytes of key[]: of GCM's salt libsrtp2 takes care itself. */
static size_t kept(const struct cipher *s)
{
    const enum kind kind = kind_of(s);
    return key_len(kind) + (kind >= GCM_128 ? 0 : ICM_SALT);
}

static srtp_err_status_t dealloc(srtp_cipher_t *c)
{
    struct cipher *s = c->state;
    forget(s);
    OPENSSL_cleanse(s->key, kept(s));
    free(s);
    return srtp_err_status_ok;
}

_Thread_local const void *crypt_openssl_first;

static srtp_err_status_t alloc(srtp_cipher_t **out, const srtp_cipher_type_t *type, int key_len,
                               int tag_len)
{
    const struct cipher made = { { .type = type, .key_len = key_len, .algorithm = (int)type->id },
                                 .tag_len = (unsigned char)tag_len };
    struct cipher *s = calloc(1, offsetof(struct cipher, key) + kept(&made));
    *out = s ? &s->as_libsrtp : NULL;
    if (!s)
        return srtp_err_status_alloc_fail;
    memcpy(s, &made, offsetof(struct cipher, key));
    s->as_libsrtp.state = s;
    if (!crypt_openssl_first)
        crypt_openssl_first = s;
    return srtp_err_status_ok;
}

static srtp_err_status_t init(void *state, const uint8_t *key)
{
    struct cipher *s = state;
    memcpy(s->key, key, kept(s));
    return srtp_err_status_ok;
}

/* ---- counter mode (RFC 3711, 4.1.1) ---- */

static srtp_err_status_t icm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    const struct cipher *s = state;
    const unsigned char *salt = s->key + s->as_libsrtp.key_len - ICM_SALT;
    unsigned char counter[BLOCK];
    (void)direction; /* the same both ways */
    memcpy(counter, iv, BLOCK);
    for (size_t i = 0; i < ICM_SALT; i++)
        counter[i] ^= salt[i];
    return status_of(start(s, counter, false));
}

static srtp_err_status_t icm_crypt(void *state, uint8_t *data, unsigned int *n)
{
    return status_of(update(state, data, data, *n));
}

/* ---- Galois/counter mode (RFC 7714) ---- */

static srtp_err_status_t gcm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    return status_of(start(state, iv, direction == srtp_direction_decrypt));
}

static srtp_err_status_t gcm_set_aad(void *state, const uint8_t *aad, uint32_t n)
{
    return status_of(update(state, NULL, aad, n));
}

static srtp_err_status_t gcm_encrypt(void *state, uint8_t *data, unsigned int *n)
{
    return status_of(update(state, data, data, *n) && final(state));
}

static srtp_err_status_t gcm_get_tag(void *state, uint8_t *tag, uint32_t *n)
{
    const struct cipher *s = state;
    OSSL_PARAM params[] = { OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, s->tag_len),
                            OSSL_PARAM_END };
    *n = s->tag_len;
    return status_of(algorithms[kind_of(s)].get_params(context_of(s), params) == 1);
}

/* The tag stands behind the text. */
static srtp_err_status_t gcm_decrypt(void *state, uint8_t *data, unsigned int *n)
{
    const struct cipher *s = state;
    if (*n < s->tag_len)
        return srtp_err_status_bad_param;
    const unsigned text = *n - s->tag_len;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, data + text, s->tag_len), OSSL_PARAM_END
    };
    if (algorithms[kind_of(s)].set_params(context_of(s), params) != 1 ||
        !update(s, data, data, text))
        return srtp_err_status_cipher_fail;
    if (!final(s))
        return srtp_err_status_auth_fail;
    *n = text;
    return srtp_err_status_ok;
}

/* ---- HMAC-SHA1 (RFC 2104) ---- */

struct hmac { /* struct srtp_auth_t.state */
    srtp_auth_t as_libsrtp;
    uint32_t inner[5], outer[5]; /* SHA-1 behind the pads */
};

static _Thread_local SHA_CTX hashing; /* of the packet that the thread is at */

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

/* What is left in data[] of another packet is never looked at: num says that there is nothing. */
static void resume(SHA_CTX *c, const uint32_t h[5])
{
    c->h0 = h[0];
    c->h1 = h[1];
    c->h2 = h[2];
    c->h3 = h[3];
    c->h4 = h[4];
    c->Nl = 8 * SHA_CBLOCK;
    c->Nh = c->num = 0;
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
    const struct hmac *h = state;
    resume(&hashing, h->inner);
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_update(void *state, const uint8_t *data, int n)
{
    (void)state;
    SHA1_Update(&hashing, data, (size_t)n);
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_compute(void *state, const uint8_t *data, int n, int tag_len,
                                      uint8_t *tag)
{
    const struct hmac *h = state;
    uint8_t all[SHA1_LEN];
    if (tag_len > SHA1_LEN)
        return srtp_err_status_bad_param;
    SHA1_Update(&hashing, data, (size_t)n);
    SHA1_Final(all, &hashing);
    resume(&hashing, h->outer);
    SHA1_Update(&hashing, all, sizeof(all));
    SHA1_Final(all, &hashing);
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

#define ALLOC(name)                                                                       \
    static srtp_err_status_t name##_alloc(srtp_cipher_pointer_t *c, int key_len, int tag) \
    {                                                                                     \
        return alloc(c, &name, key_len, tag);                                             \
    }
ALLOC(icm_128)
ALLOC(icm_256)
ALLOC(gcm_128)
ALLOC(gcm_256)

#define ICM(text, test_, id_)                                                         \
    {                                                                                 \
        .dealloc = dealloc, .init = init, .encrypt = icm_crypt, .decrypt = icm_crypt, \
        .set_iv = icm_set_iv, .description = (text), .test_data = &(test_), .id = (id_),
#define GCM(text, test_, id_)                                                             \
    {                                                                                     \
        .dealloc = dealloc, .init = init, .set_aad = gcm_set_aad, .encrypt = gcm_encrypt, \
        .decrypt = gcm_decrypt, .set_iv = gcm_set_iv, .get_tag = gcm_get_tag,             \
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
    if (pthread_once(&once, begin) || !ready)
        return CS_ENOTSUP;
    for (size_t i = 0; i < CS_LEN(types); i++) {
        if (srtp_replace_cipher_type(types[i], types[i]->id) != srtp_err_status_ok)
            return CS_ENOTSUP;
    }
    return srtp_replace_auth_type(&hmac, hmac.id) == srtp_err_status_ok ? 0 : CS_ENOTSUP;
}
