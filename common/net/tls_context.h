/* The inside of struct tls_context, for tls.c and tls_session.c. */
#ifndef CS_NET_TLS_CONTEXT_H
#define CS_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "net/tls.h"

struct tls_context {
    SSL_CTX *ctx;
    unsigned refs;
    enum tls_role role;
    struct duration handshake;
    struct mono complained; /* failures are told once a second, so that strangers fill no disk */
    uint64_t untold;
};

#endif
