#include "phone_digest.h"

#include <openssl/evp.h>

static const char *const names[] = {
    [DIGEST_MD5] = "MD5",
    [DIGEST_SHA256] = "SHA2-256",
    [DIGEST_SHA512_256] = "SHA2-512/256",
};

static EVP_MD *fetch(enum digest_alg alg)
{
    return alg == DIGEST_UNKNOWN ? NULL : EVP_MD_fetch(NULL, names[alg], NULL);
}

static bool computes(enum digest_alg alg)
{
    EVP_MD *md = fetch(alg);
    EVP_MD_free(md);
    return md != NULL;
}

int phone_digest_choose(const struct sip_msg *response, struct digest_challenge *out)
{
    enum sip_hdr_id id =
        response->status == 407 ? SIP_HDR_PROXY_AUTHENTICATE : SIP_HDR_WWW_AUTHENTICATE;
    unsigned best = 0;
    for (struct sip_values it = sip_values(response, id); sip_next(&it);) {
        struct digest_challenge c;
        if (digest_challenge_parse(it.value, &c) || !computes(c.alg) || (c.qop.p && !c.qop_auth))
            continue;
        if (digest_rank(&c, NULL, 0) > best) {
            best = digest_rank(&c, NULL, 0);
            *out = c;
        }
    }
    return best ? 0 : CS_ENOENT;
}

static int hash(void *arg, enum digest_alg alg, const struct span *parts, size_t n, struct buf *hex)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned raw_n = 0;
    (void)arg;
    EVP_MD *md = fetch(alg);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = md && ctx && EVP_DigestInit_ex2(ctx, md, NULL);
    for (size_t i = 0; i < n; i++) {
        ok = ok && (i == 0 || EVP_DigestUpdate(ctx, ":", 1));
        ok = ok && EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
    }
    ok = ok && EVP_DigestFinal_ex(ctx, raw, &raw_n);
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
    buf_hex(hex, raw, raw_n);
    return ok ? 0 : CS_ENOTSUP;
}

int phone_digest_write(struct buf *b, const struct digest_challenge *c,
                       const struct digest_answer *who)
{
    if (c->qop.p && !c->qop_auth)
        return CS_ENOTSUP;
    return digest_answer_write(b, c, who, hash, NULL);
}
