#include "authd/token/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "authd/token/json.h"
#include "base/buf.h"

enum { RSA_BYTES_MAX = JWK_RSA_BITS_MAX / 8, EXPONENT_MAX = 8, POINT_MAX = 1 + 2 * 48 };

static const struct curve {
    struct span name;
    const char *group;
    size_t n; /* bytes of a coordinate */
    unsigned algs;
} curves[] = {
    { SPAN_INIT("P-256"), "P-256", 32, JWT_ALG_BIT(JWT_ES256) },
    { SPAN_INIT("P-384"), "P-384", 48, JWT_ALG_BIT(JWT_ES384) },
};

/* A member in base64url, at most cap bytes of it. */
static int bytes_of(const json_t *j, const char *name, unsigned char *out, size_t cap, size_t *n)
{
    struct span text = json_member(j, name);
    if (!text.p || base64url_decode(text, out, cap, n) || *n == 0)
        return CS_EPROTO;
    return 0;
}

static int make_key(const char *type, OSSL_PARAM *params, EVP_PKEY **out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    int ok = ctx && params && EVP_PKEY_fromdata_init(ctx) == 1 &&
             EVP_PKEY_fromdata(ctx, out, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok ? 0 : CS_EPROTO;
}

static int parse_rsa(const json_t *j, struct jwk *out)
{
    unsigned char n[RSA_BYTES_MAX], e[EXPONENT_MAX];
    size_t n_len, e_len;
    if (bytes_of(j, "n", n, sizeof(n), &n_len) || bytes_of(j, "e", e, sizeof(e), &e_len))
        return CS_EPROTO;
    BIGNUM *modulus = BN_bin2bn(n, (int)n_len, NULL), *exponent = BN_bin2bn(e, (int)e_len, NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    int err = CS_EPROTO;
    if (modulus && exponent && b && BN_num_bits(modulus) >= JWK_RSA_BITS_MIN &&
        BN_is_odd(modulus) && BN_is_odd(exponent) && !BN_is_one(exponent) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, modulus) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, exponent)) {
        OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
        err = make_key("RSA", params, &out->pkey);
        OSSL_PARAM_free(params);
    }
    OSSL_PARAM_BLD_free(b);
    BN_free(modulus);
    BN_free(exponent);
    out->algs = JWT_ALG_BIT(JWT_RS256) | JWT_ALG_BIT(JWT_RS384) | JWT_ALG_BIT(JWT_RS512) |
                JWT_ALG_BIT(JWT_PS256);
    return err;
}

/* OpenSSL refuses a point that is not on the curve. */
static int parse_ec(const json_t *j, struct jwk *out)
{
    struct span name = json_member(j, "crv");
    for (size_t i = 0; i < CS_LEN(curves); i++) {
        const struct curve *c = &curves[i];
        unsigned char point[POINT_MAX] = { POINT_CONVERSION_UNCOMPRESSED };
        size_t x, y;
        if (!span_eq(name, c->name))
            continue;
        /* Exactly the length of the field, leading zeros included (RFC 7518, 6.2.1.2). */
        if (bytes_of(j, "x", point + 1, c->n, &x) || x != c->n ||
            bytes_of(j, "y", point + 1 + c->n, c->n, &y) || y != c->n)
            return CS_EPROTO;
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)c->group, 0),
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * c->n),
            OSSL_PARAM_construct_end(),
        };
        out->algs = c->algs;
        return make_key("EC", params, &out->pkey);
    }
    return CS_ENOTSUP;
}

static int parse_okp(const json_t *j, struct jwk *out)
{
    unsigned char x[32];
    size_t n;
    if (!span_eq(json_member(j, "crv"), SPAN("Ed25519")))
        return CS_ENOTSUP;
    if (bytes_of(j, "x", x, sizeof(x), &n) || n != sizeof(x))
        return CS_EPROTO;
    out->algs = JWT_ALG_BIT(JWT_EDDSA);
    out->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x, n);
    return out->pkey ? 0 : CS_EPROTO;
}

/* Whether it is there to verify signatures (RFC 7517, 4.2 and 4.3). */
static bool is_for_signatures(const json_t *j)
{
    const json_t *use = json_object_get(j, "use"), *ops = json_object_get(j, "key_ops"), *op;
    size_t i;
    if (use && !span_eq(json_text(use), SPAN("sig")))
        return false;
    json_array_foreach(ops, i, op)
    {
        if (span_eq(json_text(op), SPAN("verify")))
            return true;
    }
    return ops == NULL;
}

static int identify(struct jwk *k)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(k->pkey, &der);
    bool ok = n > 0 && EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)n, k->id, NULL);
    OPENSSL_free(der);
    return ok ? 0 : CS_ENOMEM;
}

int jwk_parse(const json_t *j, struct arena *a, struct jwk *out)
{
    static const struct {
        struct span kty;
        int (*parse)(const json_t *j, struct jwk *out);
    } types[] = { { SPAN_INIT("RSA"), parse_rsa },
                  { SPAN_INIT("EC"), parse_ec },
                  { SPAN_INIT("OKP"), parse_okp } };
    const struct span kty = json_member(j, "kty"), kid = json_member(j, "kid");
    const json_t *alg = json_object_get(j, "alg");
    int err = CS_ENOTSUP;

    *out = (struct jwk){ 0 };
    if (!kty.p || kid.n > JWK_KID_MAX)
        return CS_EPROTO;
    for (size_t i = 0; i < CS_LEN(types) && is_for_signatures(j); i++) {
        if (span_eq(kty, types[i].kty))
            err = types[i].parse(j, out);
    }
    if (!err && alg) { /* it may narrow what the type allows, never widen it */
        enum jwt_alg only = jwt_alg_of(json_text(alg));
        out->algs &= only == JWT_ALG_UNKNOWN ? 0 : JWT_ALG_BIT(only);
        err = out->algs ? 0 : CS_ENOTSUP;
    }
    if (!err)
        err = identify(out);
    if (!err && kid.p) {
        out->kid = arena_dup(a, kid);
        err = out->kid.p ? 0 : CS_ENOMEM;
    }
    if (err)
        jwk_fini(out);
    return err;
}

void jwk_fini(struct jwk *k)
{
    EVP_PKEY_free(k->pkey);
    *k = (struct jwk){ 0 };
}
