/* What the parsers in this folder tell each other. */
#ifndef CS_SIP_PARSE_H
#define CS_SIP_PARSE_H

#include "sip/msg.h"

/* As sip_via_parse(); but when only the version or the parameters are malformed, *sent is set and
 * *out keeps text, transport, host and port, so that a 400 finds its way. */
CS_CHECK int parse_via(struct span value, struct sip_via *out, bool *sent);

/* Takes the first value off a comma-separated list. False at its end. */
bool parse_list_next(struct span *rest, struct span *value);

#endif
