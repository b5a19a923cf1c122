#include "lib/token.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* ---- memory ---- */

static struct kept {
    struct kept *next;
    char text[];
} * all;

static void release(void)
{
    for (struct kept *k; (k = all);) {
        all = k->next;
        free(k);
    }
}

static char *room(size_t n)
{
    struct kept *k = malloc(sizeof(*k) + n + 1);
    assert(k);
    if (!all)
        atexit(release);
    k->next = all;
    all = k;
    k->text[n] = '\0';
    return k->text;
}

const char *token_base64url(const void *data, size_t n)
{
    char *text = room(n * 4 / 3 + 4);
    struct buf b = buf_of(text, n * 4 / 3 + 4);
    buf_base64url(&b, data, n);
    assert(buf_ok(&b));
    text[b.n] = '\0';
    return text;
}

/* ---- keys ---- */

static EVP_PKEY *keys[TOKEN_KEYS];

static void free_keys(void)
{
    for (size_t i = 0; i < TOKEN_KEYS; i++)
        EVP_PKEY_free(keys[i]);
}

EVP_PKEY *token_key(enum token_key k)
{
    static bool begun;
    if (!begun)
        atexit(free_keys);
    begun = true;
    if (!keys[k])
        keys[k] = k == TOKEN_P256      ? EVP_EC_gen("P-256")
                  : k == TOKEN_P384    ? EVP_EC_gen("P-384")
                  : k == TOKEN_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                       : EVP_RSA_gen(2048);
    assert(keys[k]);
    return keys[k];
}

static const char *number(EVP_PKEY *key, const char *name, int n)
{
    unsigned char bytes[512];
    BIGNUM *b = NULL;
    assert(EVP_PKEY_get_bn_param(key, name, &b));
    int len = n ? n : BN_num_bytes(b);
    assert(BN_bn2binpad(b, bytes, len) == len);
    BN_free(b);
    return token_base64url(bytes, (size_t)len);
}

const char *token_jwk(enum token_key k, const char *more)
{
    EVP_PKEY *key = token_key(k);
    char *text = room(1024);
    struct buf b = buf_of(text, 1024);
    unsigned char raw[32];
    size_t n = sizeof(raw);
    switch (k) {
    case TOKEN_P256:
    case TOKEN_P384:
        buf_printf(&b, "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}",
                   k == TOKEN_P256 ? "P-256" : "P-384",
                   number(key, OSSL_PKEY_PARAM_EC_PUB_X, k == TOKEN_P256 ? 32 : 48),
                   number(key, OSSL_PKEY_PARAM_EC_PUB_Y, k == TOKEN_P256 ? 32 : 48), more);
        break;
    case TOKEN_ED25519:
        assert(EVP_PKEY_get_raw_public_key(key, raw, &n));
        buf_printf(&b, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s}",
                   token_base64url(raw, n), more);
        break;
    default:
        buf_printf(&b, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}",
                   number(key, OSSL_PKEY_PARAM_RSA_N, 0), number(key, OSSL_PKEY_PARAM_RSA_E, 0),
                   more);
    }
    assert(buf_ok(&b));
    text[b.n] = '\0';
    return text;
}

/* ---- signatures ---- */

static size_t hmac_with_public_half(EVP_PKEY *key, const char *text, unsigned char out[512])
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    unsigned n = 0;
    assert(bio && PEM_write_bio_PUBKEY(bio, key));
    long len = BIO_get_mem_data(bio, &pem);
    assert(HMAC(EVP_sha256(), pem, (int)len, (const unsigned char *)text, strlen(text), out, &n));
    BIO_free(bio);
    return n;
}

/* DER to r and s side by side. */
static size_t side_by_side(unsigned char *out, size_t n, int half)
{
    const unsigned char *p = out;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    unsigned char both[96];
    assert(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), both, half) == half &&
           BN_bn2binpad(ECDSA_SIG_get0_s(sig), both + half, half) == half);
    ECDSA_SIG_free(sig);
    memcpy(out, both, 2 * (size_t)half);
    return 2 * (size_t)half;
}

static size_t sign(EVP_PKEY *key, const char *alg, const char *text, unsigned char out[512])
{
    const char *md = strcmp(alg, "EdDSA") == 0 ? NULL
                     : strstr(alg, "384")      ? "SHA384"
                     : strstr(alg, "512")      ? "SHA512"
                                               : "SHA256";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    size_t n = 512;
    assert(ctx && EVP_DigestSignInit_ex(ctx, &pctx, md, NULL, NULL, key, NULL) == 1);
    if (alg[0] == 'P')
        assert(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1);
    assert(EVP_DigestSign(ctx, out, &n, (const unsigned char *)text, strlen(text)) == 1);
    EVP_MD_CTX_free(ctx);
    return strncmp(alg, "ES", 2) == 0 ? side_by_side(out, n, alg[2] == '2' ? 32 : 48) : n;
}

const char *token_sign(enum token_key k, const char *alg, const char *header, const char *claims)
{
    const char *head = token_base64url(header, strlen(header));
    const char *body = token_base64url(claims, strlen(claims));
    size_t n = strlen(head) + strlen(body) + 1024;
    char *text = room(n);
    unsigned char signature[512];
    snprintf(text, n, "%s.%s", head, body);
    size_t len = strcmp(alg, "none") == 0    ? 0
                 : strcmp(alg, "HS256") == 0 ? hmac_with_public_half(token_key(k), text, signature)
                                             : sign(token_key(k), alg, text, signature);
    strcat(text, ".");
    strcat(text, token_base64url(signature, len));
    return text;
}
