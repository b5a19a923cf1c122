#include "phone_digest.h"

#include <openssl/evp.h>

#include "base/ct.h"
#include "sip/scan.h"

enum { HASH_MAX = 32, HEX_MAX = 2 * HASH_MAX, TEXT_MAX = 1024 };

static const struct {
    const char *openssl;
    unsigned strength;
} algorithms[] = {
    [DIGEST_MD5] = { "MD5", 1 },
    [DIGEST_SHA256] = { "SHA2-256", 2 },
    [DIGEST_SHA512_256] = { "SHA2-512/256", 3 },
};

static EVP_MD *fetch(enum digest_alg alg)
{
    return alg == DIGEST_UNKNOWN ? NULL : EVP_MD_fetch(NULL, algorithms[alg].openssl, NULL);
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
        if (algorithms[c.alg].strength > best) {
            best = algorithms[c.alg].strength;
            *out = c;
        }
    }
    return best ? 0 : CS_ENOENT;
}

/* The hash of parts joined by colons, in hexadecimal. Absent when anything failed. */
static struct span hash(const EVP_MD *md, const struct span *parts, size_t n, char out[HEX_MAX])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned raw_n = 0;
    struct buf hex = buf_of(out, HEX_MAX);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex2(ctx, md, NULL);
    for (size_t i = 0; i < n; i++) {
        ok = ok && (i == 0 || EVP_DigestUpdate(ctx, ":", 1));
        ok = ok && EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
    }
    ok = ok && EVP_DigestFinal_ex(ctx, raw, &raw_n);
    EVP_MD_CTX_free(ctx);
    buf_hex(&hex, raw, raw_n);
    return ok && buf_ok(&hex) ? buf_span(&hex) : SPAN_NULL;
}

#define HASH(md, out, ...)                           \
    hash((md), (const struct span[]){ __VA_ARGS__ }, \
         sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span), (out))

/* response of RFC 7616, 3.4.1. qop absent: the form of RFC 2069. */
static struct span respond(const EVP_MD *md, const struct digest_challenge *c,
                           const struct credentials *who, struct span nc, struct span qop,
                           char out[HEX_MAX])
{
    char realm_text[TEXT_MAX], nonce_text[TEXT_MAX], ha1_text[HEX_MAX], ha2_text[HEX_MAX];
    struct buf realm = BUF_INIT(realm_text), nonce = BUF_INIT(nonce_text);
    sip_unquote(&realm, c->realm); /* what stands in quotes is hashed without its escapes */
    sip_unquote(&nonce, c->nonce);
    if (!buf_ok(&realm) || !buf_ok(&nonce))
        return SPAN_NULL;
    struct span ha1 = HASH(md, ha1_text, who->user, buf_span(&realm), who->password);
    struct span response = SPAN_NULL;
    if (c->sess && ha1.p)
        ha1 = HASH(md, ha1_text, ha1, buf_span(&nonce), who->cnonce);
    struct span ha2 = HASH(md, ha2_text, who->method, who->uri);
    if (ha1.p && ha2.p && qop.p)
        response = HASH(md, out, ha1, buf_span(&nonce), nc, who->cnonce, qop, ha2);
    else if (ha1.p && ha2.p)
        response = HASH(md, out, ha1, buf_span(&nonce), ha2);
    ct_wipe(ha1_text, sizeof(ha1_text));
    return response;
}

static void put_quoted(struct buf *b, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_putc(b, '\\');
        buf_putc(b, s.p[i]);
    }
}

int phone_digest_write(struct buf *b, const struct digest_challenge *c,
                       const struct credentials *who)
{
    char response_text[HEX_MAX], nc_text[9];
    struct buf nc = BUF_INIT(nc_text);
    struct span qop = c->qop_auth ? SPAN("auth") : SPAN_NULL;
    if (c->qop.p && !qop.p)
        return CS_ENOTSUP;
    EVP_MD *md = fetch(c->alg);
    buf_printf(&nc, "%08x", who->nc);
    struct span response = md ? respond(md, c, who, buf_span(&nc), qop, response_text) : SPAN_NULL;
    EVP_MD_free(md);
    if (!response.p)
        return CS_ENOTSUP;
    buf_lit(b, "Digest username=\"");
    put_quoted(b, who->user);
    buf_lit(b, "\", realm=\"");
    buf_put(b, c->realm); /* as it came, escapes and all */
    buf_lit(b, "\", nonce=\"");
    buf_put(b, c->nonce);
    buf_lit(b, "\", uri=\"");
    buf_put(b, who->uri);
    buf_lit(b, "\", response=\"");
    buf_put(b, response);
    buf_putc(b, '"');
    if (c->algorithm.p) {
        buf_lit(b, ", algorithm=");
        buf_put(b, digest_alg_name(c->alg, c->sess));
    }
    if (qop.p || c->sess) {
        buf_lit(b, ", cnonce=\"");
        buf_put(b, who->cnonce);
        buf_putc(b, '"');
    }
    if (qop.p) {
        buf_lit(b, ", qop=auth, nc=");
        buf_put(b, buf_span(&nc));
    }
    if (c->opaque.p) {
        buf_lit(b, ", opaque=\"");
        buf_put(b, c->opaque);
        buf_putc(b, '"');
    }
    return buf_ok(b) ? 0 : CS_ELIMIT;
}
