#include "net/tls_session.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <uv.h>

#include "base/log.h"
#include "net/tls_context.h"
#include "net/tls_names.h"

enum { COMPLAIN_EVERY_MS = 1000, MAX_NAMES = 64 };

struct tls_session {
    struct tls_context *context;
    SSL *ssl;
    const struct addr *peer;
    char *name;         /* of a SIP domain, to be looked for; NULL: OpenSSL looks, or nobody */
    struct span feed;   /* ciphertext not yet read */
    struct bytes *out;  /* ciphertext to be sent */
    bool shaken, ended; /* ended: SSL is to be asked nothing more */
    bool again;         /* the peer wanted a second handshake */
    char *shown;        /* names of a certificate that was refused; NULL: none was */
};

static const struct log tlog = { .module = "tls" };

/* ---- why it failed, and what to do ---- */

static const struct {
    int reason;
    bool denied;
    const char *remedy;
} reasons[] = {
    { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, true,
      "give the peer a certificate and key issued by the CA in our ca_file" },
    { SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, true,
      "the peer wants a certificate: set certificate_file and key_file" },
    { SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, true,
      "the peer may want a certificate (certificate_file, key_file), or shares no cipher with us" },
    { SSL_R_TLSV1_ALERT_UNKNOWN_CA, true,
      "the peer does not trust who issued our certificate: add that CA to its ca_file" },
    { SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, true,
      "the peer refuses our certificate: see its log for the reason" },
    { SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, true,
      "the peer refuses our certificate: it may lack this use (extendedKeyUsage)" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, true, "our certificate is revoked: issue a new one" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, true, "our certificate has expired: issue a new one" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, true,
      "the peer refuses our certificate: see its log for the reason" },
    { SSL_R_TLSV1_UNRECOGNIZED_NAME, false,
      "the other side has no certificate for the name we asked for (SNI): expect one of its "
      "names" },
    { SSL_R_TLSV1_ALERT_ACCESS_DENIED, true, "the peer refuses us: see its log for the reason" },
    { SSL_R_WRONG_VERSION_NUMBER, false, "the other side speaks no TLS on this port" },
    { SSL_R_HTTP_REQUEST, false, "the other side speaks plain HTTP to our TLS port" },
    { SSL_R_HTTPS_PROXY_REQUEST, false, "the other side speaks plain HTTP to our TLS port" },
    { SSL_R_UNSUPPORTED_PROTOCOL, false, "the other side must speak TLS 1.2 or 1.3" },
    { SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, false, "the other side must speak TLS 1.2 or 1.3" },
    { SSL_R_CALLBACK_FAILED, false,
      "it asked for a server name that none of our certificates has: add one, or set unknown_sni: "
      "first" },
    { SSL_R_NO_SHARED_CIPHER, false,
      "the other side must offer ECDHE with AES-GCM or ChaCha20, as our kind of key allows" },
};

static const struct {
    int result; /* of the verification */
    const char *remedy;
} refusals[] = {
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      "add the CA that issued the peer's certificate to ca_file" },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
      "add the CA that issued the peer's certificate to ca_file" },
    { X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
      "add the CA that issued the peer's certificate to ca_file" },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "add the peer's CA to ca_file, if it may be trusted" },
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
      "the peer's certificate is its own authority: have one issued by the CA in ca_file" },
    { X509_V_ERR_HOSTNAME_MISMATCH,
      "the peer's certificate names others: issue one with this name in subjectAltName, or expect "
      "one of its names (server_name)" },
    { X509_V_ERR_IP_ADDRESS_MISMATCH,
      "the peer's certificate has not this address in subjectAltName: issue one that has, or "
      "expect one of its names (server_name)" },
    { X509_V_ERR_CERT_HAS_EXPIRED, "a certificate of the peer has expired: issue a new one" },
    { X509_V_ERR_CERT_NOT_YET_VALID, "a certificate of the peer is of the future: set the clocks" },
    { X509_V_ERR_CERT_REVOKED, "its authority took the peer's certificate back: issue a new one" },
    { X509_V_ERR_UNABLE_TO_GET_CRL,
      "there is no revocation list of the authority that issued the peer's certificate: add it to "
      "crl_file" },
    { X509_V_ERR_CRL_HAS_EXPIRED, "the revocation list in crl_file is out of date: renew it" },
    { X509_V_ERR_CRL_NOT_YET_VALID, "the revocation list is of the future: set the clocks" },
    { X509_V_ERR_CERT_REJECTED, "the peer's key is none of the pins: add its SHA-256, if it may be "
                                "trusted" },
    { X509_V_ERR_INVALID_PURPOSE,
      "the peer's certificate may not be used so: extendedKeyUsage needs serverAuth for servers, "
      "clientAuth for clients" },
};

static const char *refusal_remedy(long result)
{
    for (size_t i = 0; i < CS_LEN(refusals); i++) {
        if (refusals[i].result == result)
            return refusals[i].remedy;
    }
    return "have a certificate issued to the peer that the CA in ca_file vouches for";
}

static void complain(struct tls_session *s, const char *reason, const char *remedy)
{
    struct tls_context *c = s->context;
    struct mono now = clock_mono();
    const char *shown = s->shown ? s->shown : "";
    snprintf(c->failure, sizeof(c->failure), "%s: %s%s%s", reason, remedy,
             s->shown ? "; the certificate that was shown says " : "", shown);
    if (c->complained.ns && mono_since(c->complained, now).ms < COMPLAIN_EVERY_MS) {
        c->untold++;
        return;
    }
    log_warn(&tlog, s->shaken ? "TLS broke" : "the TLS handshake failed", kv_addr("peer", s->peer),
             kv_str("reason", reason), kv_str("what_to_do", remedy), kv_str("shown", shown),
             kv_u("untold", c->untold));
    c->complained = now;
    c->untold = 0;
}

/* What to tell of the failure that OpenSSL has queued; empties its queue, which all streams of the
 * thread share. */
static int failed(struct tls_session *s)
{
    unsigned long e = ERR_peek_error();
    int code = ERR_GET_REASON(e);
    const char *reason = ERR_reason_error_string(e), *remedy = "see the reason";
    bool denied = false;
    s->ended = true;
    if (ERR_GET_LIB(e) == ERR_LIB_SSL && code == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        long result = SSL_get_verify_result(s->ssl);
        reason = X509_verify_cert_error_string(result);
        remedy = refusal_remedy(result);
        denied = true;
    }
    for (size_t i = 0; ERR_GET_LIB(e) == ERR_LIB_SSL && i < CS_LEN(reasons); i++) {
        if (reasons[i].reason != code)
            continue;
        remedy = reasons[i].remedy;
        denied = reasons[i].denied;
    }
    complain(s, reason ? reason : "unknown", remedy);
    ERR_clear_error();
    return denied ? CS_EDENIED : CS_EPROTO;
}

int tls_session_broken(struct tls_session *s, int reason)
{
    bool was_ended = s->ended;
    s->ended = true;
    if (s->shaken || was_ended) /* cut short: who reads must not take it for a regular end */
        return reason == UV_EOF ? UV_ECONNRESET : reason;
    complain(s, cs_strerror(reason),
             reason == CS_ETIMEOUT ? "the other side is too slow, or speaks no TLS on this port"
                                   : "see the other side's log; it may speak no TLS on this port");
    return reason == UV_EOF ? UV_ECONNRESET : reason;
}

/* The queue is empty nearly always, and OpenSSL would empty each of its places one by one. */
static void forget_errors(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

/* ---- OpenSSL's side of the wire ---- */

/* Data of the application would take memory of its own. */
struct tls_session *tls_session_of(const SSL *ssl)
{
    return BIO_get_data(SSL_get_rbio(ssl));
}

static BIO_METHOD *wire_method;

static int wire_read(BIO *b, char *to, int n)
{
    struct tls_session *s = BIO_get_data(b);
    struct span part = span_head(s->feed, (size_t)CS_MAX(n, 0));
    BIO_clear_retry_flags(b);
    if (part.n == 0) {
        BIO_set_retry_read(b);
        return -1;
    }
    memcpy(to, part.p, part.n);
    s->feed = span_skip(s->feed, part.n);
    return (int)part.n;
}

static int wire_write(BIO *b, const char *data, int n)
{
    struct tls_session *s = BIO_get_data(b);
    if (n <= 0 || !bytes_reserve(s->out, (size_t)n))
        return -1;
    memcpy(s->out->p + s->out->n, data, (size_t)n);
    s->out->n += (size_t)n;
    return n;
}

static long wire_ctrl(BIO *b, int what, long number, void *arg)
{
    (void)b, (void)number, (void)arg;
    return what == BIO_CTRL_FLUSH;
}

static void make_method(void)
{
    wire_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    if (!wire_method)
        return;
    BIO_meth_set_read(wire_method, wire_read);
    BIO_meth_set_write(wire_method, wire_write);
    BIO_meth_set_ctrl(wire_method, wire_ctrl);
}

static int attach(struct tls_session *s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    BIO *b = wire_method ? BIO_new(wire_method) : NULL;
    if (!b)
        return CS_ENOMEM;
    BIO_set_data(b, s);
    BIO_set_init(b, 1);
    SSL_set_bio(s->ssl, b, b);
    return 0;
}

static bool is_address(const char *name)
{
    struct addr ip;
    return addr_parse_host(span_str(name), 0, &ip) == 0;
}

/* The domain, or what is expected instead, is looked for among its names by tls_peers.c. Of an
 * address in place of a name nothing can be asked for (RFC 6066, 3), but of the name expected. */
static int expect_domain(struct tls_session *s, const char *name)
{
    const struct tls_context *c = s->context;
    s->name = strdup(name);
    if (!s->name)
        return CS_ENOMEM;
    if (is_address(name) && c->n_expected)
        name = c->expected[0].p;
    return is_address(name) || SSL_set_tlsext_host_name(s->ssl, name) == 1 ? 0 : CS_ECONF;
}

static int expect_host(SSL *ssl, const char *name)
{
    struct addr ip;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    /* The subject's CN is no name any more (RFC 6125, 6.4.4). */
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (addr_parse_host(span_str(name), 0, &ip) == 0) { /* no SNI then (RFC 6066, 3) */
        struct span raw = addr_host_bytes(&ip);
        return X509_VERIFY_PARAM_set1_ip(param, (const unsigned char *)raw.p, raw.n) == 1
                   ? 0
                   : CS_ENOMEM;
    }
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1 ? 0 : CS_ECONF;
}

static int expect_name(struct tls_session *s, const char *name)
{
    if (!*name) /* to OpenSSL that would mean any */
        return CS_ECONF;
    return s->context->sip_names || s->context->n_expected ? expect_domain(s, name)
                                                           : expect_host(s->ssl, name);
}

/* We refuse to renegotiate, and do not wait for the next try. */
static void on_info(const SSL *ssl, int where, int value)
{
    struct tls_session *s = tls_session_of(ssl);
    if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT &&
        (value & 0xff) == SSL_AD_NO_RENEGOTIATION)
        s->again = true;
}

/* OpenSSL keeps both sides' keys of the exchange as long as the connection, some kilobytes each and
 * secret: who has ours reads all of it. Of another kind they are empty. */
static void forget_exchange(SSL *ssl)
{
    EVP_PKEY *key;
    if (SSL_get_tmp_key(ssl, &key)) {
        (void)EVP_PKEY_set_type(key, EVP_PKEY_X25519);
        EVP_PKEY_free(key);
    }
    if (SSL_get_peer_tmp_key(ssl, &key)) {
        (void)EVP_PKEY_set_type(key, EVP_PKEY_X25519);
        EVP_PKEY_free(key);
    }
}

/* ---- entry points ---- */

int tls_session_new(struct tls_context *c, const char *name, const struct addr *peer,
                    struct bytes *out, struct tls_session **result)
{
    *result = NULL;
    struct tls_session *s = calloc(1, sizeof(*s));
    if (!s)
        return CS_ENOMEM;
    forget_errors();
    s->context = tls_context_ref(c);
    s->out = out;
    s->peer = peer;
    s->ssl = SSL_new(c->ctx);
    int err = s->ssl ? attach(s) : CS_ENOMEM;
    if (!err)
        SSL_set_info_callback(s->ssl, on_info);
    if (!err && c->role == TLS_CLIENT)
        err = expect_name(s, name);
    forget_errors();
    if (err) {
        tls_session_free(&s);
        return err;
    }
    if (c->role == TLS_CLIENT)
        SSL_set_connect_state(s->ssl);
    else
        SSL_set_accept_state(s->ssl);
    *result = s;
    return 0;
}

void tls_session_free(struct tls_session **sp)
{
    struct tls_session *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    SSL_free(s->ssl);
    tls_context_unref(&s->context);
    free(s->name);
    free(s->shown);
    free(s);
}

struct duration tls_session_deadline(const struct tls_session *s)
{
    return s->context->handshake;
}

struct tls_context *tls_session_context(const struct tls_session *s)
{
    return s->context;
}

struct span tls_session_name(const struct tls_session *s)
{
    return span_str(s->name);
}

void tls_session_refuses(struct tls_session *s, const X509 *x)
{
    char shown[256], until[32] = "";
    struct buf b = buf_of(shown, sizeof(shown) - 1);
    if (s->shown)
        return;
    BIO *text = BIO_new(BIO_s_mem());
    tls_names_write(&b, x);
    if (text && ASN1_TIME_print(text, X509_get0_notAfter(x)) == 1)
        BIO_read(text, until, sizeof(until) - 1);
    BIO_free(text);
    buf_printf(&b, ", until %s", until);
    shown[b.n] = 0;
    s->shown = strdup(shown);
}

void tls_session_feed(struct tls_session *s, struct span wire)
{
    s->feed = wire;
}

int tls_session_handshake(struct tls_session *s)
{
    if (s->ended)
        return CS_EPROTO;
    forget_errors();
    int r = SSL_do_handshake(s->ssl);
    if (r == 1) {
        s->shaken = true;
        forget_exchange(s->ssl);
        return 1;
    }
    return SSL_get_error(s->ssl, r) == SSL_ERROR_WANT_READ ? 0 : failed(s);
}

ptrdiff_t tls_session_read(struct tls_session *s, char *to, size_t n)
{
    size_t got = 0;
    if (s->ended)
        return CS_EPROTO;
    if (s->feed.n == 0 && !SSL_has_pending(s->ssl)) /* OpenSSL would take long to say so */
        return 0;
    forget_errors();
    int r = SSL_read_ex(s->ssl, to, n, &got);
    if (s->again) {
        complain(s, "renegotiation", "the other side must not ask for a second handshake");
        forget_errors();
        s->ended = true;
        return CS_EPROTO;
    }
    if (r == 1)
        return (ptrdiff_t)got;
    switch (SSL_get_error(s->ssl, r)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return UV_EOF;
    default:
        return failed(s);
    }
}

int tls_session_write(struct tls_session *s, struct span plain)
{
    size_t done = 0;
    if (s->ended)
        return CS_EPROTO;
    if (plain.n == 0)
        return 0;
    forget_errors();
    /* The wire takes everything, so all is written. */
    return SSL_write_ex(s->ssl, plain.p, plain.n, &done) == 1 && done == plain.n ? 0 : failed(s);
}

void tls_session_shutdown(struct tls_session *s)
{
    if (s->ended || !s->shaken)
        return;
    s->ended = true;
    forget_errors();
    SSL_shutdown(s->ssl);
    forget_errors();
}

/* A name with anything but the characters of host names in it, a NUL above all, is not told. */
static bool is_host(struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '.' && c != '_' && c != '*')
            return false;
    }
    return name.n > 0;
}

static int names_of(X509 *cert, struct arena *a, struct tls_peer *out)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int n = CS_MIN(all ? sk_GENERAL_NAME_num(all) : 0, (int)MAX_NAMES);
    int err = 0;
    out->dns = arena_alloc(a, (size_t)n * sizeof(*out->dns));
    if (!out->dns)
        err = CS_ENOMEM;
    for (int i = 0; !err && i < n; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (name->type != GEN_DNS)
            continue;
        struct span text = span_of((const char *)ASN1_STRING_get0_data(name->d.dNSName),
                                   (size_t)ASN1_STRING_length(name->d.dNSName));
        if (!is_host(text))
            continue;
        struct span *kept = &out->dns[out->n_dns++];
        *kept = arena_dup(a, text);
        if (!kept->p)
            err = CS_ENOMEM;
    }
    GENERAL_NAMES_free(all);
    return err;
}

static int subject_of(X509 *cert, struct arena *a, struct tls_peer *out)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (b && X509_NAME_print_ex(b, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0) {
        size_t n = (size_t)BIO_get_mem_data(b, &text);
        out->subject = arena_dup(a, span_of(text ? text : "", n));
    }
    BIO_free(b);
    return out->subject.p ? 0 : CS_ENOMEM;
}

X509 *tls_session_certificate(const struct tls_session *s, X509 **issuer)
{
    bool verified = s->shaken && SSL_get_verify_mode(s->ssl) != SSL_VERIFY_NONE &&
                    SSL_get_verify_result(s->ssl) == X509_V_OK;
    STACK_OF(X509) *chain = verified ? SSL_get0_verified_chain(s->ssl) : NULL;
    int n = chain ? sk_X509_num(chain) : 0;
    *issuer = n ? sk_X509_value(chain, CS_MIN(n, 2) - 1) : NULL; /* or it is its own */
    return n ? sk_X509_value(chain, 0) : NULL;
}

bool tls_session_is_vouched(const struct tls_session *s, const struct tls_context *by)
{
    X509 *issuer, *x = tls_session_certificate(s, &issuer);
    return x && tls_vouches(by, x, SSL_get_peer_cert_chain(s->ssl));
}

int tls_session_peer(const struct tls_session *s, struct arena *a, struct tls_peer *out)
{
    *out = (struct tls_peer){ 0 };
    X509 *cert = s->shaken ? SSL_get0_peer_certificate(s->ssl) : NULL;
    if (!cert)
        return CS_ENOENT;
    X509 *issuer;
    struct tls_peer p = { .verified = tls_session_certificate(s, &issuer) != NULL };
    int err = subject_of(cert, a, &p);
    if (!err)
        err = names_of(cert, a, &p);
    forget_errors();
    if (!err)
        *out = p;
    return err;
}
