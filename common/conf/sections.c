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
