/* Failed attempts that this process saw, counted for a source and a Call-ID, and for a source and a
 * user, so that neither a phone that keeps its Call-ID nor one that does not can guess for ever:
 * what is answered at once, without waiting for what the installation knows
 * (authd/defence/defence.h). A source is what one subscriber has (addr_net_bytes()). Bounded: the
 * counter that was touched longest ago goes first. */
#ifndef CS_AUTHD_DEFENCE_PENALTY_H
#define CS_AUTHD_DEFENCE_PENALTY_H

#include "base/addr.h"
#include "base/clock.h"

struct penalty;

struct suspect {
    const struct addr *source;
    struct span call_id, user, realm; /* user as claimed; absent: not counted by user */
};

CS_CHECK int penalty_new(size_t max, struct penalty **out);
void penalty_free(struct penalty **p);
/* Counts a failure; the answer is the higher of the two counts. A counter restarts when its last
 * failure is older than the window. */
unsigned penalty_fail(struct penalty *p, const struct suspect *s, struct mono now,
                      struct duration window);
/* Failures of which nobody knows whether they came from there at all. */
void penalty_doubt(struct penalty *p, const struct addr *source, struct mono now,
                   struct duration window);
/* How many of those there were. */
unsigned penalty_doubts(const struct penalty *p, const struct addr *source, struct mono now,
                        struct duration window);
/* A success forgets both counts; whether there were any. */
bool penalty_clear(struct penalty *p, const struct suspect *s);
size_t penalty_count(const struct penalty *p);

#endif
