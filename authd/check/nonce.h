/* Nonces that every authd of the installation verifies and none remembers: base64url of the issue
 * time (48 bits of milliseconds), a batch (48 random bits), the place in it, 8 random bits, the id
 * of the key, 24 bits of cookie, and 96 bits of HMAC-SHA256 over all of that and the realm.
 *
 * The cookie says for whom the nonce was made: the network of one subscriber (addr_net_bytes()),
 * keyed, and another one in each nonce, so that it tells nobody anything. Who shows a nonce with
 * his own cookie has received what was sent to his address. A nonce serves at any other address,
 * too, since phones roam; but over UDP it then proves nothing of where the request came from.
 * Nonces that are made for whoever comes (Lease of auth.proto) are made for no address. */
#ifndef CS_AUTHD_CHECK_NONCE_H
#define CS_AUTHD_CHECK_NONCE_H

#include "base/addr.h"
#include "base/clock.h"

struct noncer;

/* What is kept of nonces in Redis is kept of a batch at once: up to so many, made within ten
 * seconds of each other. */
enum { NONCE_SLOTS = 64, NONCE_BATCH_LEN = 8 /* of the tag */ };

enum { NONCE_LEN = 40, NONCE_TAG_AT = 8, NONCE_TAG_LEN = 12 };

struct nonce {
    struct wall issued;
    struct span tag; /* unique among the nonces that are fresh at a time, begins with what its
                        batch has in common; borrowed */
    unsigned slot;   /* its place in the batch, below NONCE_SLOTS */
    unsigned char head[18]; /* what was signed */
    size_t key;             /* with which of ours */
};

/* text: a key file (authd/vault/keyring.h). The first key mints, all of them verify. */
CS_CHECK int noncer_new(struct span text, struct noncer **out);
void noncer_free(struct noncer **n);

/* A new nonce, without a NUL. source NULL, or of no family: made for no address. */
CS_CHECK int nonce_mint(struct noncer *n, struct span realm, struct wall now,
                        const struct addr *source, char out[NONCE_LEN]);
/* Whether one of our keys made it for this realm, at whatever time. CS_EPROTO if not. */
CS_CHECK int nonce_verify(struct noncer *n, struct span realm, struct span text, struct nonce *out);
/* Whether it was made for this source's network. */
bool nonce_is_for(struct noncer *n, const struct nonce *nonce, const struct addr *source);
/* Older than lifetime. One from the future, beyond what clocks of nodes differ by, is not fresh
 * either. */
bool nonce_is_stale(const struct nonce *n, struct wall now, struct duration lifetime);

#endif
