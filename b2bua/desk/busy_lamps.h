/* Keys of a phone that show how another line is (busy lamp fields), as far as this b2bua knows. */
#ifndef CS_B2BUA_DESK_BUSY_LAMPS_H
#define CS_B2BUA_DESK_BUSY_LAMPS_H

#include "b2bua/desk/desk.h"

struct busy_lamps; /* of one phone */

/* NULL: it has none, or there is no memory. */
struct busy_lamps *busy_lamps_open(const struct desk *d);
void busy_lamps_close(struct busy_lamps **l);
/* To a phone that has registered. */
void busy_lamps_show(const struct busy_lamps *l);

#endif
