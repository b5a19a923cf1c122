#include "b2bua/media/dtls.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/ct.h"
#include "base/util.h"

enum {
    MTU = 1200,                /* what passes anywhere, TURN and IPv6 included */
    FIRST_TIMEOUT_US = 250000, /* who answers is near: by STUN, or as signalled a moment ago */
    LAST_TIMEOUT_US = 4000000,
    CERTIFICATE_SECONDS = 365 * 24 * 3600,
};

struct dtls_identity {
    SSL_CTX *ctx;
    unsigned char fingerprint[DTLS_SHA256];
};

struct dtls {
    SSL *ssl;
    struct dtls_conf conf;
    enum dtls_state state;
    struct span datagram; /* that came; p NULL: was read */
    dtls_send_fn *send;
    void *arg;
};

static const struct {
    unsigned long profile;
    enum crypt_suite suite;
    size_t key, salt;
} suites[] = {
    { SRTP_AEAD_AES_256_GCM, CRYPT_AEAD_AES_256_GCM, 32, 12 },
    { SRTP_AEAD_AES_128_GCM, CRYPT_AEAD_AES_128_GCM, 16, 12 },
    { SRTP_AES128_CM_SHA1_80, CRYPT_AES_CM_128_HMAC_SHA1_80, 16, 14 },
};
static const char profiles[] = "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";

/* ---- datagrams: one write is one, and so is one read ---- */

static int bio_write(BIO *b, const char *p, int n)
{
    struct dtls *d = BIO_get_data(b);
    if (n > 0 && d->send)
        d->send(d->arg, p, (size_t)n);
    return n;
}

static int bio_read(BIO *b, char *p, int n)
{
    struct dtls *d = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (!d->datagram.p) {
        BIO_set_retry_read(b);
        return -1;
    }
    const size_t take = CS_MIN(d->datagram.n, (size_t)n);
    memcpy(p, d->datagram.p, take);
    d->datagram = SPAN_NULL;
    return (int)take;
}

static long bio_ctrl(BIO *b, int command, long n, void *p)
{
    (void)b;
    (void)n;
    (void)p;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return MTU;
    default:
        return 0;
    }
}

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static BIO_METHOD *datagrams; /* of the process; NULL: no memory */

static void make_datagrams(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
    if (m && BIO_meth_set_write(m, bio_write) && BIO_meth_set_read(m, bio_read) &&
        BIO_meth_set_ctrl(m, bio_ctrl))
        datagrams = m;
    else
        BIO_meth_free(m);
}

/* ---- who we are, and who the other is ---- */

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    uint64_t serial;
    if (x && RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 && X509_set_version(x, 2) &&
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) &&
        X509_gmtime_adj(X509_getm_notBefore(x), -24 * 3600) &&
        X509_gmtime_adj(X509_getm_notAfter(x), CERTIFICATE_SECONDS) && X509_set_pubkey(x, key) &&
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                   (const unsigned char *)"media", -1, -1, 0) &&
        X509_set_issuer_name(x, X509_get_subject_name(x)) && X509_sign(x, key, EVP_sha256()))
        return x;
    X509_free(x);
    return NULL;
}

static const EVP_MD *hash_of(size_t n)
{
    return n == 32 ? EVP_sha256() : n == 48 ? EVP_sha384() : n == 64 ? EVP_sha512() : NULL;
}

/* The certificate's chain, dates and names say nothing: it is the one that was told, or not. */
static int verify(X509_STORE_CTX *store, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct dtls *d = SSL_get_app_data(ssl);
    unsigned char got[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    (void)arg;
    const EVP_MD *hash = hash_of(d->conf.n);
    if (hash && X509_digest(X509_STORE_CTX_get0_cert(store), hash, got, &n) &&
        ct_eq(span_of(got, n), span_of(d->conf.fingerprint, d->conf.n)))
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static bool prepare(SSL_CTX *ctx, X509 *x, EVP_PKEY *key)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
    return SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1 &&
           SSL_CTX_set_tlsext_use_srtp(ctx, profiles) == 0 && /* which says 0 for success */
           SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;
}

int dtls_identity_new(struct dtls_identity **out)
{
    struct dtls_identity *i = *out = calloc(1, sizeof(*i));
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = key ? make_certificate(key) : NULL;
    unsigned n = 0;
    if (i)
        i->ctx = SSL_CTX_new(DTLS_method());
    bool good = i && x && i->ctx && CRYPTO_THREAD_run_once(&once, make_datagrams) && datagrams &&
                prepare(i->ctx, x, key) && X509_digest(x, EVP_sha256(), i->fingerprint, &n) == 1 &&
                n == DTLS_SHA256;
    X509_free(x);
    EVP_PKEY_free(key);
    if (!good)
        dtls_identity_free(out);
    return good ? 0 : CS_ENOTSUP;
}

void dtls_identity_free(struct dtls_identity **ip)
{
    struct dtls_identity *i = *ip;
    *ip = NULL;
    if (!i)
        return;
    SSL_CTX_free(i->ctx);
    free(i);
}

const unsigned char *dtls_identity_fingerprint(const struct dtls_identity *i)
{
    return i->fingerprint;
}

/* ---- an association ---- */

bool dtls_conf_eq(const struct dtls_conf *a, const struct dtls_conf *b)
{
    return a->n == b->n && a->active == b->active && a->association == b->association &&
           memcmp(a->fingerprint, b->fingerprint, a->n) == 0;
}

static unsigned timeout_of(SSL *ssl, unsigned us)
{
    (void)ssl;
    return us == 0 ? FIRST_TIMEOUT_US : CS_MIN(2 * us, (unsigned)LAST_TIMEOUT_US);
}

int dtls_new(struct dtls_identity *i, const struct dtls_conf *conf, struct dtls **out)
{
    struct dtls *d = *out = calloc(1, sizeof(*d));
    BIO *bio = BIO_new(datagrams);
    if (d)
        d->ssl = SSL_new(i->ctx);
    if (!d || !d->ssl || !bio) {
        BIO_free(bio);
        dtls_free(out);
        return CS_ENOMEM;
    }
    d->conf = *conf;
    d->state = DTLS_WAITING;
    BIO_set_data(bio, d);
    BIO_set_init(bio, 1);
    SSL_set_bio(d->ssl, bio, bio);
    SSL_set_app_data(d->ssl, d);
    DTLS_set_link_mtu(d->ssl, MTU);
    DTLS_set_timer_cb(d->ssl, timeout_of);
    if (conf->active)
        SSL_set_connect_state(d->ssl);
    else
        SSL_set_accept_state(d->ssl);
    return 0;
}

void dtls_free(struct dtls **dp)
{
    struct dtls *d = *dp;
    *dp = NULL;
    if (!d)
        return;
    SSL_free(d->ssl);
    free(d);
}

void dtls_set_sender(struct dtls *d, dtls_send_fn *send, void *arg)
{
    d->send = send;
    d->arg = arg;
}

static enum dtls_state judge(struct dtls *d, int got)
{
    const int err = SSL_get_error(d->ssl, got);
    if (d->state == DTLS_WAITING && got == 1)
        d->state = SSL_get_selected_srtp_profile(d->ssl) ? DTLS_DONE : DTLS_FAILED;
    else if (d->state == DTLS_WAITING && err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE)
        d->state = DTLS_FAILED;
    ERR_clear_error();
    return d->state;
}

enum dtls_state dtls_start(struct dtls *d)
{
    return d->state == DTLS_WAITING && d->conf.active ? judge(d, SSL_do_handshake(d->ssl))
                                                      : d->state;
}

/* After the handshake what comes is the repetition of its end, which is answered, or an alert, or
 * data that nobody asked for. */
enum dtls_state dtls_receive(struct dtls *d, const char *datagram, size_t n)
{
    char nothing[64];
    if (d->state == DTLS_FAILED)
        return d->state;
    ERR_clear_error();
    d->datagram = span_of(datagram, n);
    if (d->state == DTLS_WAITING)
        judge(d, SSL_do_handshake(d->ssl));
    else if (SSL_read(d->ssl, nothing, sizeof(nothing)) <= 0)
        ERR_clear_error();
    d->datagram = SPAN_NULL;
    return d->state;
}

bool dtls_waits(struct dtls *d, struct duration *in)
{
    struct timeval left;
    if (d->state != DTLS_WAITING || DTLSv1_get_timeout(d->ssl, &left) != 1)
        return false;
    *in = DURATION_MS(left.tv_sec * 1000 + (left.tv_usec + 999) / 1000);
    return true;
}

enum dtls_state dtls_timeout(struct dtls *d)
{
    ERR_clear_error();
    if (d->state == DTLS_WAITING && DTLSv1_handle_timeout(d->ssl) < 0)
        d->state = DTLS_FAILED;
    ERR_clear_error();
    return d->state;
}

/* Client's key, server's key, client's salt, server's salt (RFC 5764, 4.2). */
int dtls_keys(struct dtls *d, struct crypt_key *in, struct crypt_key *out)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    const SRTP_PROTECTION_PROFILE *p = SSL_get_selected_srtp_profile(d->ssl);
    unsigned char all[2 * CRYPT_KEY_MAX];
    size_t i = 0;
    while (p && i < CS_LEN(suites) && suites[i].profile != p->id)
        i++;
    if (d->state != DTLS_DONE || !p || i == CS_LEN(suites))
        return CS_EPROTO;
    const size_t key = suites[i].key, salt = suites[i].salt;
    if (SSL_export_keying_material(d->ssl, all, 2 * (key + salt), label, sizeof(label) - 1, NULL, 0,
                                   0) != 1)
        return CS_EPROTO;
    struct crypt_key *client = d->conf.active ? out : in, *server = d->conf.active ? in : out;
    client->suite = server->suite = suites[i].suite;
    memcpy(client->bytes, all, key);
    memcpy(server->bytes, all + key, key);
    memcpy(client->bytes + key, all + 2 * key, salt);
    memcpy(server->bytes + key, all + 2 * key + salt, salt);
    ct_wipe(all, sizeof(all));
    return 0;
}
