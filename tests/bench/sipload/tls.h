/* TLS as the phones speak it: one version, one cipher and one curve, so that all servers have the
 * same work. It is the server that is measured: phones trust any certificate. */
#ifndef SIPLOAD_TLS_H
#define SIPLOAD_TLS_H

#include <openssl/ssl.h>

#include "base/err.h"

enum tls_version { TLS_1_2, TLS_1_3 };

/* NULL when OpenSSL cannot. */
SSL_CTX *tls_client(enum tls_version version);
/* A connection over this socket that is to begin with its handshake; NULL without memory. */
SSL *tls_open(SSL_CTX *ctx, int fd);
/* 1: done; 0: waits for the other side; negative: failed. */
CS_CHECK int tls_shake(SSL *ssl);

#endif
