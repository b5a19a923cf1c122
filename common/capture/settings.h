/* The capture server as configuration says it; the same section for every daemon that speaks SIP.
 */
#ifndef CS_CAPTURE_SETTINGS_H
#define CS_CAPTURE_SETTINGS_H

#include "conf/conf.h"

enum hep_transport { HEP_UDP, HEP_TCP, HEP_TLS };

struct hep_settings {
    struct addr collector;
    enum hep_transport transport;
    uint32_t agent;
    const char *password_file, *ca_file; /* NULL: none */
    struct span server_name;             /* absent: the address */
};

/* For CONF_OPTION("hep", struct x, hep, &hep_settings_section, ...). */
extern const struct conf_section hep_settings_section;

#endif
