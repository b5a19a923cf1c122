/* A TLS server for who can read plain sockets only: each connection, once its handshake is done, is
 * given away as one end of a socket pair; the other end is joined to the wire here. What waits in
 * either direction is bounded: who does not read is not read from. */
#ifndef CS_NET_TLS_PIPE_H
#define CS_NET_TLS_PIPE_H

#include <openssl/types.h>

#include "base/addr.h"
#include "net/loop.h"
#include "net/tls.h"

struct tls_pipes;

struct tls_pipes_conf {
    struct tls_context *tls; /* of a server; held as long as it is needed */
    unsigned max_handshakes; /* at a time; the oldest makes room for one more */
    struct duration linger;  /* what was written last may take so long after the owner has closed */
    /* fd is the callee's, and does not block; closing it says close_notify and ends the connection.
     * It ends (reads 0) when the client does. x is the client's certificate whose chain was
     * verified, and issuer who signed it, both borrowed for the call; NULL: it showed none. */
    void (*opened)(void *arg, int fd, const struct addr *peer, X509 *x, X509 *issuer);
    void *arg;
};

/* Takes over fd, a TCP socket that listens and does not block, and closes it on error. */
CS_CHECK int tls_pipes_open(struct loop *l, int fd, const struct tls_pipes_conf *conf,
                            struct tls_pipes **out);
/* Connections from now on have this context. */
void tls_pipes_use(struct tls_pipes *t, struct tls_context *tls);
/* Connections end with it; what was given away reads 0. */
void tls_pipes_close(struct tls_pipes **t);

#endif
