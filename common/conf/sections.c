#include "conf/sections.h"

static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const formats[] = { "text", "json", NULL };

static const struct conf_key log_keys[] = {
    CONF_ENUM("level", struct log_conf, level, levels, "Least severe line written.", .def = "info"),
    CONF_ENUM("format", struct log_conf, format, formats,
              "Lines for people, or one JSON object each.", .def = "text"),
    { 0 },
};
const struct conf_section conf_log_section = { .size = sizeof(struct log_conf), .keys = log_keys };

#define R struct redis_server_conf
static const struct conf_key redis_keys[] = {
    CONF_PATH("socket", R, socket, "Unix socket of Redis; or give address."),
    CONF_ADDR("address", R, address, "Address of Redis.", .port = 6379),
    CONF_STR("user", R, user, "ACL user of Redis."),
    CONF_PATH("password_file", R, password_file, "File that holds the password."),
    CONF_DURATION("deadline", R, deadline,
                  "How long a command may take; beyond it Redis counts as away.", .def = "1s",
                  .min = 10 * CONF_MS, .max = CONF_MINUTE),
    { 0 },
};

static void redis_check(struct conf_check *c, void *section)
{
    R *r = section;
    if ((r->socket != NULL) == (r->address.sa.sa_family != AF_UNSPEC))
        conf_error(c, NULL, "needs either socket or address");
    if (r->user.p && !r->password_file)
        conf_error(c, "user", "needs a password_file beside it");
}
const struct conf_section conf_redis_section = {
    .size = sizeof(R),
    .keys = redis_keys,
    .check = redis_check,
};
