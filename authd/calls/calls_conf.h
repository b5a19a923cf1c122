/* Which calls may be made: how many, how often, and where to (section calls of authd.yaml). */
#ifndef CS_AUTHD_CALLS_CALLS_CONF_H
#define CS_AUTHD_CALLS_CALLS_CONF_H

#include "authd/backend/backend_conf.h"
#include "e164/e164.h"
#include "schedule/schedule.h"

struct calls_limit { /* 0: none */
    unsigned at_once, per_second, per_minute;
};

struct calls_limit_of { /* of one tenant or trunk */
    struct span name;
    struct calls_limit limit;
};

enum destination_action { DESTINATION_ALLOW, DESTINATION_BLOCK, DESTINATION_ASK };

/* What it names must all hold; what it does not name is not looked at. */
struct destination_rule {
    struct span name;
    struct span *prefixes; /* "+4990" of the E.164 form, "9" of what is sent */
    size_t n_prefixes;
    struct span *countries, *not_countries; /* as country_of() says them */
    size_t n_countries, n_not_countries;
    struct span *callers; /* user@domain, or @domain */
    size_t n_callers;
    struct span *trunks; /* that the call is to go out by */
    size_t n_trunks;
    struct span during_name, outside_name;
    const struct schedule *during, *outside; /* NULL: always */
    bool first_time;                         /* who calls never called that country */
    enum destination_action action;
    struct span webhook_name;
    const struct backend_conf *webhook;                     /* of DESTINATION_ASK */
    enum { UNANSWERED_BLOCK, UNANSWERED_ALLOW } unanswered; /* what it says nothing of */
};

struct calls_conf {
    struct duration lease;
    struct calls_limit user, tenant, trunk; /* of each */
    struct calls_limit_of *tenants, *trunks;
    size_t n_tenants, n_trunks;
    struct e164 *dialled;  /* how numbers without + are meant; NULL: not known */
    struct duration known; /* a country that was called so lately is not called the first time */
    struct schedule *schedules;
    size_t n_schedules;
    struct destination_rule *destinations;
    size_t n_destinations;
    bool remembers; /* some rule asks for a first time */
};

extern const struct conf_section calls_section;

/* Finds the webhooks of the rules among these. */
void calls_find_webhooks(struct conf_check *c, struct calls_conf *calls,
                         const struct backend_conf *backends, size_t n);

#endif
