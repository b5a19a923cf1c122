/* Loops (RFC 3261, 16.6 step 8; RFC 5393, 4.2): each branch of ours carries a hash of what decides
 * where its request goes. The same hash here again is a loop, another one a spiral. */
#ifndef CS_REGISTRAR_LOOPS_H
#define CS_REGISTRAR_LOOPS_H

#include "siptx/siptx.h"

enum { LOOPS_BRANCH_LEN = SIP_BRANCH_LEN + 1 + 16 };

uint64_t loops_hash(const struct sip_msg *m);
/* A new branch with this hash, LOOPS_BRANCH_LEN bytes. */
void loops_branch(struct buf *b, uint64_t hash);
/* Whether the request was here before with this hash. tp says which Via are ours. */
bool loops_back(const struct sip_msg *m, uint64_t hash, const struct siptp *tp);

#endif
