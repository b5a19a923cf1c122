#include "gate/settings.h"

static const struct conf_key authd_keys[] = {
    CONF_PATH("socket", struct gate_settings, socket, "Unix socket of authd.", .required = true),
    CONF_DURATION("deadline", struct gate_settings, deadline,
                  "How long a request waits for its verdict; then it is answered 503.", .def = "2s",
                  .min = 50 * CONF_MS, .max = 30 * CONF_SECOND),
    CONF_SIZE("max_open", struct gate_settings, max_open,
              "Questions waiting at once; more are answered 503.", .def = "20000", .min = 1,
              .max = 1000000),
    { 0 },
};
const struct conf_section gate_settings_section = { sizeof(struct gate_settings), authd_keys,
                                                    NULL };
