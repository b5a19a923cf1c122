/* Where the bindings of an AOR are kept: one string in Redis, read whole and written whole, if it
 * is still the one that was read (proto/store.proto). */
#ifndef CS_REGISTRAR_LOCATION_H
#define CS_REGISTRAR_LOCATION_H

#include "base/arena.h"
#include "redis/redis.h"
#include "store.pb-c.h"

/* record is NULL when nothing is registered; it lives in the arena given. err is 0, CS_ECLOSED when
 * Redis did not answer, CS_EPROTO when what it holds is no Location of a schema known here,
 * CS_ENOMEM. */
typedef void location_get_fn(void *arg, int err, Countersign__Store__Location *record);
/* err is 0, CS_ECONFLICT when the record is not the one that was read any more, CS_ECLOSED when it
 * is unknown whether it was written, CS_EPROTO when Redis refused. */
typedef void location_commit_fn(void *arg, int err);

struct location_call;

/* fn is called once, never from inside. NULL when memory is exhausted. The call's own memory is the
 * arena's too, so the arena must outlive it. */
struct location_call *location_get(struct redis *r, struct span aor, struct arena *a,
                                   location_get_fn *fn, void *arg);
/* old: the record that was read, or NULL. record without bindings deletes. */
struct location_call *location_commit(struct redis *r, struct span aor,
                                      const Countersign__Store__Location *old,
                                      const Countersign__Store__Location *record,
                                      struct wall expires, struct arena *a, location_commit_fn *fn,
                                      void *arg);
/* fn will not be called. */
void location_cancel(struct location_call *call);

#endif
