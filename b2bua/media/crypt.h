/* SRTP and SRTCP of one direction of one stream (RFC 3711, 6188, 7714): libsrtp2's only home. */
#ifndef CS_B2BUA_MEDIA_CRYPT_H
#define CS_B2BUA_MEDIA_CRYPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum crypt_suite { /* by strength, the weakest first */
                   CRYPT_NONE,
                   CRYPT_AES_CM_128_HMAC_SHA1_32,
                   CRYPT_AES_CM_128_HMAC_SHA1_80,
                   CRYPT_AES_256_CM_HMAC_SHA1_32,
                   CRYPT_AES_256_CM_HMAC_SHA1_80,
                   CRYPT_AEAD_AES_128_GCM,
                   CRYPT_AEAD_AES_256_GCM,
                   CRYPT_SUITE_COUNT
};

enum {
    CRYPT_KEY_MAX = 46,
    CRYPT_GROWTH = 16 + 4 + 16, /* a packet grows by no more: tag, index, slack */
    CRYPT_SSRC_MAX = 64,        /* under one key; each takes memory, and time of those behind it */
};

struct crypt_key { /* master key and salt, as SDES and DTLS give them; to be wiped by its holder */
    enum crypt_suite suite : 8; /* there are four in each stream */
    unsigned char bytes[CRYPT_KEY_MAX];
};

struct crypt;

/* Once for the process, before any other; CS_ENOTSUP when this libsrtp2 cannot do what is above. */
CS_CHECK int crypt_setup(void);
/* Key and salt together, in bytes. */
size_t crypt_key_len(enum crypt_suite s);
bool crypt_key_eq(const struct crypt_key *a, const struct crypt_key *b);
/* For any SSRC, whose index of packets (ROC) begins at 0. The suite is not NONE. CS_ENOMEM. */
CS_CHECK int crypt_new(const struct crypt_key *key, struct crypt **out);
void crypt_free(struct crypt **c);
/* Never changes: any thread may look while c lives. */
const struct crypt_key *crypt_key_of(const struct crypt *c);

/* A packet will come: asks memory for what that wants, c itself aside. */
void crypt_soon(const struct crypt *c);

/* In place; *n becomes the new length, at most CRYPT_GROWTH longer, for which there must be room.
 * The packet begins at an address that a 32-bit word may have. One direction has a struct crypt of
 * its own. CS_EDENIED: not of this key, changed on the way, or seen before; CS_EPROTO: cannot be
 * such a packet; CS_ELIMIT: the key is used up, or had packets of CRYPT_SSRC_MAX others (an SSRC
 * that were forgotten could come again, and so would its indices); CS_ENOMEM. */
CS_CHECK int crypt_protect(struct crypt *c, char *packet, size_t *n);
CS_CHECK int crypt_unprotect(struct crypt *c, char *packet, size_t *n);
CS_CHECK int crypt_protect_rtcp(struct crypt *c, char *packet, size_t *n);
CS_CHECK int crypt_unprotect_rtcp(struct crypt *c, char *packet, size_t *n);

#endif
