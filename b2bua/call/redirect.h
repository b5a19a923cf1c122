/* Redirection: what a response says of where a call is to go instead (RFC 3261, 8.1.3.4 and 21.3),
 * read. Whether it goes there is the call's affair. No I/O. */
#ifndef CS_B2BUA_CALL_REDIRECT_H
#define CS_B2BUA_CALL_REDIRECT_H

#include "b2bua/leg/leg.h"
#include "sip/msg.h"

enum { REDIRECT_TARGETS_MAX = 8 };

/* Of a 300, 301 or 302 the first Contacts that name somebody, the greatest q first, equal ones as
 * written; they borrow from resp. 0: none, or another response: 305 would have us use a proxy of a
 * stranger's choice, 380 describes a service. */
size_t redirect_targets(const struct sip_msg *resp, struct leg_target out[REDIRECT_TARGETS_MAX]);

#endif
