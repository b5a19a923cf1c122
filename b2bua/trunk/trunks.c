#include "b2bua/trunk/trunks.h"

#include <stdlib.h>

#include "b2bua/trunk/registration.h"
#include "base/metric.h"
#include "http/httpd.h"

enum { CONTACT_MAX = 320, WHY_MAX = 1024 };

static const struct log trunk_log = { .module = "trunk" };

struct trunk {
    const struct trunk_conf *conf;
    size_t first; /* of its targets, among the probes */
    char contact[CONTACT_MAX];
    struct registration *registration; /* NULL: none is wanted */
};

struct trunks {
    struct ua *ua;
    struct hop_probes *probes;
    struct trunk *list;
    size_t n;
};

static struct trunk *trunk_of(const struct trunks *t, size_t probe)
{
    size_t i = t->n;
    while (i && t->list[i - 1].first > probe)
        i--;
    return &t->list[i - 1];
}

/* ---- in words ---- */

static void put_address(struct buf *b, const struct hop_health *h)
{
    buf_put(b, sip_transport_name(h->transport));
    buf_putc(b, ' ');
    addr_write(b, &h->address);
}

void trunk_target_why(struct buf *b, const struct ua *u, const struct trunk_conf *t, size_t target,
                      const struct hop_health *h)
{
    bool tls = h->transport == SIP_TLS;
    const char *broken = tls && (h->reason == CS_EDENIED || h->reason == CS_EPROTO)
                             ? siptp_tls_failure(u->tp, t->peer)
                             : "";
    if (h->state != HOP_DOWN)
        return;
    if (h->address.sa.sa_family == AF_UNSPEC) {
        buf_printf(b,
                   SPAN_FMT " leads to no address that a listener of ours can send to: see that "
                            "DNS knows it, and that there is a listener of its transport",
                   SPAN_ARG(t->hosts[target]));
        return;
    }
    put_address(b, h);
    if (h->status)
        buf_printf(b, " answers %u", h->status);
    else if (*broken)
        buf_printf(b, ": %s", broken);
    else if (h->reason == UV_ECONNREFUSED)
        buf_lit(b, ": the port is closed; nothing listens there, or something refuses us");
    else if (h->reason == CS_ETIMEOUT)
        buf_lit(b, ": no connection came about; a packet filter may drop what we send");
    else if (h->reason)
        buf_printf(b, ": the connection broke (%s)%s", cs_strerror(h->reason),
                   tls ? "; it may want a certificate that it knows, or speak no TLS there" : "");
    else
        buf_lit(b, ": no answer; it may be another port, or a packet filter drops what we send");
}

static void on_changed(void *arg, size_t i, enum hop_state state)
{
    struct trunks *all = arg;
    const struct trunk *t = trunk_of(all, i);
    size_t target = i - t->first;
    char why[WHY_MAX];
    struct buf b = BUF_INIT(why);
    trunk_target_why(&b, all->ua, t->conf, target, hop_probes_health(all->probes, i));
    if (state == HOP_DOWN && t->registration && t->conf->hops[target].bound.known)
        registration_lost(t->registration);
    if (state == HOP_DOWN)
        log_warn(&trunk_log, "a target does not answer", kv_s("trunk", t->conf->name),
                 kv_s("target", t->conf->targets[target].uri), kv_s("why", buf_span(&b)));
    else
        log_info(&trunk_log, "a target answers", kv_s("trunk", t->conf->name),
                 kv_s("target", t->conf->targets[target].uri));
}

/* ---- shown ---- */

static json_t *text(struct span s)
{
    return s.n ? json_stringn(s.p, s.n) : json_null();
}

static json_t *describe_target(const struct trunks *all, const struct trunk *t, size_t i)
{
    static const char *const states[] = { "unknown", "up", "down" };
    const struct trunk_target *c = &t->conf->targets[i];
    const struct hop_health *h = hop_probes_health(all->probes, t->first + i);
    char why[WHY_MAX], address[ADDR_STRLEN + 8];
    struct buf wb = BUF_INIT(why), ab = BUF_INIT(address);
    trunk_target_why(&wb, all->ua, t->conf, i, h);
    if (h->address.sa.sa_family != AF_UNSPEC)
        put_address(&ab, h);
    return json_pack(
        "{s:o, s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "uri", text(c->uri), "priority",
        (int)c->priority, "weight", (int)c->weight, "state", states[h->state], "since",
        http_time(h->since), "asked", http_time(h->asked), "address", text(buf_span(&ab)), "status",
        h->status ? json_integer(h->status) : json_null(), "took_ms",
        h->status ? json_integer(h->took.ms) : json_null(), "why", text(buf_span(&wb)));
}

/* It serves as long as one target does. */
static const char *state_of(const struct trunks *all, const struct trunk *t)
{
    bool unknown = false;
    for (size_t i = 0; i < t->conf->n_targets; i++) {
        const struct hop_health *h = hop_probes_health(all->probes, t->first + i);
        if (h->state == HOP_UP)
            return "up";
        unknown |= h->state == HOP_UNKNOWN;
    }
    return unknown ? "unknown" : "down";
}

static json_t *describe(const struct trunks *all, const struct trunk *t)
{
    json_t *targets = json_array();
    for (size_t i = 0; i < t->conf->n_targets; i++)
        json_array_append_new(targets, describe_target(all, t, i));
    return json_pack("{s:o, s:s, s:o, s:o}", "name", text(t->conf->name), "state", state_of(all, t),
                     "targets", targets, "registration",
                     t->registration ? registration_describe(t->registration) : json_null());
}

json_t *trunks_describe(const struct trunks *all)
{
    json_t *list = json_array();
    for (size_t i = 0; i < all->n; i++)
        json_array_append_new(list, describe(all, &all->list[i]));
    return list;
}

json_t *trunks_describe_one(const struct trunks *all, struct span name)
{
    for (size_t i = 0; i < all->n; i++) {
        if (span_eq(all->list[i].conf->name, name))
            return describe(all, &all->list[i]);
    }
    return NULL;
}

void trunks_measure(const struct trunks *all)
{
    int64_t n[3] = { 0 }, registered = 0;
    for (size_t i = 0; i < all->n; i++) {
        for (size_t k = 0; k < all->list[i].conf->n_targets; k++)
            n[hop_probes_health(all->probes, all->list[i].first + k)->state]++;
    }
    for (size_t i = 0; i < all->n; i++)
        registered += all->list[i].registration && registration_stands(all->list[i].registration);
    metric_set(M_B2BUA_REGISTERED, 0, registered);
    for (unsigned i = 0; i < CS_LEN(n); i++)
        metric_set(M_B2BUA_TARGETS, i, n[i]);
}

/* ---- life ---- */

static int open_probes(struct trunks *all, size_t n)
{
    struct ua *u = all->ua;
    struct hop_probe_conf *hops = calloc(n + 1, sizeof(*hops));
    struct hop_probes_conf conf = { .loop = u->loop,
                                    .tx = u->tx,
                                    .means = &u->legs_means.uac.hops,
                                    .hops = hops,
                                    .changed = on_changed,
                                    .arg = all };
    if (!hops)
        return CS_ENOMEM;
    for (size_t i = 0; i < all->n; i++) {
        struct trunk *t = &all->list[i];
        struct buf b = buf_of(t->contact, sizeof(t->contact) - 1);
        ua_contact(&b, u, t->conf, SPAN_NULL);
        t->first = conf.n;
        for (size_t k = 0; k < t->conf->n_targets; k++)
            hops[conf.n++] = (struct hop_probe_conf){ .hop = &t->conf->hops[k],
                                                      .interval = t->conf->probe,
                                                      .answer = t->conf->answer,
                                                      .from = t->conf->from_domain,
                                                      .contact = buf_span(&b) };
    }
    int err = hop_probes_open(&conf, &all->probes);
    free(hops);
    return err;
}

static int open_registrations(struct trunks *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct trunk *t = &all->list[i];
        if (!t->conf->registers)
            continue;
        t->registration = registration_open(&all->ua->legs_means.uac, t->conf, span_str(t->contact),
                                            span_str(all->ua->node));
        if (!t->registration)
            return CS_ENOMEM;
    }
    return 0;
}

int trunks_open(struct ua *u, struct trunks **out)
{
    size_t targets = 0;
    struct trunks *all = *out = calloc(1, sizeof(*all));
    if (!all)
        return CS_ENOMEM;
    all->ua = u;
    all->list = calloc(u->conf->n_trunks + 1, sizeof(*all->list));
    if (!all->list)
        return CS_ENOMEM;
    all->n = u->conf->n_trunks;
    for (size_t i = 0; i < all->n; i++) {
        all->list[i].conf = &u->conf->trunks[i];
        targets += u->conf->trunks[i].n_targets;
    }
    int err = open_probes(all, targets);
    return err ? err : open_registrations(all);
}

/* The list is in the order of the configuration. */
static const struct trunk *find(const struct trunks *all, const struct trunk_conf *which)
{
    return &all->list[which - all->ua->conf->trunks];
}

void trunks_ask(struct trunks *all, const struct trunk_conf *which)
{
    for (size_t i = 0; i < which->n_targets; i++)
        hop_probes_now(all->probes, find(all, which)->first + i);
}

bool trunks_are_asked(const struct trunks *all, const struct trunk_conf *which)
{
    bool asked = false;
    for (size_t i = 0; i < which->n_targets; i++)
        asked |= hop_probes_is_asking(all->probes, find(all, which)->first + i);
    return asked;
}

void trunks_flow_closed(struct trunks *all, const struct flow *f)
{
    for (size_t i = 0; all && i < all->n; i++) {
        struct registration *r = all->list[i].registration;
        if (r && registration_is_by(r, f))
            registration_lost(r);
    }
}

void trunks_leave(struct trunks *all)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->list[i].registration)
            registration_leave(all->list[i].registration);
    }
}

bool trunks_have_left(const struct trunks *all)
{
    bool left = true;
    for (size_t i = 0; i < all->n; i++)
        left &= !all->list[i].registration || registration_has_left(all->list[i].registration);
    return left;
}

void trunks_close(struct trunks **tp)
{
    struct trunks *all = *tp;
    *tp = NULL;
    if (!all)
        return;
    for (size_t i = 0; i < all->n; i++)
        registration_close(&all->list[i].registration);
    hop_probes_close(&all->probes);
    free(all->list);
    free(all);
}
