/* Says Hello to authd over its socket, as a front does. */
#ifndef CS_TOOLS_GREET_H
#define CS_TOOLS_GREET_H

#include <sys/types.h>

#include "base/clock.h"
#include "base/span.h"

/* 0 when authd took the Hello; -errno when there is no way to it; CS_EDENIED when it does not take
 * it within the time: it refuses our uid or version, or it hangs. *pid (may be NULL) is the process
 * that listens there, 0 where it cannot be seen (another pid namespace). */
CS_CHECK int greet(const char *socket, struct duration within, pid_t *pid);
/* The same as another user ("user" or "user:group"), which only root can be. */
CS_CHECK int greet_as(struct span user, const char *socket, struct duration within);

#endif
