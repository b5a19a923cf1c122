#include "b2bua/call/call_conf.h"

static const char *const redirects[] = { "refuse", "follow", NULL };

#define PARK __typeof__(((struct call_conf *)0)->park)
static const struct conf_key park_keys[] = {
    CONF_STRS("slots", PARK, slots,
              "Where the key Park puts calls, the first that is free; the dial plan leads these "
              "numbers to the extension park.",
              .at_most = 1000, .max = 64, .unique = true),
    CONF_DURATION("reminder", PARK, reminder,
                  "Who has parked a call that nobody takes is called back so often.", .def = "60s",
                  .min = CONF_SECOND, .max = CONF_HOUR),
    { 0 },
};
static const struct conf_section park_section = { sizeof(PARK), park_keys, NULL };

static const struct conf_key pickup_keys[] = {
    CONF_STR("name", struct pickup_group, name, "What it is called.", .required = true, .min = 1,
             .max = 64),
    CONF_STRS("lines", struct pickup_group, lines, "Its users: each may take the others' calls.",
              .at_least = 1, .at_most = 10000, .max = 64, .required = true, .unique = true),
    { 0 },
};
static const struct conf_section pickup_section = { sizeof(struct pickup_group), pickup_keys,
                                                    NULL };

#define CALLS struct call_conf
static const struct conf_key call_keys[] = {
    CONF_ENUM("redirects", CALLS, redirects, redirects,
              "What becomes of a call that a line answers with 300, 301 or 302: follow calls whom "
              "its Contacts name, as if the line dialled them; refuse ends it with 480.",
              .def = "follow"),
    CONF_UINT("diversions", CALLS, diversions,
              "A call that is sent elsewhere more often is ended with 483.", .def = "5", .min = 1,
              .max = 20),
    CONF_BOOL("auto_answer", CALLS, auto_answer,
              "Whether phones are made to take calls by themselves: where a line wishes that "
              "(Answer-Mode: Auto, Call-Info with answer-after=0, Alert-Info with "
              "info=alert-autoanswer), and where the dial plan says so.",
              .def = "false"),
    CONF_SECTION("park", CALLS, park, &park_section, "Calls that wait for somebody."),
    CONF_SECTIONS("pickup_groups", CALLS, pickup_groups, &pickup_section,
                  "Who may take whose calls while they ring, by the extension pickup.",
                  .at_most = 1000, .unique = true),
    CONF_BOOL(
        "end_on_revocation", CALLS, end_on_revocation,
        "Calls of a user who is disabled or deleted, and those that rest on what is revoked, end "
        "at once, but for calls for help."),
    { 0 },
};

const struct conf_section call_conf_section = { sizeof(CALLS), call_keys, NULL };
