#include "dns/locate.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/lru.h"
#include "dns/srv.h"

enum {
    SERVICES_MAX = 8,
    SERVERS_MAX = 16,
    ASKED_MAX = 2 * SERVERS_MAX, /* of one step: each server has A and AAAA */
    AVOIDED_MAX = 1024,
};

static const struct log locate_log = { .module = "dns" };

struct locator {
    struct dns *dns;
    struct lru avoided;
};

/* What NAPTR calls a transport, and what SRV does (RFC 3263, 4.1), but those of WebSockets, over
 * which we call nobody. The order is ours where the domain has none: what is encrypted first. */
static const struct {
    struct span naptr, srv;
    enum sip_transport transport;
    bool sips; /* may carry sips */
} services[] = {
    { SPAN_INIT("SIPS+D2T"), SPAN_INIT("_sips._tcp."), SIP_TLS, true },
    { SPAN_INIT("SIP+D2U"), SPAN_INIT("_sip._udp."), SIP_UDP, false },
    { SPAN_INIT("SIP+D2T"), SPAN_INIT("_sip._tcp."), SIP_TCP, false },
};

struct service {
    enum sip_transport transport;
    struct span name; /* of SRV records */
};

struct server {
    enum sip_transport transport;
    uint16_t port;
    struct span name;
};

/* One question of the step that is under way. */
struct asked {
    struct locate_call *call;
    struct dns_call *dns;
    size_t of; /* index of its service or server */
    enum dns_type type;
};

/* The steps: NAPTR, then SRV of each service, then addresses of each server. */
enum step { STEP_NAPTR, STEP_SRV, STEP_ADDRESSES };

struct locate_call {
    struct locator *locator;
    struct locate_ask ask;
    locate_fn *fn;
    void *arg;
    enum step step;
    struct asked asked[ASKED_MAX];
    size_t n_asked, n_open;
    struct service service[SERVICES_MAX];
    size_t n_services;
    struct dns_record *srv[SERVICES_MAX]; /* of each service */
    size_t n_srv[SERVICES_MAX];
    struct server server[SERVERS_MAX];
    size_t n_servers;
    struct dns_record *found[ASKED_MAX]; /* of each question for addresses */
    size_t n_found[ASKED_MAX];
    bool refused; /* a service is decidedly not available (RFC 2782, Target) */
    int err;      /* the first failure that was met */
    struct turn turn;
    struct arena arena;
};

/* ---- targets ---- */

static struct span target_key(struct buf *b, const struct locate_target *t)
{
    buf_putc(b, (char)t->transport);
    addr_write(b, &t->addr);
    return buf_span(b);
}

void locator_avoid(struct locator *l, const struct locate_target *t)
{
    char text[ADDR_STRLEN + 1];
    struct buf b = BUF_INIT(text);
    lru_put(&l->avoided, target_key(&b, t), SPAN("1"), loop_now(dns_loop(l->dns)));
}

void locator_trust(struct locator *l, const struct locate_target *t)
{
    char text[ADDR_STRLEN + 1];
    struct buf b = BUF_INIT(text);
    lru_remove(&l->avoided, target_key(&b, t));
}

static bool is_avoided(struct locator *l, const struct locate_target *t)
{
    char text[ADDR_STRLEN + 1];
    struct buf b = BUF_INIT(text);
    return lru_get(&l->avoided, target_key(&b, t), loop_now(dns_loop(l->dns))).p;
}

/* ---- the end ---- */

static void call_free(struct locate_call *c)
{
    for (size_t i = 0; i < c->n_asked; i++) {
        if (c->asked[i].dns)
            dns_cancel(c->asked[i].dns);
    }
    turn_cancel(&c->turn);
    arena_fini(&c->arena);
    free(c);
}

void locate_cancel(struct locate_call *c)
{
    call_free(c);
}

/* Those that are not avoided, then those that are. */
static void finish(struct locate_call *c, const struct locate_target *targets, size_t n)
{
    struct locate_target sorted[LOCATE_TARGETS_MAX];
    locate_fn *fn = c->fn;
    void *arg = c->arg;
    int err = n ? 0 : c->err ? c->err : CS_ENOENT;
    size_t at = 0;
    for (int avoided = 0; avoided < 2; avoided++) {
        for (size_t i = 0; i < n; i++) {
            if (is_avoided(c->locator, &targets[i]) == avoided)
                sorted[at++] = targets[i];
        }
    }
    if (err)
        log_info(&locate_log, "nowhere to send to", kv_s("host", c->ask.host), kv_err(err));
    call_free(c);
    fn(arg, err, sorted, n);
}

static void add_target(struct locate_target *targets, size_t *n, const struct server *s,
                       const struct addr *addr)
{
    struct locate_target t = { .transport = s->transport, .addr = *addr };
    addr_set_port(&t.addr, s->port);
    for (size_t i = 0; i < *n; i++) {
        if (targets[i].transport == t.transport && addr_eq(&targets[i].addr, &t.addr))
            return;
    }
    if (*n < LOCATE_TARGETS_MAX)
        targets[(*n)++] = t;
}

static void on_addresses(struct locate_call *c)
{
    struct locate_target targets[LOCATE_TARGETS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < c->n_asked; i++) { /* in the order of servers, AAAA before A */
        for (size_t j = 0; j < c->n_found[i]; j++)
            add_target(targets, &n, &c->server[c->asked[i].of], &c->found[i][j].addr);
    }
    finish(c, targets, n);
}

/* ---- steps ---- */

static void step_done(struct locate_call *c);

static void on_answer(void *arg, int err, const struct dns_answer *answer);

static void put_question(struct locate_call *c, struct span name, enum dns_type type, size_t of)
{
    if (c->n_asked == ASKED_MAX)
        return;
    struct asked *a = &c->asked[c->n_asked];
    *a = (struct asked){ .call = c, .of = of, .type = type };
    a->dns = dns_ask(c->locator->dns, name, type, on_answer, a);
    c->n_asked++;
    if (a->dns)
        c->n_open++;
    else if (!c->err)
        c->err = CS_ENOMEM;
}

static void begin_step(struct locate_call *c, enum step step)
{
    c->step = step;
    c->n_asked = c->n_open = 0;
}

/* A step without a question is done at once. */
static void end_step(struct locate_call *c)
{
    if (!c->n_open)
        step_done(c);
}

static uint16_t default_port(const struct locate_call *c, enum sip_transport transport)
{
    return c->ask.port ? c->ask.port : sip_transport_port(transport);
}

static void add_server(struct locate_call *c, enum sip_transport transport, struct span name,
                       uint16_t port)
{
    if (c->n_servers < SERVERS_MAX)
        c->server[c->n_servers++] = (struct server){ transport, port, name };
}

static void ask_addresses(struct locate_call *c)
{
    begin_step(c, STEP_ADDRESSES);
    for (size_t i = 0; i < c->n_servers; i++) {
        if (c->ask.ipv6)
            put_question(c, c->server[i].name, DNS_AAAA, i);
        if (c->ask.ipv4)
            put_question(c, c->server[i].name, DNS_A, i);
    }
    end_step(c);
}

static void ask_srv(struct locate_call *c)
{
    begin_step(c, STEP_SRV);
    for (size_t i = 0; i < c->n_services; i++)
        put_question(c, c->service[i].name, DNS_SRV, i);
    end_step(c);
}

/* Without NAPTR records the services are those we know (RFC 3263, 4.1). */
static void add_service(struct locate_call *c, size_t known)
{
    char text[DNS_NAME_MAX + 16];
    struct buf b = BUF_INIT(text);
    buf_put(&b, services[known].srv);
    buf_put(&b, c->ask.host);
    struct span name = arena_dup(&c->arena, buf_span(&b));
    if (buf_ok(&b) && name.p && c->n_services < SERVICES_MAX)
        c->service[c->n_services++] = (struct service){ services[known].transport, name };
}

static bool speaks(const struct locate_call *c, enum sip_transport transport)
{
    return c->ask.speaks & LOCATE_SPEAKS(transport);
}

static bool is_usable(const struct locate_call *c, size_t known)
{
    return speaks(c, services[known].transport) && (services[known].sips || !c->ask.sips);
}

/* The transport where nothing says which (RFC 3263, 4.1). */
static enum sip_transport plain_transport(const struct locate_call *c)
{
    if (c->ask.has_transport)
        return c->ask.transport;
    if (c->ask.sips)
        return SIP_TLS;
    return speaks(c, SIP_UDP) ? SIP_UDP : SIP_TCP;
}

static int by_order(const void *a, const void *b)
{
    const struct dns_naptr *x = &((const struct dns_record *)a)->naptr;
    const struct dns_naptr *y = &((const struct dns_record *)b)->naptr;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return (x->preference > y->preference) - (x->preference < y->preference);
}

static ptrdiff_t service_of(const struct locate_call *c, const struct dns_naptr *r)
{
    if (!span_caseeq(r->flags, SPAN("s")) || r->regexp.n || !r->replacement.n)
        return -1;
    for (size_t i = 0; i < CS_LEN(services); i++) {
        if (span_caseeq(r->services, services[i].naptr) && is_usable(c, i))
            return (ptrdiff_t)i;
    }
    return -1;
}

/* Of those that serve us, the ones of the lowest order, by preference (RFC 3403, 4.1). */
static void take_naptr(struct locate_call *c, const struct dns_answer *answer)
{
    bool first = true;
    uint16_t order = 0;
    if (answer->n > 1)
        qsort(answer->records, answer->n, sizeof(*answer->records), by_order);
    for (size_t i = 0; i < answer->n; i++) {
        const struct dns_naptr *r = &answer->records[i].naptr;
        ptrdiff_t known = service_of(c, r);
        if (known < 0 || (!first && r->order != order) || c->n_services == SERVICES_MAX)
            continue;
        first = false;
        order = r->order;
        struct span name = arena_dup(&c->arena, r->replacement);
        if (name.p)
            c->service[c->n_services++] = (struct service){ services[known].transport, name };
    }
}

static struct dns_record *keep_records(struct locate_call *c, const struct dns_answer *answer)
{
    struct dns_record *copy = arena_alloc(&c->arena, answer->n * sizeof(*copy));
    if (copy && answer->n)
        memcpy(copy, answer->records, answer->n * sizeof(*copy));
    return copy;
}

static void take_srv(struct locate_call *c, size_t of, const struct dns_answer *answer)
{
    struct dns_record *kept = keep_records(c, answer);
    size_t n = 0;
    for (size_t i = 0; kept && i < answer->n; i++) {
        struct span target = arena_dup(&c->arena, kept[i].srv.target);
        c->refused |= target.p && !target.n;
        if (!target.n || !kept[i].srv.port)
            continue;
        kept[n] = kept[i];
        kept[n++].srv.target = target;
    }
    if (n)
        srv_order(kept, n, c->ask.seed);
    c->srv[of] = kept;
    c->n_srv[of] = n;
}

static void take_addresses(struct locate_call *c, size_t question, const struct dns_answer *answer)
{
    c->found[question] = keep_records(c, answer);
    c->n_found[question] = c->found[question] ? answer->n : 0;
    srv_shuffle_addrs(c->found[question], c->n_found[question], c->ask.seed);
}

static void on_answer(void *arg, int err, const struct dns_answer *answer)
{
    struct asked *a = arg;
    struct locate_call *c = a->call;
    a->dns = NULL;
    c->n_open--;
    if (err && !c->err)
        c->err = err;
    if (!err && c->step == STEP_NAPTR)
        take_naptr(c, answer);
    else if (!err && c->step == STEP_SRV)
        take_srv(c, a->of, answer);
    else if (!err)
        take_addresses(c, (size_t)(a - c->asked), answer);
    end_step(c);
}

static void after_naptr(struct locate_call *c)
{
    bool none = !c->n_services;
    if (c->err) { /* who keeps the answer from us shall not choose the transport */
        finish(c, NULL, 0);
        return;
    }
    for (size_t i = 0; none && i < CS_LEN(services); i++) {
        if (is_usable(c, i))
            add_service(c, i);
    }
    ask_srv(c);
}

static void after_srv(struct locate_call *c)
{
    for (size_t i = 0; i < c->n_services; i++) {
        for (size_t j = 0; j < c->n_srv[i]; j++)
            add_server(c, c->service[i].transport, c->srv[i][j].srv.target, c->srv[i][j].srv.port);
    }
    if (!c->n_servers && !c->refused && !c->err) { /* the domain is the server's name itself */
        enum sip_transport transport = plain_transport(c);
        if (speaks(c, transport))
            add_server(c, transport, c->ask.host, default_port(c, transport));
        else
            c->err = CS_ENOTSUP;
    }
    ask_addresses(c);
}

static void step_done(struct locate_call *c)
{
    if (c->step == STEP_NAPTR)
        after_naptr(c);
    else if (c->step == STEP_SRV)
        after_srv(c);
    else
        on_addresses(c);
}

/* ---- the beginning ---- */

int locate_ask_of(const struct sip_uri *uri, struct locate_ask *out)
{
    *out = (struct locate_ask){ .host = uri->maddr.p ? uri->maddr : uri->host,
                                .port = uri->port,
                                .sips = uri->scheme == SIP_SCHEME_SIPS };
    if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
        return CS_ENOTSUP;
    if (!uri->transport.p)
        return 0;
    if (sip_transport_of(uri->transport, &out->transport) || out->transport == SIP_LINK)
        return CS_ENOTSUP;
    out->has_transport = true;
    if (out->sips) /* of a sips URI it says what is below TLS (RFC 5630, 3.1.4) */
        out->transport = out->transport == SIP_WS || out->transport == SIP_WSS ? SIP_WSS : SIP_TLS;
    return 0;
}

static void begin(struct locate_call *c)
{
    struct server numeric = { .transport = plain_transport(c) };
    struct locate_target target;
    size_t n = 0;
    struct addr addr;
    numeric.port = default_port(c, numeric.transport);
    bool is_numeric = addr_parse_host(c->ask.host, 0, &addr) == 0;
    bool decided = is_numeric || c->ask.has_transport || c->ask.port;
    if (decided && !speaks(c, numeric.transport)) {
        c->err = CS_ENOTSUP;
        finish(c, NULL, 0);
    } else if (is_numeric) {
        add_target(&target, &n, &numeric, &addr);
        finish(c, &target, n);
    } else if (c->ask.port) { /* (RFC 3263, 4.2): neither NAPTR nor SRV */
        add_server(c, numeric.transport, c->ask.host, c->ask.port);
        ask_addresses(c);
    } else if (c->ask.has_transport) {
        for (size_t i = 0; i < CS_LEN(services); i++) {
            if (services[i].transport == c->ask.transport)
                add_service(c, i);
        }
        ask_srv(c);
    } else {
        begin_step(c, STEP_NAPTR);
        put_question(c, c->ask.host, DNS_NAPTR, 0);
        end_step(c);
    }
}

static void on_turn(struct turn *t)
{
    begin(container_of(t, struct locate_call, turn));
}

struct locate_call *locate(struct locator *l, const struct locate_ask *ask, locate_fn *fn,
                           void *arg)
{
    struct locate_call *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    *c = (struct locate_call){ .locator = l, .ask = *ask, .fn = fn, .arg = arg };
    arena_init(&c->arena, NULL, 0, 0);
    turn_init(&c->turn, on_turn);
    c->ask.host = arena_dup(&c->arena, ask->host);
    if (!c->ask.host.p) {
        call_free(c);
        return NULL;
    }
    turn_queue(dns_loop(l->dns), &c->turn);
    return c;
}

int locator_new(struct dns *dns, struct duration avoid, struct locator **out)
{
    struct locator *l = *out = calloc(1, sizeof(*l));
    if (!l)
        return CS_ENOMEM;
    l->dns = dns;
    lru_init(&l->avoided, AVOIDED_MAX, avoid);
    return 0;
}

void locator_free(struct locator **lp)
{
    struct locator *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    lru_fini(&l->avoided);
    free(l);
}
