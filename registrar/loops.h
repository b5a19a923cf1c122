/* Loops (RFC 3261, 16.6 step 8; RFC 5393, 4.2): each branch of ours carries a hash of what decides
 * where its request goes. The same hash here again is a loop, another one a spiral. */
#ifndef CS_REGISTRAR_LOOPS_H
#define CS_REGISTRAR_LOOPS_H

#include "siptx/siptx.h"

enum { LOOPS_BRANCH_LEN = SIP_BRANCH_LEN + 1 + 16 + 1 + 8 };

uint64_t loops_hash(const struct sip_msg *m);
/* A new branch with this hash, LOOPS_BRANCH_LEN bytes. It names our node, too: where several
 * processes share a port, an answer may come to another one. */
void loops_branch(struct buf *b, uint64_t hash, uint32_t node);
/* Whose branch it is: 0 if none of this making. */
uint32_t loops_node(struct span branch);
/* Whether the request was here before with this hash. tp says which Via are ours. */
bool loops_back(const struct sip_msg *m, uint64_t hash, const struct siptp *tp);

#endif
