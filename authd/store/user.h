/* A user of one realm, as kept in Redis (message User of proto/store.proto): who may authenticate,
 * what proves it, and which addresses of record that gives. Passwords are never kept: only what
 * digest needs (HA1), sealed. */
#ifndef CS_AUTHD_STORE_USER_H
#define CS_AUTHD_STORE_USER_H

#include "authd/store/verifier.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "store.pb-c.h"

enum {
    USER_MAX_RECORD = 64 * 1024,
    USER_MAX_NAME = VERIFIER_MAX_NAME,
    USER_MAX_AOR = 256, /* SIP_AOR_MAX */
    USER_MAX_AORS = 64,
    USER_MAX_OTHERS = 96,
};

struct user { /* spans borrow: from the record's arena, or from who fills it */
    struct span name, realm;
    bool enabled;
    const struct span *aors; /* canonical, as sip_aor_write() writes them */
    size_t n_aors;
    unsigned max_contacts; /* for each AOR; 0: the group's */
    unsigned max_calls;    /* at once; 0: calls.user.at_once of the configuration */
    struct span display_name;
    struct wall created, changed;
    struct span sealed[ALG_COUNT]; /* its own verifiers; absent: there is none */
    const struct verifier *others; /* of its name written otherwise, of a realm's former name, and
                                      of a password that is being replaced */
    size_t n_others;
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

/* Seals the verifiers of the algorithms in the mask from a password and removes all others.
 * u->name and u->realm must stand. */
CS_CHECK int user_set_password(struct user *u, struct vault *v, unsigned algorithms,
                               struct span password, struct arena *a);
/* What else a password leaves: verifiers of the user's other names and of the realm's former one.
 */
struct user_also {
    unsigned forms;     /* FORMs of authd/check/auth_id.h */
    struct span former; /* the realm's former name; absent: there is none */
    struct wall until;  /* when that ends */
};
/* Adds those; u->name, realm and aors must stand. */
CS_CHECK int user_add_password(struct user *u, struct vault *v, unsigned algorithms,
                               const struct user_also *also, struct span password, struct arena *a);
/* Its own verifiers and others that stay are good until then, and no others are left: before it
 * gets another password. until 0: none is left. */
CS_CHECK int user_retire(struct user *u, struct wall until, struct arena *a);
/* Seals one verifier given as HA1 in hex. CS_EPROTO unless hex has exactly its length. */
CS_CHECK int user_set_verifier(struct user *u, struct vault *v, enum algorithm alg, struct span hex,
                               struct arena *a);
/* ha1 gets algorithm_len(alg) bytes. CS_ENOENT: no such verifier; CS_EDENIED: sealed for another
 * user or under a key we lack. */
CS_CHECK int user_open_verifier(const struct user *u, struct vault *v, enum algorithm alg,
                                unsigned char ha1[ALG_MAX_LEN]);
/* The verifiers of this algorithm, name and realm that are good now: what it has today first, then
 * what it had. */
enum { USER_TRIES = 2 };
size_t user_verifiers(const struct user *u, enum algorithm alg, struct span name, struct span realm,
                      struct wall now, struct verifier out[USER_TRIES]);
/* Whether it has any at all. */
bool user_has_credentials(const struct user *u);
/* Is it one of the user's, bytes for bytes? */
bool user_has_sealed(const struct user *u, struct span sealed);
/* Until when the verifiers of a replaced password are, or were, good; 0: there are none. */
struct wall user_overlap(const struct user *u);
/* Seals anew what is not sealed by the key that seals now, and says whether anything was.
 * CS_EDENIED as above. */
CS_CHECK int user_reseal(struct user *u, struct vault *v, struct arena *a, bool *changed);
/* Whether it is enabled and may use this AOR, which is canonical. */
bool user_has_aor(const struct user *u, struct span aor);
/* Whether it is enabled and cannot answer a challenge of this algorithm, but of another one: who
 * has no verifier at all never answers any, and is in nobody's way. false of nobody. */
bool user_lacks(const struct user *u, enum algorithm alg);
/* ALG_BIT of each algorithm it has a verifier for. */
unsigned user_algorithms(const struct user *u);

/* NULL, or why this password should be refused: a sentence for people. */
const char *user_password_fault(struct span name, struct span password);
/* 24 random characters that survive every phone's keypad and web page. */
enum { USER_PASSWORD_LEN = 24 };
void user_password_generate(char out[USER_PASSWORD_LEN + 1]);

#endif
