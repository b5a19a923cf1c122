#include "b2bua/media/crypt.h"

#include <openssl/crypto.h>
#include <srtp2/srtp.h>

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

/* struct crypt is libsrtp2's own, by another name. */
static srtp_t session_of(struct crypt *c)
{
    return (srtp_t)c;
}

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

int crypt_new(const struct crypt_key *key, bool outbound, struct crypt **out)
{
    struct crypt_key copy = *key; /* libsrtp2 wants to write to it */
    srtp_t session;
    srtp_policy_t policy = {
        .ssrc = { .type = outbound ? ssrc_any_outbound : ssrc_any_inbound },
        .key = copy.bytes,
        .window_size = WINDOW,
        .allow_repeat_tx = 1, /* a retransmission of ours is the sender's, passed on */
    };
    suites[key->suite].rtp(&policy.rtp);
    suites[key->suite].rtcp(&policy.rtcp);
    srtp_err_status_t err = srtp_create(&session, &policy);
    OPENSSL_cleanse(&copy, sizeof(copy));
    *out = err == srtp_err_status_ok ? (struct crypt *)session : NULL;
    return *out ? 0 : CS_ENOMEM;
}

void crypt_free(struct crypt **c)
{
    if (!*c)
        return;
    (void)srtp_dealloc(session_of(*c));
    *c = NULL;
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

int crypt_protect(struct crypt *c, char *packet, size_t *n)
{
    int length = (int)*n;
    srtp_err_status_t status = srtp_protect(session_of(c), packet, &length);
    return done(status, length, n);
}

int crypt_unprotect(struct crypt *c, char *packet, size_t *n)
{
    int length = (int)*n;
    srtp_err_status_t status = srtp_unprotect(session_of(c), packet, &length);
    return done(status, length, n);
}

int crypt_protect_rtcp(struct crypt *c, char *packet, size_t *n)
{
    int length = (int)*n;
    srtp_err_status_t status = srtp_protect_rtcp(session_of(c), packet, &length);
    return done(status, length, n);
}

int crypt_unprotect_rtcp(struct crypt *c, char *packet, size_t *n)
{
    int length = (int)*n;
    srtp_err_status_t status = srtp_unprotect_rtcp(session_of(c), packet, &length);
    return done(status, length, n);
}
