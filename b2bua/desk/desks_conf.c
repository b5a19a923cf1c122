#include "b2bua/desk/desks_conf.h"

#include "schedule/zone_file.h"

#define LISTENER struct desk_listener_conf
static const struct conf_key listener_keys[] = {
    CONF_STR("name", LISTENER, name, "What authd and logs call it.", .required = true, .min = 1,
             .max = 32),
    CONF_ADDR("address", LISTENER, address,
              "Where phones connect: port 2000, or 2443 over TLS, unless they are told otherwise.",
              .required = true, .port = 2000),
    CONF_OPTION("tls", LISTENER, tls, &listener_tls_section, "Phones speak TLS here."),
    CONF_BOOL("legacy_tls", LISTENER, legacy,
              "Also TLS 1.0 and AES with SHA-1, for handsets that know nothing newer: give them a "
              "listener of their own.",
              .def = "false"),
    { 0 },
};

static void listener_check(struct conf_check *c, void *section)
{
    const LISTENER *l = section;
    if (l->legacy && !l->tls)
        conf_error(c, "legacy_tls", "is for a listener with tls");
}

static const struct conf_section listener_section = { sizeof(LISTENER), listener_keys,
                                                      listener_check };

static const char *const do_not_disturb[] = { "silent", "reject", NULL };

#define SOFT_KEYS struct soft_keys_conf
static const struct conf_key soft_keys_keys[] = {
    CONF_STR("name", SOFT_KEYS, name, "What devices call it.", .required = true, .min = 1,
             .max = 64),
#define SET(set, member)                                                             \
    CONF_STRS(#member, SOFT_KEYS, member,                                            \
              "Keys that are shown then, from the left; not given: the usual ones.", \
              .at_least = 1, .at_most = SCCP_SET_KEYS, .max = 32, .unique = true),
#include "b2bua/desk/soft_key_sets.def"
    { 0 },
};

static void take_set(struct conf_check *c, const char *key, const struct span *names, size_t n,
                     uint8_t out[SCCP_SET_KEYS])
{
    if (n)
        memset(out, 0, SCCP_SET_KEYS);
    for (size_t i = 0; i < n; i++) {
        out[i] = sccp_soft_key_named(names[i]);
        if (!out[i])
            conf_error(c, key,
                       "there is no key \"" SPAN_FMT
                       "\"; there are redial, new_call, hold, resume, "
                       "answer, end_call, backspace, transfer, conference, remove_last, park, "
                       "pickup, group_pickup, forward_all and do_not_disturb",
                       SPAN_ARG(names[i]));
    }
}

static void soft_keys_check(struct conf_check *c, void *section)
{
    SOFT_KEYS *s = section;
    s->keys = sccp_soft_keys_default;
#define SET(set, member) \
    take_set(c, #member, s->member, s->n_##member, s->keys.sets[SCCP_KEYS_##set]);
#include "b2bua/desk/soft_key_sets.def"
}

static const struct conf_section soft_keys_section = { sizeof(SOFT_KEYS), soft_keys_keys,
                                                       soft_keys_check };

#define ROOT struct desks_conf
static const struct conf_key desks_keys[] = {
    CONF_SECTIONS("listeners", ROOT, listeners, &listener_section, "Where desk phones connect.",
                  .at_most = DESK_LISTENERS_MAX, .unique = true),
    CONF_DURATION("keepalive", ROOT, keepalive,
                  "How often phones say that they are there; one that does not for three times as "
                  "long is gone.",
                  .def = "30s", .min = CONF_SECOND, .max = CONF_HOUR),
    CONF_DURATION("register_within", ROOT, register_within,
                  "A connection on which no phone has registered for so long is closed.",
                  .def = "15s", .min = CONF_SECOND, .max = 10 * 60 * CONF_SECOND),
    CONF_SIZE("unregistered", ROOT, unregistered,
              "Connections at once on which none has; for another the oldest is closed.",
              .def = "1000", .min = 1, .max = 100000),
    CONF_SIZE("unregistered_of_source", ROOT, unregistered_of_source,
              "And so many of them from one address (a /64 of IPv6).", .def = "200", .min = 1,
              .max = 100000),
    CONF_DURATION(
        "no_answer", ROOT, no_answer,
        "A call that rings for so long goes where its line forwards what is not answered.",
        .def = "12s", .min = CONF_SECOND, .max = 3 * 60 * CONF_SECOND),
    CONF_ENUM("do_not_disturb", ROOT, do_not_disturb, do_not_disturb,
              "What the key DND of a phone does: silent has calls shown and not heard, reject has "
              "the phone be busy.",
              .def = "silent"),
    CONF_SIZE("busy_trigger", ROOT, busy_trigger,
              "A line of a phone with so many calls is busy for others; with 1 no call waits.",
              .def = "2", .min = 1, .max = 50),
    CONF_SIZE(
        "calls", ROOT, calls,
        "Calls of a phone at once, those that it holds among them: no more come, and its user "
        "begins no more.",
        .def = "6", .min = 2, .max = 50),
    CONF_SECTIONS("softkeys", ROOT, softkeys, &soft_keys_section,
                  "Which softkeys phones show when, by the name that their record has.",
                  .at_most = 100, .unique = true),
    CONF_STR("date_format", ROOT, date_format,
             "How phones show dates: D, M and Y in their order with ., / or - between them, and A "
             "at the end for a clock of twelve hours.",
             .def = "D.M.Y", .min = 5, .max = 6),
    CONF_STR("time_zone", ROOT, time_zone,
             "Whose time phones show, Europe/Berlin for example; their record may say another.",
             .def = "UTC", .min = 1, .max = 64),
    { 0 },
};

static bool is_date_format(struct span s)
{
    bool ok = s.n == 5 || (s.n == 6 && s.p[5] == 'A');
    unsigned seen = 0;
    for (size_t i = 0; ok && i < 5; i += 2) {
        ptrdiff_t which = span_find(SPAN("DMY"), s.p[i]);
        seen |= which >= 0 ? 1U << which : 0;
        ok = i == 4 || span_find(SPAN("./-"), s.p[i + 1]) >= 0;
    }
    return ok && seen == 7;
}

static void desks_check(struct conf_check *c, void *section)
{
    ROOT *d = section;
    if (!is_date_format(d->date_format))
        conf_error(c, "date_format", "\"" SPAN_FMT "\" is none; write D.M.Y, M/D/YA or Y-M-D",
                   SPAN_ARG(d->date_format));
    if (zone_load(d->time_zone, conf_arena(c), &d->zone))
        conf_error(c, "time_zone", "\"" SPAN_FMT "\" is not to be found in /usr/share/zoneinfo",
                   SPAN_ARG(d->time_zone));
}

const struct conf_section desks_conf_section = { sizeof(ROOT), desks_keys, desks_check };
