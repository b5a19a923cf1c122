/* Files that desk phones believe by a signature: trust lists (.tlv), signed (.sgn) and encrypted
 * (.enc.sgn) ones begin with the same header, which names its signer and what was hashed, and holds
 * an RSA signature (PKCS #1 v1.5) over all else. Cisco's format, without a public description: it
 * is what the phones' community found out, and no handset has judged what is written here. */
#ifndef CS_B2BUA_PROVISIONING_SIGNED_FILE_H
#define CS_B2BUA_PROVISIONING_SIGNED_FILE_H

#include <openssl/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum phone_hash { PHONE_SHA1 = 1, PHONE_SHA512 = 3 }; /* as files write it */
enum { PHONE_NAME_TEXT = 512, PHONE_SERIAL = 20, SIGNED_HEAD_MAX = 4096 };

/* A certificate's names as these files write them, so that header and record say the same. */
struct phone_identity {
    char subject[PHONE_NAME_TEXT], issuer[PHONE_NAME_TEXT];
    unsigned char serial[PHONE_SERIAL]; /* without sign byte and leading zeros */
    size_t n_serial;
};
/* CS_ELIMIT when it has longer ones than fit. */
CS_CHECK int phone_identity_of(const X509 *x, struct phone_identity *out);

struct phone_signer;

/* PEM files of a key and the certificate that a trust list names, RSA of 1024 or 2048 bits: phones
 * take no more. What is wrong is logged. CS_ECONF, CS_ENOMEM. */
CS_CHECK int phone_signer_new(const char *certificate_file, const char *key_file,
                              enum phone_hash hash, struct phone_signer **out);
/* The same of what was read already; both are held. */
CS_CHECK int phone_signer_of(X509 *x, EVP_PKEY *key, enum phone_hash hash,
                             struct phone_signer **out);
void phone_signer_free(struct phone_signer **s);
/* Whether that is its certificate. */
bool phone_signer_is(const struct phone_signer *s, const X509 *x);
enum phone_hash phone_signer_hash(const struct phone_signer *s);
const EVP_MD *phone_hash_of(enum phone_hash hash);

enum signed_kind { SIGNED_LIST, SIGNED_PLAIN, SIGNED_ENCRYPTED };
struct signed_file {
    enum signed_kind kind;
    struct span name; /* as the phone asks for it */
    struct wall time;
    bool https;          /* of a list: it names a server of files over HTTPS */
    struct span more;    /* elements of the header behind the others; absent: none */
    struct span payload; /* records, or the file as it is, or its cipher text */
};
/* CS_ELIMIT when it does not fit, CS_ENOMEM; CS_ENOTSUP when this system's OpenSSL signs nothing
 * with that hash. */
CS_CHECK int signed_file_write(const struct phone_signer *s, const struct signed_file *f,
                               struct buf *out);

#endif
