#include "hash.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/buf.h"

struct hash {
    struct span name;
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

static const struct {
    struct span name;
    const char *openssl;
} algorithms[] = {
    { SPAN_INIT("MD5"), "MD5" },
    { SPAN_INIT("SHA-256"), "SHA2-256" },
};

struct hash *hash_new(struct span algorithm)
{
    for (size_t i = 0; i < CS_LEN(algorithms); i++) {
        if (!span_caseeq(algorithm, algorithms[i].name))
            continue;
        struct hash *h = calloc(1, sizeof(*h));
        assert(h);
        h->name = algorithms[i].name;
        h->md = EVP_MD_fetch(NULL, algorithms[i].openssl, NULL);
        h->ctx = EVP_MD_CTX_new();
        assert(h->md && h->ctx && EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1);
        return h;
    }
    return NULL;
}

void hash_free(struct hash **h)
{
    if (!*h)
        return;
    EVP_MD_CTX_free((*h)->ctx);
    EVP_MD_free((*h)->md);
    free(*h);
    *h = NULL;
}

struct span hash_name(const struct hash *h)
{
    return h->name;
}

void hash_join(struct hash *h, const struct span *parts, size_t n, char out[HASH_HEX])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned raw_n = 0;
    struct buf hex = buf_of(out, HASH_HEX - 1);
    int ok = EVP_DigestInit_ex2(h->ctx, NULL, NULL); /* the algorithm it has already */
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            ok &= EVP_DigestUpdate(h->ctx, ":", 1);
        ok &= EVP_DigestUpdate(h->ctx, parts[i].p, parts[i].n);
    }
    ok &= EVP_DigestFinal_ex(h->ctx, raw, &raw_n);
    buf_hex(&hex, raw, raw_n);
    assert(ok == 1 && buf_ok(&hex));
    out[hex.n] = '\0';
}
