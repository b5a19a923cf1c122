/* Mailboxes of the lines that desk phones have here: whoever keeps one says by NOTIFY that it has
 * messages (RFC 3842), and the phones of its line show it, those that come later, too. */
#ifndef CS_B2BUA_DESK_MAILBOX_H
#define CS_B2BUA_DESK_MAILBOX_H

#include "b2bua/desk/desk.h"

/* A NOTIFY to a phone's line; it is answered. */
void mailbox_take(struct ua *u, struct tx *tx);
bool mailbox_has_messages(const struct desk_line *l);
/* At the end of the process. */
void mailbox_drop_all(struct ua *u);

#endif
