/* The calls of a phone, as those see them who act for its user: which one is spoken in, and which
 * wait. */
#ifndef CS_B2BUA_DESK_DESK_CALLS_H
#define CS_B2BUA_DESK_DESK_CALLS_H

#include "b2bua/leg/leg_sccp.h"

/* By its reference; NULL: its user knows of none. */
struct sccp_leg *desk_call(const struct desk *d, uint32_t ref);
/* The one whose user hears it, dials, or is heard; NULL: the phone is silent. */
struct sccp_leg *desk_active(const struct desk *d);
/* The first that rings, or is held, on a line; 0: on any. NULL: none. */
struct sccp_leg *desk_ringing(const struct desk *d, uint32_t instance);
struct sccp_leg *desk_held(const struct desk *d, uint32_t instance);

/* Its line by that key, the first for 0; NULL: there is none. */
const struct desk_line *desk_line_of(const struct desk *d, uint32_t instance);
/* Another call on a line (0: the first), to be dialled; the active one is held, or given up
 * where there is nobody to hold yet. NULL: there is no such line, or no room. */
struct sccp_leg *desk_begin(struct desk *d, uint32_t instance, bool speaker);
/* The one that rings is taken, the one that is held goes on; the active one is held. */
void desk_take(struct sccp_leg *l, bool speaker);
void desk_resume(struct sccp_leg *l);
/* Its user hears it, by the speaker where the handset is not lifted. */
void desk_speak_up(struct sccp_leg *l);
/* Nobody is spoken to any more: who waits may ring. */
void desk_ring_on(struct desk *d);
/* Status with which a call is ended by its user. */
unsigned desk_end_status(const struct sccp_leg *l);

/* What was begun in the place of was goes on with its calls, as far as it has their lines. */
void desk_keep_calls(struct desk *d, struct desk *was);

#endif
