/* Signs of life to phones on UDP, whose flows never close: they keep the pinhole of a NAT open, and
 * an OPTIONS that stays unanswered again and again says that nobody is there. Only bindings that
 * came by this process are probed, from their first REGISTER here on. */
#ifndef CS_REGISTRAR_PROBES_H
#define CS_REGISTRAR_PROBES_H

#include "registrar/front.h"

struct probes;

/* NULL in *out where none are configured. f is borrowed. */
CS_CHECK int probes_open(struct front *f, struct probes **out);
void probes_close(struct probes **p);
/* What is bound to the AOR now; record may be NULL. p may be NULL. */
void probes_follow(struct probes *p, struct span aor, const Countersign__Store__Location *record);

#endif
