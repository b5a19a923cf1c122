/* The last refusals, kept in a ring for csctl explain: who was refused, why, and what to do. */
#ifndef CS_AUTHD_AUDIT_EXPLAIN_H
#define CS_AUTHD_AUDIT_EXPLAIN_H

#include "authd/audit/decision.h"

struct explain;

struct explained { /* long texts are cut */
    struct wall time;
    Countersign__Auth__VerdictKind kind;
    Countersign__Auth__Cause cause, because; /* cause_text() and cause_remedy() tell more */
    Countersign__Auth__Transport transport;
    unsigned status;
    struct addr source; /* family none: not known */
    char country[4];    /* "" when it was not asked for */
    char decision[24], group[65], trunk[65], method[24], algorithm[16], listener[48];
    char user[129], realm[129], aor[129], from[129], call_id[129], user_agent[97]; /* "" if none */
    char revoked[321], limit[161], device[65];
};

CS_CHECK int explain_new(size_t max, struct explain **out);
void explain_free(struct explain **e);
/* Keeps it if it tells of a fault: an accept and the first challenge, without credentials, do not.
 */
void explain_add(struct explain *e, const struct decision *d);

/* How many it was given to keep. */
uint64_t explain_total(const struct explain *e);

/* The newest first, at most limit, whose decision id, Call-ID, user (name or name@realm), AOR,
 * From, device or source address is key; absent: all. The entry is borrowed for the call. */
void explain_find(const struct explain *e, struct span key, size_t limit,
                  void (*fn)(void *arg, const struct explained *x), void *arg);

#endif
