/* Domains as phones find them: SRV records, then addresses (RFC 3263, 4). */
#include <arpa/nameser.h>
#include <ifaddrs.h>
#include <resolv.h>
#include <string.h>

#include "doctor.h"
#include "host.h"
#include "siptp/siptp.h"

enum { OWN_MAX = 64, TARGETS_MAX = 16, ADDRESSES_MAX = 16, ANSWER_MAX = 4096 };

struct places { /* where we are: addresses of this machine, and those advertised */
    struct addr at[OWN_MAX];
    size_t n;
};

struct target { /* where the DNS sends a phone */
    char host[NS_MAXDNAME];
    uint16_t port;
    bool transports[SIP_TRANSPORT_COUNT];
};

static void add_place(struct places *p, const struct addr *a)
{
    if (p->n < CS_LEN(p->at))
        p->at[p->n++] = *a;
}

static void find_places(struct doctor *d, struct places *p)
{
    struct ifaddrs *list = NULL;
    struct addr a;
    if (getifaddrs(&list) == 0) {
        for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
            if (!i->ifa_addr ||
                (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
                continue;
            addr_from_sockaddr(i->ifa_addr, &a);
            add_place(p, &a);
        }
        freeifaddrs(list);
    }
    for (size_t i = 0; i < d->registrar->n_listeners; i++) {
        const struct listener_conf *l = &d->registrar->listeners[i];
        if (l->advertise.p && host_parse(l->advertise, 5060, &a) == 0)
            add_place(p, &a);
    }
}

static bool is_place(const struct places *p, const struct addr *a)
{
    for (size_t i = 0; i < p->n; i++) {
        if (addr_same_host(&p->at[i], a))
            return true;
    }
    return false;
}

/* Whether others are told of this port: by advertise, or where we listen. */
static bool is_served(const struct doctor *d, const struct target *t, enum sip_transport transport)
{
    for (size_t i = 0; i < d->registrar->n_listeners; i++) {
        const struct listener_conf *l = &d->registrar->listeners[i];
        struct addr a = l->address;
        if (l->transport != transport)
            continue;
        if (l->advertise.p && host_parse(l->advertise, sip_transport_port(transport), &a))
            continue;
        if (addr_port(&a) == t->port || addr_port(&l->address) == t->port)
            return true;
    }
    return false;
}

/* Adds the targets of one SRV record set; how many there were. */
static size_t ask_srv(const char *domain, enum sip_transport transport, struct target *out,
                      size_t max)
{
    unsigned char answer[ANSWER_MAX];
    char name[NS_MAXDNAME + 16];
    ns_msg msg;
    ns_rr rr;
    size_t n = 0;
    snprintf(name, sizeof(name), "_sip._%s.%s", transport == SIP_TCP ? "tcp" : "udp", domain);
    int len = res_query(name, ns_c_in, ns_t_srv, answer, sizeof(answer));
    if (len < 0 || ns_initparse(answer, CS_MIN(len, ANSWER_MAX), &msg))
        return 0;
    for (int i = 0; i < ns_msg_count(msg, ns_s_an) && n < max; i++) {
        struct target *t = &out[n];
        if (ns_parserr(&msg, ns_s_an, i, &rr) || ns_rr_type(rr) != ns_t_srv || ns_rr_rdlen(rr) < 7)
            continue;
        *t = (struct target){ .port = (uint16_t)ns_get16(ns_rr_rdata(rr) + 4) };
        t->transports[transport] = true;
        if (dn_expand(ns_msg_base(msg), ns_msg_end(msg), ns_rr_rdata(rr) + 6, t->host,
                      sizeof(t->host)) > 0)
            n++;
    }
    return n;
}

static void check_target(struct doctor *d, const struct places *places, const char *domain,
                         const struct target *t)
{
    struct addr at[ADDRESSES_MAX];
    char text[ADDR_STRLEN];
    size_t n;
    if (host_resolve(span_str(t->host), t->port, at, CS_LEN(at), &n)) {
        finding(d, LEVEL_WARNING, "names.unknown",
                "Give it an A or AAAA record, or SRV records _sip._udp and _sip._tcp; phones need "
                "the registrar as outbound proxy until then.",
                "phones that look for %s do not find %s: it does not resolve", domain, t->host);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_place(places, &at[i]))
            continue;
        finding(d, LEVEL_WARNING, "names.elsewhere",
                "Change the record, or set advertise: HOST:PORT to that address if it is "
                "forwarded to this machine.",
                "phones that look for %s are sent to %s, which is neither an address of this "
                "machine nor advertised",
                domain, addr_format(&at[i], text));
        return;
    }
    for (enum sip_transport k = SIP_UDP; k <= SIP_TCP; k++) {
        if (!t->transports[k] || is_served(d, t, k))
            continue;
        finding(d, LEVEL_WARNING, "names.port",
                "Add a listener there, or SRV records that name the port.",
                "phones that look for %s come to %s:%u over " SPAN_FMT
                ", where no listener is and which none advertises",
                domain, t->host, t->port, SPAN_ARG(sip_transport_uri(k)));
        return;
    }
    finding(d, LEVEL_FINE, "names", NULL, "phones that look for %s find %s:%u", domain, t->host,
            t->port);
}

static void check_domain(struct doctor *d, const struct places *places, struct span domain)
{
    static struct target targets[TARGETS_MAX];
    char name[NS_MAXDNAME];
    struct addr literal;
    size_t n = 0;
    span_copy(name, sizeof(name), domain);
    const bool is_name = addr_parse_host(domain, 0, &literal) != 0;
    for (enum sip_transport k = SIP_UDP; is_name && k <= SIP_TCP; k++)
        n += ask_srv(name, k, &targets[n], CS_LEN(targets) - n);
    if (n == 0) { /* RFC 3263, 4.2: the domain's own addresses, and the usual port */
        targets[0] = (struct target){ .port = 5060, .transports = { [SIP_UDP] = true } };
        span_copy(targets[0].host, sizeof(targets[0].host), domain);
        n = 1;
    }
    for (size_t i = 0; i < n; i++)
        check_target(d, places, name, &targets[i]);
}

void doctor_names(struct doctor *d)
{
    struct places places = { .n = 0 };
    if (!d->registrar)
        return;
    find_places(d, &places);
    for (size_t i = 0; i < d->registrar->n_domains; i++)
        check_domain(d, &places, d->registrar->domains[i]);
}
