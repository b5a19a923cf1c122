/* Which certificate a server shows: that of the name it was asked for (SNI). Chosen at the
 * ClientHello, before a session is looked for, so that sessions stay with their name. */
#include <openssl/x509v3.h>

#include "net/tls_context.h"
#include "net/tls_names.h"

static bool has_name(const struct tls_host *h, struct span name)
{
    for (size_t i = 0; i < h->n_names; i++) {
        if (span_caseeq(h->names[i], name))
            return true;
    }
    const X509 *own = SSL_CTX_get0_certificate(h->ctx);
    return !h->n_names && X509_check_host((X509 *)own, name.p, name.n,
                                          X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    const struct tls_context *c = arg;
    const unsigned char *p;
    size_t n;
    struct span name;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n))
        return SSL_CLIENT_HELLO_SUCCESS; /* it asks for none */
    if (tls_sni_parse(span_of(p, n), &name)) {
        *alert = SSL_AD_DECODE_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    for (size_t i = 0; name.p && i < c->n_hosts; i++) {
        if (has_name(&c->hosts[i], name)) {
            SSL_set_SSL_CTX(ssl, c->hosts[i].ctx);
            return SSL_CLIENT_HELLO_SUCCESS;
        }
    }
    if (!c->refuse_unknown)
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_UNRECOGNIZED_NAME; /* RFC 6066, 3 */
    return SSL_CLIENT_HELLO_ERROR;
}

void tls_choose_host(struct tls_context *c)
{
    SSL_CTX_set_client_hello_cb(c->ctx, on_client_hello, c);
}
