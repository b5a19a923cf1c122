/* OpenSSL's ciphers for libsrtp2, in place of its own. Debian builds libsrtp2 on NSS, whose AES
 * takes five to five hundred times as long once there are many keys. */
#ifndef CS_B2BUA_MEDIA_CRYPT_OPENSSL_H
#define CS_B2BUA_MEDIA_CRYPT_OPENSSL_H

#include "base/err.h"

/* Once for the process, behind srtp_init(). libsrtp2 tries them against its own test vectors and
 * ours first; CS_ENOTSUP when one is not right. */
CS_CHECK int crypt_openssl_plug(void);

/* The first cipher that libsrtp2 made in this thread since this was set to NULL. */
extern _Thread_local const void *crypt_openssl_first;

#endif
