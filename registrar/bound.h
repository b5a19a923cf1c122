/* Which addresses of record the connections carry: when one closes, its bindings go, and when one
 * is revoked, its connections do. A UDP flow does not close. What was registered over one lately,
 * and rests on something that may be revoked, is known here all the same: authd looks for all such
 * bindings once, and who registers in that moment may hear of the revocation when he is done. */
#ifndef CS_REGISTRAR_BOUND_H
#define CS_REGISTRAR_BOUND_H

#include "base/map.h"
#include "location/location.h"
#include "location/rests.h"
#include "siptp/siptp.h"

struct bound {
    struct loop *loop; /* borrowed, as the next: both to be set before the first flow */
    struct locations *locations;
    struct map flows;
    struct list removals; /* under way */
    struct list lately;   /* the oldest first */
    size_t n_lately;
};

void bound_init(struct bound *b);
/* Forgets all. What was begun in Redis may still be done. */
void bound_fini(struct bound *b);
/* The flow carries a binding of this AOR, made by this user, which rests on this. One that has
 * closed meanwhile loses it again. Without memory it is not noted: the binding then stays until it
 * is found dead. */
void bound_add(struct bound *b, struct flow *flow, struct span aor, struct span user,
               struct rests rests);
/* Whether the connection carries a binding of this AOR; UDP does not connect. */
bool bound_has(const struct bound *b, const struct flow *flow, struct span aor);
/* Removes what still carries this flow's token. */
void bound_flow_closed(struct bound *b, const struct flow *flow);
/* Removes the bindings of the AOR that carry this token: its flow is gone. */
void bound_remove(struct bound *b, struct span aor, struct span token);
/* What the flows carry of the AOR for user goes; for anybody where user is absent. A flow that
 * carries nothing else is closed. */
void bound_revoke(struct bound *b, struct span aor, struct span user);
/* The same of what rests on this. */
void bound_fall(struct bound *b, const struct fallen *what);
/* Whether all that was begun is done. */
static inline bool bound_is_idle(const struct bound *b)
{
    return list_empty(&b->removals);
}

#endif
