/* Who is believed: chains, what authorities took back, names and pins. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/ct.h"
#include "net/tls_context.h"
#include "net/tls_names.h"
#include "net/tls_session.h"

static bool is_pinned(const struct tls_context *c, const X509 *x)
{
    unsigned char sha256[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    bool ok = len > 0 && EVP_Digest(der, (size_t)len, sha256, &n, EVP_sha256(), NULL);
    OPENSSL_free(der);
    for (size_t i = 0; ok && i < c->n_pins; i++) {
        if (span_eq(span_of(sha256, n), span_of(c->pins[i].sha256, sizeof(c->pins[i].sha256))))
            return true;
    }
    return false;
}

static bool says(const struct tls_context *c, X509 *x, struct span name)
{
    struct addr ip;
    if (c->sip_names)
        return tls_names_sip_domain(x, name);
    if (addr_parse_host(name, 0, &ip) == 0) {
        struct span raw = addr_host_bytes(&ip);
        return X509_check_ip(x, (const unsigned char *)raw.p, raw.n, 0) == 1;
    }
    return X509_check_host(x, name.p, name.n,
                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                           NULL) == 1;
}

static bool is_expected(const struct tls_session *s, const struct tls_context *c, X509 *x)
{
    for (size_t i = 0; i < c->n_expected; i++) {
        if (says(c, x, c->expected[i]))
            return true;
    }
    return !c->n_expected && (!c->sip_names || says(c, x, tls_session_name(s)));
}

/* Of the peer's own certificate, whose chain is good. */
static int judge(const struct tls_session *s, const struct tls_context *c, X509 *x)
{
    if (!is_expected(s, c, x))
        return X509_V_ERR_HOSTNAME_MISMATCH;
    if (c->n_pins && !is_pinned(c, x))
        return X509_V_ERR_CERT_REJECTED;
    return X509_V_OK;
}

/* A list is asked of who issued the peer's certificate; those above may have one. A certificate for
 * SIP, or for anything, serves where one of a web server or its client does (RFC 5924, 4). */
static int forgive(int ok, X509_STORE_CTX *store)
{
    int depth = X509_STORE_CTX_get_error_depth(store), error = X509_STORE_CTX_get_error(store);
    bool forgiven = (depth > 0 && error == X509_V_ERR_UNABLE_TO_GET_CRL) ||
                    (depth == 0 && error == X509_V_ERR_INVALID_PURPOSE &&
                     tls_names_sip_purpose(X509_STORE_CTX_get_current_cert(store)));
    if (ok || !forgiven)
        return ok;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static int on_certificate(int ok, X509_STORE_CTX *store)
{
    int depth = X509_STORE_CTX_get_error_depth(store);
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_session *s = tls_session_of(ssl);
    bool good = ok;
    ok = forgive(ok, store);
    if (!ok)
        tls_session_refuses(s, X509_STORE_CTX_get0_cert(store));
    if (!good || depth > 0)
        return ok;
    int why = judge(s, tls_session_context(s), X509_STORE_CTX_get_current_cert(store));
    if (why) {
        X509_STORE_CTX_set_error(store, why);
        tls_session_refuses(s, X509_STORE_CTX_get_current_cert(store));
    }
    return why == X509_V_OK;
}

bool tls_vouches(const struct tls_context *c, X509 *x, STACK_OF(X509) * chain)
{
    X509_STORE_CTX *store = X509_STORE_CTX_new();
    bool good = store &&
                X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(c->ctx), x, chain) == 1 &&
                X509_STORE_CTX_set_default(store, "ssl_server") == 1;
    if (good) {
        X509_STORE_CTX_set_verify_cb(store, forgive);
        good = X509_verify_cert(store) == 1 && (!c->n_pins || is_pinned(c, x));
    }
    X509_STORE_CTX_free(store);
    ERR_clear_error();
    return good;
}

static struct wall wall_of(const ASN1_TIME *t)
{
    int days, seconds;
    struct wall now = clock_wall();
    if (!t || !ASN1_TIME_diff(&days, &seconds, NULL, t))
        return (struct wall){ 0 };
    return (struct wall){ CS_MAX(now.ms + ((int64_t)days * 86400 + seconds) * 1000, 1) };
}

static void sooner(struct wall *first, struct wall t)
{
    if (t.ms && (!first->ms || t.ms < first->ms))
        *first = t;
}

static int use_lists(struct tls_context *c, X509_STORE *store, const char *file)
{
    BIO *b = BIO_new_file(file, "r");
    size_t n = 0;
    int err = 0;
    for (X509_CRL *crl; b && !err && (crl = PEM_read_bio_X509_CRL(b, NULL, NULL, NULL)); n++) {
        sooner(&c->expiry.crl, wall_of(X509_CRL_get0_nextUpdate(crl)));
        err = X509_STORE_add_crl(store, crl) == 1 ? 0 : CS_ENOMEM;
        X509_CRL_free(crl);
    }
    bool whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE; /* read to its end */
    BIO_free(b);
    if (!err && (!n || !whole))
        return tls_unusable(file, "this is no certificate revocation list in PEM");
    ERR_clear_error();
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return err;
}

static int trust(struct tls_context *c, const struct tls_conf *conf)
{
    if (!conf->ca_file || SSL_CTX_load_verify_file(c->ctx, conf->ca_file) != 1)
        return tls_unusable(conf->ca_file,
                            "peers cannot be verified: this is no CA certificate in PEM");
    return conf->crl_file ? use_lists(c, SSL_CTX_get_cert_store(c->ctx), conf->crl_file) : 0;
}

/* What each host asks of clients. */
static int ask_clients(const struct tls_context *c, const struct tls_conf *conf, SSL_CTX *ctx)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(conf->ca_file);
    if (!names)
        return tls_unusable(conf->ca_file, "this is no CA certificate in PEM");
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(c->ctx));
    SSL_CTX_set_verify(
        ctx, SSL_VERIFY_PEER | (conf->require_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        on_certificate);
    /* Who resumes a session shows no certificate again: neither tickets nor a cache. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    return 0;
}

int tls_verify_peers(struct tls_context *c, const struct tls_conf *conf)
{
    for (size_t i = 0; i < c->n_hosts; i++) {
        const X509 *own = SSL_CTX_get0_certificate(c->hosts[i].ctx);
        if (own)
            sooner(&c->expiry.certificate, wall_of(X509_get0_notAfter(own)));
    }
    if (conf->role == TLS_SERVER && !conf->require_certificate && !conf->ask_certificate)
        return 0;
    int err = trust(c, conf);
    if (conf->role == TLS_CLIENT) { /* also one server's certificate, or one below the root */
        SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, on_certificate);
        X509_STORE_set_flags(SSL_CTX_get_cert_store(c->ctx), X509_V_FLAG_PARTIAL_CHAIN);
    }
    for (size_t i = 0; !err && conf->role == TLS_SERVER && i < c->n_hosts; i++)
        err = ask_clients(c, conf, c->hosts[i].ctx);
    return err;
}
