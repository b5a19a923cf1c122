#include "b2bua/session/keys.h"

#include <stdlib.h>

#include "base/ct.h"
#include "base/rand.h"

static const struct {
    enum sdp_suite sdp;
    enum crypt_suite crypt;
} suites[KEYS_OFFERED] = {
    { SDP_AEAD_AES_256_GCM, CRYPT_AEAD_AES_256_GCM },
    { SDP_AEAD_AES_128_GCM, CRYPT_AEAD_AES_128_GCM },
    { SDP_AES_256_CM_HMAC_SHA1_80, CRYPT_AES_256_CM_HMAC_SHA1_80 },
    { SDP_AES_CM_128_HMAC_SHA1_80, CRYPT_AES_CM_128_HMAC_SHA1_80 },
    { SDP_AES_CM_128_HMAC_SHA1_32, CRYPT_AES_CM_128_HMAC_SHA1_32 },
};

static enum crypt_suite crypt_of(enum sdp_suite s)
{
    for (size_t i = 0; i < CS_LEN(suites); i++) {
        if (suites[i].sdp == s)
            return suites[i].crypt;
    }
    return s == SDP_AES_256_CM_HMAC_SHA1_32 ? CRYPT_AES_256_CM_HMAC_SHA1_32 : CRYPT_NONE;
}

static enum sdp_suite sdp_of(enum crypt_suite c)
{
    for (size_t i = 0; i < CS_LEN(suites); i++) {
        if (suites[i].crypt == c)
            return suites[i].sdp;
    }
    return c == CRYPT_AES_256_CM_HMAC_SHA1_32 ? SDP_AES_256_CM_HMAC_SHA1_32 : SDP_SUITE_UNKNOWN;
}

struct span keys_suite_name(enum crypt_suite s)
{
    return sdp_suite_name(sdp_of(s));
}

static void forget_offered(struct keys *k)
{
    if (k->offered)
        ct_wipe(k->offered, KEYS_OFFERED * sizeof(*k->offered));
    free(k->offered);
    k->offered = NULL;
}

void keys_fini(struct keys *k)
{
    forget_offered(k);
    ct_wipe(k, sizeof(*k));
}

void keys_settled(struct keys *k)
{
    if (k->out.suite != CRYPT_NONE)
        forget_offered(k);
}

void keys_clear(struct keys *k)
{
    ct_wipe(&k->in, sizeof(k->in));
    ct_wipe(&k->out, sizeof(k->out));
    k->tag = 0;
}

void keys_bring(struct keys *k, const struct crypt_key *in, const struct crypt_key *out)
{
    keys_clear(k);
    k->in = *in;
    k->out = *out;
}

static void make(struct crypt_key *k, enum crypt_suite suite)
{
    k->suite = suite;
    rand_bytes(k->bytes, crypt_key_len(suite));
}

static int write_line(struct arena *a, unsigned tag, const struct crypt_key *key,
                      struct sdp_attr *out)
{
    char text[256];
    struct buf b = BUF_INIT(text);
    struct sdp_crypto c = { .tag = tag, .suite = sdp_of(key->suite) };
    c.key_len = crypt_key_len(key->suite);
    memcpy(c.key, key->bytes, c.key_len);
    sdp_crypto_write(&b, &c);
    *out = (struct sdp_attr){ SPAN("crypto"), arena_dup(a, buf_span(&b)) };
    ct_wipe(&c, sizeof(c));
    ct_wipe(text, sizeof(text));
    return buf_ok(&b) && out->value.p ? 0 : CS_ENOMEM;
}

int keys_offer(struct keys *k, struct arena *a, struct sdp_attrs *out)
{
    out->n = 0;
    out->a = arena_alloc(a, KEYS_OFFERED * sizeof(*out->a));
    if (!out->a)
        return CS_ENOMEM;
    if (k->out.suite != CRYPT_NONE) {
        out->n = 1;
        return write_line(a, k->tag, &k->out, &out->a[0]);
    }
    const bool again = k->offered;
    if (!again)
        k->offered = calloc(KEYS_OFFERED, sizeof(*k->offered));
    if (!k->offered)
        return CS_ENOMEM;
    for (unsigned i = 0; i < KEYS_OFFERED; i++) {
        if (!again)
            make(&k->offered[i], suites[i].crypt);
        int err = write_line(a, i + 1, &k->offered[i], &out->a[out->n++]);
        if (err)
            return err;
    }
    k->made = true;
    return 0;
}

static void take(struct crypt_key *key, const struct sdp_crypto *c)
{
    key->suite = crypt_of(c->suite);
    memcpy(key->bytes, c->key, CS_MIN(c->key_len, sizeof(key->bytes)));
}

/* Session parameters, MKIs and several keys are not what we offer, nor take. */
static int next_line(const struct sdp_media *m, size_t *at, struct sdp_crypto *out)
{
    int got;
    do {
        got = sdp_crypto_next(m, at, out);
    } while (got == CS_ENOTSUP || (got == 1 && (out->mki_len || !crypt_of(out->suite))));
    return got;
}

int keys_answered(struct keys *k, const struct sdp_media *m)
{
    struct sdp_crypto c;
    size_t at = 0;
    int err = CS_EPROTO, got = next_line(m, &at, &c);
    if (got == 0)
        return CS_ENOENT;
    if (got == 1 && k->out.suite != CRYPT_NONE && c.tag == k->tag &&
        crypt_of(c.suite) == k->out.suite) {
        take(&k->in, &c);
        err = 0;
    } else if (got == 1 && k->offered && c.tag >= 1 && c.tag <= KEYS_OFFERED &&
               crypt_of(c.suite) == k->offered[c.tag - 1].suite) {
        take(&k->in, &c);
        k->out = k->offered[c.tag - 1];
        k->tag = c.tag;
        err = 0;
    }
    ct_wipe(&c, sizeof(c));
    return err;
}

int keys_accept(struct keys *k, const struct sdp_media *m, struct arena *a, struct sdp_attrs *out)
{
    struct sdp_crypto c;
    size_t at = 0;
    int got = next_line(m, &at, &c);
    if (got != 1)
        return got == 0 ? CS_ENOENT : got;
    if (k->out.suite != crypt_of(c.suite) || k->tag != c.tag)
        make(&k->out, crypt_of(c.suite)); /* else the same as before */
    take(&k->in, &c);
    k->tag = c.tag;
    ct_wipe(&c, sizeof(c));
    out->a = arena_alloc(a, sizeof(*out->a));
    out->n = 1;
    return out->a ? write_line(a, k->tag, &k->out, &out->a[0]) : CS_ENOMEM;
}
