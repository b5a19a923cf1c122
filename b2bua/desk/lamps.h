/* What a desk phone shows beside its calls: where these go that it does not take, whether messages
 * wait, and a word about it on its display while nobody speaks. */
#ifndef CS_B2BUA_DESK_LAMPS_H
#define CS_B2BUA_DESK_LAMPS_H

#include "b2bua/desk/desk.h"

/* All of it, to a phone that has registered. */
void lamps_show(const struct desk *d);

#endif
