/* Says Hello to authd over its socket, as a front does. */
#ifndef CS_TOOLS_GREET_H
#define CS_TOOLS_GREET_H

#include <sys/types.h>

#include "base/clock.h"
#include "base/span.h"

/* 0 when authd took the Hello; -errno when there is no way to it; CS_EDENIED when it does not take
 * it within the time: it refuses our uid or version, or it hangs. */
CS_CHECK int greet(const char *socket, struct duration within);
/* The same as another user ("user" or "user:group"), which only root can be. */
CS_CHECK int greet_as(struct span user, const char *socket, struct duration within);
/* The process that listens there; 0 when there is none, or it cannot be seen from this pid
 * namespace. */
pid_t greet_pid(const char *socket);

#endif
