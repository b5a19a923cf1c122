#include "dns/settings.h"

#define D struct dns_settings
static const struct conf_key dns_keys[] = {
    CONF_ADDRS("servers", D, servers, "DNS servers; default: those of /etc/resolv.conf.",
               .port = 53, .at_most = 8),
    CONF_DURATION("timeout", D, timeout,
                  "How long a server's first try may take; longer at each further one.",
                  .def = "1s", .min = 50 * CONF_MS, .max = 30 * CONF_SECOND),
    CONF_UINT("tries", D, tries, "Tries of each server.", .def = "2", .min = 1, .max = 10),
    CONF_DURATION("deadline", D, deadline, "How long a request waits for one answer.", .def = "4s",
                  .min = 100 * CONF_MS, .max = 30 * CONF_SECOND),
    CONF_SIZE("names", D, names, "Answers kept, also those that there is nothing.", .def = "4096",
              .min = 16, .max = 1000000),
    CONF_DURATION("max_ttl", D, max_ttl, "No answer is believed for longer.", .def = "1h",
                  .min = CONF_SECOND, .max = CONF_DAY),
    CONF_DURATION("stale", D, stale,
                  "So long beyond its time an answer is used while no server gives another.",
                  .def = "1h", .min = CONF_MS, .max = 7 * CONF_DAY),
    CONF_DURATION("avoid", D, avoid,
                  "So long a server that did not answer a request is tried behind the others.",
                  .def = "30s", .min = CONF_SECOND, .max = CONF_HOUR),
    { 0 },
};

const struct conf_section dns_settings_section = { sizeof(D), dns_keys, NULL };

struct dns_conf dns_settings_conf(const struct dns_settings *s)
{
    return (struct dns_conf){ .servers = s->servers,
                              .n_servers = s->n_servers,
                              .timeout = s->timeout,
                              .tries = s->tries,
                              .deadline = s->deadline,
                              .max_names = s->names,
                              .max_ttl = s->max_ttl,
                              .stale = s->stale };
}
