/* What is said in the installation's stream of events (message Event of proto/store.proto): how a
 * change of a user becomes one, and how it stands in Redis. No I/O. */
#ifndef CS_AUTHD_REVOCATION_EVENT_H
#define CS_AUTHD_REVOCATION_EVENT_H

#include "authd/store/user.h"
#include "store.pb-c.h"

enum {
    EVENT_MAX_AORS = 2 * USER_MAX_AORS,
    EVENT_TOKEN_LEN = 16,
    EVENT_ID_MAX = 42, /* two numbers, '-' and a NUL */
};

/* old became now, which is all zero for a user that was removed: fills *out, whose memory is the
 * arena's. CS_ENOENT when nothing was taken that somebody may still rest on. */
CS_CHECK int event_of_change(const struct user *old, const struct user *now, struct wall when,
                             struct arena *a, Countersign__Store__Event *out);
/* All that this user registered is to go, although he may register again. CS_ENOMEM. */
CS_CHECK int event_of_closing(const struct user *u, struct wall when, struct arena *a,
                              Countersign__Store__Event *out);
/* The revocation with this id was made or lifted. CS_ENOMEM. */
CS_CHECK int event_of_revocation(struct span id, struct wall when, struct arena *a,
                                 Countersign__Store__Event *out);
/* The bytes, which live in the arena; absent when memory is exhausted. Fills in the schema. */
struct span event_encode(Countersign__Store__Event *e, struct arena *a);
/* Everything is copied into the arena. CS_EPROTO for what is no Event of a schema we know, within
 * the bounds above. */
CS_CHECK int event_decode(struct span packed, struct arena *a, Countersign__Store__Event **out);
/* What "name@realm" is made of. False for what has no two parts within USER_MAX_NAME. */
bool event_user(const Countersign__Store__Event *e, struct span *name, struct span *realm);
/* Whether this can be an entry's id, "1795255761123-0". */
bool event_is_id(struct span id);

#endif
