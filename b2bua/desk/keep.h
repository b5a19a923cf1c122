/* What is set at a phone, on its way into its record: it is in force, and shown, when the record
 * that comes back says so (devices.h). Where it is not kept the phone says that, too. */
#ifndef CS_B2BUA_DESK_KEEP_H
#define CS_B2BUA_DESK_KEEP_H

#include "auth.pb-c.h"
#include "b2bua/desk/desk.h"

/* m is borrowed for the call; its device is that desk's. */
void keep_send(struct desk *d, Countersign__Auth__Keep *m);
/* The desk goes: answers are of no interest any more. */
void keep_forget(struct desk *d);

#endif
