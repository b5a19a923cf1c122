#include "certs/certs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/ct.h"
#include "base/metric.h"
#include "net/watch.h"

enum { SETTLE_MS = 200, EXPIRY_DAYS = 14, HOUR_S = 3600, HOURS_OF_DAY = 24 };

static const struct log cert_log = { .module = "certs" };

/* Where TLS is spoken. */
struct place {
    struct span name;
    enum { A_LISTENER, THE_CLIENT, A_PEER, THE_LINK } is;
    const struct listener_tls_conf *listener; /* of a listener; */
    size_t index;                             /* its place in the configuration */
    struct siptp_listener *serves;
    struct listener *streams; /* or one that does not speak SIP */
    struct httpd *http;       /* or HTTP */
    bool legacy;
    struct certs_peer peer;        /* of a peer */
    const struct certs_link *link; /* of the link */
    struct tls_context *tls, *out; /* out: of the link, as its client */
    bool refused;
};

struct certs {
    struct loop *loop;
    const struct tls_settings *conf;
    struct siptp *tp;
    struct tls_tickets *tickets;
    struct place *places;
    size_t n;
    int keylog; /* 0: none */
    struct watch *watch;
    struct timer hour;
    unsigned hours; /* since expiry was told */
};

/* ---- reading ---- */

static int read_listener(const struct certs *c, const struct place *p, struct tls_context **out)
{
    struct tls_pair pairs[256];
    const struct listener_tls_conf *t = p->listener;
    assert(t);
    const struct tls_conf conf = {
        .role = TLS_SERVER,
        .legacy = p->legacy,
        .pairs = pairs,
        .n_pairs = t->n_certificates,
        .refuse_unknown = t->unknown_sni == UNKNOWN_REFUSE,
        .ask_certificate = t->client_certificates == CLIENTS_OPTIONAL,
        .require_certificate = t->client_certificates == CLIENTS_REQUIRED,
        .ca_file = t->ca_file,
        .crl_file = t->crl_file,
        .id = p->name,
        .tickets = t->client_certificates == CLIENTS_NONE ? c->tickets : NULL,
        .keylog = c->keylog,
        .handshake = c->conf->handshake,
    };
    for (size_t i = 0; i < t->n_certificates; i++) {
        const struct listener_certificate_conf *cc = &t->certificates[i];
        pairs[i] = (struct tls_pair){ cc->certificate_file, cc->key_file, cc->names, cc->n_names };
    }
    return tls_context_new(&conf, out);
}

/* What is shown and believed: for a peer its own, where that says it. */
static struct tls_conf client_of(const struct certs *c, const struct tls_client_conf *own)
{
    const struct tls_client_conf *t = &c->conf->client;
    const struct tls_client_conf *believed = own && own->ca_file ? own : t;
    const struct tls_client_conf *shown = own && own->certificate_file ? own : t;
    const struct tls_client_conf *pinned = own && own->n_pin ? own : t;
    return (struct tls_conf){
        .role = TLS_CLIENT,
        .certificate_file = shown->certificate_file,
        .key_file = shown->key_file,
        .ca_file = believed->ca_file,
        .crl_file = own && own->crl_file ? own->crl_file : believed->crl_file,
        .sip_names = true, /* RFC 5922, 7.3 */
        .pins = pinned->pin,
        .n_pins = pinned->n_pin,
        .keylog = c->keylog,
        .handshake = c->conf->handshake,
    };
}

static int read_client(const struct certs *c, struct tls_context **out)
{
    const struct tls_conf conf = client_of(c, NULL);
    return tls_context_new(&conf, out);
}

static int read_peer(const struct certs *c, const struct certs_peer *p, struct tls_context **out)
{
    struct tls_conf conf = client_of(c, p->tls ? &p->tls->client : NULL);
    bool own = p->tls && p->tls->n_names;
    conf.sip_names = !p->tls || !p->tls->wildcards;
    conf.names = own ? p->tls->names : p->names;
    conf.n_names = own ? p->tls->n_names : p->n_names;
    return tls_context_new(&conf, out);
}

/* One certificate for both directions. */
static int read_link(const struct certs_link *l, struct tls_context **server,
                     struct tls_context **client)
{
    struct tls_conf conf = { .role = TLS_SERVER,
                             .certificate_file = l->certificate_file,
                             .key_file = l->key_file,
                             .ca_file = l->ca_file,
                             .require_certificate = true };
    int err = tls_context_new(&conf, server);
    if (err)
        return err;
    conf.role = TLS_CLIENT;
    conf.require_certificate = false;
    err = tls_context_new(&conf, client);
    if (err)
        tls_context_unref(server);
    return err;
}

static void use(const struct certs *c, const struct place *p)
{
    if (p->is == THE_CLIENT || p->is == A_PEER)
        siptp_use_tls_for(c->tp, p->peer.number, p->tls);
    else if (p->is == THE_LINK)
        siptp_link_use_tls(c->tp, p->tls, p->out);
    else if (p->serves)
        siptp_listener_use_tls(p->serves, p->tls);
    else if (p->streams)
        listener_start_tls(p->streams, p->tls);
    else if (p->http)
        httpd_use_tls(p->http, p->tls);
}

static int read_place(const struct certs *c, struct place *p)
{
    struct tls_context *fresh = NULL, *out = NULL;
    int err = p->is == A_LISTENER   ? read_listener(c, p, &fresh)
              : p->is == THE_CLIENT ? read_client(c, &fresh)
              : p->is == A_PEER     ? read_peer(c, &p->peer, &fresh)
                                    : read_link(p->link, &fresh, &out);
    p->refused = err != 0;
    metric_inc(M_TLS_LOADS, p->refused);
    if (err) {
        log_error(&cert_log,
                  p->tls ? "certificates cannot be used; what was there before serves on"
                         : "certificates cannot be used",
                  kv_s("listener", p->name), kv_err(err));
        return err;
    }
    tls_context_unref(&p->tls);
    tls_context_unref(&p->out);
    p->tls = fresh;
    p->out = out;
    use(c, p);
    return 0;
}

/* ---- expiry ---- */

static const char *const what[] = { "certificate", "revocation list" };

static void tell_expiry(struct certs *c, bool aloud)
{
    struct wall now = loop_wall(c->loop), soon = wall_add(now, DURATION_S(EXPIRY_DAYS * 86400));
    int64_t first[2] = { 0 }, n[2] = { 0 };
    for (size_t i = 0; i < c->n; i++) {
        struct tls_expiry e = tls_context_expiry(c->places[i].tls);
        const struct wall ends[2] = { e.certificate, e.crl };
        for (unsigned k = 0; k < 2; k++) {
            char text[WALL_STRLEN];
            if (ends[k].ms && (!first[k] || ends[k].ms < first[k]))
                first[k] = ends[k].ms;
            if (!ends[k].ms || ends[k].ms > soon.ms)
                continue;
            n[k]++;
            wall_format(ends[k], text);
            if (aloud)
                log_warn(&cert_log,
                         ends[k].ms < now.ms ? "has expired: renew it" : "expires soon: renew it",
                         kv_str("what", what[k]), kv_s("listener", c->places[i].name),
                         kv_str("expires", text));
        }
    }
    for (unsigned k = 0; k < 2; k++) {
        metric_set(M_TLS_EXPIRES, k, first[k] / 1000);
        metric_set(M_TLS_EXPIRING, k, n[k]);
    }
}

static void on_hour(struct timer *t)
{
    struct certs *c = container_of(t, struct certs, hour);
    c->hours = (c->hours + 1) % HOURS_OF_DAY;
    tell_expiry(c, c->hours == 0);
    timer_start(c->loop, &c->hour, DURATION_S(HOUR_S));
}

/* ---- again ---- */

void certs_reload(struct certs *c)
{
    size_t used = 0;
    if (!c->n)
        return;
    watch_look(c->watch); /* what changes from here on is news */
    for (size_t i = 0; i < c->n; i++)
        used += read_place(c, &c->places[i]) == 0;
    log_info(&cert_log, "certificates were read again", kv_u("used", used),
             kv_u("refused", c->n - used));
    tell_expiry(c, true);
}

static void on_change(void *arg)
{
    certs_reload(arg);
}

bool certs_look(struct certs *c)
{
    bool changed = c->watch && watch_look(c->watch);
    if (changed)
        certs_reload(c);
    return changed;
}

/* ---- life ---- */

static int open_places(struct certs *c, const struct certs_conf *conf)
{
    int err = 0;
    c->places = calloc(conf->n_listeners + conf->n_peers + 2, sizeof(*c->places));
    if (!c->places)
        return CS_ENOMEM;
    for (size_t i = 0; i < conf->n_listeners; i++) {
        const struct certs_listener *l = &conf->listeners[i];
        if (l->tls)
            c->places[c->n++] = (struct place){
                .name = l->name, .listener = l->tls, .index = i, .legacy = l->legacy
            };
    }
    if (conf->tls->client.ca_file)
        c->places[c->n++] = (struct place){ .name = SPAN("client"), .is = THE_CLIENT };
    for (size_t i = 0; i < conf->n_peers; i++)
        c->places[c->n++] =
            (struct place){ .name = conf->peers[i].name, .is = A_PEER, .peer = conf->peers[i] };
    if (conf->link)
        c->places[c->n++] =
            (struct place){ .name = SPAN("link"), .is = THE_LINK, .link = conf->link };
    for (size_t i = 0; !err && i < c->n; i++)
        err = read_place(c, &c->places[i]);
    return err;
}

/* At the start, when it may still be made; what is read again later writes there, too. */
static int open_keylog(struct certs *c)
{
    const char *file = c->conf->keylog_file;
    if (!file)
        return 0;
    int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        log_error(&cert_log, "the key log cannot be opened", kv_str("file", file), kv_err(-errno));
        return CS_ECONF;
    }
    c->keylog = fd;
    log_warn(&cert_log,
             "secrets of all TLS connections are written down: who reads the key log reads them; "
             "take keylog_file away when it is not needed any more",
             kv_str("file", file));
    return 0;
}

/* Adds those of these that are named; n is how many there are already. */
static size_t add_files(const char **files, size_t n, const char *const *more, size_t n_more)
{
    for (size_t i = 0; i < n_more; i++) {
        if (more[i])
            files[n++] = more[i];
    }
    return n;
}

static size_t client_files(const struct tls_client_conf *t, const char **files, size_t n)
{
    return add_files(
        files, n, (const char *[]){ t->ca_file, t->crl_file, t->certificate_file, t->key_file }, 4);
}

static size_t files_of(const struct certs *c, const struct place *p, const char **files, size_t n)
{
    const struct listener_tls_conf *l = p->listener;
    switch (p->is) {
    case THE_CLIENT:
        return client_files(&c->conf->client, files, n);
    case A_PEER: /* what it has of everybody's is there already */
        return p->peer.tls ? client_files(&p->peer.tls->client, files, n) : n;
    case THE_LINK:
        return add_files(
            files, n,
            (const char *[]){ p->link->ca_file, p->link->certificate_file, p->link->key_file }, 3);
    case A_LISTENER:
        break;
    }
    assert(l);
    for (size_t i = 0; i < l->n_certificates; i++)
        n = add_files(
            files, n,
            (const char *[]){ l->certificates[i].certificate_file, l->certificates[i].key_file },
            2);
    return add_files(files, n, (const char *[]){ l->ca_file, l->crl_file }, 2);
}

static int open_watch(struct certs *c)
{
    size_t n = 0, most = 0;
    for (size_t i = 0; i < c->n; i++)
        most += 4 + (c->places[i].listener ? 2 * c->places[i].listener->n_certificates : 0);
    const char **files = calloc(most, sizeof(*files));
    if (!files)
        return CS_ENOMEM;
    for (size_t i = 0; i < c->n; i++)
        n = files_of(c, &c->places[i], files, n);
    int err = watch_open(c->loop, files, n, DURATION_MS(SETTLE_MS), on_change, c, &c->watch);
    free(files);
    return err;
}

int certs_open(struct loop *l, const struct certs_conf *conf, struct siptp *tp,
               struct tls_ticket_seed *seed, struct certs **out)
{
    struct certs *c = calloc(1, sizeof(*c));
    *out = c;
    if (!c)
        return CS_ENOMEM;
    *c = (struct certs){ .loop = l, .conf = conf->tls, .tp = tp };
    timer_init(&c->hour, on_hour);
    int err = tls_tickets_new(seed, conf->tls->tickets, &c->tickets);
    if (seed)
        ct_wipe(seed, sizeof(*seed));
    if (!err)
        err = open_keylog(c);
    if (!err)
        err = open_places(c, conf);
    if (!err && c->n)
        err = open_watch(c);
    if (err) {
        certs_close(out);
        return err;
    }
    if (c->n)
        timer_start(l, &c->hour, DURATION_S(HOUR_S));
    tell_expiry(c, true);
    return 0;
}

void certs_link(const struct certs *c, struct tls_context **server, struct tls_context **client)
{
    assert(c->n);
    const struct place *last = &c->places[c->n - 1];
    assert(last->is == THE_LINK);
    *server = last->tls;
    *client = last->out;
}

static void serve(struct certs *c, size_t i, struct siptp_listener *sip, struct listener *streams)
{
    for (size_t k = 0; k < c->n; k++) {
        if (c->places[k].is == A_LISTENER && c->places[k].index == i) {
            c->places[k].serves = sip;
            c->places[k].streams = streams;
            use(c, &c->places[k]);
        }
    }
}

void certs_serve(struct certs *c, size_t i, struct siptp_listener *ls)
{
    serve(c, i, ls, NULL);
}

void certs_serve_streams(struct certs *c, size_t i, struct listener *ls)
{
    serve(c, i, NULL, ls);
}

static struct place *place_of(const struct certs *c, size_t i)
{
    size_t k = 0;
    while (k < c->n && (c->places[k].is != A_LISTENER || c->places[k].index != i))
        k++;
    return k < c->n ? &c->places[k] : NULL;
}

struct tls_context *certs_of(const struct certs *c, size_t i)
{
    const struct place *p = place_of(c, i);
    return p ? p->tls : NULL;
}

void certs_serve_http(struct certs *c, size_t i, struct httpd *h)
{
    struct place *p = place_of(c, i);
    if (p)
        p->http = h;
}

bool certs_state(const struct certs *c, size_t i, struct cert_state *out)
{
    if (i >= c->n)
        return false;
    const struct place *p = &c->places[i];
    *out = (struct cert_state){ p->name, tls_context_expiry(p->tls), p->refused };
    return true;
}

void certs_close(struct certs **cp)
{
    struct certs *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    timer_stop(c->loop, &c->hour);
    watch_close(&c->watch);
    for (size_t i = 0; i < c->n; i++) {
        tls_context_unref(&c->places[i].tls);
        tls_context_unref(&c->places[i].out);
    }
    free(c->places);
    if (c->keylog)
        close(c->keylog);
    tls_tickets_unref(&c->tickets);
    free(c);
}
