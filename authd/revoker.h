/* What the installation's events mean here. Of a user that was removed, disabled, or lost an AOR,
 * the bindings that rest on it are removed, whichever registrar holds them, and fronts are told.
 * Every authd does so; who comes second finds nothing left to do. What an event says is not taken
 * at its word: what Redis holds of the user when it arrives decides.
 *
 * No ACCEPT follows a front's Revoked that rests on what stood before: records are read on the
 * connection that brings events, which Redis answers in order, so whatever is read behind an event
 * is what stands since; and what waits for more than its record when an event arrives is given up
 * (revoker_listener.changed), before the front is told.
 *
 * A change that takes something is announced in three steps (authd/store.c), so that no death of an
 * authd between any two of them hides it: its event goes into cs:revoking before the change, into
 * cs:events behind it, and out of cs:revoking when the bindings are gone. What is left there for
 * long is announced once more by whoever finds it, at its start or later. That is also why a start
 * may begin at the stream's end: what was not finished is found there, and what one who starts
 * holds, nothing, no older event can take.
 */
#ifndef CS_AUTHD_REVOKER_H
#define CS_AUTHD_REVOKER_H

#include "auth.pb-c.h"
#include "authd/cache.h"
#include "authd/events.h"
#include "authd/store.h"
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
    /* To be told to the front of this number, 0: to all. Borrowed. */
    void (*revoked)(void *arg, uint64_t front, const Countersign__Auth__Revoked *r);
    /* revoker_is_current() holds again. */
    void (*current)(void *arg);
};

CS_CHECK int revoker_new(const struct revoker_conf *conf, struct revoker **out);
void revoker_free(struct revoker **r);
/* One at a time, NULL for none. */
void revoker_listen(struct revoker *r, const struct revoker_listener *listener, void *arg);
/* Every event was heard; else what is accepted now may be revoked already. */
bool revoker_is_current(const struct revoker *r);
/* The place in the stream; "" before the first time. */
const char *revoker_place(const struct revoker *r);
/* Tells this front, which is not 0, what was revoked behind the event it heard last. */
CS_CHECK int revoker_replay(struct revoker *r, uint64_t front, struct span behind);
void revoker_stop(struct revoker *r, uint64_t front);

#endif
