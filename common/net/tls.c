#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base/ct.h"
#include "base/log.h"
#include "net/tls_context.h"

enum { HANDSHAKE_S = 5 };

/* TLS 1.2 with forward secrecy and authenticated encryption only; the suites of 1.3 are all so. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

static const struct log tlog = { .module = "tls" };

static int unusable(const char *file, const char *message)
{
    unsigned long e = ERR_peek_error();
    const char *why =
        ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) : ERR_reason_error_string(e);
    log_error(&tlog, message, kv_str("file", file ? file : "not given"),
              kv_str("reason", why ? why : "see the message"));
    ERR_clear_error();
    return CS_ECONF;
}

/* OpenSSL would ask the terminal for a passphrase. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

static int use_key(SSL_CTX *ctx, const char *file)
{
    struct secret pem = { 0 };
    int err = secret_read_file(&pem, file);
    if (err)
        return unusable(file, err == CS_EDENIED
                                  ? "everybody may read the private key: take that away (chmod o=)"
                                  : "the private key cannot be read");
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL) : NULL;
    BIO_free(b);
    secret_fini(&pem);
    if (!key)
        err = unusable(file, "this is no private key in PEM without a passphrase");
    else if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        err = unusable(file, "the private key does not belong to the certificate");
    EVP_PKEY_free(key);
    return err;
}

static int use_certificate(SSL_CTX *ctx, const struct tls_conf *conf)
{
    if (!conf->certificate_file && !conf->key_file && conf->role == TLS_CLIENT)
        return 0;
    if (!conf->certificate_file || !conf->key_file)
        return unusable(NULL, "a certificate and its private key go together: give both files");
    if (SSL_CTX_use_certificate_chain_file(ctx, conf->certificate_file) != 1)
        return unusable(conf->certificate_file, "this is no certificate in PEM that we can use");
    return use_key(ctx, conf->key_file);
}

static int verify_peers(SSL_CTX *ctx, const struct tls_conf *conf)
{
    if (conf->role == TLS_SERVER && !conf->require_certificate)
        return 0;
    if (!conf->ca_file || SSL_CTX_load_verify_file(ctx, conf->ca_file) != 1)
        return unusable(conf->ca_file,
                        "peers cannot be verified: this is no CA certificate in PEM");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (conf->role == TLS_CLIENT)
        return 0;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(conf->ca_file);
    if (!names)
        return unusable(conf->ca_file, "this is no CA certificate in PEM");
    SSL_CTX_set_client_CA_list(ctx, names);
    /* Who resumes a session shows no certificate again: neither tickets nor a cache. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    return 0;
}

static SSL_CTX *ctx_new(const struct tls_conf *conf)
{
    static const unsigned char id[] = "countersign";
    SSL_CTX *ctx =
        SSL_CTX_new(conf->role == TLS_CLIENT ? TLS_client_method() : TLS_server_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); /* an idle stream costs 32 KiB less */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(ctx, ciphers) == 1 &&
        SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

int tls_context_new(const struct tls_conf *conf, struct tls_context **out)
{
    *out = NULL;
    struct tls_context *c = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    ERR_clear_error();
    *c = (struct tls_context){ .refs = 1, .role = conf->role, .handshake = conf->handshake };
    if (c->handshake.ms == 0)
        c->handshake = DURATION_S(HANDSHAKE_S);
    c->ctx = ctx_new(conf);
    int err = c->ctx ? use_certificate(c->ctx, conf) : CS_ENOMEM;
    if (!err)
        err = verify_peers(c->ctx, conf);
    ERR_clear_error();
    if (err)
        tls_context_unref(&c);
    *out = c;
    return err;
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
    c->refs++;
    return c;
}

void tls_context_unref(struct tls_context **cp)
{
    struct tls_context *c = *cp;
    *cp = NULL;
    if (!c || --c->refs)
        return;
    SSL_CTX_free(c->ctx);
    free(c);
}
