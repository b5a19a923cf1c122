#include "authd/calls/calls_conf.h"

#include "e164/country.h"
#include "e164/e164_conf.h"
#include "schedule/schedule_conf.h"

static const char *const actions[] = { "allow", "block", "webhook", NULL };
static const char *const unanswered[] = { "block", "allow", NULL };

#define LIMIT_KEYS(type, member)                                                         \
    CONF_UINT("at_once", type, member at_once, "Calls at the same time; 0: any number.", \
              .max = 1000000),                                                           \
        CONF_UINT("per_second", type, member per_second,                                 \
                  "Calls that are begun in a second, as many at once; 0: any number.",   \
                  .max = 10000),                                                         \
        CONF_UINT("per_minute", type, member per_minute,                                 \
                  "Calls that are begun in a minute, the same.", .max = 100000)

static const struct conf_key limit_keys[] = { LIMIT_KEYS(struct calls_limit, ), { 0 } };
static const struct conf_section limit_section = { .size = sizeof(struct calls_limit),
                                                   .keys = limit_keys };

static const struct conf_key named_keys[] = {
    CONF_STR("name", struct calls_limit_of, name, "The domain, or the trunk as b2bua calls it.",
             .required = true, .min = 1, .max = 255),
    LIMIT_KEYS(struct calls_limit_of, limit.),
    { 0 },
};
static const struct conf_section named_section = { .size = sizeof(struct calls_limit_of),
                                                   .keys = named_keys };

static const struct conf_key dialled_keys[] = { E164_KEYS, { 0 } };
static const struct conf_section dialled_section = { sizeof(struct e164), dialled_keys,
                                                     e164_check };

#define R struct destination_rule
static const struct conf_key rule_keys[] = {
    CONF_STR("name", R, name, "What audit and CDR call it.", .required = true, .min = 1, .max = 64),
    CONF_STRS("prefixes", R, prefixes,
              "Of the number as it is sent to the trunk; with +, of its E.164 form.", .min = 1,
              .max = 32, .at_most = 10000),
    CONF_STRS("countries", R, countries,
              "Countries of the number (ISO 3166, as DE); 001 are satellites and international "
              "networks.",
              .at_most = 300, .unique = true),
    CONF_STRS("not_countries", R, not_countries,
              "Any but these; a number whose country is not known is none of them.", .at_most = 300,
              .unique = true),
    CONF_STRS("callers", R, callers, "Who calls: alice@example.com, or @example.com.", .min = 2,
              .max = 256, .at_most = 1000),
    CONF_STRS("trunks", R, trunks, "By which the call is to go out.", .min = 1, .max = 64),
    CONF_STR("during", R, during_name, "Name of a schedule: only while it is open.", .min = 1,
             .max = 64),
    CONF_STR("outside", R, outside_name, "Name of a schedule: only while it is closed.", .min = 1,
             .max = 64),
    CONF_BOOL("first_time", R, first_time,
              "Only if who calls has not called that country lately (calls.known)."),
    CONF_ENUM("action", R, action, actions,
              "What becomes of the call: allow and block end the list, webhook asks.",
              .def = "block"),
    CONF_STR("webhook", R, webhook_name, "One of backends, that is asked (proto/webhook.yaml).",
             .min = 1, .max = 64),
    CONF_ENUM("unanswered", R, unanswered, unanswered,
              "What becomes of a call that the webhook gives no answer for in time.",
              .def = "block"),
    { 0 },
};

static void check_countries(struct conf_check *c, const char *key, const struct span *list,
                            size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!country_is_known(list[i]))
            conf_error(c, key,
                       "\"" SPAN_FMT "\" has no numbers; write two capital letters, as DE, or 001",
                       SPAN_ARG(list[i]));
    }
}

static void rule_check(struct conf_check *c, void *section)
{
    const R *r = section;
    check_countries(c, "countries", r->countries, r->n_countries);
    check_countries(c, "not_countries", r->not_countries, r->n_not_countries);
    for (size_t i = 0; i < r->n_callers; i++) {
        if (span_find(r->callers[i], '@') < 0)
            conf_error(c, "callers",
                       "\"" SPAN_FMT "\" is nobody; write alice@example.com or @example.com",
                       SPAN_ARG(r->callers[i]));
    }
    if ((r->action == DESTINATION_ASK) != (r->webhook_name.p != NULL))
        conf_error(c, "webhook", "belongs to action: webhook, and that to it");
}
static const struct conf_section rule_section = { sizeof(R), rule_keys, rule_check };

#define C struct calls_conf
static const struct conf_key keys[] = {
    CONF_DURATION("lease", C, lease,
                  "A call is counted for so long after its b2bua was heard of last.", .def = "60s",
                  .min = 3 * CONF_SECOND, .max = CONF_HOUR),
    CONF_SECTION("user", C, user, &limit_section,
                 "Of each user; the user's own max_calls goes before at_once."),
    CONF_SECTION("tenant", C, tenant, &limit_section, "Of all users of a domain together."),
    CONF_SECTIONS("tenants", C, tenants, &named_section, "Of these domains, instead of tenant.",
                  .unique = true),
    CONF_SECTION("trunk", C, trunk, &limit_section, "Of each trunk, in and out together."),
    CONF_SECTIONS("trunks", C, trunks, &named_section, "Of these trunks, instead of trunk.",
                  .unique = true),
    CONF_OPTION("dialled", C, dialled, &dialled_section,
                "How numbers without + are meant that are sent to trunks."),
    CONF_DURATION("known", C, known,
                  "A country that was called so lately is not called the first time.", .def = "90d",
                  .min = CONF_SECOND, .max = 3650 * CONF_DAY),
    CONF_SECTIONS("schedules", C, schedules, &schedule_section, "Times of day.", .unique = true),
    CONF_SECTIONS(
        "destinations", C, destinations, &rule_section,
        "Rules for calls that go out by a trunk; the first that fits decides, and without "
        "one the call is allowed.",
        .unique = true, .at_most = 1000),
    { 0 },
};

static void calls_check(struct conf_check *c, void *section)
{
    C *calls = section;
    for (size_t i = 0; i < calls->n_destinations; i++) {
        R *r = &calls->destinations[i];
        char key[64];
        snprintf(key, sizeof(key), "destinations[%zu].during", i);
        r->during = schedule_find(c, key, calls->schedules, calls->n_schedules, r->during_name);
        snprintf(key, sizeof(key), "destinations[%zu].outside", i);
        r->outside = schedule_find(c, key, calls->schedules, calls->n_schedules, r->outside_name);
        calls->remembers = calls->remembers || r->first_time;
    }
}
const struct conf_section calls_section = { sizeof(C), keys, calls_check };

void calls_find_webhooks(struct conf_check *c, C *calls, const struct backend_conf *backends,
                         size_t n)
{
    for (size_t i = 0; i < calls->n_destinations; i++) {
        R *r = &calls->destinations[i];
        char key[64];
        for (size_t k = 0; k < n; k++) {
            if (span_eq(backends[k].name, r->webhook_name))
                r->webhook = &backends[k];
        }
        snprintf(key, sizeof(key), "calls.destinations[%zu].webhook", i);
        if (r->webhook_name.p && !r->webhook)
            conf_error(c, key, "\"" SPAN_FMT "\" is not one of backends",
                       SPAN_ARG(r->webhook_name));
    }
}
