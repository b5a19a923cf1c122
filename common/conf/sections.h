/* Sections that every daemon's configuration has. */
#ifndef CS_CONF_SECTIONS_H
#define CS_CONF_SECTIONS_H

#include "base/log.h"
#include "conf/conf.h"

struct log_conf {
    enum log_level level;
    enum log_format format;
};

struct redis_server_conf {
    const char *socket;  /* or NULL: */
    struct addr address; /* AF_UNSPEC when there is a socket */
    struct span user;    /* absent: none (ACL) */
    const char *password_file;
    struct duration deadline;
};

/* For CONF_SECTION("log", struct x, log, &conf_log_section, ...), with a struct log_conf log. */
extern const struct conf_section conf_log_section;
extern const struct conf_section conf_redis_section;

#endif
