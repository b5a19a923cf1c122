/* A call: who asked, who is asked in his turn, the two legs once they are joined, their media, and
 * the record that is left of it. */
#ifndef CS_B2BUA_CALL_CALL_H
#define CS_B2BUA_CALL_CALL_H

#include "b2bua/ua/ua.h"

/* Of an INVITE that somebody may make: a line's, or, by its trunk, from outside. It will be
 * answered. */
void call_begin(struct ua *u, struct tx *invite, const struct trunk_conf *from);
/* Of no INVITE: a line of a phone that speaks something else asks, in whose name it is. */
struct call_asker { /* borrowed for the call */
    struct span call_id, called, caller, display, who, offer;
    unsigned max_forwards;
    struct span extension; /* a service of ours, by its name; absent: the dial plan says who */
};
/* l is the call's from now on, and may be ended before this returns. 0, or the status that it is
 * refused with: nothing has begun then. */
unsigned call_begin_by(struct ua *u, const struct call_asker *a, struct leg *l);
/* Legs of one owner in two calls that stand: their other sides talk to each other from now on, and
 * both legs are ended; 0. 491: an offer is under way, the same may be tried again; another status:
 * it is refused. Then nothing has changed. */
unsigned call_join_legs(struct leg *first, struct leg *second);
/* The same, with the owner: all hear each other. first is in a call of its own then, and second is
 * ended. Where first is in a conference already, one more comes. */
unsigned call_confer(struct ua *u, struct leg *first, struct leg *second);
/* Of the conference that l is in who came last is sent away. */
void call_remove_last(const struct leg *l);
/* Of an INVITE with Replaces (RFC 3891), likewise: it takes a place in a call that stands. */
void call_take_over(struct ua *u, struct tx *invite, const struct trunk_conf *from);
/* Of one whose call is at another node: it goes there. */
void call_pass(struct ua *u, struct tx *invite, uint32_t node);
/* Ends those of whom authd names, where configuration wants that. */
void call_revoke(struct ua *u, const Countersign__Auth__Revoked *r);
/* Hangs up all of them. */
void call_end_all(struct ua *u);
/* At the end of the process. */
void call_drop_all(struct ua *u);

#endif
