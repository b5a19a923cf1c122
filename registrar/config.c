#include "registrar/config.h"

#include "base/process.h"
#include "sip/chars.h"

static const char *const transports[] = { "udp", "tcp", NULL };

#define ROOT struct registrar_conf

#define AUTHD __typeof__(((ROOT *)0)->authd)
static const struct conf_key authd_keys[] = {
    CONF_PATH("socket", AUTHD, socket, "Unix socket of authd.", .required = true),
    CONF_DURATION("deadline", AUTHD, deadline,
                  "How long a request waits for its verdict; then it is answered 503.", .def = "2s",
                  .min = 50 * CONF_MS, .max = 30 * CONF_SECOND),
    CONF_SIZE("max_open", AUTHD, max_open, "Questions waiting at once; more are answered 503.",
              .def = "20000", .min = 1, .max = 1000000),
    { 0 },
};
static const struct conf_section authd_section = { sizeof(AUTHD), authd_keys, NULL };

#define HTTP __typeof__(((ROOT *)0)->http)
static const struct conf_key http_keys[] = {
    CONF_ADDR("listen", HTTP, listen, "Address of /healthz, /readyz and /metrics.",
              .def = "127.0.0.1:8081"),
    { 0 },
};

static void http_check(struct conf_check *c, void *section)
{
    HTTP *h = section;
    if (!addr_is_loopback(&h->listen))
        conf_error(c, "listen", "plain HTTP is for loopback only; write 127.0.0.1:8081");
}

static const struct conf_section http_section = { sizeof(HTTP), http_keys, http_check };

#define LINK __typeof__(((ROOT *)0)->link)
static const struct conf_key link_keys[] = {
    CONF_PATH(
        "directory", LINK, directory,
        "Folder of the Unix sockets by which registrars of this machine pass requests to each "
        "other; the same for all of them, and theirs alone."),
    CONF_ADDR("listen", LINK, listen,
              "Where registrars of other machines are heard, over TLS; workers take the ports from "
              "here upwards.",
              .port = 5062),
    CONF_ADDR("advertise", LINK, advertise,
              "Where they find us; must be written when listen is a wildcard.", .port = 5062),
    CONF_PATH("certificate_file", LINK, certificate_file,
              "Certificate that says the name in node, as a DNS name; for both directions."),
    CONF_PATH("key_file", LINK, key_file, "Its private key."),
    CONF_PATH("ca_file", LINK, ca_file,
              "The authority of the registrars alone: who has a certificate from it is believed."),
    { 0 },
};

static void link_check(struct conf_check *c, void *section)
{
    const LINK *l = section;
    bool listens = l->listen.sa.sa_family != AF_UNSPEC;
    if (listens && (!l->certificate_file || !l->key_file || !l->ca_file))
        conf_error(c, "listen",
                   "other machines are heard over TLS only; add certificate_file, key_file and "
                   "ca_file");
    if (listens && addr_is_any(&l->listen) && l->advertise.sa.sa_family == AF_UNSPEC)
        conf_error(c, "listen",
                   "nobody can connect to a wildcard address; add advertise: 192.0.2.1:5062");
}

static const struct conf_section link_section = { sizeof(LINK), link_keys, link_check };

static const struct conf_key listener_keys[] = {
    CONF_STR("name", struct listener_conf, name, "What authd and logs call it.", .required = true,
             .min = 1, .max = 32),
    CONF_ENUM("transport", struct listener_conf, transport, transports, "Its transport.",
              .required = true),
    CONF_ADDR("address", struct listener_conf, address, "Where it listens.", .required = true,
              .port = 5060),
    CONF_STR("advertise", struct listener_conf, advertise,
             "host:port that others reach it by, for Via and Record-Route; must be written when "
             "the address is a wildcard.",
             .max = 255),
    { 0 },
};

static void listener_check(struct conf_check *c, void *section)
{
    struct listener_conf *l = section;
    if (addr_is_any(&l->address) && !l->advertise.p)
        conf_error(c, "address",
                   "phones cannot answer to a wildcard address; add advertise: host:port");
}

static const struct conf_section listener_section = { sizeof(struct listener_conf), listener_keys,
                                                      listener_check };

#define LIMITS __typeof__(((ROOT *)0)->limits)
static const struct conf_key limit_keys[] = {
    CONF_SIZE("message", LIMITS, message, "Bytes of one SIP message.", .def = "64k", .min = 1024,
              .max = CONF_MIB),
    CONF_SIZE("line", LIMITS, line, "Bytes of one header with its folds.", .def = "8k", .min = 256,
              .max = 64 * CONF_KIB),
    CONF_SIZE("headers", LIMITS, headers, "Headers of one message.", .def = "128", .min = 16,
              .max = 1024),
    CONF_SIZE("connections", LIMITS, connections, "Stream connections in all.", .def = "20000",
              .min = 1, .max = 1000000),
    CONF_SIZE("connections_per_address", LIMITS, connections_per_address,
              "Stream connections from one address.", .def = "100", .min = 1, .max = 1000000),
    CONF_SIZE("transactions", LIMITS, transactions, "Transactions open at once.", .def = "100000",
              .min = 100, .max = 10000000),
    CONF_SIZE("answer_memory", LIMITS, answer_memory,
              "Memory for answers that may be asked for again; the oldest go first.", .def = "32m",
              .min = 64 * CONF_KIB, .max = 4 * CONF_GIB),
    CONF_SIZE("branches", LIMITS, branches, "Contacts that one request is forked to.", .def = "20",
              .min = 1, .max = 60),
    CONF_SIZE("known", LIMITS, known,
              "Addresses of record whose bindings are remembered, about 600 bytes each, so that a "
              "refresh reads nothing.",
              .def = "16384", .max = 10000000),
    CONF_DURATION("idle", LIMITS, idle, "A stream without a message or keepalive is closed.",
                  .def = "15m", .min = 10 * CONF_SECOND, .max = CONF_DAY),
    CONF_DURATION("message_deadline", LIMITS, message_deadline,
                  "From the first byte of a message to its last.", .def = "10s",
                  .min = 100 * CONF_MS, .max = 5 * CONF_MINUTE),
    CONF_DURATION("first_message", LIMITS, first_message,
                  "From a connection to its first whole message.", .def = "10s",
                  .min = 100 * CONF_MS, .max = 5 * CONF_MINUTE),
    CONF_DURATION("connect", LIMITS, connect, "Making a connection.", .def = "2s",
                  .min = 100 * CONF_MS, .max = 30 * CONF_SECOND),
    CONF_DURATION("drain", LIMITS, drain,
                  "After SIGTERM: how long requests that were begun and connections have to end.",
                  .def = "5s", .min = 0, .max = 10 * CONF_MINUTE),
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
    CONF_DURATION("invite", TIMERS, invite,
                  "Timer C: a forwarded INVITE without an answer is given up.", .def = "3m",
                  .min = 3 * CONF_SECOND, .max = CONF_HOUR),
    CONF_DURATION("ring", TIMERS, ring,
                  "How long contacts of one q value ring before the next lower one is tried.",
                  .def = "20s", .min = CONF_SECOND, .max = 10 * CONF_MINUTE),
    { 0 },
};
static const struct conf_section timers_section = { sizeof(TIMERS), timer_keys, NULL };

static const struct conf_key root_keys[] = {
    CONF_STR("node", ROOT, node, "Name of this process in logs and bindings; default: host name.",
             .max = 64),
    CONF_STR("user", ROOT, user, "User to become after the sockets are open, when started as root.",
             .max = 64),
    CONF_SIZE(
        "workers", ROOT, workers,
        "Processes on the same ports, one for each core that is to be used. Named NODE-1 and so "
        "on; each has its own http port, from that of http.listen upwards.",
        .def = "1", .min = 1, .max = 64),
    CONF_PATH(
        "flow_key_file", ROOT, flow_key_file,
        "Key of the tokens in bindings and routes, made at the first start; without it phones "
        "on UDP cannot be called after a restart until they register again."),
    CONF_SECTION("log", ROOT, log, &conf_log_section, "What is written to stderr."),
    CONF_SECTION("authd", ROOT, authd, &authd_section, "Who judges requests."),
    CONF_SECTION("redis", ROOT, redis, &redis_settings_section, "Where bindings are kept."),
    CONF_SECTION("http", ROOT, http, &http_section, "Health and metrics."),
    CONF_SECTION("link", ROOT, link, &link_section, "How registrars of one installation meet."),
    CONF_STRS("domains", ROOT, domains, "Domains whose phones register here.", .at_least = 1,
              .max = 255, .required = true, .unique = true),
    CONF_SECTIONS("listeners", ROOT, listeners, &listener_section, "Where SIP is spoken.",
                  .at_least = 1, .at_most = LISTENERS_MAX, .required = true, .unique = true),
    CONF_SECTION("dns", ROOT, dns, &dns_settings_section,
                 "How the addresses of next hops and Contacts are found (RFC 3263)."),
    CONF_SECTIONS("routes", ROOT, routes, &route_conf_section,
                  "Where requests go that are for none of our users; the first that fits is taken, "
                  "and without one they are answered 404.",
                  .at_most = ROUTES_MAX, .unique = true),
    CONF_SECTION("limits", ROOT, limits, &limits_section, "Bounds, so that a flood costs no more."),
    CONF_SECTION("timers", ROOT, timers, &timers_section, "Times of RFC 3261 and of forking."),
    { 0 },
};

static void root_check(struct conf_check *c, void *section)
{
    struct registrar_conf *conf = section;
    uid_t uid;
    gid_t gid;
    if (conf->user.p && process_user(conf->user, &uid, &gid))
        conf_error(c, "user",
                   "this system has no user " SPAN_FMT "; create it, or name one that is there",
                   SPAN_ARG(conf->user));
    if (conf->workers > 1 && !conf->link.directory)
        conf_error(c, "workers",
                   "workers pass each other requests over Unix sockets; add link: { directory: "
                   "/run/countersign/link }");
    if (conf->workers > 1 && !conf->flow_key_file)
        conf_error(c, "workers", "workers share one key; add flow_key_file: flow.key");
    if (conf->node.p && !chars_is_host(conf->node))
        conf_error(c, "node", "\"" SPAN_FMT "\" is no host name; write registrar-1",
                   SPAN_ARG(conf->node));
    for (size_t i = 0; i < conf->n_domains; i++) { /* compared in lower case from here on */
        char key[32];
        snprintf(key, sizeof(key), "domains[%zu]", i);
        if (!chars_is_host(conf->domains[i]))
            conf_error(c, key,
                       "\"" SPAN_FMT "\" is no host name or address; write phones.example.com, "
                       "192.0.2.1 or [2001:db8::1], without a port",
                       SPAN_ARG(conf->domains[i]));
        char *p = arena_str(conf_arena(c), conf->domains[i]);
        if (!p)
            continue;
        for (size_t j = 0; j < conf->domains[i].n; j++)
            p[j] = ascii_lower(p[j]);
        conf->domains[i].p = p;
    }
}

const struct conf_section registrar_conf_section = { sizeof(ROOT), root_keys, root_check };

struct span conf_domain(const struct registrar_conf *c, struct span host)
{
    for (size_t i = 0; i < c->n_domains; i++) {
        if (span_caseeq(c->domains[i], host))
            return c->domains[i];
    }
    return SPAN_NULL;
}
