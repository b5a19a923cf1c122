#include "authd/check/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/ct.h"

struct hash {
    struct {
        EVP_MD *md; /* NULL: the library has none (MD5 in FIPS mode) */
        EVP_MD_CTX *ctx;
    } algs[ALG_COUNT];
    char joined[1024]; /* the common case: one update instead of a dozen */
};

static const char *const names[ALG_COUNT] = { "MD5", "SHA2-256", "SHA2-512/256" };

int hash_new(struct hash **out)
{
    struct hash *h = calloc(1, sizeof(*h));
    *out = h;
    if (!h)
        return CS_ENOMEM;
    for (size_t i = 0; i < ALG_COUNT; i++) {
        h->algs[i].md = EVP_MD_fetch(NULL, names[i], NULL);
        h->algs[i].ctx = EVP_MD_CTX_new();
        if (!h->algs[i].ctx) {
            hash_free(out);
            return CS_ENOMEM;
        }
    }
    return 0;
}

void hash_free(struct hash **hp)
{
    struct hash *h = *hp;
    *hp = NULL;
    if (!h)
        return;
    for (size_t i = 0; i < ALG_COUNT; i++) {
        EVP_MD_CTX_free(h->algs[i].ctx);
        EVP_MD_free(h->algs[i].md);
    }
    ct_wipe(h, sizeof(*h));
    free(h);
}

/* All parts in h->joined, or 0 when they are too long for it. */
static size_t join(struct hash *h, const struct span *parts, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n >= sizeof(h->joined) - used)
            return 0;
        if (i > 0)
            h->joined[used++] = ':';
        if (parts[i].n > 0)
            memcpy(h->joined + used, parts[i].p, parts[i].n);
        used += parts[i].n;
        if (used == sizeof(h->joined))
            return 0;
    }
    return used;
}

static bool update(EVP_MD_CTX *ctx, const struct span *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && !EVP_DigestUpdate(ctx, ":", 1))
            return false;
        if (parts[i].n > 0 && !EVP_DigestUpdate(ctx, parts[i].p, parts[i].n))
            return false;
    }
    return true;
}

int hash_joined(struct hash *h, enum algorithm alg, const struct span *parts, size_t n,
                unsigned char out[ALG_MAX_LEN])
{
    if (alg >= ALG_COUNT || !h->algs[alg].md)
        return CS_ENOTSUP;
    EVP_MD_CTX *ctx = h->algs[alg].ctx;
    if (!EVP_DigestInit_ex2(ctx, h->algs[alg].md, NULL))
        return CS_ENOTSUP;
    size_t used = join(h, parts, n);
    bool ok = used > 0 ? EVP_DigestUpdate(ctx, h->joined, used) == 1 : update(ctx, parts, n);
    ct_wipe(h->joined, used);
    return ok && EVP_DigestFinal_ex(ctx, out, NULL) ? 0 : CS_ENOTSUP;
}

void hash_hex(const unsigned char *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

int hash_joined_hex(struct hash *h, enum algorithm alg, const struct span *parts, size_t n,
                    char out[2 * ALG_MAX_LEN])
{
    unsigned char bytes[ALG_MAX_LEN];
    int err = hash_joined(h, alg, parts, n, bytes);
    if (!err)
        hash_hex(bytes, algorithm_len(alg), out);
    ct_wipe(bytes, sizeof(bytes));
    return err;
}
