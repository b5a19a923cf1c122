/* Where the bindings of an AOR are kept: one record in Redis, read whole and replaced whole, if it
 * is still the one that was read. Shared by the registrar, which writes it, and authd, which shows
 * and clears it.
 *
 * The key is a hash whose only field is named by the record's version. Version n is replaced by
 * HSETNX of the field n + 1 and HDEL of n, as one. That n + 1 was free is not enough to have won, a
 * slow writer finds it free again when n + 2 stands: n must have been there, and nothing above.
 * When the key's expiry must move too, only the winner may move it, so a script does it all: it
 * costs Redis twice as much, and serves the first REGISTER, the last, and one refresh of many. A
 * key outlives its last change by eleven minutes, as a tombstone if there are no bindings, so that
 * no version comes twice while somebody may still hold it: a writer, or a memory (location_known).
 */
#ifndef CS_LOCATION_LOCATION_H
#define CS_LOCATION_LOCATION_H

#include "base/arena.h"
#include "redis/redis.h"
#include "store.pb-c.h"

struct location {                         /* as it was read */
    uint64_t version;                     /* 0: nothing is there */
    Countersign__Store__Location *record; /* in the arena given; NULL: nothing is there */
    bool littered;                        /* an older version is there, too */
};

/* err is 0, CS_ECLOSED when Redis did not answer, CS_EPROTO when what it holds is no Location of a
 * schema known here, CS_ENOMEM. read is borrowed for the call, what it points to is the arena's. */
typedef void location_get_fn(void *arg, int err, const struct location *read);
/* err is 0, CS_ECONFLICT when the record is not the one that was read any more, CS_ECLOSED when it
 * is unknown whether it was written, CS_EPROTO when Redis refused. */
typedef void location_commit_fn(void *arg, int err);

struct locations;
struct location_call;

/* known: of how many AORs the record last read or written here is remembered, 0 for none. grace:
 * see location_recall(). redis is borrowed. */
CS_CHECK int locations_open(struct loop *l, struct redis *redis, size_t known,
                            struct duration grace, struct locations **out);
void locations_close(struct locations **l);
/* Due when Redis was lost: who comes back may have lost a write, and with it a version. */
void locations_forget(struct locations *l);
/* What was written here last of the AOR, in the two hours before Redis was lost, while it is away,
 * for as long as grace says: where to look for a phone when nobody can tell. Others may have
 * replaced it since. False: nothing is known. */
bool location_recall(struct locations *l, struct span aor, struct arena *a, struct location *read);
/* Others replaced it, as is known for sure. */
void location_replaced(struct locations *l, struct span aor);

/* What is remembered of the AOR, no older than ten minutes: true, and read as location_get() would
 * have given it then. Others may have replaced it since, so it is good for one thing: to commit on
 * it, which fails with CS_ECONFLICT if they did. */
bool location_known(struct locations *l, struct span aor, struct arena *a, struct location *read);
/* fn is called once, never from inside. NULL when memory is exhausted. The call's own memory is the
 * arena's too, so the arena must outlive it. */
struct location_call *location_get(struct locations *l, struct span aor, struct arena *a,
                                   location_get_fn *fn, void *arg);
/* Replaces what was read by record, whose schema and keep_until_ms are filled in here from its
 * bindings; none of them are left out. */
struct location_call *location_commit(struct locations *l, struct span aor,
                                      const struct location *read,
                                      Countersign__Store__Location *record, struct wall now,
                                      struct arena *a, location_commit_fn *fn, void *arg);
/* fn will not be called. */
void location_cancel(struct location_call *call);

/* ---- removing ---- */
/* Which bindings go. */
typedef bool location_goes_fn(void *arg, const Countersign__Store__Binding *b);
/* err as above; CS_ECONFLICT when others were faster again and again. n: how many went. */
typedef void location_removed_fn(void *arg, int err, size_t n);
struct location_removal;
/* Removes from the AOR's record the bindings that goes() selects, and begins again when somebody
 * was faster, so goes() may see the same binding more than once. A record without such bindings is
 * not touched. fn is called once, never from inside. NULL when memory is exhausted. */
struct location_removal *location_remove(struct locations *l, struct span aor,
                                         location_goes_fn *goes, location_removed_fn *fn,
                                         void *arg);
/* fn will not be called; what was begun in Redis may still be done. */
void location_remove_cancel(struct location_removal *r);

/* What Redis says to HGETALL of the key: the highest version counts. CS_EPROTO and CS_ENOMEM as
 * above. */
CS_CHECK int location_decode(const struct redis_reply *reply, struct arena *a,
                             struct location *out);
/* "cs:loc:{aor}" */
void location_key(struct buf *b, struct span aor);

#endif
