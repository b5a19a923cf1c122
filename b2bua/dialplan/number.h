/* What is dialled, and who calls: a number or a name. A number is of 0-9, A-D, * and #, one of
 * which is no letter, with a + before it where it is E.164; all else is a name ("alice"). */
#ifndef CS_B2BUA_DIALPLAN_NUMBER_H
#define CS_B2BUA_DIALPLAN_NUMBER_H

#include "base/buf.h"

/* Digits of a number, characters of a name. What is longer leads nowhere. */
enum { NUMBER_MAX = 64 };

bool number_is(struct span text);

/* The user part of a URI, unescaped, as it is matched: of a number the visual separators
 * "-", ".", "(" and ")" and the parameters behind ";" are left out (RFC 3966, 3; RFC 3261, 19.1.6),
 * a name stays. CS_ELIMIT if it is longer than NUMBER_MAX; CS_EPROTO for a name with what a user
 * part has only in escaped form (RFC 3261, 25.1: user-unreserved): a line feed leads nowhere. */
CS_CHECK int number_plain(struct span user, struct buf *out);

#endif
