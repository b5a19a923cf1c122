/* The section sccp of b2bua.yaml: desk phones. */
#ifndef CS_B2BUA_DESK_DESKS_CONF_H
#define CS_B2BUA_DESK_DESKS_CONF_H

#include "b2bua/sccp/soft_keys.h"
#include "certs/settings.h"
#include "conf/sections.h"
#include "schedule/zone.h"

enum { DESK_LISTENERS_MAX = 8 };

struct desk_listener_conf {
    struct span name;
    struct addr address;
    struct listener_tls_conf *tls; /* NULL: in the clear */
    bool legacy;
};

struct soft_keys_conf { /* a template: names of keys, in their order; none: as usual */
    struct span name;
#define SET(set, member) \
    struct span *member; \
    size_t n_##member;
#include "b2bua/desk/soft_key_sets.def"
    struct sccp_soft_keys keys;
};

struct desks_conf {
    struct desk_listener_conf *listeners; /* none: there are no desk phones */
    size_t n_listeners;
    struct duration keepalive, register_within, no_answer;
    size_t unregistered, unregistered_of_source;
    enum { DO_NOT_DISTURB_SILENT, DO_NOT_DISTURB_REJECT } do_not_disturb; /* what its key sets */
    size_t busy_trigger, calls; /* of a line, of a phone */
    struct span date_format, time_zone;
    struct soft_keys_conf *softkeys;
    size_t n_softkeys;
    struct zone zone;
};

/* For CONF_SECTION("sccp", struct x, sccp, &desks_conf_section, ...). */
extern const struct conf_section desks_conf_section;

#endif
