/* The inside of struct tls_context, for the files of TLS. */
#ifndef CS_NET_TLS_CONTEXT_H
#define CS_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "net/tls.h"

/* A certificate to show, and whom. */
struct tls_host {
    SSL_CTX *ctx;
    struct span *names; /* copies; none: those in the certificate */
    size_t n_names;
};

enum { TLS_FAILURE_MAX = 640 };

struct tls_context {
    SSL_CTX *ctx; /* of the first host */
    struct tls_host *hosts;
    size_t n_hosts;
    bool refuse_unknown, sip_names;
    struct tls_pin *pins;
    size_t n_pins;
    struct span *expected; /* copies; see tls_conf.names */
    size_t n_expected;
    char failure[TLS_FAILURE_MAX]; /* the last one */
    struct tls_tickets *tickets;
    struct tls_expiry expiry;
    int keylog; /* a file, or -1 */
    unsigned refs;
    enum tls_role role;
    struct duration handshake;
    struct mono complained; /* failures are told once a second, so that strangers fill no disk */
    uint64_t untold;
};

/* tls_peers.c: chains, names and lists of what was taken back. */
CS_CHECK int tls_verify_peers(struct tls_context *c, const struct tls_conf *conf);
/* Whether a client with this context would believe the certificate to be a server's; its name is
 * not looked at. */
bool tls_vouches(const struct tls_context *c, X509 *x, STACK_OF(X509) * chain);
/* Says why a file cannot be used. */
int tls_unusable(const char *file, const char *message);

/* tls_hosts.c: which certificate is shown. */
void tls_choose_host(struct tls_context *c);

#endif
