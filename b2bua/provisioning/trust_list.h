/* Trust lists of desk phones (ITLFile.tlv, CTLFile.tlv): which certificate they believe in which
 * role. A phone without a list takes the first that is signed well, and later ones only by a signer
 * (SAST) of the list it has: who loses those keys has to erase the list at each phone by hand. */
#ifndef CS_B2BUA_PROVISIONING_TRUST_LIST_H
#define CS_B2BUA_PROVISIONING_TRUST_LIST_H

#include "b2bua/provisioning/signed_file.h"

enum { TRUST_RECORDS_MAX = 32, TRUST_LIST_MAX = 64 * 1024 };

enum trust_role {                     /* as lists write them */
                  TRUST_SAST = 0,     /* signs trust lists */
                  TRUST_CCM = 1,      /* TLS of calls */
                  TRUST_CCM_TFTP = 2, /* and signs files */
                  TRUST_TFTP =
                      3, /* of an elliptic curve: files over HTTPS; newer phones alone ask there */
};

struct trust_record {
    enum trust_role role;
    const X509 *certificate;
};

/* The signer must be one of the SASTs, CS_ECONF else; otherwise as signed_file_write(). */
CS_CHECK int trust_list_write(const struct phone_signer *s, struct span name, struct wall time,
                              const struct trust_record *records, size_t n, struct buf *out);
/* Whether these bytes look like a list: header and records, one behind the other, end with them. It
 * says nothing of the signature. */
bool trust_list_is(struct span bytes);

#endif
