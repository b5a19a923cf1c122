#include "authd/token/jwt.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "authd/token/json.h"
#include "base/buf.h"

/* ---- reading ---- */

static json_t *part_of(struct span text)
{
    unsigned char bytes[JWT_MAX];
    size_t n;
    if (base64url_decode(text, bytes, sizeof(bytes), &n))
        return NULL;
    return json_read_object(span_of(bytes, n));
}

/* Media types are compared without regard to case, "application/" is left out (RFC 7515, 4.1.9). */
static bool is_known_type(const json_t *typ)
{
    struct span text = json_text(typ);
    if (!typ)
        return true;
    if (span_casestarts(text, SPAN("application/")))
        text = span_skip(text, sizeof("application/") - 1);
    return span_caseeq(text, SPAN("JWT")) || span_caseeq(text, SPAN("at+jwt"));
}

static int read_header(struct jwt *t)
{
    const json_t *kid = json_object_get(t->header, "kid");
    if (!json_is_string(json_object_get(t->header, "alg")) || (kid && !json_is_string(kid)) ||
        json_string_length(kid) > JWK_KID_MAX)
        return CS_EPROTO;
    t->alg = jwt_alg_of(json_member(t->header, "alg"));
    t->kid = json_text(kid);
    /* We know no extension, so whichever it names must be refused (RFC 7515, 4.1.11). */
    if (json_object_get(t->header, "crit") || !is_known_type(json_object_get(t->header, "typ")))
        return CS_ENOTSUP;
    return 0;
}

int jwt_parse(struct span text, struct jwt *out)
{
    struct span rest = text;
    const struct span header = span_cut(&rest, '.'), payload = span_cut(&rest, '.');
    *out = (struct jwt){ .alg = JWT_ALG_UNKNOWN };
    if (text.n > JWT_MAX || !rest.p || !header.n || !payload.n ||
        base64url_decode(rest, out->signature, sizeof(out->signature), &out->n_signature))
        return CS_EPROTO;
    out->signed_text = span_of(text.p, header.n + 1 + payload.n);
    out->header = part_of(header);
    out->claims = part_of(payload);
    int err = out->header && out->claims ? read_header(out) : CS_EPROTO;
    if (err)
        jwt_fini(out);
    return err;
}

void jwt_fini(struct jwt *t)
{
    json_decref(t->header);
    json_decref(t->claims);
    t->header = t->claims = NULL;
    t->kid = SPAN_NULL;
}

/* ---- the signature ---- */

/* r and s of fixed length, side by side (RFC 7518, 3.4), to the DER that OpenSSL reads. */
enum { DER_MAX = 2 + 2 * (2 + 1 + 48) + 1 };

static void put_integer(struct buf *b, struct span bytes)
{
    while (bytes.n > 1 && bytes.p[0] == 0)
        bytes = span_skip(bytes, 1);
    const bool pad = (unsigned char)bytes.p[0] & 0x80; /* else it would be negative */
    buf_putc(b, 0x02);
    buf_putc(b, (char)(bytes.n + pad));
    if (pad)
        buf_putc(b, 0);
    buf_put(b, bytes);
}

static int der_of(const struct jwt *t, size_t half, struct buf *out)
{
    char space[DER_MAX];
    struct buf b = BUF_INIT(space);
    if (t->n_signature != 2 * half)
        return CS_EPROTO;
    put_integer(&b, span_of(t->signature, half));
    put_integer(&b, span_of(t->signature + half, half));
    buf_putc(out, 0x30);
    buf_putc(out, (char)b.n); /* below 128: one byte says it */
    buf_put(out, buf_span(&b));
    return buf_ok(&b) && buf_ok(out) ? 0 : CS_EPROTO;
}

static bool set_padding(EVP_PKEY_CTX *ctx, enum jwt_alg alg)
{
    if (alg != JWT_PS256)
        return true;
    /* The salt is as long as the hash (RFC 7518, 3.5). */
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

int jwt_verify(const struct jwt *t, const struct jwk *k)
{
    char space[DER_MAX];
    struct buf der = BUF_INIT(space);
    struct span signature = span_of(t->signature, t->n_signature);
    if (t->alg == JWT_ALG_UNKNOWN || !(k->algs & JWT_ALG_BIT(t->alg)))
        return CS_EDENIED;
    if (t->alg == JWT_ES256 || t->alg == JWT_ES384) {
        if (der_of(t, t->alg == JWT_ES256 ? 32 : 48, &der))
            return CS_EDENIED;
        signature = buf_span(&der);
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool ok = ctx && EVP_DigestVerifyInit_ex(ctx, &pctx, jwt_alg_md(t->alg), NULL, NULL, k->pkey,
                                             NULL) == 1;
    ok = ok && set_padding(pctx, t->alg) &&
         EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                          (const unsigned char *)t->signed_text.p, t->signed_text.n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok ? 0 : CS_EDENIED;
}
