#include "registrar/config.h"

#include "base/process.h"
#include "registrar/service_route.h"
#include "sip/chars.h"
#include "sip/msg.h"

static const char *const transports[] = { "udp", "tcp", "tls", "ws", "wss", NULL };

#define ROOT struct registrar_conf

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

#define CA __typeof__(((ROOT *)0)->ca)
static const struct conf_key ca_keys[] = {
    CONF_ADDR("listen", CA, listen,
              "Where it is to be had, as http://ADDRESS/ca.crt: in the clear, so who fetches it "
              "compares its fingerprint, which is in the log."),
    CONF_PATH("file", CA, file, "Its certificate (PEM)."),
    { 0 },
};

static void ca_check(struct conf_check *c, void *section)
{
    const CA *ca = section;
    bool listens = ca->listen.sa.sa_family != AF_UNSPEC;
    if (listens && !ca->file)
        conf_error(c, "listen", "there is nothing to serve; add file: ca.crt");
    if (!listens && ca->file)
        conf_error(c, "file", "is served nowhere; add listen: 192.0.2.1:5080");
}

static const struct conf_section ca_section = { sizeof(CA), ca_keys, ca_check };

#define LISTENER_WS struct listener_ws_conf
static const struct conf_key listener_ws_keys[] = {
    CONF_STRS("origins", LISTENER_WS, origins,
              "Whose pages may connect: origins as browsers write them, "
              "https://phone.example.com, or any alone. What is no browser says none, and may.",
              .at_least = 1, .max = 255, .required = true, .unique = true),
    CONF_STR("path", LISTENER_WS, path, "Path of the URL.", .def = "/", .min = 1, .max = 255),
    CONF_STRS("hosts", LISTENER_WS, hosts,
              "Names it may be asked under, without a port; default: any.", .max = 253,
              .unique = true),
    CONF_OPTION("softphone", LISTENER_WS, softphone, &softphone_section,
                "Show a page at /softphone/ from which a browser registers and calls, for trials."),
    { 0 },
};

/* scheme "://" host [ ":" port ], as RFC 6454, 6.1 writes it */
static bool is_origin(struct span s)
{
    struct span rest = s, scheme = span_cut(&rest, ':'), host = rest;
    if (!span_eq(scheme, SPAN("https")) && !span_eq(scheme, SPAN("http")))
        return span_ends(scheme, SPAN("-extension")) && span_starts(rest, SPAN("//"));
    host = span_skip(host, 2);
    struct span name = host;
    while (name.n && ascii_digit(name.p[name.n - 1]))
        name.n--;
    bool port = name.n > 1 && name.n < host.n && name.p[name.n - 1] == ':';
    return span_starts(rest, SPAN("//")) &&
           chars_is_host(port ? span_head(name, name.n - 1) : host);
}

static void listener_ws_check(struct conf_check *c, void *section)
{
    LISTENER_WS *w = section;
    bool any = w->n_origins == 1 && span_eq(w->origins[0], SPAN("any"));
    for (size_t i = 0; i < w->n_origins && !any; i++) {
        char key[32];
        snprintf(key, sizeof(key), "origins[%zu]", i);
        if (!is_origin(w->origins[i]))
            conf_error(c, key,
                       "\"" SPAN_FMT "\" is no origin; write https://phone.example.com, with the "
                       "port if it is not 443, and nothing behind it",
                       SPAN_ARG(w->origins[i]));
    }
    if (w->path.n && w->path.p[0] != '/')
        conf_error(c, "path", "begins with a slash; write /" SPAN_FMT, SPAN_ARG(w->path));
    if (w->softphone && span_starts(w->path, SPAN(SOFTPHONE_FOLDER)))
        conf_error(c, "path", "is the softphone's; write /");
    w->rules = (struct ws_rules){ .protocol = SPAN("sip"), /* RFC 7118, 4.1 */
                                  .path = w->path,
                                  .origins = w->origins,
                                  .n_origins = w->n_origins,
                                  .any_origin = any,
                                  .hosts = w->hosts,
                                  .n_hosts = w->n_hosts };
}

static const struct conf_section listener_ws_section = { sizeof(LISTENER_WS), listener_ws_keys,
                                                         listener_ws_check };

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
    CONF_OPTION("tls", struct listener_conf, tls, &listener_tls_section,
                "Of a listener with transport: tls or wss."),
    CONF_OPTION("websocket", struct listener_conf, ws, &listener_ws_section,
                "Of a listener with transport: ws or wss."),
    { 0 },
};

static void listener_check(struct conf_check *c, void *section)
{
    struct listener_conf *l = section;
    if (addr_is_any(&l->address) && !l->advertise.p)
        conf_error(c, "address",
                   "phones cannot answer to a wildcard address; add advertise: host:port");
    bool tls = sip_transport_is_tls(l->transport), ws = sip_transport_is_ws(l->transport);
    if (tls && !l->tls)
        conf_error(c, "transport",
                   "needs a certificate; add tls: { certificates: [{ certificate_file: sip.crt, "
                   "key_file: sip.key }] }");
    if (!tls && l->tls)
        conf_error(c, "tls", "is for transport: tls or wss");
    if (ws && !l->ws)
        conf_error(c, "transport",
                   "has to know whose pages may connect; add websocket: { origins: "
                   "[https://phone.example.com] }, or origins: [any]");
    if (ws && l->ws) /* over TLS a browser has made sure that HOST is us */
        l->ws->rules.same_origin = l->ws->softphone && l->transport == SIP_WSS;
    if (!ws && l->ws)
        conf_error(c, "websocket", "is for transport: ws or wss");
    if (tls && addr_port(&l->address) == sip_transport_port(SIP_TCP))
        conf_error(c, "address",
                   "5060 is where phones speak in the clear; write another port, as in "
                   "192.0.2.1:5061");
}

static const struct conf_section listener_section = { sizeof(struct listener_conf), listener_keys,
                                                      listener_check };

#define NFTABLES struct nftables_conf
static const char *const nft_families[] = { "inet", "ip", "ip6", "netdev", NULL };
static const struct conf_key nftables_keys[] = {
    CONF_ENUM("family", NFTABLES, family, nft_families, "Of the table.", .def = "inet"),
    CONF_STR("table", NFTABLES, table, "The table, which is there already.", .def = "countersign",
             .min = 1, .max = NFT_NAME_LEN - 1),
    CONF_STR("set4", NFTABLES, set4,
             "Its set of type ipv4_addr with flags interval, timeout; emptied at the start.",
             .max = NFT_NAME_LEN - 1),
    CONF_STR("set6", NFTABLES, set6,
             "Its set of type ipv6_addr with flags interval, timeout; emptied at the start.",
             .max = NFT_NAME_LEN - 1),
    { 0 },
};

static void nftables_check(struct conf_check *c, void *section)
{
    const NFTABLES *n = section;
    if (!n->set4.n && !n->set6.n)
        conf_error(c, "set4", "no set is named; write set4: banned4, or set6: banned6, or both");
}

static const struct conf_section nftables_section = { sizeof(NFTABLES), nftables_keys,
                                                      nftables_check };

#define LIMITS __typeof__(((ROOT *)0)->limits)
static const struct conf_key limit_keys[] = {
    CONF_SIZE("message", LIMITS, message, "Bytes of one SIP message.", .def = "64k", .min = 1024,
              .max = CONF_MIB),
    CONF_SIZE("line", LIMITS, line, "Bytes of one header with its folds.", .def = "8k", .min = 256,
              .max = 64 * CONF_KIB),
    CONF_SIZE("headers", LIMITS, headers, "Headers of one message.", .def = "128", .min = 16,
              .max = 1024),
    CONF_SIZE("uri", LIMITS, uri, "Bytes of a Request-URI; longer ones get 414.", .def = "1k",
              .min = 64, .max = 64 * CONF_KIB),
    CONF_SIZE("connections", LIMITS, connections, "Stream connections in all.", .def = "20000",
              .min = 1, .max = 1000000),
    CONF_SIZE("connections_per_address", LIMITS, connections_per_address,
              "Stream connections from one address.", .def = "100", .min = 1, .max = 1000000),
    CONF_SIZE("handshakes", LIMITS, handshakes,
              "TLS handshakes under way at once; the oldest makes room.", .def = "1000", .min = 1,
              .max = 100000),
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
    CONF_DURATION("ping", LIMITS, ping,
                  "A WebSocket that is silent for so long is pinged, and closed when it is for as "
                  "long again.",
                  .def = "30s", .min = CONF_SECOND, .max = CONF_HOUR),
    CONF_DURATION("message_deadline", LIMITS, message_deadline,
                  "From the first byte of a message to its last.", .def = "10s",
                  .min = 100 * CONF_MS, .max = 5 * CONF_MINUTE),
    CONF_DURATION("first_message", LIMITS, first_message,
                  "From a connection to its first whole message.", .def = "10s",
                  .min = 100 * CONF_MS, .max = 5 * CONF_MINUTE),
    CONF_DURATION("first_authentication", LIMITS, first_authentication,
                  "From a connection to the first request on it that is accepted. 0s: it need not "
                  "come.",
                  .def = "1m", .min = 0, .max = CONF_HOUR),
    CONF_SIZE(
        "strangers", LIMITS, strangers,
        "Stream connections on which nothing was accepted yet; beyond it the oldest of them is "
        "closed.",
        .def = "10000", .min = 1, .max = 1000000),
    CONF_DURATION("connect", LIMITS, connect, "Making a connection.", .def = "2s",
                  .min = 100 * CONF_MS, .max = 30 * CONF_SECOND),
    CONF_DURATION("drain", LIMITS, drain,
                  "After SIGTERM: how long requests that were begun and connections have to end.",
                  .def = "5s", .min = 0, .max = 10 * CONF_MINUTE),
    CONF_OPTION(
        "nftables", LIMITS, nftables, &nftables_section,
        "Bans are put into these sets of the kernel's packet filter, too, by a process that "
        "has CAP_NET_ADMIN for it; rules that drop are the operator's."),
    { 0 },
};
static const struct conf_section limits_section = { sizeof(LIMITS), limit_keys, NULL };

/* In the order of enum sip_method. */
static const char *const methods[] = {
    "other",  "INVITE", "ACK",       "BYE",    "CANCEL",  "REGISTER", "OPTIONS", "INFO",
    "UPDATE", "PRACK",  "SUBSCRIBE", "NOTIFY", "MESSAGE", "REFER",    "PUBLISH", NULL,
};
_Static_assert(CS_LEN(methods) == SIP_METHOD_COUNT + 1, "each method has a name");
static const char *const floods_answers[] = { "busy", "silent", NULL };

static const struct conf_key rate_keys[] = {
    CONF_UINT("rate", struct rate_conf, rate, "So many a second; 0 for any number.", .def = "0",
              .max = 10000000),
    CONF_UINT("burst", struct rate_conf, burst, "And so many at once.", .def = "1000", .min = 1,
              .max = 10000000),
    { 0 },
};
static const struct conf_section rate_section = { sizeof(struct rate_conf), rate_keys, NULL };

static const struct conf_key group_rate_keys[] = {
    CONF_STR("name", struct group_rate_conf, name, "A peer group of authd.yaml.", .required = true,
             .min = 1, .max = 64),
    CONF_UINT("rate", struct group_rate_conf, rate.rate, "So many a second; 0 for any number.",
              .required = true, .max = 10000000),
    CONF_UINT("burst", struct group_rate_conf, rate.burst, "And so many at once.", .def = "1000",
              .min = 1, .max = 10000000),
    { 0 },
};
static const struct conf_section group_rate_section = { sizeof(struct group_rate_conf),
                                                        group_rate_keys, NULL };

#define FLOODS __typeof__(((ROOT *)0)->floods)
static const struct conf_key flood_keys[] = {
    CONF_SECTION(
        "source", FLOODS, source, &rate_section,
        "Messages of one source, whoever it is: an address of IPv4, a /64 of IPv6. Strangers "
        "have the budget that authd gives them besides."),
    CONF_SECTIONS("groups", FLOODS, groups, &group_rate_section,
                  "New requests of all sources where somebody of a peer group was accepted.",
                  .at_most = FLOOD_GROUPS_MAX, .unique = true),
    CONF_SECTION(
        "all", FLOODS, all, &rate_section,
        "New requests of everybody; the second half of the burst is kept for sources where "
        "somebody was accepted."),
    CONF_SIZE("sources", FLOODS, sources, "Sources that are told apart; 64 bytes each.",
              .def = "65536", .min = 8, .max = 16000000),
    CONF_ENUM(
        "answer", FLOODS, answer, floods_answers,
        "To requests beyond a budget: busy is 503 with Retry-After, silent is nothing. Messages "
        "beyond that of their source get none.",
        .def = "busy"),
    CONF_DURATION("delay", FLOODS, delay,
                  "Requests of strangers that waited longer than this to be read, and others that "
                  "waited four times as long, are not taken up, but those of calls. 0s: all are.",
                  .def = "400ms", .min = 0, .max = CONF_MINUTE),
    CONF_DURATION("tarpit", FLOODS, tarpit,
                  "A connection whose source is beyond its budget is not read from for so long.",
                  .def = "1s", .min = 0, .max = CONF_MINUTE),
    CONF_SET(
        "methods", FLOODS, methods, methods,
        "Methods that are taken up; others get 405 once, then silence. other: those that nobody "
        "here knows.",
        .def = "INVITE, ACK, BYE, CANCEL, REGISTER, OPTIONS, INFO, UPDATE, PRACK, SUBSCRIBE, "
               "NOTIFY, MESSAGE, REFER, PUBLISH"),
    CONF_DURATION("method_window", FLOODS, method_window,
                  "How long the silence lasts for a source that was told 405.", .def = "1m",
                  .min = 0, .max = CONF_DAY),
    { 0 },
};

static void floods_check(struct conf_check *c, void *section)
{
    const FLOODS *f = section;
    if (!(f->methods & 1U << SIP_REGISTER))
        conf_error(c, "methods", "a registrar takes up REGISTER; add it");
}

static const struct conf_section floods_section = { sizeof(FLOODS), flood_keys, floods_check };

static const char *const outbound_policies[] = { "strict", "best_effort", NULL };
static const char *const path_policies[] = { "accept", "refuse", NULL };

static const char *const probe_methods[] = { "none", "crlf", "options", NULL };

#define PROBE __typeof__(((ROOT *)0)->flows.probe)
static const struct conf_key probe_keys[] = {
    CONF_ENUM("method", PROBE, method, probe_methods,
              "What is sent to phones on UDP to keep the pinholes of their NATs open: crlf, or "
              "options, which they answer.",
              .def = "none"),
    CONF_DURATION("interval", PROBE, interval, "How often.", .def = "30s", .min = 100 * CONF_MS,
                  .max = CONF_HOUR),
    CONF_UINT("jitter", PROBE, jitter,
              "Each pause is shorter by chance, by this part of the interval at most, in percent.",
              .def = "20", .max = 100),
    CONF_UINT("remove_after", PROBE, remove_after,
              "A binding goes when so many OPTIONS in a row were not answered. 0: it stays.",
              .def = "0", .max = 100),
    CONF_SIZE("most", PROBE, most, "Bindings that are probed; about 500 bytes each.",
              .def = "100000", .min = 1, .max = 10000000),
    { 0 },
};

static void probe_check(struct conf_check *c, void *section)
{
    const PROBE *p = section;
    if (p->remove_after && p->method != PROBE_OPTIONS)
        conf_error(c, "remove_after", "nobody answers but OPTIONS; write method: options");
}

static const struct conf_section probe_section = { sizeof(PROBE), probe_keys, probe_check };

#define FLOWS __typeof__(((ROOT *)0)->flows)
static const struct conf_key flow_keys[] = {
    CONF_ENUM("outbound", FLOWS, outbound, outbound_policies,
              "A phone that wants RFC 5626 behind a proxy without it: strict answers 439, "
              "best_effort registers it without.",
              .def = "strict"),
    CONF_ENUM("path", FLOWS, path, path_policies,
              "A REGISTER with Path of a phone that does not support it: accept, or refuse with "
              "420 (RFC 3327, 5.3).",
              .def = "accept"),
    CONF_DURATION(
        "flow_timer", FLOWS, flow_timer,
        "Phones with RFC 5626 are told to send keepalives so often; when one that did is "
        "silent for a quarter longer, its connection is closed. 0s: they are told nothing.",
        .def = "2m", .min = 0, .max = CONF_HOUR),
    CONF_DURATION(
        "tcp_keepalive", FLOWS, tcp_keepalive,
        "A stream whose other end acknowledges nothing, not even TCP's own probes, for so "
        "long is closed. 0s: never.",
        .def = "2m", .min = 0, .max = CONF_HOUR),
    CONF_STRS("service_route", FLOWS, service_route,
              "Where registered phones are to send their requests (RFC 3608): URIs with ;lr, in "
              "order; own is the listener they registered at. None: it is not said.",
              .at_most = SERVICE_ROUTES_MAX, .min = 1, .max = 255),
    CONF_SECTION("probe", FLOWS, probe, &probe_section, "Signs of life to phones on UDP."),
    { 0 },
};

static void flows_check(struct conf_check *c, void *section)
{
    const FLOWS *f = section;
    if (f->tcp_keepalive.ms && f->tcp_keepalive.ms < 10 * 1000)
        conf_error(c, "tcp_keepalive", "10s is the least; write 2m, or 0s for none");
    if (f->flow_timer.ms && f->flow_timer.ms < 10 * 1000)
        conf_error(c, "flow_timer", "10s is the least; write 2m, or 0s for none");
    for (size_t i = 0; i < f->n_service_route; i++) {
        char key[40];
        snprintf(key, sizeof(key), "service_route[%zu]", i);
        if (!service_route_is_good(f->service_route[i]))
            conf_error(c, key,
                       "\"" SPAN_FMT "\" is no URI of a loose router; write "
                       "sip:proxy.example.com;lr, or own",
                       SPAN_ARG(f->service_route[i]));
    }
}

static const struct conf_section flows_section = { sizeof(FLOWS), flow_keys, flows_check };

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

#define CALLS __typeof__(((ROOT *)0)->calls)
static const struct conf_key calls_keys[] = {
    CONF_SECTIONS("bridges", CALLS, bridges, &link_peer_section,
                  "Those that carry calls; a call keeps to one, the others take over when it is "
                  "dead or says 503. Without any, phones are connected directly.",
                  .at_most = BRIDGES_MAX, .unique = true),
    CONF_DURATION("answer", CALLS, answer,
                  "A bridge that says nothing for so long is given up for the next.", .def = "2s",
                  .min = 100 * CONF_MS, .max = 32 * CONF_SECOND),
    { 0 },
};

static void calls_check(struct conf_check *c, void *section)
{
    CALLS *calls = section;
    calls->hops = arena_zalloc(conf_arena(c), calls->n_bridges * sizeof(*calls->hops));
    for (size_t i = 0; calls->hops && i < calls->n_bridges; i++)
        calls->hops[i] =
            (struct hop){ .text = calls->bridges[i].node, .node = calls->bridges[i].id };
}

static const struct conf_section calls_section = { sizeof(CALLS), calls_keys, calls_check };

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
    CONF_SIZE("coalesce_us", ROOT, coalesce_us,
              "Under load, microseconds from one look at the sockets to the next, at least: what "
              "comes meanwhile is done together, which costs less. 0: never wait.",
              .def = "500", .max = 1000),
    CONF_PATH(
        "flow_key_file", ROOT, flow_key_file,
        "Key of the tokens in bindings and routes, made at the first start; without it phones "
        "on UDP cannot be called after a restart until they register again."),
    CONF_SECTION("log", ROOT, log, &conf_log_section, "What is written to stderr."),
    CONF_SECTION("authd", ROOT, authd, &gate_settings_section, "Who judges requests."),
    CONF_SECTION("redis", ROOT, redis, &redis_settings_section, "Where bindings are kept."),
    CONF_DURATION("redis_grace", ROOT, redis_grace,
                  "For so long after Redis was lost, calls find phones by what was registered here "
                  "lately (limits.known); 0 for never. authd.yaml has the same key.",
                  .def = "0s", .max = CONF_HOUR),
    CONF_SECTION("http", ROOT, http, &http_section, "Health and metrics."),
    CONF_SECTION("link", ROOT, link, &link_settings_section,
                 "How registrars and b2buas of one installation meet."),
    CONF_OPTION("hep", ROOT, hep, &hep_settings_section,
                "A capture server (Homer) that gets a copy of every SIP message, secrets masked."),
    CONF_SECTION("ca", ROOT, ca, &ca_section,
                 "The authority of our certificates, where it is one of our own, for phones and "
                 "browsers to fetch."),
    CONF_SECTION("tls", ROOT, tls, &tls_settings_section, "TLS of all listeners, and as a client."),
    CONF_STRS("domains", ROOT, domains, "Domains whose phones register here.", .at_least = 1,
              .max = 255, .required = true, .unique = true),
    CONF_SECTIONS("listeners", ROOT, listeners, &listener_section, "Where SIP is spoken.",
                  .at_least = 1, .at_most = LISTENERS_MAX, .required = true, .unique = true),
    CONF_SECTION("dns", ROOT, dns, &dns_settings_section,
                 "How the addresses of next hops and Contacts are found (RFC 3263)."),
    CONF_SECTION("calls", ROOT, calls, &calls_section,
                 "Who carries calls (b2bua), for the groups that do not want calls: direct."),
    CONF_SECTIONS("routes", ROOT, routes, &route_conf_section,
                  "Where requests go that are for none of our users; the first that fits is taken, "
                  "and without one they are answered 404.",
                  .at_most = ROUTES_MAX, .unique = true),
    CONF_SECTION("limits", ROOT, limits, &limits_section, "Bounds, so that a flood costs no more."),
    CONF_SECTION("flows", ROOT, flows, &flows_section, "How phones stay within reach."),
    CONF_SECTION("floods", ROOT, floods, &floods_section, "What is not taken up."),
    CONF_SECTION("timers", ROOT, timers, &timers_section, "Times of RFC 3261 and of forking."),
    { 0 },
};

static void check_softphone(struct conf_check *c, const struct registrar_conf *conf, size_t i)
{
    struct listener_ws_conf *ws = conf->listeners[i].ws;
    const char *fault;
    char key[64];
    if (!ws || !ws->softphone || !conf->n_domains)
        return;
    ws->rules.files =
        softphone_files(ws->softphone, conf->domains[0], ws->path, conf_arena(c), &fault);
    snprintf(key, sizeof(key), "listeners[%zu].websocket.softphone", i);
    if (!ws->rules.files)
        conf_error(c, key, "%s", fault);
}

static void root_check(struct conf_check *c, void *section)
{
    struct registrar_conf *conf = section;
    uid_t uid;
    gid_t gid;
    if (conf->user.p && process_user(conf->user, &uid, &gid))
        conf_error(c, "user",
                   "this system has no user " SPAN_FMT "; create it, or name one that is there",
                   SPAN_ARG(conf->user));
    link_check_peers(c, "calls.bridges", &conf->link, conf->calls.bridges, conf->calls.n_bridges);
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
    for (size_t i = 0; i < conf->n_listeners; i++)
        check_softphone(c, conf, i);
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
