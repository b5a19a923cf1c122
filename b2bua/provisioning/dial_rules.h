/* dialplan.xml: the numbers of a context of the dial plan, for phones of SIP that collect digits
 * themselves, so that a number goes out with its last digit and not some seconds later. What a
 * pattern says more exactly than such a rule can, b2bua judges when the call comes. Phones of SCCP
 * need none: b2bua collects their digits. Pure. */
#ifndef CS_B2BUA_PROVISIONING_DIAL_RULES_H
#define CS_B2BUA_PROVISIONING_DIAL_RULES_H

#include "b2bua/dialplan/dialplan.h"

/* Of what b has no room for, a number goes out after the plan's inter-digit time, as of all that no
 * rule names. Overflow of b is seen there only where it has less than 200 bytes. */
void dial_rules_write(struct buf *b, const struct dialplan *plan,
                      const struct dialplan_context *context);

#endif
