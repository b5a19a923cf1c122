/* What systemd passes to a daemon and is told by it, without its library. Nothing of it happens
 * where somebody else started us. */
#ifndef CS_NET_SYSTEMD_H
#define CS_NET_SYSTEMD_H

#include "net/loop.h"
#include "net/timer.h"

/* The listening Unix socket of this path among those that were passed (LISTEN_FDS,
 * sd_listen_fds(3)): 0 and *fd, which is the caller's; CS_ENOENT if none was passed; CS_ECONF if
 * only others were: whoever connects there would wait in vain. */
CS_CHECK int systemd_socket(const char *path, int *fd);

/* A service of Type=notify (sd_notify(3)). */
struct systemd {
    struct loop *loop;
    struct timer timer;
    struct duration every; /* 0: nobody watches */
};

/* Says that we serve and, where the unit has WatchdogSec, twice in that time that the loop turns,
 * until it is stopped. */
void systemd_ready(struct systemd *s, struct loop *l);
/* Says that we stop, and is still where nothing was said before; the loop must not have ended. */
void systemd_stopping(struct systemd *s);

#endif
