/* Where SIP is spoken: does somebody answer there, and can phones get there. */
#include <string.h>

#include "doctor.h"
#include "host.h"
#include "phone.h"

static const struct {
    const char *net;
    enum reach reach;
} networks[] = {
    { "127.0.0.0/8", REACH_HOST },    { "::1/128", REACH_HOST },
    { "10.0.0.0/8", REACH_LAN },      { "172.16.0.0/12", REACH_LAN }, /* RFC 1918 */
    { "192.168.0.0/16", REACH_LAN },  { "100.64.0.0/10", REACH_LAN }, /* RFC 6598 */
    { "169.254.0.0/16", REACH_LAN },  { "fe80::/10", REACH_LAN },     /* link-local */
    { "fc00::/7", REACH_LAN },                                        /* RFC 4193 */
    { "0.0.0.0/8", REACH_NOWHERE },   { "::/128", REACH_NOWHERE },
    { "224.0.0.0/3", REACH_NOWHERE }, { "ff00::/8", REACH_NOWHERE },
};

enum reach addr_reach(const struct addr *a)
{
    struct cidr c;
    for (size_t i = 0; i < CS_LEN(networks); i++) {
        if (cidr_parse(span_str(networks[i].net), &c) == 0 && cidr_contains(&c, a))
            return networks[i].reach;
    }
    return REACH_ANYWHERE;
}

/* ---- a question to a listener ---- */

/* Believes the certificate that the listener is to show, and no other. */
static int open_tls(const struct listener_conf *l, struct tls_context **out)
{
    *out = NULL;
    if (!l->tls)
        return 0;
    return tls_context_new(&(struct tls_conf){ .role = TLS_CLIENT,
                                               .ca_file = l->tls->certificates[0].certificate_file,
                                               .sip_names = true },
                           out);
}

/* What a browser begins with, or OPTIONS of a stranger; any final answer shows that SIP is spoken
 * there. */
static struct ping ping(struct doctor *d, const struct listener_conf *l, const struct addr *to)
{
    struct phone_conf conf = { .user = SPAN("doctor"),
                               .domain = d->registrar->domains[0],
                               .transport = l->transport,
                               .server = *to };
    struct phone *phone;
    struct ask a = { 0 };
    struct ping p = { .err = CS_ETIMEOUT };
    if (sip_transport_is_ws(l->transport))
        return doctor_ask_ws(d, l, to);
    int err = open_tls(l, &conf.tls);
    if (!err)
        err = phone_open(&d->loop, &conf, &phone);
    tls_context_unref(&conf.tls);
    if (err)
        return (struct ping){ .err = err };
    phone_options(phone, &a);
    if (doctor_wait(d, &a.done))
        p = (struct ping){ a.answer != NULL, a.answer ? a.answer->status : 0, a.err };
    ask_fini(&a);
    phone_close(&phone);
    return p;
}

/* ---- what is advertised ---- */

static void check_reach(struct doctor *d, const struct listener_conf *l, const struct addr *a,
                        struct span shown)
{
    static const char forwarded[] =
        "Set advertise: HOST:PORT to what phones outside reach, and forward that port; or say "
        "--lan if all phones are in this network.";
    const enum reach reach = addr_reach(a);
    if (reach == REACH_NOWHERE)
        finding(d, LEVEL_FAULT, "listeners.advertise", "Advertise an address of one host.",
                SPAN_FMT " advertises " SPAN_FMT ", which is nobody's address", SPAN_ARG(l->name),
                SPAN_ARG(shown));
    else if (reach == REACH_HOST)
        finding(d, LEVEL_WARNING, "listeners.advertise",
                "Listen at an address of the network, or set advertise: HOST:PORT.",
                SPAN_FMT " advertises " SPAN_FMT ": only this machine can send there",
                SPAN_ARG(l->name), SPAN_ARG(shown));
    else if (reach == REACH_LAN && !d->lan)
        finding(d, LEVEL_WARNING, "listeners.advertise", forwarded,
                SPAN_FMT " advertises the private address " SPAN_FMT
                         ": phones beyond this network cannot send there",
                SPAN_ARG(l->name), SPAN_ARG(shown));
    else
        finding(d, LEVEL_FINE, "listeners.advertise", NULL, SPAN_FMT " advertises " SPAN_FMT,
                SPAN_ARG(l->name), SPAN_ARG(shown));
}

/* From here the way to the advertised address may be another than from outside: a router need not
 * send back what comes from inside. So silence is a warning. */
static void check_advertised(struct doctor *d, const struct listener_conf *l)
{
    char text[ADDR_STRLEN];
    struct addr a = l->address;
    struct span shown = l->advertise.p ? l->advertise : span_str(addr_format(&a, text));
    if (l->advertise.p && host_parse(l->advertise, sip_transport_port(l->transport), &a)) {
        finding(d, LEVEL_FAULT, "listeners.advertise",
                "Advertise an address, or a name that the DNS knows, with its port.",
                SPAN_FMT " advertises " SPAN_FMT ", which does not resolve", SPAN_ARG(l->name),
                SPAN_ARG(shown));
        return;
    }
    check_reach(d, l, &a, shown);
    if (!l->advertise.p || addr_reach(&a) == REACH_NOWHERE || addr_eq(&a, &l->address))
        return;
    const struct ping p = ping(d, l, &a);
    if (p.answered)
        finding(d, LEVEL_FINE, "listeners.reachable", NULL, SPAN_FMT " answers at " SPAN_FMT,
                SPAN_ARG(l->name), SPAN_ARG(shown));
    else
        finding(d, LEVEL_WARNING, "listeners.reachable",
                "Try it from outside: csctl selftest; look at firewall and port forwarding.",
                SPAN_FMT " is not reached at " SPAN_FMT " from here: %s", SPAN_ARG(l->name),
                SPAN_ARG(shown), cs_strerror(p.err));
}

/* ---- bound, and speaking SIP ---- */

/* An address of this host by which a wildcard is reached. */
static struct addr near_address(const struct addr *a)
{
    struct addr out = *a;
    if (!addr_is_any(a))
        return out;
    if (a->sa.sa_family == AF_INET)
        out.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        out.in6.sin6_addr = in6addr_loopback;
    return out;
}

static bool check_answers(struct doctor *d, const struct listener_conf *l)
{
    char text[ADDR_STRLEN];
    const struct addr a = near_address(&l->address);
    const struct ping p = ping(d, l, &a);
    struct span transport = sip_transport_name(l->transport);
    const bool ws = sip_transport_is_ws(l->transport);
    addr_format(&a, text);
    if (ws && p.answered)
        finding(d, p.status == 101 ? LEVEL_FINE : LEVEL_FAULT, "listeners.answer",
                p.status == 101 ? NULL
                                : "Something else holds the port, or is in front of it: start the "
                                  "registrar; ss -lnp.",
                SPAN_FMT " answers a WebSocket with %u at " SPAN_FMT ":%s", SPAN_ARG(l->name),
                p.status, SPAN_ARG(transport), text);
    else if (p.answered)
        finding(d, LEVEL_FINE, "listeners.answer", NULL,
                SPAN_FMT " answers OPTIONS with %u at " SPAN_FMT ":%s", SPAN_ARG(l->name), p.status,
                SPAN_ARG(transport), text);
    else
        finding(d, LEVEL_FAULT, "listeners.answer",
                l->transport == SIP_WSS
                    ? "Start the registrar, with this certificate_file, which must say where "
                      "browsers connect (subjectAltName) and be good today."
                : l->transport == SIP_TLS
                    ? "Start the registrar, with this certificate_file, which must say the first "
                      "of its domains (subjectAltName) and be good today."
                    : "Start the registrar; what it says at its start names the cause. What holds "
                      "the port: ss -lnp.",
                SPAN_FMT " does not answer at " SPAN_FMT ":%s: %s", SPAN_ARG(l->name),
                SPAN_ARG(transport), text, cs_strerror(p.err));
    return p.answered;
}

/* A request that would not fit a datagram goes over TCP, and servers must take both (RFC 3261,
 * 18.1.1 and 18.2.1). */
static void check_transports(struct doctor *d)
{
    unsigned has = 0;
    for (size_t i = 0; i < d->registrar->n_listeners; i++)
        has |= 1U << d->registrar->listeners[i].transport;
    if ((has & 1U << SIP_UDP) && !(has & 1U << SIP_TCP))
        finding(d, LEVEL_WARNING, "listeners.transports",
                "Add a listener with transport: tcp on the same address.",
                "there is no TCP listener: requests above 1300 bytes do not arrive");
    else if (!(has & 1U << SIP_UDP))
        finding(d, LEVEL_NOTE, "listeners.transports",
                "Add a listener with transport: udp if there are such phones.",
                "there is no UDP listener: phones that are set to UDP, as most are, stay away");
    else
        finding(d, LEVEL_FINE, "listeners.transports", NULL, "UDP and TCP are both spoken");
}

void doctor_listeners(struct doctor *d)
{
    if (!d->registrar)
        return;
    for (size_t i = 0; i < d->registrar->n_listeners; i++) {
        const struct listener_conf *l = &d->registrar->listeners[i];
        if (l->tls && l->tls->client_certificates == CLIENTS_REQUIRED)
            finding(d, LEVEL_NOTE, "listeners.answer", NULL,
                    SPAN_FMT " wants a client certificate, and was not asked", SPAN_ARG(l->name));
        else if (check_answers(d, l))
            check_advertised(d, l);
    }
    check_transports(d);
}
