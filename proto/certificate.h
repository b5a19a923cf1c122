/* An X.509 certificate as the Certificate of auth.proto: what it says of who someone is, and which
 * one it is. Facts alone: whether its chain leads anywhere is for who calls to see before, and whom
 * it stands for is authd's matter. Source: RFC 5280. */
#ifndef CS_PROTO_CERTIFICATE_H
#define CS_PROTO_CERTIFICATE_H

#include <openssl/x509.h>

#include "auth.pb-c.h"
#include "base/arena.h"

enum {
    CERTIFICATE_HASH_LEN = 32,
    CERTIFICATE_MAX_NAMES = 64, /* of a type; what is beyond is left out */
    CERTIFICATE_MAX_NAME = 512, /* bytes of a name or a subject; longer ones are left out */
};

/* Fills *out, whose texts live in the arena. issuer is the certificate that signed it, the next one
 * of the verified chain (x itself where it is its own), or NULL where that is not known.
 * CS_EPROTO: its key, dates or serial number cannot be read, or the latter has more than 20 octets;
 * CS_ENOMEM. *out says nothing then. */
CS_CHECK int certificate_facts(X509 *x, X509 *issuer, struct arena *a,
                               Countersign__Auth__Certificate *out);
/* SHA-256 of its DER (Check.certificate_sha256), and of the key it holds. CS_EPROTO. */
CS_CHECK int certificate_hash(X509 *x, unsigned char out[CERTIFICATE_HASH_LEN]);
CS_CHECK int certificate_spki_hash(X509 *x, unsigned char out[CERTIFICATE_HASH_LEN]);
/* A name as RFC 2253 writes it, in ASCII, in the arena; absent where it is longer than
 * CERTIFICATE_MAX_NAME or memory is exhausted. */
struct span certificate_name(const X509_NAME *name, struct arena *a);
/* A serial number in hexadecimal, upper case, without leading zeros; absent as for CS_EPROTO above,
 * or when memory is exhausted. */
struct span certificate_serial(const ASN1_INTEGER *serial, struct arena *a);

#endif
