#include "b2bua/config.h"

#include "base/process.h"
#include "sip/chars.h"

static const char *const transports[] = { "udp", "tcp", "tls", NULL };

#define ROOT struct b2bua_conf

#define HTTP __typeof__(((ROOT *)0)->http)
static const struct conf_key http_keys[] = {
    CONF_ADDR("listen", HTTP, listen, "Address of /healthz, /readyz, /metrics and /calls.",
              .def = "127.0.0.1:8082"),
    { 0 },
};

static void http_check(struct conf_check *c, void *section)
{
    HTTP *h = section;
    if (!addr_is_loopback(&h->listen))
        conf_error(c, "listen", "plain HTTP is for loopback only; write 127.0.0.1:8082");
}

static const struct conf_section http_section = { sizeof(HTTP), http_keys, http_check };

static const struct conf_key listener_keys[] = {
    CONF_STR("name", struct listener_conf, name, "What authd and logs call it.", .required = true,
             .min = 1, .max = 32),
    CONF_ENUM("transport", struct listener_conf, transport, transports, "Its transport.",
              .required = true),
    CONF_ADDR("address", struct listener_conf, address, "Where it listens.", .required = true,
              .port = 5060),
    CONF_STR("advertise", struct listener_conf, advertise,
             "host:port that trunks reach it by; must be written when the address is a wildcard.",
             .max = 255),
    CONF_OPTION("tls", struct listener_conf, tls, &listener_tls_section,
                "Of a listener with transport: tls."),
    { 0 },
};

static void listener_check(struct conf_check *c, void *section)
{
    const struct listener_conf *l = section;
    if (addr_is_any(&l->address) && !l->advertise.p)
        conf_error(c, "address",
                   "trunks cannot answer to a wildcard address; add advertise: host:port");
    if (l->transport == SIP_TLS && !l->tls)
        conf_error(c, "transport",
                   "needs a certificate; add tls: { certificates: [{ certificate_file: sip.crt, "
                   "key_file: sip.key }] }");
    if (l->transport != SIP_TLS && l->tls)
        conf_error(c, "tls", "is for transport: tls");
}

static const struct conf_section listener_section = { sizeof(struct listener_conf), listener_keys,
                                                      listener_check };

static const struct conf_key media_address_keys[] = {
    CONF_STR("name", struct media_address_conf, name, "What policies call it.", .required = true,
             .min = 1, .max = 32),
    CONF_ADDR("address", struct media_address_conf, address,
              "Local address; its port says nothing.", .required = true, .port = 1),
    CONF_STR("advertise", struct media_address_conf, advertise,
             "The address that others reach it by; default: itself.", .max = 64),
    { 0 },
};

static void media_address_check(struct conf_check *c, void *section)
{
    const struct media_address_conf *a = section;
    struct addr told;
    if (a->advertise.p && addr_parse_host(a->advertise, 0, &told))
        conf_error(c, "advertise", "\"" SPAN_FMT "\" is no address", SPAN_ARG(a->advertise));
    if (addr_is_any(&a->address))
        conf_error(c, "address", "media are sent from one address; write which");
}

static const struct conf_section media_address_section = { sizeof(struct media_address_conf),
                                                           media_address_keys,
                                                           media_address_check };

#define MEDIA __typeof__(((ROOT *)0)->media)
static const struct conf_key media_keys[] = {
    CONF_SECTIONS("addresses", MEDIA, addresses, &media_address_section, "Where media flow.",
                  .at_least = 1, .at_most = MEDIA_ADDRESSES_MAX, .required = true, .unique = true),
    CONF_UINT("first_port", MEDIA, first, "The range of ports begins here.", .def = "20000",
              .min = 1024, .max = 65534),
    CONF_UINT("last_port", MEDIA, last, "And ends here.", .def = "29999", .min = 1025,
              .max = 65535),
    CONF_UINT("threads", MEDIA, threads, "That carry media; 0: one for each processor.",
              .max = 256),
    CONF_DURATION("inactivity", MEDIA, inactivity,
                  "A call without a packet either way for so long is ended, unless it is on hold; "
                  "0: never.",
                  .def = "5m", .min = 0, .max = CONF_DAY),
    { 0 },
};

static void media_check(struct conf_check *c, void *section)
{
    const MEDIA *m = section;
    if (m->first >= m->last)
        conf_error(c, "last_port", "lies before first_port");
}

static const struct conf_section media_section = { sizeof(MEDIA), media_keys, media_check };

#define CDR __typeof__(((ROOT *)0)->cdr)
static const struct conf_key cdr_keys[] = {
    CONF_PATH("file", CDR, file, "Where a line of JSON is added for each call; default: nowhere."),
    { 0 },
};
static const struct conf_section cdr_section = { sizeof(CDR), cdr_keys, NULL };

#define LIMITS __typeof__(((ROOT *)0)->limits)
static const struct conf_key limit_keys[] = {
    CONF_SIZE("calls", LIMITS, calls, "Calls at once; more are answered 503.", .def = "5000",
              .min = 1, .max = 100000),
    CONF_DURATION("drain", LIMITS, drain,
                  "After SIGTERM calls may go on for so long before they are ended.", .def = "10s",
                  .min = 0, .max = CONF_DAY),
    { 0 },
};
static const struct conf_section limits_section = { sizeof(LIMITS), limit_keys, NULL };

#define TIMERS __typeof__(((ROOT *)0)->timers)
static const struct conf_key timer_keys[] = {
    CONF_DURATION("t1", TIMERS, t1, "Round-trip estimate (RFC 3261, 17.1.1.1).", .def = "500ms",
                  .min = 10 * CONF_MS, .max = 5 * CONF_SECOND),
    CONF_DURATION("t2", TIMERS, t2, "Longest interval between retransmissions.", .def = "4s",
                  .min = 100 * CONF_MS, .max = 60 * CONF_SECOND),
    CONF_DURATION("t4", TIMERS, t4, "How long a message stays in the network.", .def = "5s",
                  .min = 100 * CONF_MS, .max = 60 * CONF_SECOND),
    CONF_DURATION("dtls", TIMERS, dtls,
                  "A call is ended whose media have no keys of DTLS-SRTP so long after they were "
                  "agreed on.",
                  .def = "15s", .min = CONF_SECOND, .max = CONF_HOUR),
    CONF_DURATION("ring", TIMERS, ring, "A call that nobody takes for so long is given up.",
                  .def = "3m", .min = CONF_SECOND, .max = CONF_HOUR),
    CONF_DURATION("session", TIMERS, session,
                  "A call that is not refreshed for so long is over (RFC 4028).", .def = "5m",
                  .min = CONF_SECOND, .max = CONF_DAY),
    CONF_DURATION("session_least", TIMERS, session_least,
                  "Nobody is let to refresh more often than this asks for.", .def = "90s",
                  .min = CONF_SECOND, .max = CONF_HOUR),
    { 0 },
};

static void timers_check(struct conf_check *c, void *section)
{
    const TIMERS *t = section;
    if (t->session.ms < t->session_least.ms)
        conf_error(c, "session", "is shorter than session_least");
}

static const struct conf_section timers_section = { sizeof(TIMERS), timer_keys, timers_check };

static const struct conf_key root_keys[] = {
    CONF_STR("node", ROOT, node, "Name of this process, as registrars call it; default: host name.",
             .max = 64),
    CONF_STR("user", ROOT, user, "User to become after the sockets are open, when started as root.",
             .max = 64),
    CONF_SECTION("log", ROOT, log, &conf_log_section, "What is written to stderr."),
    CONF_SECTION("authd", ROOT, authd, &gate_settings_section,
                 "Who judges what trunks ask, and answers their challenges."),
    CONF_SECTION("http", ROOT, http, &http_section, "Health, metrics and calls."),
    CONF_OPTION("hep", ROOT, hep, &hep_settings_section,
                "A capture server (Homer) that gets a copy of every SIP message, secrets masked."),
    CONF_SECTION("link", ROOT, link, &link_settings_section,
                 "How registrars and b2buas of one installation meet.", .required = true),
    CONF_SECTIONS("registrars", ROOT, registrars, &link_peer_section,
                  "Whose phones are lines; a call takes one of them.", .at_least = 1,
                  .at_most = REGISTRARS_MAX, .required = true, .unique = true),
    CONF_SECTIONS("peers", ROOT, peers, &link_peer_section,
                  "The other b2buas: who names a call of theirs here finds it.",
                  .at_most = REGISTRARS_MAX, .unique = true),
    CONF_STRS("domains", ROOT, domains, "Domains of the lines; the first is From of calls to them.",
              .at_least = 1, .max = 255, .required = true, .unique = true),
    CONF_SECTIONS("listeners", ROOT, listeners, &listener_section, "Where trunks speak SIP.",
                  .at_most = LISTENERS_MAX, .unique = true),
    CONF_SECTION("tls", ROOT, tls, &tls_settings_section, "TLS of all listeners, and as a client."),
    CONF_SECTION("dns", ROOT, dns, &dns_settings_section,
                 "How the addresses of trunks are found (RFC 3263)."),
    CONF_SECTION("media", ROOT, media, &media_section, "Where media flow."),
    CONF_SECTION("lines", ROOT, lines, &line_media_section, "What the media of lines are to be."),
    CONF_STR("context", ROOT, lines_context, "Of the dial plan, where lines stand.", .def = "lines",
             .max = 64),
    CONF_SECTIONS("trunks", ROOT, trunks, &trunk_conf_section, "The ways out, and in.",
                  .at_most = TRUNKS_MAX, .unique = true),
    CONF_SECTION("calls", ROOT, calls, &call_conf_section, "What calls may do."),
    CONF_SECTION("sccp", ROOT, sccp, &desks_conf_section, "Cisco desk phones that speak SCCP."),
    CONF_SECTION("dialplan", ROOT, dialplan, &dialplan_conf_section, "Where digits lead."),
    CONF_SECTION("provisioning", ROOT, provisioning, &provisioning_section,
                 "Files for desk phones; not given where nothing is written."),
    CONF_PATH("journal_file", ROOT, journal_file,
              "Where the calls that stand are noted, so that a restart ends what was left."),
    CONF_SECTION("cdr", ROOT, cdr, &cdr_section, "What is written of each call."),
    CONF_SECTION("limits", ROOT, limits, &limits_section, "Bounds."),
    CONF_SECTION("timers", ROOT, timers, &timers_section, "Times of RFC 3261."),
    { 0 },
};

const struct trunk_conf *conf_trunk(const struct b2bua_conf *c, struct span name)
{
    for (size_t i = 0; i < c->n_trunks; i++) {
        if (span_eq(c->trunks[i].name, name))
            return &c->trunks[i];
    }
    return NULL;
}

const struct trunk_conf *conf_trunk_of_group(const struct b2bua_conf *c, struct span group)
{
    for (size_t i = 0; i < c->n_trunks; i++) {
        if (c->trunks[i].group.p && span_eq(c->trunks[i].group, group))
            return &c->trunks[i];
    }
    return NULL;
}

bool conf_is_domain(const struct b2bua_conf *c, struct span host)
{
    for (size_t i = 0; i < c->n_domains; i++) {
        if (span_caseeq(c->domains[i], host))
            return true;
    }
    return false;
}

static bool knows_trunk(const void *arg, struct span name)
{
    return conf_trunk(arg, name);
}

static void check_media(struct conf_check *c, const struct b2bua_conf *conf, const char *key,
                        const struct media_policy *m)
{
    bool known = !m->address.p;
    for (size_t i = 0; i < conf->media.n_addresses && !known; i++)
        known = span_eq(conf->media.addresses[i].name, m->address);
    if (!known)
        conf_error(c, key, "media.addresses has no \"" SPAN_FMT "\"", SPAN_ARG(m->address));
}

static void check_context(struct conf_check *c, const struct b2bua_conf *conf, const char *key,
                          struct span context)
{
    if (context.p && !dialplan_context(&conf->dialplan, context))
        conf_error(c, key, "the dial plan has no context \"" SPAN_FMT "\"", SPAN_ARG(context));
}

/* Of a trunk over TLS; its number is its place. */
static void check_tls(struct conf_check *c, const struct b2bua_conf *conf, size_t i)
{
    struct trunk_conf *t = &conf->trunks[i];
    bool listens = false, believes = conf->tls.client.ca_file || (t->tls && t->tls->client.ca_file);
    char key[64];
    if (!t->peer)
        return;
    t->peer = (unsigned)i + 1;
    for (size_t k = 0; t->hops && k < t->n_targets; k++)
        t->hops[k].peer = t->peer;
    for (size_t k = 0; k < conf->n_listeners; k++)
        listens |= conf->listeners[k].transport == SIP_TLS;
    snprintf(key, sizeof(key), "trunks[%zu].tls", i);
    if (!believes)
        conf_error(c, key, "says not whom to believe; add ca_file here, or in tls");
    snprintf(key, sizeof(key), "trunks[%zu].targets", i);
    if (!listens)
        conf_error(c, key, "TLS needs a listener with transport: tls that it is spoken from");
}

static void root_check(struct conf_check *c, void *section)
{
    struct b2bua_conf *conf = section;
    uid_t uid;
    gid_t gid;
    if (conf->user.p && process_user(conf->user, &uid, &gid))
        conf_error(c, "user",
                   "this system has no user " SPAN_FMT "; create it, or name one that is there",
                   SPAN_ARG(conf->user));
    if (conf->node.p && !chars_is_host(conf->node))
        conf_error(c, "node", "\"" SPAN_FMT "\" is no host name; write b2bua-1",
                   SPAN_ARG(conf->node));
    link_check_peers(c, "registrars", &conf->link, conf->registrars, conf->n_registrars);
    link_check_peers(c, "peers", &conf->link, conf->peers, conf->n_peers);
    check_media(c, conf, "lines.address", &conf->lines);
    check_context(c, conf, "context", conf->lines_context);
    for (size_t i = 0; i < conf->n_trunks; i++) {
        char key[64];
        check_tls(c, conf, i);
        snprintf(key, sizeof(key), "trunks[%zu].media.address", i);
        check_media(c, conf, key, &conf->trunks[i].media);
        snprintf(key, sizeof(key), "trunks[%zu].context", i);
        check_context(c, conf, key, conf->trunks[i].context);
    }
    if (conf->n_trunks && !conf->n_listeners)
        conf_error(c, "trunks", "need a listener that they are spoken to from; add listeners");
    dialplan_check_trunks(c, "dialplan", &conf->dialplan, knows_trunk, conf);
}

const struct conf_section b2bua_conf_section = { sizeof(ROOT), root_keys, root_check };
