/* How lines are as far as calls of this b2bua tell: nobody calls, it rings, they speak. Who has a
 * lamp for a line hears of each change. */
#ifndef CS_B2BUA_CALL_OCCUPANCY_H
#define CS_B2BUA_CALL_OCCUPANCY_H

#include "base/list.h"
#include "base/map.h"

enum occupancy { OCCUPANCY_IDLE, OCCUPANCY_RINGING, OCCUPANCY_BUSY };

struct occupied; /* a line that is in calls, or watched */

struct occupant { /* one side of a call; all zero: nobody's */
    struct occupied *line;
    enum occupancy how;
};

/* The line with this AOR is that in it from now on; IDLE, or no AOR: it is not in it any more. */
void occupancy_set(struct map *lines, struct occupant *o, struct span aor, enum occupancy how);

struct occupancy_watch { /* embedded in who watches */
    struct list link;
    struct map *lines;
    struct occupied *line;
    void (*changed)(struct occupancy_watch *w, enum occupancy how);
};
/* CS_ENOMEM. changed is called for later changes. */
CS_CHECK int occupancy_watch(struct map *lines, struct span aor, struct occupancy_watch *w);
void occupancy_unwatch(struct occupancy_watch *w);
enum occupancy occupancy_now(const struct occupancy_watch *w);

#endif
