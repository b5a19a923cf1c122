/* The certificates of listeners and of the link, and what we show and believe as a client, of all
 * servers or of one peer: read at the start, and again when their files change, on SIGHUP, and when
 * somebody asks over HTTP. What cannot be used changes nothing; connections that are there keep
 * what they began with. */
#ifndef CS_CERTS_CERTS_H
#define CS_CERTS_CERTS_H

#include "certs/settings.h"
#include "http/httpd.h"
#include "net/stream.h"
#include "net/tls_tickets.h"
#include "siptp/siptp.h"

struct certs;

struct certs_listener {
    struct span name;
    const struct listener_tls_conf *tls; /* NULL: it speaks no TLS */
    bool legacy;                         /* also as in 2005: tls_conf.legacy */
};

struct certs_peer {
    struct span name;
    unsigned number;                 /* siptp_use_tls_for() */
    const struct tls_peer_conf *tls; /* NULL: as for everybody, */
    const struct span *names;        /* but for these names */
    size_t n_names;
};

struct certs_link { /* over TLS: one certificate for both directions */
    const char *certificate_file, *key_file, *ca_file;
};

struct certs_conf { /* the lists are borrowed for the call, what they point to for longer */
    const struct tls_settings *tls;
    const struct certs_listener *listeners;
    size_t n_listeners;
    const struct certs_peer *peers;
    size_t n_peers;
    const struct certs_link *link; /* NULL: none */
};

struct cert_state { /* of a listener, of us as a "client", or of the "link", or for a peer; borrowed
                     */
    struct span name;
    struct tls_expiry expiry;
    bool refused; /* what the files hold now cannot be used; what they held before is */
};

/* Reads everything; what is wrong was logged. tp and what conf points to outlive it. seed: of a
 * worker, wiped here; else NULL. CS_ECONF, CS_ENOMEM. */
CS_CHECK int certs_open(struct loop *l, const struct certs_conf *conf, struct siptp *tp,
                        struct tls_ticket_seed *seed, struct certs **out);
/* The i-th listener of the configuration is there. */
void certs_serve(struct certs *c, size_t i, struct siptp_listener *ls);
/* The same, of one that does not speak SIP. */
void certs_serve_streams(struct certs *c, size_t i, struct listener *ls);
/* What that of the i-th begins with, borrowed, for a server of HTTP that is opened with it; */
struct tls_context *certs_of(const struct certs *c, size_t i);
/* and from then on it has what is read again. */
void certs_serve_http(struct certs *c, size_t i, struct httpd *h);
/* What the trusted link begins with, borrowed; where the configuration has one over TLS. */
void certs_link(const struct certs *c, struct tls_context **server, struct tls_context **client);
/* Reads everything again. */
void certs_reload(struct certs *c);
/* The same where files are others than before; false: none is. */
bool certs_look(struct certs *c);
/* How the i-th stands; false: there are not so many. */
bool certs_state(const struct certs *c, size_t i, struct cert_state *out);
void certs_close(struct certs **c);

#endif
