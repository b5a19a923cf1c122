#include "capture/settings.h"

static const char *const transports[] = { "udp", "tcp", "tls", NULL };

static const struct conf_key hep_keys[] = {
    CONF_ADDR("collector", struct hep_settings, collector,
              "The capture server that gets a copy of every SIP message, its secrets masked.",
              .required = true, .port = 9060),
    CONF_ENUM("transport", struct hep_settings, transport, transports, "How it is reached.",
              .def = "udp"),
    CONF_UINT("agent", struct hep_settings, agent, "The capture agent id that we send.",
              .def = "2001", .max = UINT32_MAX),
    CONF_PATH("password_file", struct hep_settings, password_file,
              "Holds what the capture server wants to be shown, if it does."),
    CONF_PATH("ca_file", struct hep_settings, ca_file,
              "With transport: tls, the authorities that may vouch for it."),
    CONF_STR("server_name", struct hep_settings, server_name,
             "With transport: tls, the name that its certificate says; its address if not given.",
             .max = 255),
    { 0 },
};

static void check(struct conf_check *c, void *section)
{
    const struct hep_settings *s = section;
    if (s->transport == HEP_TLS && !s->ca_file)
        conf_error(c, "ca_file", "transport: tls needs it");
    if (s->transport != HEP_TLS && (s->ca_file || s->server_name.p))
        conf_error(c, s->ca_file ? "ca_file" : "server_name", "is for transport: tls");
}

const struct conf_section hep_settings_section = { sizeof(struct hep_settings), hep_keys, check };
