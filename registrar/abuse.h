/* Between those who see sources misbehave and the gate, which tells authd; and back: whom authd
 * bans is not heard, and what he has connected is closed. */
#ifndef CS_REGISTRAR_ABUSE_H
#define CS_REGISTRAR_ABUSE_H

#include "registrar/front.h"

/* Its arg is the front. */
extern const struct siptp_guard abuse_guard;
/* arg is the front. */
gate_banned_fn abuse_banned;
/* A message that belongs to nothing came by this flow. */
void abuse_stray(struct front *f, const struct flow *flow);

#endif
