/* A backend of the configuration: an external service that knows users authd does not. */
#ifndef CS_AUTHD_BACKEND_BACKEND_CONF_H
#define CS_AUTHD_BACKEND_BACKEND_CONF_H

#include "conf/conf.h"

struct backend_conf {
    struct span name; /* in groups and logs */
    struct span url;
    const char *ca_file;                     /* NULL: the system's authorities */
    const char *secret_file;                 /* NULL: none is shown */
    const char *certificate_file, *key_file; /* the same */
    struct duration timeout;
    unsigned max_open;     /* questions under way */
    unsigned failures;     /* in a row, then it is spared */
    struct duration pause; /* for so long */
};

extern const struct conf_section backend_section;

#endif
