/* What became of the requests that installations are watched by: REGISTER and INVITE. Each final
 * answer to a caller counts once, whoever made it; so does each provisional answer that brings
 * media before there is a call. */
#ifndef CS_REGISTRAR_OUTCOME_H
#define CS_REGISTRAR_OUTCOME_H

#include "sip/msg.h"

/* method: of the request that is answered with this status. */
void outcome_count(enum sip_method method, unsigned status);
/* A provisional answer to an INVITE goes to the caller. */
void outcome_provisional(const struct sip_msg *resp);

#endif
