/* Bans in the packet filter: what authd has banned does not even reach us. The guard of the gate
 * looks all the same; what cannot be put there, or not yet, is dropped by it. Of networks in one
 * another only the widest is there, for a set takes no two that overlap; nor is one there of which
 * some is exempt, or that is for one port. */
#ifndef CS_REGISTRAR_KERNEL_BANS_H
#define CS_REGISTRAR_KERNEL_BANS_H

#include "gate/gate.h"

struct kernel_bans;

/* fd is that of bouncer_start(), taken over. CS_ENOMEM. */
CS_CHECK int kernel_bans_open(struct loop *l, int fd, struct kernel_bans **out);
/* As a gate_banned_fn: NULL: all are forgotten, and those that stand come behind it. */
void kernel_bans_take(struct kernel_bans *k, const struct gate_ban *ban);
/* What is there stays until its time. */
void kernel_bans_close(struct kernel_bans **k);

#endif
