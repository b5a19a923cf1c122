/* The trusted link (siptp.h) as configuration says it: where we are reached by the other processes
 * of the installation, and where one of them is that nobody else tells of. The same for every
 * daemon that speaks SIP. */
#ifndef CS_LINK_LINK_H
#define CS_LINK_LINK_H

#include "certs/certs.h"

struct link_settings {
    const char *directory; /* NULL: no Unix sockets */
    struct span *users;    /* besides our own */
    size_t n_users;
    struct addr listen;    /* AF_UNSPEC: no TLS */
    struct addr advertise; /* AF_UNSPEC: as listen */
    struct certs_link tls;
};
/* For CONF_SECTION("link", struct x, link, &link_settings_section, ...). */
extern const struct conf_section link_settings_section;

struct link_peer {
    struct span node;
    struct span certificate; /* name that its certificate says; absent: node */
    const char *socket;  /* NULL: by the address, or without one in the directory under its name */
    struct addr address; /* AF_UNSPEC: none */
    uint32_t id;         /* siptp_node_id() */
};
extern const struct conf_section link_peer_section;

/* Says what these peers lack to be reached. */
void link_check_peers(struct conf_check *c, const char *key, const struct link_settings *l,
                      const struct link_peer *peers, size_t n);

enum { LINK_PATH_MAX = 108 };

/* How it is reached; path and what it points to are borrowed. UV_ENAMETOOLONG. */
CS_CHECK int link_target(const struct link_settings *l, const struct link_peer *p,
                         char path[LINK_PATH_MAX], struct siptp_link_target *out);

struct link_place {           /* where the others find us; "": not that way */
    char path[LINK_PATH_MAX]; /* a Unix socket */
    char tls[ADDR_STRLEN];
};
/* For certs_conf.link. */
static inline const struct certs_link *link_certs(const struct link_settings *l)
{
    return l->listen.sa.sa_family != AF_UNSPEC ? &l->tls : NULL;
}
/* Opens it, as the user that will stay. place: of the processes that share a configuration, from 0;
 * each has a port of its own. What fails was logged. */
CS_CHECK int link_open(struct siptp *tp, const struct link_settings *l, const struct certs *certs,
                       const char *node, unsigned place, struct link_place *out);

#endif
