#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/ct.h"
#include "base/log.h"
#include "base/rand.h"
#include "net/tls_context.h"
#include "net/tls_tickets.h"

enum { HANDSHAKE_S = 5 };

/* TLS 1.2 with forward secrecy and authenticated encryption only; the suites of 1.3 are all so. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

/* What was there in 2005, with AES alone, behind what is good. OpenSSL has TLS 1.0 and signatures
 * by SHA-1 at security level 0 only. */
static const char legacy_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:kRSA+AES:@SECLEVEL=0";

static const struct log tlog = { .module = "tls" };

int tls_unusable(const char *file, const char *message)
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
        return tls_unusable(file,
                            err == CS_EDENIED
                                ? "everybody may read the private key: take that away (chmod o=)"
                                : "the private key cannot be read");
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL) : NULL;
    BIO_free(b);
    secret_fini(&pem);
    if (!key)
        err = tls_unusable(file, "this is no private key in PEM without a passphrase");
    else if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        err = tls_unusable(file, "the private key does not belong to the certificate");
    EVP_PKEY_free(key);
    return err;
}

static int use_pair(SSL_CTX *ctx, const struct tls_pair *p)
{
    if (!p->certificate_file || !p->key_file)
        return tls_unusable(NULL, "a certificate and its private key go together: give both files");
    if (SSL_CTX_use_certificate_chain_file(ctx, p->certificate_file) != 1)
        return tls_unusable(p->certificate_file, "this is no certificate in PEM that we can use");
    return use_key(ctx, p->key_file);
}

/* ---- tickets ---- */

static int use_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                          EVP_MAC_CTX *mac, int make)
{
    const struct tls_context *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const EVP_CIPHER *aes = EVP_aes_256_cbc();
    bool old = false;
    const struct tls_ticket_key *key =
        make ? tls_tickets_current(c->tickets) : tls_tickets_find(c->tickets, name, &old);
    if (!key)
        return 0;
    char digest[] = "SHA256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end() };
    if (make) {
        memcpy(name, key->name, sizeof(key->name));
        rand_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(aes));
    }
    if (!EVP_CipherInit_ex(cipher, aes, NULL, key->cipher, iv, make) ||
        !EVP_MAC_init(mac, key->mac, sizeof(key->mac), params))
        return -1;
    /* 2: another takes its place; in TLS 1.3 each serves once (RFC 8446, C.4). */
    return old || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

static void use_tickets(struct tls_context *c, struct tls_tickets *t)
{
    c->tickets = tls_tickets_ref(t);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(c->ctx, use_ticket_key);
    for (size_t i = 0; i < c->n_hosts; i++) {
        SSL_CTX_set_num_tickets(c->hosts[i].ctx, 1);
        SSL_CTX_set_timeout(c->hosts[i].ctx, (long)(2 * tls_tickets_period(t).ms / 1000));
    }
}

/* ---- the key log ---- */

static void on_secret(const SSL *ssl, const char *line)
{
    const struct tls_context *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct iovec parts[] = { { (void *)line, strlen(line) }, { (void *)"\n", 1 } };
    if (writev(c->keylog, parts, 2) < 0)
        log_error(&tlog, "the key log cannot be written", kv_err(-errno));
}

static int use_keylog(struct tls_context *c, int keylog)
{
    c->keylog = fcntl(keylog, F_DUPFD_CLOEXEC, 3);
    if (c->keylog < 0)
        return -errno;
    for (size_t i = 0; i < c->n_hosts; i++)
        SSL_CTX_set_keylog_callback(c->hosts[i].ctx, on_secret);
    return 0;
}

/* ---- contexts ---- */

static SSL_CTX *ctx_new(const struct tls_conf *conf, const struct tls_pair *pair)
{
    unsigned char id[EVP_MAX_MD_SIZE];
    struct span file = span_str(pair->certificate_file);
    struct span key = conf->id.n ? conf->id : SPAN("countersign");
    unsigned n = 0;
    SSL_CTX *ctx =
        SSL_CTX_new(conf->role == TLS_CLIENT ? TLS_client_method() : TLS_server_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); /* an idle stream costs 32 KiB less */
    SSL_CTX_set_read_ahead(ctx, 1);                  /* of a record head and body at once */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    /* A session is of one listener and one of its certificates. */
    if (SSL_CTX_set_min_proto_version(ctx, conf->legacy ? TLS1_VERSION : TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(ctx, conf->legacy ? legacy_ciphers : ciphers) == 1 &&
        HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)file.p, file.n, id, &n) &&
        SSL_CTX_set_session_id_context(ctx, id, n) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static int copy_spans(const struct span *names, size_t n, struct span **out, size_t *n_out)
{
    *out = calloc(n + 1, sizeof(**out));
    for (size_t i = 0; *out && i < n; i++) {
        char *copy = strndup(names[i].p, names[i].n);
        if (!copy)
            return CS_ENOMEM;
        (*out)[(*n_out)++] = span_of(copy, names[i].n);
    }
    return *out ? 0 : CS_ENOMEM;
}

static int add_host(struct tls_context *c, const struct tls_conf *conf, const struct tls_pair *pair)
{
    struct tls_host *h = &c->hosts[c->n_hosts];
    h->ctx = ctx_new(conf, pair);
    if (!h->ctx)
        return CS_ENOMEM;
    c->n_hosts++;
    c->ctx = c->hosts[0].ctx;
    SSL_CTX_set_app_data(h->ctx, c);
    int err = copy_spans(pair->names, pair->n_names, &h->names, &h->n_names);
    bool none = !pair->certificate_file && !pair->key_file && conf->role == TLS_CLIENT;
    return err || none ? err : use_pair(h->ctx, pair);
}

static int add_hosts(struct tls_context *c, const struct tls_conf *conf)
{
    const struct tls_pair only = { conf->certificate_file, conf->key_file, NULL, 0 };
    const struct tls_pair *pairs = conf->n_pairs ? conf->pairs : &only;
    size_t n = conf->n_pairs ? conf->n_pairs : 1;
    int err = 0;
    c->hosts = calloc(n, sizeof(*c->hosts));
    if (!c->hosts)
        return CS_ENOMEM;
    for (size_t i = 0; !err && i < n; i++)
        err = add_host(c, conf, &pairs[i]);
    if (!err && (n > 1 || conf->refuse_unknown))
        tls_choose_host(c);
    return err;
}

static int copy_pins(struct tls_context *c, const struct tls_conf *conf)
{
    c->pins = calloc(conf->n_pins + 1, sizeof(*c->pins));
    if (!c->pins)
        return CS_ENOMEM;
    c->n_pins = conf->n_pins;
    for (size_t i = 0; i < conf->n_pins; i++)
        c->pins[i] = conf->pins[i];
    return 0;
}

int tls_context_new(const struct tls_conf *conf, struct tls_context **out)
{
    *out = NULL;
    struct tls_context *c = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    ERR_clear_error();
    *c = (struct tls_context){ .refs = 1,
                               .role = conf->role,
                               .handshake = conf->handshake,
                               .refuse_unknown = conf->refuse_unknown,
                               .sip_names = conf->sip_names,
                               .keylog = -1 };
    if (c->handshake.ms == 0)
        c->handshake = DURATION_S(HANDSHAKE_S);
    int err = add_hosts(c, conf);
    if (!err)
        err = copy_pins(c, conf);
    if (!err)
        err = copy_spans(conf->names, conf->n_names, &c->expected, &c->n_expected);
    if (!err)
        err = tls_verify_peers(c, conf);
    if (!err && conf->tickets)
        use_tickets(c, conf->tickets);
    if (!err && conf->keylog)
        err = use_keylog(c, conf->keylog);
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
    for (size_t i = 0; i < c->n_hosts; i++) {
        for (size_t k = 0; k < c->hosts[i].n_names; k++)
            free((char *)c->hosts[i].names[k].p);
        free(c->hosts[i].names);
        SSL_CTX_free(c->hosts[i].ctx);
    }
    free(c->hosts);
    for (size_t i = 0; i < c->n_expected; i++)
        free((char *)c->expected[i].p);
    free(c->expected);
    free(c->pins);
    tls_tickets_unref(&c->tickets);
    if (c->keylog >= 0)
        close(c->keylog);
    free(c);
}

const char *tls_context_failure(const struct tls_context *c)
{
    return c->failure;
}

struct tls_expiry tls_context_expiry(const struct tls_context *c)
{
    return c->expiry;
}

bool tls_context_is_shown(const struct tls_context *client, const struct tls_context *server)
{
    const X509 *own = SSL_CTX_get0_certificate(client->ctx);
    for (size_t i = 0; own && i < server->n_hosts; i++) {
        const X509 *x = SSL_CTX_get0_certificate(server->hosts[i].ctx);
        if (x && X509_cmp(own, x) == 0)
            return true;
    }
    return false;
}
