#include "authd/backend/backend_conf.h"

#include "authd/token/issuer.h"

#define B struct backend_conf

static const struct conf_key backend_keys[] = {
    CONF_STR("name", B, name, "Name in logs and in peer groups.", .required = true, .min = 1,
             .max = 64),
    CONF_STR("url", B, url, "Where it is asked, by POST (proto/backend.yaml).", .required = true,
             .max = 2048),
    CONF_PATH("ca_file", B, ca_file,
              "Authorities who may vouch for it; the system's when nothing is written."),
    CONF_PATH("secret_file", B, secret_file,
              "File that holds what it knows authd by, shown as a bearer token."),
    CONF_PATH("certificate_file", B, certificate_file,
              "Client certificate that it knows authd by, in PEM."),
    CONF_PATH("key_file", B, key_file, "The private key of that."),
    CONF_DURATION("timeout", B, timeout, "For one answer; then the request gets 503.", .def = "1s",
                  .min = 10 * CONF_MS, .max = 10 * CONF_SECOND),
    CONF_UINT("max_open", B, max_open,
              "Questions under way at a time; requests beyond that get 503.", .def = "256",
              .min = 1, .max = 4096),
    CONF_UINT("failures", B, failures, "After so many in a row it is not asked for a while.",
              .def = "5", .min = 1, .max = 1000),
    CONF_DURATION("pause", B, pause, "That while; then one request tries.", .def = "5s",
                  .min = 100 * CONF_MS, .max = 5 * CONF_MINUTE),
    { 0 },
};

static void backend_check(struct conf_check *c, void *section)
{
    const B *b = section;
    const char *fault = issuer_url_fault(b->url);
    if (fault)
        conf_error(c, "url", "%s", fault);
    if (!b->certificate_file != !b->key_file)
        conf_error(c, b->certificate_file ? "certificate_file" : "key_file", "needs %s beside it",
                   b->certificate_file ? "key_file" : "certificate_file");
    if (!b->secret_file && !b->certificate_file)
        conf_error(c, NULL,
                   "says nothing it knows authd by: write secret_file, or certificate_file and "
                   "key_file");
}
const struct conf_section backend_section = {
    .size = sizeof(B),
    .keys = backend_keys,
    .check = backend_check,
};
