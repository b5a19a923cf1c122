#include "b2bua/media/crypt.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <srtp2/srtp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "b2bua/media/crypt_openssl.h"
#include "base/log.h"

/* Packets that may come late by so many are still told from those seen before: two and a half
 * seconds of 20 ms each. */
enum { WINDOW = 128 };

static const struct {
    size_t key_len;
    void (*rtp)(srtp_crypto_policy_t *);
    void (*rtcp)(srtp_crypto_policy_t *); /* a tag of 80 bits always (RFC 4568, 6.2.2) */
} suites[CRYPT_SUITE_COUNT] = {
    [CRYPT_AES_CM_128_HMAC_SHA1_32] = { 30, srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
                                        srtp_crypto_policy_set_rtp_default },
    [CRYPT_AES_CM_128_HMAC_SHA1_80] = { 30, srtp_crypto_policy_set_rtp_default,
                                        srtp_crypto_policy_set_rtp_default },
    [CRYPT_AES_256_CM_HMAC_SHA1_32] = { 46, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
                                        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
    [CRYPT_AES_256_CM_HMAC_SHA1_80] = { 46, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
                                        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
    [CRYPT_AEAD_AES_128_GCM] = { 28, srtp_crypto_policy_set_aes_gcm_128_16_auth,
                                 srtp_crypto_policy_set_aes_gcm_128_16_auth },
    [CRYPT_AEAD_AES_256_GCM] = { 44, srtp_crypto_policy_set_aes_gcm_256_16_auth,
                                 srtp_crypto_policy_set_aes_gcm_256_16_auth },
};

/* Each SSRC is given to libsrtp2 when it is first seen. Under a policy for any of them it would
 * keep a stream that no packet is of, and take as many more as a peer cares to invent. */
struct crypt {
    srtp_t session;
    unsigned n;
    uint32_t last;  /* SSRC that was seen, of those n */
    uintptr_t near; /* where something of the stream is that was made last; 0: none was */
    struct crypt_key key;
};

int crypt_setup(void)
{
    srtp_err_status_t status = srtp_init();
    if (status != srtp_err_status_ok)
        log_error(&(struct log){ .module = "media" },
                  "libsrtp2 does not start; are the libraries there that it opens (NSS: softokn3, "
                  "freebl3)?",
                  kv_i("status", status));
    return status == srtp_err_status_ok ? crypt_openssl_plug() : CS_ENOTSUP;
}

size_t crypt_key_len(enum crypt_suite s)
{
    return suites[s].key_len;
}

bool crypt_key_eq(const struct crypt_key *a, const struct crypt_key *b)
{
    return a->suite == b->suite && CRYPTO_memcmp(a->bytes, b->bytes, crypt_key_len(a->suite)) == 0;
}

int crypt_new(const struct crypt_key *key, struct crypt **out)
{
    struct crypt *c = *out = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    c->key = *key;
    if (srtp_create(&c->session, NULL) == srtp_err_status_ok)
        return 0;
    c->session = NULL;
    crypt_free(out);
    return CS_ENOMEM;
}

void crypt_free(struct crypt **cp)
{
    struct crypt *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    if (c->session)
        (void)srtp_dealloc(c->session);
    OPENSSL_cleanse(&c->key, sizeof(c->key));
    free(c);
}

const struct crypt_key *crypt_key_of(const struct crypt *c)
{
    return &c->key;
}

/* ---- streams ---- */

static int add_stream(struct crypt *c, uint32_t ssrc)
{
    srtp_policy_t policy = {
        .ssrc = { .type = ssrc_specific, .value = ssrc },
        .key = c->key.bytes,
        .window_size = WINDOW,
        .allow_repeat_tx = 1, /* a retransmission of ours is the sender's, passed on */
    };
    if (c->n == CRYPT_SSRC_MAX)
        return CS_ELIMIT;
    suites[c->key.suite].rtp(&policy.rtp);
    suites[c->key.suite].rtcp(&policy.rtcp);
    crypt_openssl_first = NULL;
    if (srtp_add_stream(c->session, &policy) != srtp_err_status_ok)
        return CS_ENOMEM;
    c->n++;
    return 0;
}

/* libsrtp2 allocates a stream, its keys, its ciphers and its window in a row. Where they happen to
 * be elsewhere, memory is asked for in vain. */
void crypt_soon(const struct crypt *c)
{
    enum { BEFORE = 256, BEHIND = 384, LINE = 64 };
    for (uintptr_t i = 0; c->near && i < BEFORE + BEHIND; i += LINE)
        __builtin_prefetch((const void *)(c->near - BEFORE + i));
}

static bool has_stream(struct crypt *c, uint32_t ssrc)
{
    uint32_t roc;
    return (c->n && ssrc == c->last) ||
           srtp_get_stream_roc(c->session, ssrc, &roc) == srtp_err_status_ok;
}

static void remove_stream(struct crypt *c, uint32_t ssrc)
{
    (void)srtp_remove_stream(c->session, htonl(ssrc));
    c->n--;
}

static int done(srtp_err_status_t status, int length, size_t *n)
{
    switch (status) {
    case srtp_err_status_ok:
        *n = (size_t)length;
        return 0;
    case srtp_err_status_key_expired:
        return CS_ELIMIT;
    case srtp_err_status_auth_fail:
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return CS_EDENIED;
    default:
        return CS_EPROTO;
    }
}

typedef srtp_err_status_t transform(srtp_t session, void *packet, int *n);
enum { RTP_SSRC = 8, RTCP_SSRC = 4 }; /* where it stands */

static int apply(struct crypt *c, transform *t, char *packet, size_t *n, size_t at)
{
    int length = (int)*n;
    uint32_t ssrc;
    if (*n < at + sizeof(ssrc))
        return CS_EPROTO;
    memcpy(&ssrc, packet + at, sizeof(ssrc));
    ssrc = ntohl(ssrc);
    const bool known = has_stream(c, ssrc);
    int err = known ? 0 : add_stream(c, ssrc);
    if (err)
        return err;
    srtp_err_status_t status = t(c->session, packet, &length);
    err = done(status, length, n);
    if (err && !known) /* nothing proved that there is one */
        remove_stream(c, ssrc);
    if (err)
        return err;
    c->last = ssrc;
    if (!known)
        c->near = (uintptr_t)crypt_openssl_first;
    return 0;
}

int crypt_protect(struct crypt *c, char *packet, size_t *n)
{
    return apply(c, srtp_protect, packet, n, RTP_SSRC);
}

int crypt_unprotect(struct crypt *c, char *packet, size_t *n)
{
    return apply(c, srtp_unprotect, packet, n, RTP_SSRC);
}

int crypt_protect_rtcp(struct crypt *c, char *packet, size_t *n)
{
    return apply(c, srtp_protect_rtcp, packet, n, RTCP_SSRC);
}

int crypt_unprotect_rtcp(struct crypt *c, char *packet, size_t *n)
{
    return apply(c, srtp_unprotect_rtcp, packet, n, RTCP_SSRC);
}
