/* Looks after the next hops of routes: asks each with OPTIONS whether it is there, at all of its
 * addresses, so that calls find those that are (RFC 3261, 11). */
#ifndef CS_REGISTRAR_PROBE_H
#define CS_REGISTRAR_PROBE_H

#include "registrar/front.h"

struct probes;

CS_CHECK int probes_open(struct front *f, struct probes **out);
void probes_close(struct probes **p);

#endif
