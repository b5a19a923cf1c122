/* Whether who calls wants a phone to take the call by itself, as an intercom does: by Answer-Mode
 * (RFC 5373), or by what phones have made of Call-Info and Alert-Info. */
#ifndef CS_B2BUA_CALL_AUTO_ANSWER_H
#define CS_B2BUA_CALL_AUTO_ANSWER_H

#include "base/buf.h"
#include "sip/msg.h"

bool auto_answer_wanted(const struct sip_msg *invite);
/* The same wish, to a line. */
void auto_answer_write(struct buf *b);

#endif
