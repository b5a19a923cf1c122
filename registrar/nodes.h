/* The registrar processes of this installation: each says every three seconds in Redis that it is
 * there, and is taken for gone ten seconds behind the last time. Links to them, which close when
 * they are gone: no caller waits for who is not there. */
#ifndef CS_REGISTRAR_NODES_H
#define CS_REGISTRAR_NODES_H

#include "redis/redis.h"
#include "siptp/siptp.h"

struct nodes;

struct nodes_conf { /* borrowed while the nodes live */
    struct span name;
    const char *link; /* Unix socket where we are reached; NULL: none */
    const char *tls;  /* address for other machines, and the name in our certificate; NULL: none */
    const char *tls_name;
    char **addresses; /* host:port where we hear phones */
    size_t n_addresses;
};

CS_CHECK int nodes_open(struct loop *l, struct redis *redis, struct siptp *tp,
                        const struct nodes_conf *conf, struct nodes **out);
/* Takes our name out of Redis, as far as a command that nobody waits for can. Before redis_close().
 */
void nodes_close(struct nodes **n);

/* One that Redis says nothing of, a b2bua: it is where configuration says. to is copied. */
CS_CHECK int nodes_add(struct nodes *n, struct span name, const struct siptp_link_target *to);
/* One that starts with us and will say so in Redis within ten seconds: a worker beside this one.
 * Until then it is where this says. to is copied. */
CS_CHECK int nodes_expect(struct nodes *n, struct span name, const struct siptp_link_target *to);
/* Whether it is there by nodes_add(). */
bool nodes_is_added(const struct nodes *n, uint32_t id);

/* Whether Redis has said who is there. */
bool nodes_are_known(const struct nodes *n);
/* Whether another one hears phones at this host and port. */
bool nodes_hear(const struct nodes *n, struct span host, uint16_t port);
/* A link to another one; the caller gets a reference. CS_ENOENT: not there, or not to be reached
 * from this machine. */
CS_CHECK int nodes_link(struct nodes *n, uint32_t id, struct flow **out);

#endif
