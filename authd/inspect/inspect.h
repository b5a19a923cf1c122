/* Is what Redis holds whole? All of it is walked in portions: each key, then each entry of the
 * indexes over them. A portion is looked at while others go on changing it, so what seems wrong is
 * looked at once more a moment later: an entry that is written before its record is none of it.
 *
 * Nothing is changed but on demand, and then only what nobody can miss: entries of indexes that
 * name what is not there, and bindings of users who are gone, which are ended as they are when a
 * user is removed (authd/revocation/revoker.h). */
#ifndef CS_AUTHD_INSPECT_INSPECT_H
#define CS_AUTHD_INSPECT_INSPECT_H

#include "authd/config.h"
#include "authd/inspect/flaw.h"
#include "authd/inspect/place.h"
#include "authd/vault/vault.h"
#include "base/arena.h"
#include "redis/redis.h"

struct inspection;

struct inspect_env { /* what it points to outlives the inspection */
    struct loop *loop;
    struct redis *redis;
    struct vault *vault, *trunk_vault;
    const struct authd_conf *conf;
};

struct finding { /* spans live in the arena; absent where they do not apply */
    struct finding *next;
    enum flaw flaw;
    struct span key, entry, detail;
    bool repaired;
};

struct inspect_page {
    uint64_t seen; /* keys and entries */
    const struct finding *findings;
    char next[PLACE_TEXT_MAX]; /* "" on the last page */
};

/* err is 0; CS_ECLOSED when Redis did not answer, CS_ENOMEM; CS_ECONFLICT when another Redis serves
 * than the one that the cursor is of, so that it must be begun anew. page is borrowed. */
typedef void inspect_fn(void *arg, int err, const struct inspect_page *page);

/* One portion, from where cursor says (absent: the first). fn is called once, never from inside.
 * CS_EPROTO: cursor is none; CS_ENOMEM. The arena is the inspection's until then. */
CS_CHECK int inspect_begin(const struct inspect_env *env, struct span cursor, bool repair,
                           struct arena *a, inspect_fn *fn, void *arg, struct inspection **out);
/* fn will not be called. */
void inspect_cancel(struct inspection *i);

#endif
