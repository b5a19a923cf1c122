/* registrar.yaml as a struct. */
#ifndef CS_REGISTRAR_CONFIG_H
#define CS_REGISTRAR_CONFIG_H

#include "capture/settings.h"
#include "certs/settings.h"
#include "conf/sections.h"
#include "dns/settings.h"
#include "gate/settings.h"
#include "link/link.h"
#include "net/nft.h"
#include "net/ws_hello.h"
#include "redis/settings.h"
#include "registrar/route.h"
#include "registrar/softphone.h"
#include "siptx/siptx.h"

struct listener_ws_conf {
    struct span path;
    struct span *origins, *hosts;
    size_t n_origins, n_hosts;
    struct softphone_conf *softphone; /* NULL: none is shown */
    struct ws_rules rules;            /* of all that */
};

struct listener_conf {
    struct span name;
    enum sip_transport transport;
    struct addr address;
    struct span advertise;         /* host:port; absent: the address */
    struct listener_tls_conf *tls; /* not NULL where transport says so, */
    struct listener_ws_conf *ws;   /* nor this */
};

enum { LISTENERS_MAX = 16, SERVICE_ROUTES_MAX = 8, FLOOD_GROUPS_MAX = 32 };

struct rate_conf {
    uint32_t rate, burst; /* requests a second; 0: any number. And so many at once */
};
struct group_rate_conf {
    struct span name;
    struct rate_conf rate;
};
enum { BRIDGES_MAX = HOPS_MAX };

/* To what is not taken up. */
enum floods_answer { FLOODS_BUSY, FLOODS_SILENT };

/* A phone whose first hop knows nothing of RFC 5626, and one that a Path would be hidden from. */
enum outbound_policy { OUTBOUND_STRICT, OUTBOUND_BEST_EFFORT };
enum path_policy { PATH_ACCEPT, PATH_REFUSE };
enum probe_method { PROBE_NONE, PROBE_CRLF, PROBE_OPTIONS };

/* Bans are put into sets of the kernel's packet filter, too. */
struct nftables_conf {
    enum nft_family family;
    struct span table, set4, set6;
};

struct registrar_conf {
    struct span node; /* absent: the host's name */
    struct span user; /* uid to become; absent: stay */
    size_t workers, coalesce_us;
    const char *flow_key_file;
    struct log_conf log;
    struct gate_settings authd;
    struct redis_settings redis;
    struct duration redis_grace; /* 0: none */
    struct {
        struct addr listen;
    } http;
    struct {
        struct addr listen; /* AF_UNSPEC: it is not served */
        const char *file;
    } ca;
    struct link_settings link;
    struct hep_settings *hep; /* NULL: no capture server */
    struct tls_settings tls;
    struct span *domains; /* in lower case */
    size_t n_domains;
    struct dns_settings dns;
    struct {
        struct link_peer *bridges;
        size_t n_bridges;
        struct duration answer;
        struct hop *hops; /* the same */
    } calls;
    struct route_conf *routes;
    size_t n_routes;
    struct listener_conf *listeners;
    size_t n_listeners;
    struct {
        size_t message, line, headers, connections, connections_per_address, transactions,
            answer_memory, branches, known, uri, strangers, handshakes;
        struct duration idle, ping, message_deadline, first_message, first_authentication, connect,
            drain;
        struct nftables_conf *nftables; /* NULL: they are not */
    } limits;
    struct {
        struct rate_conf source, all;
        struct group_rate_conf *groups;
        size_t n_groups, sources;
        enum floods_answer answer;
        unsigned methods; /* 1 << enum sip_method */
        struct duration method_window, delay, tarpit;
    } floods;
    struct {
        enum outbound_policy outbound;
        enum path_policy path;
        struct duration flow_timer, tcp_keepalive; /* 0: none */
        struct span *service_route;
        size_t n_service_route;
        struct {
            enum probe_method method;
            struct duration interval;
            unsigned jitter, remove_after; /* percent; 0: never */
            size_t most;
        } probe;
    } flows;
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
