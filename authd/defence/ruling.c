#include "authd/defence/ruling.h"

struct span abuse_name(enum abuse a)
{
    static const struct span names[ABUSES] = { SPAN_INIT("connection"), SPAN_INIT("malformed"),
                                               SPAN_INIT("authentication"), SPAN_INIT("dialog"),
                                               SPAN_INIT("flow") };
    return names[a];
}

int abuse_of(Countersign__Auth__Abuse a, enum abuse *out)
{
    int i = (int)a - (int)COUNTERSIGN__AUTH__ABUSE__ABUSE_CONNECTION;
    if (i < 0 || i >= ABUSES)
        return CS_EPROTO;
    *out = (enum abuse)i;
    return 0;
}

/* ---- configuration ---- */

#define R struct defence_rule
#define C struct defence_conf

#define RULE_KEYS(window_, address_, port_, installation_, ban_)                                   \
    CONF_DURATION("window", R, window, "How long what was counted is remembered.", .def = window_, \
                  .min = CONF_SECOND, .max = CONF_DAY),                                            \
        CONF_UINT("address", R, address,                                                           \
                  "So many from one address (a /64 of IPv6) ban it; 0 for never.",                 \
                  .def = address_, .max = 1000000),                                                \
        CONF_UINT("port", R, port,                                                                 \
                  "So many from one port of an address ban that port; 0 for never.", .def = port_, \
                  .max = 1000000),                                                                 \
        CONF_UINT("installation", R, installation,                                                 \
                  "So many in the whole installation are an alarm in the log; 0 for none.",        \
                  .def = installation_, .max = 1000000000),                                        \
        CONF_DURATION("ban", R, ban, "How long the ban lasts.", .def = ban_, .min = CONF_SECOND,   \
                      .max = 365 * CONF_DAY)

static const struct conf_key connection_keys[] = { RULE_KEYS("1m", "200", "0", "10000", "45m"),
                                                   { 0 } };
static const struct conf_key malformed_keys[] = { RULE_KEYS("1m", "60", "20", "10000", "45m"),
                                                  { 0 } };
static const struct conf_key dialog_keys[] = { RULE_KEYS("5m", "100", "50", "10000", "45m"),
                                               { 0 } };
static const struct conf_key flow_keys[] = { RULE_KEYS("1m", "300", "100", "10000", "45m"), { 0 } };
static const struct conf_key authentication_keys[] = {
    RULE_KEYS("10m", "20", "20", "1000", "45m"),
    CONF_UINT("users", R, users,
              "Failures of so many different users from one address ban it; 0 for never.",
              .def = "5", .max = 1000),
    { 0 },
};
static const struct conf_section sections[ABUSES] = {
    [ABUSE_CONNECTION] = { .size = sizeof(R), .keys = connection_keys },
    [ABUSE_MALFORMED] = { .size = sizeof(R), .keys = malformed_keys },
    [ABUSE_AUTHENTICATION] = { .size = sizeof(R), .keys = authentication_keys },
    [ABUSE_DIALOG] = { .size = sizeof(R), .keys = dialog_keys },
    [ABUSE_FLOW] = { .size = sizeof(R), .keys = flow_keys },
};

#define S __typeof__(((C *)0)->strangers)
static const struct conf_key stranger_keys[] = {
    CONF_UINT("rate", S, rate,
              "Messages a second that a front reads of a source of which nobody was accepted yet; "
              "0 for any number.",
              .def = "20", .max = 1000000),
    CONF_UINT("burst", S, burst, "And so many at once.", .def = "200", .min = 1, .max = 1000000),
    { 0 },
};
static const struct conf_section stranger_section = { .size = sizeof(S), .keys = stranger_keys };

static const struct conf_key keys[] = {
    CONF_CIDRS("exempt", C, exempt,
               "Networks of which nothing is counted and nobody is banned. Sources of peer groups "
               "with path, trusted or proof by address are so anyway.",
               .def = "127.0.0.0/8,::1"),
    CONF_DURATION("cool_off", C, cool_off,
                  "How long credentials of a user are not judged from a source, after as many "
                  "failures as the group's digest.attempts.",
                  .def = "10m", .min = CONF_SECOND, .max = CONF_DAY),
    CONF_DURATION("cool_off_repeated", C, cool_off_repeated, "The same, when it was so before.",
                  .def = "45m", .min = CONF_SECOND, .max = 30 * CONF_DAY),
    CONF_DURATION("repeated_within", C, repeated_within, "How long that is remembered.",
                  .def = "1d", .min = CONF_MINUTE, .max = 30 * CONF_DAY),
    CONF_DURATION("remember", C, remember,
                  "How long a success is remembered: its user is not cooled off for that source.",
                  .def = "30d", .min = CONF_MINUTE, .max = 365 * CONF_DAY),
    CONF_UINT("live_factor", C, live_factor,
              "An address that holds live bindings is banned for so many times as much.",
              .def = "10", .min = 1, .max = 1000),
    CONF_SECTION("connection", C, rules[ABUSE_CONNECTION], &sections[ABUSE_CONNECTION],
                 "Connections beyond the limit of one address, or that say nothing."),
    CONF_SECTION("malformed", C, rules[ABUSE_MALFORMED], &sections[ABUSE_MALFORMED],
                 "What cannot be read as SIP."),
    CONF_SECTION("authentication", C, rules[ABUSE_AUTHENTICATION], &sections[ABUSE_AUTHENTICATION],
                 "Wrong credentials."),
    CONF_SECTION("dialog", C, rules[ABUSE_DIALOG], &sections[ABUSE_DIALOG],
                 "Requests for addresses that nobody has."),
    CONF_SECTION("flow", C, rules[ABUSE_FLOW], &sections[ABUSE_FLOW],
                 "Messages that belong to nothing: stray answers, routes of nobody's making."),
    CONF_SECTION("strangers", C, strangers, &stranger_section,
                 "Sources of which nobody was accepted yet."),
    CONF_UINT("sources", C, sources,
              "Sources that a front keeps an account of, and successes that authd knows of by "
              "itself.",
              .def = "65536", .min = 16, .max = 10000000),
    CONF_UINT("bans", C, bans, "Bans and cool-offs that may stand at a time.", .def = "10000",
              .min = 16, .max = 1000000),
    CONF_UINT("greylist", C, greylist, "Networks with failures and no success that are listed.",
              .def = "10000", .min = 16, .max = 1000000),
    { 0 },
};

static void check(struct conf_check *c, void *section)
{
    const C *d = section;
    if (d->cool_off_repeated.ms < d->cool_off.ms)
        conf_error(c, "cool_off_repeated", "is shorter than cool_off");
}
const struct conf_section defence_section = { .size = sizeof(C), .keys = keys, .check = check };

#define G struct group_defence
static const struct conf_key group_keys[] = {
    CONF_OPTION("authentication", G, authentication, &sections[ABUSE_AUTHENTICATION],
                "Wrong credentials: instead of defence.authentication."),
    CONF_OPTION("dialog", G, dialog, &sections[ABUSE_DIALOG],
                "Requests for addresses that nobody has: instead of defence.dialog."),
    { 0 },
};
const struct conf_section group_defence_section = { .size = sizeof(G), .keys = group_keys };

/* ---- decisions ---- */

bool ruling_spares(const struct defence_conf *c, const struct addr *source)
{
    for (size_t i = 0; i < c->n_exempt; i++) {
        if (cidr_contains(&c->exempt[i], source))
            return true;
    }
    return source->sa.sa_family == AF_UNSPEC;
}

bool ruling_spares_some(const struct defence_conf *c, const struct cidr *net)
{
    for (size_t i = 0; i < c->n_exempt; i++) {
        if (cidr_contains(net, &c->exempt[i].net) || cidr_contains(&c->exempt[i], &net->net))
            return true;
    }
    return false;
}

static bool reached(unsigned threshold, unsigned factor, unsigned n)
{
    return threshold && n >= (uint64_t)threshold * factor;
}

const struct defence_rule *ruling_rule(const struct defence_conf *c, const struct group_defence *g,
                                       enum abuse a)
{
    const struct defence_rule *own = !g                          ? NULL
                                     : a == ABUSE_AUTHENTICATION ? g->authentication
                                     : a == ABUSE_DIALOG         ? g->dialog
                                                                 : NULL;
    return own ? own : &c->rules[a];
}

struct ruling ruling_of(const struct defence_conf *c, const struct group_defence *g, enum abuse a,
                        unsigned attempts, const struct tally *t)
{
    const struct defence_rule *r = ruling_rule(c, g, a);
    unsigned factor = t->live || t->known ? c->live_factor : 1;
    unsigned before = t->installation - CS_MIN(t->added, t->installation);
    struct ruling out = {
        .cool_off = a == ABUSE_AUTHENTICATION && reached(attempts, 1, t->pair) && !t->known,
        .cool_off_for = t->strikes ? c->cool_off_repeated : c->cool_off,
        .ban_address = reached(r->address, factor, t->address),
        .by_users = !reached(r->address, factor, t->address) && reached(r->users, factor, t->users),
        .alarm = reached(r->installation, 1, t->installation) &&
                 !reached(r->installation, 1, before), /* once in a window */
    };
    out.ban_address |= out.by_users;
    out.ban_port = !out.ban_address && reached(r->port, 1, t->port);
    return out;
}
