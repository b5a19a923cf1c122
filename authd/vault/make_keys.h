/* The files authd's secrets are in. */
#ifndef CS_AUTHD_VAULT_MAKE_KEYS_H
#define CS_AUTHD_VAULT_MAKE_KEYS_H

#include "base/span.h"

/* Makes nonce.key, seal.key and admin.token in the folder, mode 0600, and says so on stdout; files
 * that are there already are kept. */
CS_CHECK int make_keys(const char *folder);

#endif
