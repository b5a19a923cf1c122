/* The certificates of listeners and of the link, and what we show and believe as a client: read at
 * the start, and again when their files change, on SIGHUP, and when somebody asks over HTTP. What
 * cannot be used changes nothing; connections that are there keep what they began with. */
#ifndef CS_REGISTRAR_CERTS_H
#define CS_REGISTRAR_CERTS_H

#include "net/tls_tickets.h"
#include "registrar/config.h"

struct certs;

struct cert_state { /* of a listener, of us as a "client", or of the "link"; borrowed */
    struct span name;
    struct tls_expiry expiry;
    bool refused; /* what the files hold now cannot be used; what they held before is */
};

/* Reads everything; what is wrong was logged. conf and tp outlive it. seed: of a worker, wiped
 * here; else NULL. CS_ECONF, CS_ENOMEM. */
CS_CHECK int certs_open(struct loop *l, const struct registrar_conf *conf, struct siptp *tp,
                        struct tls_ticket_seed *seed, struct certs **out);
/* The i-th listener of the configuration is there. */
void certs_serve(struct certs *c, size_t i, struct siptp_listener *ls);
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
