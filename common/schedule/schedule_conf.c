#include "schedule/schedule_conf.h"

#include "schedule/zone_file.h"

static const struct conf_key schedule_keys[] = {
    CONF_STR("name", struct schedule, name, "What entries call it.", .required = true, .min = 1,
             .max = 64),
    CONF_STR("time_zone", struct schedule, time_zone,
             "Whose clock is meant, Europe/Berlin for example, or a rule as in TZ: "
             "CET-1CEST,M3.5.0,M10.5.0/3.",
             .def = "UTC", .min = 1, .max = 64),
    CONF_STRS("open", struct schedule, open,
              "When it is open: Mon-Fri 08:00-18:00, 22:00-06:00, 2026-12-24..2027-01-02, each "
              "year's 12-25, with hours or without; when not written, always.",
              .min = 1, .max = PERIOD_MAX),
    CONF_STRS("closed", struct schedule, closed, "When it is not, though open says so.", .min = 1,
              .max = PERIOD_MAX),
    { 0 },
};

static void read_periods(struct conf_check *c, const char *key, const struct span *texts, size_t n,
                         struct period **out)
{
    struct period *periods = arena_zalloc(conf_arena(c), n * sizeof(*periods));
    *out = periods;
    for (size_t i = 0; periods && i < n; i++) {
        char at[32];
        snprintf(at, sizeof(at), "%s[%zu]", key, i);
        if (period_parse(texts[i], &periods[i]))
            conf_error(c, at,
                       "\"" SPAN_FMT "\" is no time; write days, dates or hours, as in "
                       "Mon-Fri 08:00-18:00, 12-25, 2026-12-24 14:00-24:00",
                       SPAN_ARG(texts[i]));
    }
    if (!periods)
        conf_error(c, key, "out of memory");
}

static void schedule_check(struct conf_check *c, void *section)
{
    struct schedule *s = section;
    const struct span zone = s->time_zone;
    read_periods(c, "open", s->open, s->n_open, &s->open_periods);
    read_periods(c, "closed", s->closed, s->n_closed, &s->closed_periods);
    if (zone_load(zone, conf_arena(c), &s->zone))
        conf_error(c, "time_zone",
                   "\"" SPAN_FMT "\" is not to be found in /usr/share/zoneinfo; write a name as in "
                   "Europe/Berlin and see that tzdata is installed, or a rule as in "
                   "CET-1CEST,M3.5.0,M10.5.0/3",
                   SPAN_ARG(zone));
}

const struct conf_section schedule_section = { sizeof(struct schedule), schedule_keys,
                                               schedule_check };

const struct schedule *schedule_find(struct conf_check *c, const char *key,
                                     const struct schedule *all, size_t n, struct span name)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(all[i].name, name))
            return &all[i];
    }
    if (name.p)
        conf_error(c, key, "there is no schedule \"" SPAN_FMT "\"; describe it under schedules",
                   SPAN_ARG(name));
    return NULL;
}
