/* Encrypted files (.cnf.xml.enc.sgn): AES-128-CBC under a key that the device alone can unwrap, by
 * the RSA key of its certificate, then signed as others are. Of the format the phones' community
 * describes one mode; what three of its elements mean nobody says, and they are written as it does.
 */
#ifndef CS_B2BUA_PROVISIONING_ENCRYPTED_FILE_H
#define CS_B2BUA_PROVISIONING_ENCRYPTED_FILE_H

#include "b2bua/provisioning/signed_file.h"

/* CS_ENOTSUP when the device's key is not RSA; else as signed_file_write(), which needs room for
 * 16 bytes more than the plain text. */
CS_CHECK int encrypted_file_write(const struct phone_signer *s, struct span name, struct wall time,
                                  const X509 *device, struct span plain, struct buf *out);

#endif
