/* TLS 1.2 and 1.3 for streams: what a side shows of itself and asks of its peers. A stream carries
 * it when stream_start_tls() or listener_start_tls() named a context (net/stream.h).
 *
 * A client always verifies the server: its certificate must come from ca_file and say the name that
 * was expected. A server that asks for certificates takes those from its ca_file only, and issues
 * no session tickets, so that nobody returns without showing one. A context never changes: what was
 * renewed is another context. */
#ifndef CS_NET_TLS_H
#define CS_NET_TLS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

enum tls_role { TLS_CLIENT, TLS_SERVER };

struct tls_tickets; /* net/tls_tickets.h */

struct tls_pair {                 /* PEM files */
    const char *certificate_file; /* our own first, then those that lead to the authority */
    const char *key_file;         /* of that certificate, not readable by everybody */
    const struct span *names;     /* shown to who asks for one of these (SNI); none: for those in
                                     the certificate */
    size_t n_names;
};

struct tls_pin { /* SHA-256 of a SubjectPublicKeyInfo */
    unsigned char sha256[32];
};

struct tls_conf { /* PEM files; all is read by tls_context_new() and not kept */
    enum tls_role role;
    const char *certificate_file; /* as in tls_pair; NULL: none (clients), or pairs (servers) */
    const char *key_file;
    const char *ca_file;       /* the only authorities who may vouch for a peer; clients need it,
                                  and take a server's own certificate as well; and servers that ask
                                  for certificates */
    bool require_certificate;  /* servers: a client without a good one is refused */
    bool ask_certificate;      /* servers: a client may show one; a bad one is refused */
    struct duration handshake; /* it may take so long; 0 means 5 s */

    /* Servers: */
    bool legacy; /* TLS 1.0 and the suites of its time are spoken as well, for handsets that know
                    nothing else; of this context alone */
    const struct tls_pair *pairs; /* who asks for none of their names gets the first, */
    size_t n_pairs;
    bool refuse_unknown;         /* unless this says that who asks for an unknown one gets nothing
                                    (unrecognized_name); who asks for none gets the first */
    struct span id;              /* sessions are of this listener only */
    struct tls_tickets *tickets; /* held; NULL: keys of this context alone */

    /* Either: */
    const char *crl_file; /* what an authority of ca_file took back is refused; one that is out
                             of date refuses whom it would have to judge. NULL: nothing is */
    int keylog; /* a file to which the secrets of all connections are added (NSS key log), for who
                   wants to read them on the wire; duplicated; 0: none */

    /* Clients: */
    bool sip_names;           /* the server is a SIP domain's (RFC 5922), not a host (RFC 6125) */
    const struct span *names; /* its certificate must say one of these, whatever name it was
                                 asked for; none: that one */
    size_t n_names;
    const struct tls_pin *pins; /* the server's key must be one of these; none: any */
    size_t n_pins;
};

/* Counted: streams and listeners hold it as long as they need it. All in one thread. */
struct tls_context;

/* CS_ECONF when a file cannot be used (what to do was logged), CS_ENOMEM. */
CS_CHECK int tls_context_new(const struct tls_conf *conf, struct tls_context **out);
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context **c);

/* When what was read ends to be good: the first of our certificates to expire, and the first list
 * whose next update is due; 0: there is none. */
struct tls_expiry {
    struct wall certificate, crl;
};
struct tls_expiry tls_context_expiry(const struct tls_context *c);

/* Whether the certificate that a client shows is one of those that a server shows. */
bool tls_context_is_shown(const struct tls_context *client, const struct tls_context *server);

/* Why the last connection with this context failed, and what to do, in words for people; "": none
 * has. */
const char *tls_context_failure(const struct tls_context *c);

/* What the other side's certificate says. */
struct tls_peer {
    bool verified;       /* its chain was checked against ca_file, a server's name as well */
    struct span subject; /* as in RFC 2253, for people: "CN=sip-2,O=Example" */
    struct span *dns;    /* the DNS names of its subjectAltName that are host names */
    size_t n_dns;
};

#endif
