/* `csctl ca`: a small certificate authority for devices and trunks, kept in a directory:
 *   ca.key, ca.crt   its key (mode 0600, never leaves) and certificate
 *   index            one JSON object a line: each certificate it made, and whether it was revoked
 *   crl.pem          what is revoked, for authd and registrar
 * One command works in a directory at a time. What its files share. */
#ifndef CS_TOOLS_CA_H
#define CS_TOOLS_CA_H

#include <openssl/x509v3.h>

#include "base/addr.h"
#include "csctl.h"

enum { CA_CRL_DAYS = 30 };

struct ca {
    const char *dir;
    int lock;
    EVP_PKEY *key;
    X509 *certificate;
    json_t *index; /* an array */
};

/* ---- ca_dir.c: the directory ---- */

/* Each of these says why it failed. */
CS_CHECK int ca_open(const char *dir, struct ca *out);
void ca_close(struct ca *ca);
/* A new authority in dir, which is made if it is not there; there must be none in it yet. */
CS_CHECK int ca_make(const char *dir, const char *name, unsigned days);
/* Writes the index. */
CS_CHECK int ca_keep(const struct ca *ca);
/* Writes a file at once or not at all, readable by its owner only where it is secret. */
typedef int ca_write_fn(FILE *f, const void *what);
CS_CHECK int ca_write(const char *path, bool secret, ca_write_fn *fn, const void *what);
int ca_write_certificate(FILE *f, const void *x509);
int ca_write_key(FILE *f, const void *pkey);
/* Writes crl.pem of what the index says is revoked, good for so many days. */
CS_CHECK int ca_write_crl(const struct ca *ca, unsigned days);

/* ---- ca_cert.c: certificates ---- */

enum ca_name_kind { CA_NAME_URI, CA_NAME_DNS, CA_NAME_IP };
/* What a name on the command line is: a SIP or SIPS URI, an address or a host; CS_EPROTO else. */
CS_CHECK int ca_name_kind(struct span name, enum ca_name_kind *out);

EVP_PKEY *ca_new_key(void);
/* A certificate for this key, signed by ca; ca NULL: an authority's own, by itself. names are n
 * subjectAltNames, or of an authority its name alone. NULL when OpenSSL refuses. */
X509 *ca_certify(const struct ca *ca, EVP_PKEY *key, EVP_PKEY *signer, const char *const *names,
                 size_t n, unsigned days);
/* Whether its subjectAltName is these names, in this order. */
bool ca_says(const X509 *x, const char *const *names, size_t n);
/* In hex, into text. */
const char *ca_serial(const X509 *x, char text[64]);
X509_CRL *ca_crl(const struct ca *ca, unsigned days);

#endif
