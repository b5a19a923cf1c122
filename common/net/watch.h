/* Files whose contents others replace: certificates, keys, lists. Their folders are watched, so
 * that a new file under an old name is noticed, or a link that leads elsewhere; where the system
 * tells nothing (some network file systems) they are looked at every ten seconds. */
#ifndef CS_NET_WATCH_H
#define CS_NET_WATCH_H

#include "net/loop.h"

struct watch;

/* fn is called when any of the files is another than before, or gone, or back, once nothing more
 * has happened for a moment (settle). The names are copied. CS_ENOMEM. */
CS_CHECK int watch_open(struct loop *l, const char *const *files, size_t n, struct duration settle,
                        void (*fn)(void *arg), void *arg, struct watch **out);
/* Looks at once, without waiting: true when something is another than before; fn is not called. */
bool watch_look(struct watch *w);
/* fn is not called any more. */
void watch_close(struct watch **w);

#endif
