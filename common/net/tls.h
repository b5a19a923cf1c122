/* TLS 1.2 and 1.3 for streams: what a side shows of itself and asks of its peers. A stream carries
 * it when stream_start_tls() or listener_start_tls() named a context (net/stream.h).
 *
 * A client always verifies the server: its certificate must come from ca_file and say the name that
 * was expected. A server that requires certificates takes those from its ca_file only, and issues
 * no session tickets, so that nobody returns without showing one. */
#ifndef CS_NET_TLS_H
#define CS_NET_TLS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

enum tls_role { TLS_CLIENT, TLS_SERVER };

struct tls_conf { /* PEM files; all is read by tls_context_new() and not kept */
    enum tls_role role;
    const char *certificate_file; /* our own first, then those that lead to the authority; NULL:
                                     none (clients only) */
    const char *key_file;         /* of that certificate, not readable by everybody */
    const char *ca_file;          /* the only authorities who may vouch for a peer; clients need it,
                                     and servers that require certificates */
    bool require_certificate;     /* servers: a client without a good one is refused */
    struct duration handshake;    /* it may take so long; 0 means 5 s */
};

/* Counted: streams and listeners hold it as long as they need it. All in one thread. */
struct tls_context;

/* CS_ECONF when a file cannot be used (what to do was logged), CS_ENOMEM. */
CS_CHECK int tls_context_new(const struct tls_conf *conf, struct tls_context **out);
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context **c);

/* What the other side's certificate says. */
struct tls_peer {
    bool verified;       /* its chain was checked against ca_file, a server's name as well */
    struct span subject; /* as in RFC 2253, for people: "CN=sip-2,O=Example" */
    struct span *dns;    /* the DNS names of its subjectAltName that are host names */
    size_t n_dns;
};

#endif
