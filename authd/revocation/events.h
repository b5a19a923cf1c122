/* The installation's stream of events (cs:events in Redis): appended to by who changes something,
 * read by every authd in the same order, from behind the last entry it has seen.
 *
 * A watcher tells that the stream was written to (redis_watch), or a second passes, and XRANGE
 * reads it on the connection of everything else: Redis answers there in order, so what is asked
 * behind an event's arrival is answered out of what stands after the change. Each read begins with
 * the entry that was seen last: where that is missing, what followed it may be missing, too, and
 * the reader is told that it lost something. Nothing is skipped in silence. */
#ifndef CS_AUTHD_REVOCATION_EVENTS_H
#define CS_AUTHD_REVOCATION_EVENTS_H

#include "authd/revocation/event.h"
#include "redis/redis.h"

struct events;

enum { EVENTS_KEPT = 100000 }; /* about so many entries stay in Redis, which take some 20 MB */

struct events_handlers {
    /* reader: 0 for our own, else what events_replay() was given. id and e are borrowed. */
    void (*event)(void *arg, uint64_t reader, const char *id, const Countersign__Store__Event *e);
    /* What came before id is not known any more. */
    void (*lost)(void *arg, uint64_t reader, const char *id);
    /* Our own reader has come to the end, at the start and after each break. */
    void (*current)(void *arg);
    /* Whether reading should wait, until events_resume(). */
    bool (*busy)(void *arg);
};

/* redis is borrowed and may not be connected yet; conf is of the same server, for the watcher.
 * Begins at the stream's end. */
CS_CHECK int events_open(struct loop *l, struct redis *redis, const struct redis_conf *conf,
                         const struct events_handlers *handlers, void *arg, struct events **out);
void events_close(struct events **e);
/* Every event was read, and the next one will be heard of. */
bool events_are_current(const struct events *e);
/* The same, and the server was heard of within a second and a half: a line that fell silent is
 * noticed later than one that broke. */
bool events_are_fresh(const struct events *e);
/* The id of the entry read last; "" before the first one. */
const char *events_place(const struct events *e);
void events_resume(struct events *e);

/* Reads once more what is behind the entry with this id, for a reader of this number (not 0) who
 * was away. Nobody is told of the end. */
CS_CHECK int events_replay(struct events *e, struct span behind, uint64_t reader);
/* Nothing more is read for it. */
void events_stop(struct events *e, uint64_t reader);

/* Appends what event_encode() gave; the reply is the entry's id. */
struct redis_call *events_append(struct redis *redis, struct span packed, redis_fn *fn, void *arg);

#endif
