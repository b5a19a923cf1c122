/* What a client certificate says of who shows it, as judged here: which one it is, and by which of
 * its names somebody may be found (RFC 5922, 7.1). Pure functions. */
#ifndef CS_AUTHD_CHECK_CERTIFICATE_H
#define CS_AUTHD_CHECK_CERTIFICATE_H

#include "auth.pb-c.h"
#include "authd/store/device.h"
#include "base/clock.h"

struct cert_facts { /* borrowed from the message; absent where it was not said */
    struct span sha256, spki, issuer_spki; /* 32 bytes each */
    struct span subject, issuer;           /* RFC 2253 */
    struct span serial;                    /* hexadecimal, upper case */
    struct wall not_before, not_after;
    const Countersign__Auth__Certificate *names;
};

/* What was said of the certificate of a request. False: it showed none. */
bool cert_facts_of(const Countersign__Auth__Check *m, struct cert_facts *out);

/* The names by which somebody may be found, in the order of RFC 5922, 7.1: URIs of scheme sip;
 * where there is none, DNS names; where there is no subjectAltName at all, the common name, and of
 * one that Cisco's factory gave a phone ("CP-7965G-SEP001122334455") also the phone's. Each is
 * given once, canonical, until fn returns true, which is the answer then. */
enum cert_name_kind {
    CERT_USER,   /* "sip:alice@example.com", an address of record */
    CERT_DOMAIN, /* "example.com", of a URI or a DNS name: a domain, or a device's name */
    CERT_COMMON, /* the same of a common name; as written */
};
typedef bool cert_name_fn(void *arg, enum cert_name_kind kind, struct span name);
bool cert_each_name(const struct cert_facts *c, cert_name_fn *fn, void *arg);

/* "sha256:..." or "spki:..." of these 32 bytes, as in a Device's pin. */
struct span cert_pin(const char *scheme, struct span hash, char out[PIN_MAX]);

#endif
