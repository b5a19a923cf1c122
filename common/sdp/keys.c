#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "sdp/sdp.h"

static const struct {
    struct span name;
    size_t key_len;
} suites[SDP_SUITE_COUNT] = {
    [SDP_AES_CM_128_HMAC_SHA1_80] = { SPAN_INIT("AES_CM_128_HMAC_SHA1_80"), 30 },
    [SDP_AES_CM_128_HMAC_SHA1_32] = { SPAN_INIT("AES_CM_128_HMAC_SHA1_32"), 30 },
    [SDP_AES_256_CM_HMAC_SHA1_80] = { SPAN_INIT("AES_256_CM_HMAC_SHA1_80"), 46 },
    [SDP_AES_256_CM_HMAC_SHA1_32] = { SPAN_INIT("AES_256_CM_HMAC_SHA1_32"), 46 },
    [SDP_AEAD_AES_128_GCM] = { SPAN_INIT("AEAD_AES_128_GCM"), 28 },
    [SDP_AEAD_AES_256_GCM] = { SPAN_INIT("AEAD_AES_256_GCM"), 44 },
};

struct span sdp_suite_name(enum sdp_suite s)
{
    return suites[s].name;
}

size_t sdp_suite_key_len(enum sdp_suite s)
{
    return suites[s].key_len;
}

static enum sdp_suite suite_of(struct span name)
{
    for (size_t i = SDP_SUITE_UNKNOWN + 1; i < CS_LEN(suites); i++) {
        if (span_eq(name, suites[i].name))
            return (enum sdp_suite)i;
    }
    return SDP_SUITE_UNKNOWN;
}

bool sdp_is_srtp(enum sdp_proto p)
{
    return p >= SDP_SAVP;
}

/* ---- a=crypto ---- */

static int read_key(struct span text, struct sdp_crypto *c)
{
    unsigned char raw[SDP_KEY_MAX + 3]; /* EVP counts padding as zeros */
    if (text.n % 4 || text.n / 4 * 3 > sizeof(raw) || text.n == 0)
        return CS_EPROTO;
    int n = EVP_DecodeBlock(raw, (const unsigned char *)text.p, (int)text.n);
    size_t padding = text.p[text.n - 1] != '=' ? 0 : text.p[text.n - 2] != '=' ? 1 : 2;
    int err = n < 0 || (size_t)n - padding != c->key_len ? CS_EPROTO : 0;
    if (!err)
        memcpy(c->key, raw, c->key_len);
    OPENSSL_cleanse(raw, sizeof(raw));
    return err;
}

/* "2^20" or "1048576" */
static int read_lifetime(struct span text, uint64_t *out)
{
    uint64_t power;
    if (!span_starts(text, SPAN("2^")))
        return span_u64(text, UINT64_MAX, out);
    if (span_u64(span_skip(text, 2), 48, &power))
        return CS_EPROTO;
    *out = UINT64_C(1) << power;
    return 0;
}

/* "1:4": value and length in bytes */
static int read_mki(struct span text, struct sdp_crypto *c)
{
    uint64_t n;
    struct span value = span_cut(&text, ':');
    if (!text.p || span_u64(value, UINT64_MAX, &c->mki) || span_u64(text, 128, &n) || n == 0)
        return CS_EPROTO;
    c->mki_len = (unsigned)n;
    return n > sizeof(c->mki) ? CS_ENOTSUP : 0;
}

/* inline:KEY[|lifetime][|MKI:length]; several keys are not taken. */
static int read_key_params(struct span text, struct sdp_crypto *c)
{
    static const struct span method = SPAN_INIT("inline:");
    if (span_find(text, ';') >= 0)
        return CS_ENOTSUP;
    if (!span_casestarts(text, method))
        return CS_ENOTSUP;
    text = span_skip(text, method.n);
    int err = read_key(span_cut(&text, '|'), c);
    while (!err && text.p) {
        struct span part = span_cut(&text, '|');
        err = span_find(part, ':') >= 0 ? read_mki(part, c) : read_lifetime(part, &c->lifetime);
    }
    return err;
}

/* tag suite key-params [session-params] (RFC 4568, 9.1). Every session parameter known to the RFC
 * makes the keys weaker or changes how packets look: none is taken. */
static int read_crypto(struct span text, struct sdp_crypto *c)
{
    uint64_t tag;
    struct span number = span_cut(&text, ' '), suite = span_cut(&text, ' ');
    struct span params = span_cut(&text, ' ');
    if (span_u64(number, 999999999, &tag) || !suite.n || !params.n)
        return CS_EPROTO;
    c->tag = (unsigned)tag;
    c->suite = suite_of(suite);
    c->key_len = sdp_suite_key_len(c->suite);
    if (c->suite == SDP_SUITE_UNKNOWN || span_trim(text).n)
        return CS_ENOTSUP;
    return read_key_params(params, c);
}

int sdp_crypto_next(const struct sdp_media *m, size_t *i, struct sdp_crypto *out)
{
    *out = (struct sdp_crypto){ 0 };
    while (*i < m->attrs.n) {
        const struct sdp_attr *a = &m->attrs.a[(*i)++];
        if (!span_eq(a->name, SPAN("crypto")))
            continue;
        int err = read_crypto(a->value, out);
        if (err)
            OPENSSL_cleanse(out, sizeof(*out));
        return err ? err : 1;
    }
    return 0;
}

void sdp_crypto_write(struct buf *b, const struct sdp_crypto *c)
{
    unsigned char text[(SDP_KEY_MAX + 2) / 3 * 4 + 1];
    int n = EVP_EncodeBlock(text, c->key, (int)c->key_len);
    buf_u64(b, c->tag);
    buf_putc(b, ' ');
    buf_put(b, sdp_suite_name(c->suite));
    buf_lit(b, " inline:");
    buf_put(b, span_of((const char *)text, (size_t)n));
    OPENSSL_cleanse(text, sizeof(text));
    if (c->lifetime) {
        buf_putc(b, '|');
        buf_u64(b, c->lifetime);
    }
    if (c->mki_len) {
        buf_putc(b, '|');
        buf_u64(b, c->mki);
        buf_putc(b, ':');
        buf_u64(b, c->mki_len);
    }
}

/* ---- fingerprints ---- */

static size_t hash_len(struct span name)
{
    return span_caseeq(name, SPAN("sha-256"))   ? 32
           : span_caseeq(name, SPAN("sha-384")) ? 48
           : span_caseeq(name, SPAN("sha-512")) ? 64
                                                : 0;
}

/* sha-256 AB:CD:... */
static int read_fingerprint(struct span text, struct sdp_fingerprint *f)
{
    f->hash = span_cut(&text, ' ');
    f->n = hash_len(f->hash);
    if (!f->hash.n || !text.n)
        return CS_EPROTO;
    if (f->n == 0)
        return CS_ENOTSUP;
    if (text.n != f->n * 3 - 1)
        return CS_EPROTO;
    for (size_t i = 0; i < f->n; i++) {
        if (hex_decode(span_of(text.p + 3 * i, 2), &f->bytes[i], 1) ||
            (i + 1 < f->n && text.p[3 * i + 2] != ':'))
            return CS_EPROTO;
    }
    return 0;
}

int sdp_fingerprint_of(const struct sdp *s, const struct sdp_media *m, struct sdp_fingerprint *out)
{
    const struct sdp_attr *a = sdp_attr_of(s, m, SPAN("fingerprint"));
    struct sdp_fingerprint f = { 0 };
    *out = f;
    if (!a)
        return CS_ENOENT;
    int err = read_fingerprint(a->value, &f);
    if (!err)
        *out = f;
    return err;
}

void sdp_fingerprint_write(struct buf *b, const struct sdp_fingerprint *f)
{
    buf_put(b, f->hash);
    for (size_t i = 0; i < f->n; i++) {
        buf_putc(b, i ? ':' : ' ');
        buf_putc(b, "0123456789ABCDEF"[f->bytes[i] >> 4]);
        buf_putc(b, "0123456789ABCDEF"[f->bytes[i] & 15]);
    }
}

static const struct span setups[] = {
    [SDP_SETUP_NONE] = SPAN_INIT(""),       [SDP_ACTPASS] = SPAN_INIT("actpass"),
    [SDP_ACTIVE] = SPAN_INIT("active"),     [SDP_PASSIVE] = SPAN_INIT("passive"),
    [SDP_HOLDCONN] = SPAN_INIT("holdconn"),
};

enum sdp_setup sdp_setup_of(const struct sdp *s, const struct sdp_media *m)
{
    const struct sdp_attr *a = sdp_attr_of(s, m, SPAN("setup"));
    for (size_t i = SDP_ACTPASS; a && i < CS_LEN(setups); i++) {
        if (span_caseeq(a->value, setups[i]))
            return (enum sdp_setup)i;
    }
    return SDP_SETUP_NONE;
}

struct span sdp_setup_name(enum sdp_setup s)
{
    return setups[s];
}

/* ---- is it encrypted? ---- */

static bool has_key(const struct sdp *s, const struct sdp_media *m)
{
    struct sdp_fingerprint f;
    struct sdp_crypto c;
    bool found = false;
    if (sdp_fingerprint_of(s, m, &f) == 0)
        return true;
    for (size_t i = 0; !found && i < m->attrs.n;)
        found = sdp_crypto_next(m, &i, &c) == 1;
    OPENSSL_cleanse(&c, sizeof(c));
    return found;
}

bool sdp_is_encrypted(const struct sdp *s)
{
    for (size_t i = 0; i < s->n_media; i++) {
        const struct sdp_media *m = &s->media[i];
        if (m->port && !(sdp_is_srtp(m->proto) && has_key(s, m)))
            return false;
    }
    return true;
}
