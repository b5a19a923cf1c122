/* Several registrar processes on the same ports, under one supervisor. It owns the sockets, so that
 * a worker that died leaves its place to the next one, with what was waiting there, and the kernel
 * goes on giving each phone to the same place. Workers share nothing else: each has its own loop,
 * connections and keys in memory. */
#ifndef CS_REGISTRAR_WORKERS_H
#define CS_REGISTRAR_WORKERS_H

#include "net/tls_tickets.h"
#include "registrar/config.h"

/* bouncer: of bouncer_start(), or 0. Opens the sockets, makes the keys of session tickets, starts
 * the workers as this program once more with the same arguments, and returns after SIGTERM or
 * SIGINT, when all are gone: 0 or an error that was logged. */
CS_CHECK int workers_run(const struct registrar_conf *conf, int bouncer, char **argv);

/* What a worker is told. */
struct worker_place {
    unsigned number;                /* from 1; 0: there are no workers */
    int fds[LISTENERS_MAX];         /* sockets, in the order of the listeners */
    struct tls_ticket_seed tickets; /* the same for all; wiped by who has used it */
    int bouncer; /* of the first one, where bans go into the packet filter; or 0 */
};
/* Whether this process is a worker, by its environment. CS_EPROTO when that makes no sense. */
CS_CHECK int workers_place(const struct registrar_conf *conf, struct worker_place *out);

#endif
