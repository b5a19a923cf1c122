/* registrar.yaml as a struct. */
#ifndef CS_REGISTRAR_CONFIG_H
#define CS_REGISTRAR_CONFIG_H

#include "conf/sections.h"
#include "dns/settings.h"
#include "redis/settings.h"
#include "registrar/route.h"
#include "siptx/siptx.h"

struct listener_conf {
    struct span name;
    enum sip_transport transport;
    struct addr address;
    struct span advertise; /* host:port; absent: the address */
};

enum { LISTENERS_MAX = 16 };

struct registrar_conf {
    struct span node; /* absent: the host's name */
    struct span user; /* uid to become; absent: stay */
    size_t workers;
    const char *flow_key_file;
    struct log_conf log;
    struct {
        const char *socket;
        struct duration deadline;
        size_t max_open;
    } authd;
    struct redis_settings redis;
    struct {
        struct addr listen;
    } http;
    struct {
        const char *directory; /* NULL: no Unix sockets */
        struct addr listen;    /* AF_UNSPEC: no TLS */
        struct addr advertise; /* AF_UNSPEC: as listen */
        const char *certificate_file, *key_file, *ca_file;
    } link;
    struct span *domains; /* in lower case */
    size_t n_domains;
    struct dns_settings dns;
    struct route_conf *routes;
    size_t n_routes;
    struct listener_conf *listeners;
    size_t n_listeners;
    struct {
        size_t message, line, headers, connections, connections_per_address, transactions,
            answer_memory, branches, known;
        struct duration idle, message_deadline, first_message, connect, drain;
    } limits;
    struct {
        struct duration t1, t2, t4, invite, ring;
    } timers;
};

extern const struct conf_section registrar_conf_section;

/* The domain that this host is, written in any case; absent if it is none of ours. */
struct span conf_domain(const struct registrar_conf *c, struct span host);
static inline bool conf_serves(const struct registrar_conf *c, struct span host)
{
    return conf_domain(c, host).p != NULL;
}

#endif
