/* How DNS is asked, as configuration says it; the same section for every daemon that looks for
 * where SIP goes. */
#ifndef CS_DNS_SETTINGS_H
#define CS_DNS_SETTINGS_H

#include "conf/conf.h"
#include "dns/dns.h"

struct dns_settings {
    struct addr *servers;
    size_t n_servers;
    struct duration timeout;
    unsigned tries;
    struct duration deadline;
    size_t names;
    struct duration max_ttl, stale;
    struct duration avoid; /* for locator_new() */
};

/* For CONF_SECTION("dns", struct x, dns, &dns_settings_section, ...), with a struct dns_settings
 * dns. */
extern const struct conf_section dns_settings_section;

/* What dns_open() needs; borrows the list of servers. */
struct dns_conf dns_settings_conf(const struct dns_settings *s);

#endif
