/* SIP and SIPS URIs (RFC 3261, 19.1 and 25.1), and addresses of record. With
 * sip/digest*.h the one part of SIP that authd includes. */
#ifndef CS_SIP_URI_H
#define CS_SIP_URI_H

#include "base/addr.h"
#include "base/buf.h"

enum sip_scheme { SIP_SCHEME_OTHER, SIP_SCHEME_SIP, SIP_SCHEME_SIPS, SIP_SCHEME_TEL };

struct sip_uri {      /* spans borrow from the text; an absent one has p == NULL */
    struct span text; /* all of it */
    enum sip_scheme scheme;
    struct span scheme_name;
    struct span user; /* as written, with escapes; may be empty only if absent */
    struct span password;
    struct span host;    /* IPv6 with its brackets */
    uint16_t port;       /* 0: none given */
    struct span params;  /* behind the host, from the first ';', "" if none */
    struct span headers; /* behind '?', absent if none */
    /* Out of params: */
    struct span transport, maddr, user_param, method, ttl;
    bool lr;
};

/* Takes exactly one URI. Another scheme than sip, sips and tel: 0 with scheme OTHER, only text and
 * scheme_name set, if its characters are legal. CS_EPROTO if malformed, also for a parameter given
 * twice; *out is all zero then. */
CS_CHECK int sip_uri_parse(struct span text, struct sip_uri *out);
/* Value of a parameter: absent if not there, empty if it has no value. */
struct span sip_uri_param(const struct sip_uri *u, struct span name);
/* Comparison by RFC 3261, 19.1.4. */
bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b);
/* The port to use where none is given: 5061 for sips and tls, 5060 else. */
uint16_t sip_uri_default_port(const struct sip_uri *u);

enum { SIP_AOR_MAX = 256 };
/* The canonical address of record (RFC 3261, 10.3 step 5): "sip:" user "@" host, no password, port,
 * parameters or headers; escapes that need not be are undone, the rest are upper-case; host in
 * lower case. sips becomes sip. CS_EPROTO for a URI that is no AOR (other scheme, no user),
 * CS_ELIMIT if longer than SIP_AOR_MAX. */
CS_CHECK int sip_aor_write(struct buf *b, const struct sip_uri *u);

/* A user part without its escapes, at most as long as it was; out has room for user.n bytes. */
struct span sip_user_plain(struct span user, char *out);
/* The other way: what a user part may not hold is escaped. */
void sip_user_write(struct buf *b, struct span plain);

#endif
