/* A child process: started, watched, signalled. */
#ifndef CS_NET_CHILD_H
#define CS_NET_CHILD_H

#include "net/loop.h"

struct child;

/* It ended: with status, or by a signal (else 0). The child is gone when it returns. */
typedef void child_fn(void *arg, int status, int signum);

/* argv ends with NULL; variable is one "NAME=value" more in its environment; fds are its
 * descriptors from 3 on. Its standard streams are ours. Everything is borrowed for the call. */
CS_CHECK int child_start(struct loop *l, char *const *argv, char *variable, const int *fds,
                         size_t n_fds, child_fn *fn, void *arg, struct child **out);
void child_signal(struct child *c, int signum);
int child_pid(const struct child *c);

#endif
