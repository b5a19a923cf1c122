/* Several streams of speech in one room: who has a seat hears all others. Seats are set up by the
 * process's main thread; packets are mixed by a worker thread, in G.711. */
#ifndef CS_B2BUA_MEDIA_CONFERENCE_H
#define CS_B2BUA_MEDIA_CONFERENCE_H

#include "b2bua/media/mixer.h"
#include "base/addr.h"
#include "base/err.h"

struct media;
struct conference;
struct seat;

/* CS_ENOMEM. */
CS_CHECK int conference_new(struct media *m, struct conference **out);
/* All seats were left. It goes a little later. Sets *c to NULL. */
void conference_free(struct conference **c);

/* A seat with ports at that address of the media's. CS_ELIMIT: none is free, or no ports are. */
CS_CHECK int seat_take(struct conference *c, size_t address, struct seat **out);
/* Where its speaker's packets are to be sent. */
const struct addr *seat_local(const struct seat *s);

struct seat_peer {
    struct addr at;     /* where it hears, and comes from; no family: nowhere */
    enum g711_law law;  /* that it hears by; what it says may be by either */
    bool says, listens; /* as its side of the call stands */
};
/* Replaces what stood, between two packets. CS_ENOMEM leaves that. */
CS_CHECK int seat_set(struct seat *s, const struct seat_peer *peer);
/* Sets *s to NULL. */
void seat_leave(struct seat **s);

#endif
