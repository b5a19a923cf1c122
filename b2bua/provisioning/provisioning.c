#include "b2bua/provisioning/provisioning.h"

#include <stdlib.h>

#include "b2bua/provisioning/dial_rules.h"
#include "b2bua/provisioning/tftp.h"
#include "base/ct.h"
#include "base/log.h"
#include "http/httpd.h"

enum { CONNECTIONS_MAX = 256 };

struct provisioning {
    struct loop *loop;
    const struct provisioning_conf *conf;
    char *dial_rules;  /* dialplan.xml, which never changes; NULL: not given */
    struct gate *gate; /* NULL: not yet */
    struct httpd *httpd, *httpsd;
    struct tftp *tftp;
    struct trust *trust; /* NULL: nothing is signed */
    struct list asks;
};

struct provision {
    struct list link;
    struct provisioning *all;
    struct gate_attach *ask; /* NULL: answered at the end of this turn */
    struct turn turn;
    provision_fn *fn;
    void *arg;
    enum provisioned what;
    enum phone_file_kind kind;
    bool tls;
    char name[PHONE_FILE_NAME_MAX];
};

static const struct log plog = { .module = "provisioning" };

/* ---- configuration ---- */

#define P struct provisioning_conf

static const struct conf_key keys[] = {
    CONF_STR("listener", P, listener,
             "What authd calls it; a peer group with transport sccp says who gets files.",
             .def = "provisioning", .min = 1, .max = 32),
    CONF_ADDR("http", P, http, "Where files are given over HTTP, in clear, to whom authd lets.",
              .port = 6970),
    CONF_ADDR("tftp", P, tftp, "And over TFTP, for phones that know nothing else.", .port = 69),
    CONF_ADDR("https", P, https,
              "Over TLS, to whom authd lets by certificate or one-time token, port 6971.",
              .port = 6971),
    CONF_OPTION("tls", P, tls, &listener_tls_section, "Of https."),
    CONF_OPTION("trust", P, trust, &trust_section,
                "Trust lists and signed files, for phones that are to believe no others."),
    CONF_BOOL("default_file", P, default_file,
              "Also XMLDefault.cnf.xml, for phones that nobody has made known: it leads them to "
              "call_managers, where they are refused, by name.",
              .def = "false"),
    CONF_BOOL("dial_rules", P, dial_rules,
              "Also dialplan.xml, for phones of SIP: the numbers that the dial plan has for lines, "
              "so that one goes out with its last digit. Whoever is not banned may read it.",
              .def = "false"),
    CONF_ADDRS("call_managers", P, call_managers,
               "Where phones register, in the order of their failover.",
               .at_most = CALL_MANAGERS_MAX, .port = 2000),
    CONF_ADDRS("registrars", P, registrars,
               "The same of phones of SIP, by UDP, whose files say a password, too: made for that "
               "file, and in force from then on.",
               .at_most = CALL_MANAGERS_MAX, .port = 5060),
    CONF_ADDRS("registrars_tls", P, registrars_tls,
               "By TLS, of those that are authenticated or encrypted.",
               .at_most = CALL_MANAGERS_MAX, .port = 5061),
    { 0 },
};

static bool is_written(const struct addr *a)
{
    return a->sa.sa_family != AF_UNSPEC;
}

static void check(struct conf_check *c, void *section)
{
    const P *p = section;
    if (is_written(&p->https) != (p->tls != NULL))
        conf_error(c, p->tls ? "tls" : "https",
                   p->tls ? "is for https" : "needs a certificate; add tls");
    if ((is_written(&p->http) || is_written(&p->tftp) || is_written(&p->https)) &&
        !p->n_call_managers)
        conf_error(c, "call_managers", "is missing: files tell phones where to register");
}

const struct conf_section provisioning_section = { sizeof(P), keys, check };

/* ---- one file ---- */

static void provision_free(struct provision *a)
{
    if (a->ask)
        gate_attach_cancel(a->ask);
    turn_cancel(&a->turn);
    list_remove(&a->link);
    free(a);
}

void provision_cancel(struct provision *a)
{
    provision_free(a);
}

static void answer(struct provision *a, enum provisioned what, struct span file)
{
    provision_fn *fn = a->fn;
    void *arg = a->arg;
    provision_free(a);
    fn(arg, what, file);
}

static bool is_of_dial_rules(const struct provision *a)
{
    return a->kind == PHONE_FILE_DIAL_RULES || a->kind == PHONE_FILE_DIAL_RULES_SIGNED;
}

static bool is_shared_signed(const struct provision *a)
{
    return a->kind == PHONE_FILE_DEFAULT_SIGNED || a->kind == PHONE_FILE_DIAL_RULES_SIGNED;
}

/* What is the same for all phones. */
static void answer_shared(struct provision *a)
{
    const struct provisioning *p = a->all;
    const struct phone_servers servers = { p->conf->call_managers, p->conf->n_call_managers };
    char file[PHONE_FILE_MAX];
    struct buf b = BUF_INIT(file);
    if (is_of_dial_rules(a))
        buf_put(&b, span_str(p->dial_rules));
    else
        phone_file_write_default(&b, &servers);
    struct span out = buf_span(&b);
    int err = 0;
    if (is_shared_signed(a) && !a->tls)
        err = trust_sign(p->trust, span_str(a->name), buf_span(&b), loop_wall(p->loop), &out);
    answer(a, err ? PROVISION_LATER : PROVISIONED, out);
}

static void on_turn(struct turn *t)
{
    struct provision *a = container_of(t, struct provision, turn);
    if (a->what == PROVISIONED)
        answer_shared(a);
    else
        answer(a, a->what, SPAN_NULL);
}

#define RECORD Countersign__Auth__DeviceRecord

/* Whether what it gets in clear is encrypted for its certificate. */
static bool is_sealed(const RECORD *r)
{
    return r->security != COUNTERSIGN__AUTH__DEVICE_SECURITY__DEVICE_NONSECURE && r->certificate &&
           r->certificate[0];
}

static bool is_sip(const RECORD *r)
{
    return r->has_sip && r->sip;
}

static struct phone_servers servers_of(const struct provisioning_conf *c, const RECORD *r)
{
    const bool clear = r->security == COUNTERSIGN__AUTH__DEVICE_SECURITY__DEVICE_NONSECURE;
    if (!is_sip(r))
        return (struct phone_servers){ c->call_managers, c->n_call_managers };
    return clear ? (struct phone_servers){ c->registrars, c->n_registrars }
                 : (struct phone_servers){ c->registrars_tls, c->n_registrars_tls };
}

/* Over HTTPS phones ask for the signed file by its name, and want it without a signature. */
static int write_file(const struct provision *a, const RECORD *r, struct buf *b)
{
    const struct phone_servers servers = servers_of(a->all->conf, r);
    char digits[64];
    struct buf hash = BUF_INIT(digits);
    const bool cut = a->kind == PHONE_FILE_SIGNED && !a->tls && is_sealed(r);
    int err = 0;
    if (cut || a->kind == PHONE_FILE_ENCRYPTED)
        err = trust_certificate_hash(span_str(r->certificate), &hash);
    if (!servers.n) {
        log_error(&plog, "no registrars are configured for a phone of SIP",
                  kv_str("device", r->name));
        return CS_ECONF;
    }
    if (err)
        return err;
    if (cut)
        phone_file_write_short(b, buf_span(&hash));
    else
        phone_file_write(b, r, &servers, buf_span(&hash));
    return buf_ok(b) ? 0 : CS_ELIMIT;
}

static int make(struct provision *a, const RECORD *r, struct buf *b, struct span *out)
{
    struct trust *t = a->all->trust;
    const struct span name = span_str(a->name);
    const struct wall now = loop_wall(a->all->loop);
    *out = SPAN_NULL;
    if (a->kind == PHONE_FILE_ITL || a->kind == PHONE_FILE_CTL) {
        *out = a->kind == PHONE_FILE_ITL ? trust_itl(t) : trust_ctl(t);
        return 0;
    }
    if (a->kind == PHONE_FILE_ENCRYPTED && (!r->certificate || !r->certificate[0]))
        return 0;
    int err = write_file(a, r, b);
    *out = buf_span(b);
    if (!err && a->kind == PHONE_FILE_ENCRYPTED)
        err = trust_encrypt(t, name, buf_span(b), span_str(r->certificate), now, out);
    else if (!err && a->kind == PHONE_FILE_SIGNED && !a->tls)
        err = trust_sign(t, name, buf_span(b), now, out);
    return err;
}

/* A device that nobody knows is a file that is not there, and the phone goes on to the next. */
static void on_attached(void *arg, enum verdict kind, const Countersign__Auth__Attached *m)
{
    struct provision *a = arg;
    char file[PHONE_FILE_MAX];
    struct buf b = BUF_INIT(file);
    struct span out;
    a->ask = NULL;
    if (kind != VERDICT_ACCEPT) {
        answer(a,
               kind == VERDICT_LATER                                  ? PROVISION_LATER
               : m->cause == COUNTERSIGN__AUTH__CAUSE__UNKNOWN_DEVICE ? PROVISION_NOT_FOUND
                                                                      : PROVISION_REFUSED,
               SPAN_NULL);
        return;
    }
    const int err = make(a, m->record, &b, &out);
    if (err)
        log_error(&plog, "a phone's file cannot be made", kv_str("file", a->name), kv_err(err));
    struct trust *t = a->all->trust;
    answer(a, err ? PROVISION_LATER : out.p ? PROVISIONED : PROVISION_NOT_FOUND, out);
    if (!is_sip(m->record))
        return;
    if (t) /* what is in clear there */
        trust_forget(t, out);
    ct_wipe(file, b.n);
}

/* Such a file has nothing that is anybody's; whoever is not banned may read it. */
static enum provisioned without_authd(const struct provision *a, const struct addr *from)
{
    const struct provisioning *p = a->all;
    const bool given = is_of_dial_rules(a) ? p->dial_rules != NULL : p->conf->default_file;
    if (!given || (is_shared_signed(a) && !p->trust))
        return PROVISION_NOT_FOUND;
    if (!p->gate)
        return PROVISION_LATER;
    return gate_admits(p->gate, from) ? PROVISIONED : PROVISION_REFUSED;
}

struct provision *provision_ask(struct provisioning *p, struct span file,
                                const struct provision_facts *facts, provision_fn *fn, void *arg)
{
    struct provision *a = calloc(1, sizeof(*a));
    struct span device;
    if (!a)
        return NULL;
    a->all = p;
    a->fn = fn;
    a->arg = arg;
    turn_init(&a->turn, on_turn);
    list_push_back(&p->asks, &a->link);
    a->kind = phone_file_kind(file, &device);
    a->tls = facts->tls;
    const bool known = device.p && (a->kind == PHONE_FILE_CONFIG || p->trust);
    span_copy(a->name, sizeof(a->name), file);
    const struct gate_device d = { .name = device,
                                   .listener = p->conf->listener,
                                   .source = facts->from,
                                   .tls = facts->tls,
                                   .unproven = facts->unproven,
                                   .certificate = facts->certificate,
                                   .issuer = facts->issuer,
                                   .ticket = facts->token,
                                   .file = span_str(a->name) };
    a->ask = known && p->gate ? gate_attach(p->gate, &d, on_attached, a) : NULL;
    if (!a->ask) {
        a->what = known                           ? PROVISION_LATER
                  : a->kind >= PHONE_FILE_DEFAULT ? without_authd(a, facts->from)
                                                  : PROVISION_NOT_FOUND;
        turn_queue(p->loop, &a->turn);
    }
    return a;
}

/* ---- over HTTP ---- */

struct fetch { /* in the request's arena */
    struct http_req *req;
    bool xml;
    struct provision *ask;
};

static void on_file(void *arg, enum provisioned what, struct span file)
{
    struct fetch *f = arg;
    if (what == PROVISIONED)
        http_reply_text(f->req, 200, f->xml ? "text/xml" : "application/octet-stream", file);
    else if (what == PROVISION_NOT_FOUND)
        http_problem(f->req, 404, "not-found", "Not found", "There is no such file.");
    else if (what == PROVISION_REFUSED)
        http_problem(f->req, 403, "refused", "Refused",
                     "csctl explain says why, by the name of the device.");
    else
        http_problem(f->req, 503, "unavailable", "Unavailable", "Try again later.");
}

static void on_gone(void *arg)
{
    provision_cancel(((struct fetch *)arg)->ask);
}

/* In clear nothing that is shown is looked at: whoever listens has it, too. */
static void answer_fetch(struct http_req *r, struct provisioning *p, struct provision_facts facts)
{
    struct fetch *f = arena_alloc(http_arena(r), sizeof(*f));
    struct addr from;
    http_peer(r, &from);
    facts.from = &from;
    if (f) {
        f->req = r;
        f->xml = span_ends(http_param(r, "file"), SPAN(".xml")) || facts.tls;
        f->ask = provision_ask(p, http_param(r, "file"), &facts, on_file, f);
    }
    if (f && f->ask)
        http_on_abort(r, on_gone, f);
    else
        http_problem(r, 503, "overloaded", "Overloaded", "Try again later.");
}

static void get_file(struct http_req *r, void *arg)
{
    answer_fetch(r, arg, (struct provision_facts){ 0 });
}

static void get_over_tls(struct http_req *r, void *arg)
{
    struct provision_facts facts = { .tls = true, .token = http_param(r, "token") };
    facts.certificate = http_certificate(r, &facts.issuer);
    if (!facts.token.p)
        facts.token = http_query(r, "token");
    answer_fetch(r, arg, facts);
}

static int open_http(struct provisioning *p)
{
    static const struct http_route routes[] = {
        { "GET", "/{file}", get_file, HTTP_PUBLIC },
        { NULL },
    };
    const struct httpd_conf conf = { .listen = p->conf->http,
                                     .in_the_clear = true,
                                     .max_body = 1,
                                     .max_connections = CONNECTIONS_MAX };
    return httpd_open(p->loop, &conf, routes, p, &p->httpd);
}

static int open_https(struct provisioning *p, struct certs *certs, size_t listener)
{
    static const struct http_route routes[] = {
        { "GET", "/{file}", get_over_tls, HTTP_PUBLIC },
        { "GET", "/{token}/{file}", get_over_tls, HTTP_PUBLIC },
        { NULL },
    };
    const struct httpd_conf conf = { .listen = p->conf->https,
                                     .tls = certs_of(certs, listener),
                                     .max_body = 1,
                                     .max_connections = CONNECTIONS_MAX };
    int err = httpd_open(p->loop, &conf, routes, p, &p->httpsd);
    if (!err)
        certs_serve_http(certs, listener, p->httpsd);
    return err;
}

/* ---- all ---- */

static int keep_dial_rules(struct provisioning *p, const struct provisioning_plan *plan)
{
    char file[PHONE_FILE_MAX];
    struct buf b = BUF_INIT(file);
    dial_rules_write(&b, plan->plan, plan->lines);
    p->dial_rules = strndup(b.p, b.n);
    return p->dial_rules ? 0 : CS_ENOMEM;
}

int provisioning_open(struct loop *l, const struct provisioning_conf *conf,
                      const struct provisioning_plan *plan, struct certs *certs, size_t listener,
                      struct provisioning **out)
{
    struct provisioning *p = *out = calloc(1, sizeof(*p));
    int err = 0;
    if (!p)
        return CS_ENOMEM;
    p->loop = l;
    p->conf = conf;
    list_init(&p->asks);
    if (conf->dial_rules)
        err = keep_dial_rules(p, plan);
    if (!err && conf->trust)
        err = trust_open(conf->trust, &p->trust);
    if (!err && is_written(&conf->http))
        err = open_http(p);
    if (!err && is_written(&conf->https))
        err = open_https(p, certs, listener);
    if (!err && is_written(&conf->tftp))
        err = tftp_open(l, &conf->tftp, p, &p->tftp);
    if (err) {
        log_error(&plog, "files for desk phones cannot be given", kv_err(err));
        provisioning_close(out);
        return err;
    }
    if (p->httpd)
        log_info(&plog, "listening", kv_str("files", "http"),
                 kv_addr("address", httpd_local(p->httpd)));
    if (p->httpsd)
        log_info(&plog, "listening", kv_str("files", "https"),
                 kv_addr("address", httpd_local(p->httpsd)));
    if (p->tftp)
        log_info(&plog, "listening", kv_str("files", "tftp"), kv_addr("address", &conf->tftp));
    return 0;
}

void provisioning_use(struct provisioning *p, struct gate *g)
{
    p->gate = g;
}

void provisioning_reload(struct provisioning *p)
{
    struct trust *fresh;
    if (!p->conf->trust)
        return;
    if (trust_open(p->conf->trust, &fresh)) {
        log_error(&plog, "the old keys and lists of phones' trust stay in use");
        return;
    }
    trust_close(&p->trust);
    p->trust = fresh;
}

void provisioning_close(struct provisioning **pp)
{
    struct provisioning *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    tftp_close(&p->tftp);
    list_for_each (it, &p->asks)
        provision_free(container_of(it, struct provision, link));
    if (p->httpd)
        httpd_close(&p->httpd);
    if (p->httpsd)
        httpd_close(&p->httpsd);
    trust_close(&p->trust);
    free(p->dial_rules);
    free(p);
}
