/* Sealing anew, under the key that seals now, everything in Redis that is still sealed by another
 * one, so that the other may be removed: users' verifiers and trunks' passwords. What is done is
 * skipped, so that it may be begun again at any time, and by several authd at once. Nobody notices:
 * a record is replaced only if it still is what was read, and nothing else in it changes. */
#ifndef CS_AUTHD_VAULT_RESEAL_H
#define CS_AUTHD_VAULT_RESEAL_H

#include "authd/vault/vault.h"
#include "base/clock.h"
#include "redis/redis.h"

struct reseal;

enum reseal_state {
    RESEAL_IDLE, /* not asked for since this process began */
    RESEAL_RUNNING,
    RESEAL_DONE,
    RESEAL_BROKEN, /* Redis went away; goes on from there when it is begun again */
};

struct reseal_progress {
    enum reseal_state state;
    uint64_t seen, resealed;
    uint64_t unreadable; /* no record, or sealed by a key we lack; the log names them */
    struct wall began, ended;
};

/* All is borrowed and outlives it. */
/* trunks: of their passwords; the same where they have no keys of their own. */
CS_CHECK int reseal_new(struct loop *l, struct redis *r, struct vault *users, struct vault *trunks,
                        struct reseal **out);
/* What is under way is left where it is. */
void reseal_free(struct reseal **r);
/* Begins, or goes on; does nothing while it runs. */
void reseal_start(struct reseal *r);
const struct reseal_progress *reseal_progress(const struct reseal *r);

#endif
