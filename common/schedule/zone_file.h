/* Time zones by their names, as the system keeps them in /usr/share/zoneinfo. */
#ifndef CS_SCHEDULE_ZONE_FILE_H
#define CS_SCHEDULE_ZONE_FILE_H

#include "schedule/zone.h"

/* Europe/Berlin, or a rule as in CET-1CEST,M3.5.0,M10.5.0/3, or UTC. CS_ENOENT where there is no
 * such file, CS_EPROTO, CS_ENOMEM. */
CS_CHECK int zone_load(struct span name, struct arena *a, struct zone *out);

#endif
