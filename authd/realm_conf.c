/* The realms of the configuration, and what they were called before. */
#include "authd/config.h"
#include "authd/store/user.h"

static const char *const algorithm_names[] = { "MD5", "SHA-256", "SHA-512-256", NULL };

static const struct conf_key former_keys[] = {
    CONF_STR("name", struct former_conf, name, "The name that users' verifiers were made for.",
             .required = true, .min = 1, .max = USER_MAX_NAME),
    CONF_STR("until", struct former_conf, date,
             "Day, 2026-12-24, or time, 2026-12-24T06:00:00Z, from which on it is good no more.",
             .required = true),
    { 0 },
};

static void former_check(struct conf_check *c, void *section)
{
    struct former_conf *f = section;
    const char *fault = user_realm_fault(f->name);
    if (fault)
        conf_error(c, "name", "%s", fault);
    if (wall_parse(f->date, &f->until))
        conf_error(c, "until", "is no date; write 2026-12-24 or 2026-12-24T06:00:00Z");
}
static const struct conf_section former_section = {
    .size = sizeof(struct former_conf),
    .keys = former_keys,
    .check = former_check,
};

static const struct conf_key realm_keys[] = {
    CONF_STR("name", struct realm_conf, name, "The realm, as phones show it.", .required = true,
             .min = 1, .max = USER_MAX_NAME),
    CONF_SET("verifiers", struct realm_conf, verifiers, algorithm_names,
             "Algorithms for which a password leaves a verifier.",
             .def = "MD5,SHA-256,SHA-512-256"),
    CONF_OPTION("formerly", struct realm_conf, formerly, &former_section,
                "What it was called before, while users have verifiers of that name: those are "
                "offered and taken, too, and each new password leaves one for either name."),
    { 0 },
};

static void realm_check(struct conf_check *c, void *section)
{
    struct realm_conf *r = section;
    const char *fault = user_realm_fault(r->name);
    if (fault)
        conf_error(c, "name", "%s", fault);
    if (!r->verifiers)
        conf_error(c, "verifiers", "must name at least one algorithm");
}
const struct conf_section realm_conf_section = {
    .size = sizeof(struct realm_conf),
    .keys = realm_keys,
    .check = realm_check,
};
