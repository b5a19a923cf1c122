#include "b2bua/call/call_conf.h"

static const char *const redirects[] = { "refuse", "follow", NULL };

#define CALLS struct call_conf
static const struct conf_key call_keys[] = {
    CONF_ENUM("redirects", CALLS, redirects, redirects,
              "What becomes of a call that a line answers with 300, 301 or 302: follow calls whom "
              "its Contacts name, as if the line dialled them; refuse ends it with 480.",
              .def = "follow"),
    CONF_UINT("diversions", CALLS, diversions,
              "A call that is sent elsewhere more often is ended with 483.", .def = "5", .min = 1,
              .max = 20),
    CONF_BOOL(
        "end_on_revocation", CALLS, end_on_revocation,
        "Calls of a user who is disabled or deleted, and those that rest on what is revoked, end "
        "at once, but for calls for help."),
    { 0 },
};

const struct conf_section call_conf_section = { sizeof(CALLS), call_keys, NULL };
