#include "base/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct hmac {
    EVP_MAC_CTX *ctx;
};

static EVP_MAC_CTX *new_ctx(void)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* the context keeps its own reference */
    return ctx;
}

int hmac_new(struct span key, struct hmac **out)
{
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    struct hmac *h = malloc(sizeof(*h));
    *out = h;
    if (!h)
        return CS_ENOMEM;
    h->ctx = new_ctx();
    if (h->ctx && EVP_MAC_init(h->ctx, (const unsigned char *)key.p, key.n, params))
        return 0;
    hmac_free(out);
    return CS_ENOTSUP;
}

void hmac_free(struct hmac **hp)
{
    struct hmac *h = *hp;
    *hp = NULL;
    if (!h)
        return;
    EVP_MAC_CTX_free(h->ctx);
    free(h);
}

/* Without a key EVP_MAC_init() starts again with the one it has. */
int hmac_of(struct hmac *h, const struct span *parts, size_t n, unsigned char out[HMAC_LEN])
{
    size_t len;
    bool ok = EVP_MAC_init(h->ctx, NULL, 0, NULL);
    for (size_t i = 0; ok && i < n; i++)
        ok = EVP_MAC_update(h->ctx, (const unsigned char *)parts[i].p, parts[i].n);
    return ok && EVP_MAC_final(h->ctx, out, &len, HMAC_LEN) ? 0 : CS_ENOTSUP;
}
