/* What the installation's events mean here. Of a user that was removed, disabled, or lost an AOR,
 * the bindings that rest on it are removed, whichever registrar holds them, and fronts are told; so
 * it is with what rests on a token, certificate or device that was revoked
 * (authd/revocation/revocation.h). Every authd does so; who comes second finds nothing left to do.
 * What an event says is not taken at its word: what Redis holds of the user when it arrives
 * decides.
 *
 * No ACCEPT follows a front's Revoked that rests on what stood before: records are read on the
 * connection that brings events, which Redis answers in order, so whatever is read behind an event
 * is what stands since; and what waits for more than its record when an event arrives is given up
 * (revoker_listener.changed), before the front is told.
 *
 * A change that takes something is announced in three steps (authd/store/store.c), so that no death
 * of an authd between any two of them hides it: its event goes into cs:revoking before the change,
 * into cs:events behind it, and out of cs:revoking when the bindings are gone. What is left there
 * for long is announced once more by whoever finds it, at its start or later
 * (authd/revocation/unfinished.h). That is also why a start may begin at the stream's end: what was
 * not finished is found there, and what one who starts holds, nothing, no older event can take.
 *
 * A revocation is written (cs:revoked) before its event, and looked up behind it: so it may be
 * lifted, and an event told once more says what is so by then. Every authd knows all that stand
 * before it is ready, and tells its fronts, which close flows and remove what these carried; who
 * announced it also looks through all bindings (location/evict.h), since not all have a flow.
 */
#ifndef CS_AUTHD_REVOCATION_REVOKER_H
#define CS_AUTHD_REVOCATION_REVOKER_H

#include "auth.pb-c.h"
#include "authd/revocation/events.h"
#include "authd/revocation/revocations.h"
#include "authd/store/cache.h"
#include "authd/store/store.h"
#include "location/location.h"

struct revoker;

struct revoker_conf { /* everything is borrowed and outlives the revoker */
    struct loop *loop;
    struct redis *redis;
    const struct redis_conf *watch; /* of the same server */
    struct store *store;
    struct cache *cache;
};

struct revoker_listener {
    /* What was judged by this user's record as it was must not be accepted any more. */
    void (*changed)(void *arg, struct span name, struct span realm);
    /* The same of what rests on this. */
    void (*fallen)(void *arg, const struct fallen *what);
    /* To be told to the front of this number, 0: to all. Borrowed. */
    void (*revoked)(void *arg, uint64_t front, const Countersign__Auth__Revoked *r);
    /* revoker_is_current() holds again. */
    void (*current)(void *arg);
};

CS_CHECK int revoker_new(const struct revoker_conf *conf, struct revoker **out);
void revoker_free(struct revoker **r);
/* One at a time, NULL for none. */
void revoker_listen(struct revoker *r, const struct revoker_listener *listener, void *arg);
struct revocations *revoker_revocations(const struct revoker *r);
/* Every event was heard, and every revocation that stands is known; else what is accepted now may
 * be revoked already. */
bool revoker_is_current(const struct revoker *r);
/* The same, and lately heard of: for what nothing else asks Redis about. */
bool revoker_is_fresh(const struct revoker *r);
/* The place in the stream; "" before the first time. */
const char *revoker_place(const struct revoker *r);
/* Tells this front, which is not 0, what was revoked behind the event it heard last. */
CS_CHECK int revoker_replay(struct revoker *r, uint64_t front, struct span behind);
void revoker_stop(struct revoker *r, uint64_t front);

/* What is to be seen to its end: before it is written, and what event_encode() made of it. */
void revoker_begin(struct revoker *r, const Countersign__Store__Event *e, struct span packed);
/* And behind it. The reply is that of XADD. */
struct redis_call *revoker_announce(struct revoker *r, struct span packed, redis_fn *fn, void *arg);

#endif
