/* What each daemon does to itself between opening its sockets and reading from strangers. */
#ifndef CS_BASE_PROCESS_H
#define CS_BASE_PROCESS_H

#include <sys/types.h>

#include "base/span.h"

/* uid and gid of "user" or "user:group", each by name or number. Without a group it is the user's
 * primary one; a number without an account is its own gid. CS_ENOENT. */
CS_CHECK int process_user(struct span user, uid_t *uid, gid_t *gid);
/* Becomes this user for good, supplementary groups included. Absent: nothing changes. When not
 * started as root, only one's own name is good (CS_EDENIED). */
CS_CHECK int process_become(struct span user);
/* The same, but for this capability (CAP_...), which is the only one then; without it if we have it
 * not. */
CS_CHECK int process_become_with(struct span user, unsigned capability);
/* Does without a capability from now on. */
void process_give_up(unsigned capability);
/* No core dumps and no ptrace by others (PR_SET_DUMPABLE 0), no gaining of privileges by exec;
 * raises the limit of open files to what is allowed. */
void process_harden(void);

#endif
