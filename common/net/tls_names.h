/* Names around TLS: the one a client asks for, and those of SIP domains in certificates. */
#ifndef CS_NET_TLS_NAMES_H
#define CS_NET_TLS_NAMES_H

#include <openssl/types.h>

#include "base/buf.h"

/* The host name in the extension server_name of a ClientHello (RFC 6066, 3), borrowed; absent when
 * it has none. CS_EPROTO when it is malformed, says two, or one that is no host name. */
CS_CHECK int tls_sni_parse(struct span extension, struct span *out);

/* Whether the certificate is one of this SIP domain (RFC 5922, 7.1 and 7.2): by the SIP URIs in its
 * subjectAltName, else the DNS names there, else, when it has no subjectAltName, its CN; each whole
 * and without wildcards. For an address in place of a domain also by the addresses there. */
bool tls_names_sip_domain(const X509 *x, struct span domain);
/* Whether the certificate says that it is for SIP, or for anything (RFC 5924, 4), and may sign. */
bool tls_names_sip_purpose(X509 *x);

/* All that it says of who it is, for people: "sip.example.com, *.example.com"; its CN where it has
 * no subjectAltName. */
void tls_names_write(struct buf *b, const X509 *x);

#endif
