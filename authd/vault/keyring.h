/* Keys of the installation as they stand in a file, each named by a one-byte id so that they can be
 * rotated: the first one is used for what is new, all of them for what is there. */
#ifndef CS_AUTHD_VAULT_KEYRING_H
#define CS_AUTHD_VAULT_KEYRING_H

#include "base/span.h"

enum { KEYRING_MAX = 16, KEYRING_KEY_LEN = 32 };

struct keyring {
    struct keyring_key {
        uint8_t id; /* 1 to 255 */
        unsigned char key[KEYRING_KEY_LEN];
    } keys[KEYRING_MAX];
    size_t n;
};

/* Lines of "id:key", id in decimal, key 32 bytes in hex or base64url; or one key alone, which has
 * id 1. Empty lines and those that begin with # are skipped. CS_EPROTO for anything else, no key,
 * or an id used twice; CS_ELIMIT for more than KEYRING_MAX. */
CS_CHECK int keyring_parse(struct span text, struct keyring *out);
/* Wipes. */
void keyring_fini(struct keyring *k);

#endif
