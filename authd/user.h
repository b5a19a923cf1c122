/* A user of one realm, as kept in Redis (message User of proto/store.proto): who may authenticate,
 * what proves it, and which addresses of record that gives. Passwords are never kept: only what
 * digest needs (HA1), sealed. */
#ifndef CS_AUTHD_USER_H
#define CS_AUTHD_USER_H

#include "authd/algorithm.h"
#include "authd/vault.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "store.pb-c.h"

enum {
    USER_MAX_RECORD = 64 * 1024,
    USER_MAX_NAME = 256,
    USER_MAX_AOR = 256, /* SIP_AOR_MAX */
    USER_MAX_AORS = 64,
};

struct user { /* spans borrow: from the record's arena, or from who fills it */
    struct span name, realm;
    bool enabled;
    const struct span *aors; /* canonical, as sip_aor_write() writes them */
    size_t n_aors;
    unsigned max_contacts; /* for each AOR; 0: the group's */
    struct span display_name;
    struct wall created, changed;
    struct span sealed[ALG_COUNT];              /* verifiers; absent: there is none */
    const Countersign__Store__Session *session; /* of a temporary one; else NULL */
    struct span record; /* the bytes it was decoded from; absent for a new one */
};

/* Everything is copied into the arena. CS_EPROTO for what is no user of a schema we know. */
CS_CHECK int user_decode(struct span record, struct arena *a, struct user *out);
/* CS_ELIMIT when a bound above or the buffer is too small for it. */
CS_CHECK int user_encode(const struct user *u, struct buf *out);
/* Whether a user of this name is a temporary one, which stands for a token. */
bool user_is_temporary(struct span name);
/* A copy whose spans live in the arena; without its session. */
CS_CHECK int user_copy(const struct user *u, struct arena *a, struct user *out);

/* NULL, or why these cannot be a digest username and its realm: a sentence for people. */
const char *user_name_fault(struct span name);
const char *user_realm_fault(struct span realm);

/* HA1 = H(name ":" realm ":" password) (RFC 7616, 3.4.2), algorithm_len(alg) bytes. */
CS_CHECK int user_ha1(enum algorithm alg, struct span name, struct span realm, struct span password,
                      unsigned char out[ALG_MAX_LEN]);
/* Seals the verifiers of the algorithms in the mask from a password and removes all others.
 * u->name and u->realm must stand. */
CS_CHECK int user_set_password(struct user *u, struct vault *v, unsigned algorithms,
                               struct span password, struct arena *a);
/* Seals one verifier given as HA1 in hex. CS_EPROTO unless hex has exactly its length. */
CS_CHECK int user_set_verifier(struct user *u, struct vault *v, enum algorithm alg, struct span hex,
                               struct arena *a);
/* ha1 gets algorithm_len(alg) bytes. CS_ENOENT: no such verifier; CS_EDENIED: sealed for another
 * user or under a key we lack. */
CS_CHECK int user_open_verifier(const struct user *u, struct vault *v, enum algorithm alg,
                                unsigned char ha1[ALG_MAX_LEN]);
/* Seals anew what is not sealed by the key that seals now, and says whether anything was.
 * CS_EDENIED as above. */
CS_CHECK int user_reseal(struct user *u, struct vault *v, struct arena *a, bool *changed);
/* ALG_BIT of each algorithm it has a verifier for. */
unsigned user_algorithms(const struct user *u);

/* NULL, or why this password should be refused: a sentence for people. */
const char *user_password_fault(struct span name, struct span password);
/* 24 random characters that survive every phone's keypad and web page. */
enum { USER_PASSWORD_LEN = 24 };
void user_password_generate(char out[USER_PASSWORD_LEN + 1]);

#endif
