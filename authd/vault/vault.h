/* Sealing of what must not be read in Redis: AES-256-GCM under keys that are files of this host,
 * named by a one-byte id so that they can be rotated. */
#ifndef CS_AUTHD_VAULT_VAULT_H
#define CS_AUTHD_VAULT_VAULT_H

#include "base/buf.h"
#include "base/ct.h"

struct vault;

enum { VAULT_OVERHEAD = 1 + 12 + 16 }; /* key id, IV, tag */

/* text: a key file (authd/vault/keyring.h). The first key seals, all of them open. CS_EPROTO if it
 * is none. */
CS_CHECK int vault_new(struct span text, struct vault **out);
/* More keys, that only open. CS_EPROTO: it is no key file, or one of their ids is in use. */
CS_CHECK int vault_add(struct vault *v, struct span text);
void vault_free(struct vault **v);

/* Appends the sealed form, VAULT_OVERHEAD bytes longer than plain; bound is authenticated with it
 * and must be the same when it is opened. */
CS_CHECK int vault_seal(struct vault *v, struct span bound, struct span plain, struct buf *out);
/* Of the key that seals now. */
uint8_t vault_key_id(const struct vault *v);
/* Whether it is sealed by that one. */
bool vault_is_current(const struct vault *v, struct span sealed);
/* Exactly n bytes of plain text. CS_EDENIED when it was not sealed so, or by a key we lack. */
CS_CHECK int vault_open(struct vault *v, struct span bound, struct span sealed, void *out,
                        size_t n);

#endif
