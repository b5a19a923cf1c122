/* Where authd is, as configuration says it; the same section for every daemon that asks it. */
#ifndef CS_GATE_SETTINGS_H
#define CS_GATE_SETTINGS_H

#include "conf/conf.h"

struct gate_settings {
    const char *socket;
    struct duration deadline;
    size_t max_open;
};

/* For CONF_SECTION("authd", struct x, authd, &gate_settings_section, ...), with a struct
 * gate_settings authd. */
extern const struct conf_section gate_settings_section;

#endif
