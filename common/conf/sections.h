/* Sections that every daemon's configuration has. */
#ifndef CS_CONF_SECTIONS_H
#define CS_CONF_SECTIONS_H

#include "base/log.h"
#include "conf/conf.h"

struct log_conf {
    enum log_level level;
    enum log_format format;
};

/* For CONF_SECTION("log", struct x, log, &conf_log_section, ...), with a struct log_conf log. */
extern const struct conf_section conf_log_section;

#endif
