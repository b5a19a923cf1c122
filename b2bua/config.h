/* b2bua.yaml as a struct. */
#ifndef CS_B2BUA_CONFIG_H
#define CS_B2BUA_CONFIG_H

#include "b2bua/call/call_conf.h"
#include "b2bua/desk/desks_conf.h"
#include "b2bua/dialplan/dialplan_conf.h"
#include "b2bua/provisioning/provisioning.h"
#include "b2bua/session/session.h"
#include "b2bua/trunk/trunk.h"
#include "capture/settings.h"
#include "certs/settings.h"
#include "conf/sections.h"
#include "dns/settings.h"
#include "gate/settings.h"
#include "link/link.h"
#include "siptp/siptp.h"

struct listener_conf {
    struct span name;
    enum sip_transport transport;
    struct addr address;
    struct span advertise;         /* host:port; absent: the address */
    struct listener_tls_conf *tls; /* not NULL where transport says so */
};

struct media_address_conf {
    struct span name;
    struct addr address;
    struct span advertise; /* absent: the address */
};

enum { LISTENERS_MAX = 16, MEDIA_ADDRESSES_MAX = 16, REGISTRARS_MAX = 64, TRUNKS_MAX = 256 };

struct b2bua_conf {
    struct span node; /* absent: the host's name */
    struct span user; /* uid to become; absent: stay */
    struct log_conf log;
    struct gate_settings authd;
    struct {
        struct addr listen;
    } http;
    struct link_settings link;
    struct hep_settings *hep;     /* NULL: no capture server */
    struct link_peer *registrars; /* whose phones are lines */
    size_t n_registrars;
    struct link_peer *peers; /* other b2buas */
    size_t n_peers;
    struct span *domains; /* of lines; in lower case */
    size_t n_domains;
    struct listener_conf *listeners;
    size_t n_listeners;
    struct tls_settings tls;
    struct dns_settings dns;
    struct {
        struct media_address_conf *addresses;
        size_t n_addresses;
        unsigned first, last, threads;
        struct duration inactivity;
    } media;
    struct provisioning_conf provisioning;
    struct desks_conf sccp;
    const char *journal_file;
    struct media_policy lines;
    struct span lines_context;
    struct trunk_conf *trunks;
    size_t n_trunks;
    struct dialplan dialplan;
    struct call_conf calls;
    struct {
        const char *file;
    } cdr;
    struct {
        size_t calls;
        struct duration drain;
    } limits;
    struct {
        struct duration t1, t2, t4, dtls, ring, session, session_least;
    } timers;
};

extern const struct conf_section b2bua_conf_section;

const struct trunk_conf *conf_trunk(const struct b2bua_conf *c, struct span name);
/* The trunk of an authd's peer group. */
const struct trunk_conf *conf_trunk_of_group(const struct b2bua_conf *c, struct span group);
bool conf_is_domain(const struct b2bua_conf *c, struct span host);

#endif
