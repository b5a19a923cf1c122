/* Looks after the next hops of routes: asks each with OPTIONS whether it is there, at all of its
 * addresses, so that calls find those that are (RFC 3261, 11). */
#ifndef CS_REGISTRAR_HOP_PROBES_H
#define CS_REGISTRAR_HOP_PROBES_H

#include "registrar/front.h"

struct hop_probes;

CS_CHECK int hop_probes_open(struct front *f, struct hop_probes **out);
void hop_probes_close(struct hop_probes **p);

#endif
