/* A phone whose user is not to be disturbed: it does not ring, or is busy for everybody. */
#ifndef CS_B2BUA_DESK_DO_NOT_DISTURB_H
#define CS_B2BUA_DESK_DO_NOT_DISTURB_H

#include "b2bua/desk/desk.h"

enum sccp_dnd do_not_disturb_of(const struct desk *d);
/* By its key: in force when authd has it. */
void do_not_disturb_toggle(struct desk *d);

#endif
