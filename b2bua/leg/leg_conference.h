/* Legs that are seats of a conference: whoever is at the other end of such a call hears all others.
 */
#ifndef CS_B2BUA_LEG_LEG_CONFERENCE_H
#define CS_B2BUA_LEG_LEG_CONFERENCE_H

#include "b2bua/leg/leg.h"
#include "b2bua/media/conference.h"
#include "net/loop.h"

struct conference_means {
    struct loop *loop;
    struct media *media;
    size_t address; /* of ports */
};

/* A seat that stands from the begin, and is asked for an offer. beside: a seat of the conference
 * that it is in; NULL: a new one begins. Who is left alone is ended. NULL: no memory, ports or
 * seat.
 */
struct leg *leg_conference(const struct conference_means *m, struct leg *beside,
                           const struct leg_events *events, void *arg);
/* Of any leg; NULL is none. */
bool leg_is_conference(const struct leg *l);
/* Ends who came last, but for this one. */
void leg_conference_remove_last(struct leg *but);

#endif
