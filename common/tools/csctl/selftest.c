#include "selftest.h"

#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "host.h"
#include "selftest_report.h"
#include "torture.h"

enum { SCCP_PORT = 2000 };

struct options {
    struct server {
        enum sip_transport transport;
        struct addr addr;
        struct span host, path; /* of a WebSocket's URL */
    } server[2];
    size_t n_servers;
    const char *domain, *cacert, *echo, *device, *report;
    struct addr sccp;
    const char *user[2], *password_file[2];
    size_t n_users, n_files;
    bool suite;
    struct duration timeout;
};

/* ---- options ---- */

static int add_server(struct ctl *c, struct options *o, const struct server *server)
{
    if (o->n_servers == CS_LEN(o->server))
        return bad_usage(c, "there are two phones: give at most two addresses");
    o->server[o->n_servers++] = *server;
    return EXIT_OK;
}

/* What stands before the port, if there is one. */
static struct span host_of(struct span text)
{
    size_t end = text.n;
    while (end && ascii_digit(text.p[end - 1]))
        end--;
    return end > 1 && text.p[end - 1] == ':' ? span_head(text, end - 1) : text;
}

/* [udp:|tcp:|tls:]host[:port], or the URL of a WebSocket */
static int add_sip(struct ctl *c, struct options *o, const char *text)
{
    struct server s = { .transport = SIP_UDP, .path = SPAN("/") };
    struct span rest = span_str(text), host = rest;
    if (sip_transport_of(span_cut(&rest, ':'), &s.transport) == 0 && rest.p)
        host = rest;
    if (sip_transport_is_ws(s.transport) && span_starts(host, SPAN("//"))) {
        rest = span_skip(host, 2);
        host = span_cut(&rest, '/');
        if (rest.n)
            s.path = span_of(rest.p - 1, rest.n + 1);
    }
    int err = host_parse_server(host, sip_transport_port(s.transport), &s.addr);
    if (err == CS_EPROTO)
        return bad_usage(c, "\"%s\" has no port behind its colon", text);
    if (err)
        return bad_usage(c, "\"" SPAN_FMT "\" is no address and no host that is known",
                         SPAN_ARG(host));
    s.host = host_of(host);
    return add_server(c, o, &s);
}

static int add_transport(struct ctl *c, struct options *o, const char *name)
{
    struct server s;
    if (!o->n_servers)
        return bad_usage(c, "--transport adds to the --sip before it");
    s = o->server[o->n_servers - 1];
    if (s.transport > SIP_TCP || sip_transport_of(span_str(name), &s.transport) ||
        s.transport > SIP_TCP)
        return bad_usage(c, "only udp and tcp share a port; give another --sip, as in tls:HOST");
    return add_server(c, o, &s);
}

static int take_sccp(struct ctl *c, struct options *o, const char *text)
{
    return host_parse_server(span_str(text), SCCP_PORT, &o->sccp)
               ? bad_usage(c, "\"%s\" is no address and no host that is known", text)
               : EXIT_OK;
}

static int read_options(struct ctl *c, int argc, char **argv, struct options *o)
{
    enum {
        SIP = 256,
        TRANSPORT,
        SIP_CACERT,
        DOMAIN,
        USER,
        PASSWORD_FILE,
        ECHO_NUMBER,
        SCCP,
        DEVICE,
        SUITE,
        REPORT,
        TIMEOUT,
    };
    static const struct option options[] = {
        { "sip", required_argument, NULL, SIP },
        { "transport", required_argument, NULL, TRANSPORT },
        { "sip-cacert", required_argument, NULL, SIP_CACERT },
        { "domain", required_argument, NULL, DOMAIN },
        { "user", required_argument, NULL, USER },
        { "password-file", required_argument, NULL, PASSWORD_FILE },
        { "echo", required_argument, NULL, ECHO_NUMBER },
        { "sccp", required_argument, NULL, SCCP },
        { "device", required_argument, NULL, DEVICE },
        { "suite", no_argument, NULL, SUITE },
        { "report", required_argument, NULL, REPORT },
        { "timeout", required_argument, NULL, TIMEOUT },
        { 0 },
    };
    int err = EXIT_OK;
    o->timeout = DURATION_S(10);
    optind = 1;
    for (int opt; !err && (opt = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (opt) {
        case SIP:
            err = add_sip(c, o, optarg);
            break;
        case TRANSPORT:
            err = add_transport(c, o, optarg);
            break;
        case SIP_CACERT:
            o->cacert = optarg;
            break;
        case DOMAIN:
            o->domain = optarg;
            break;
        case USER:
            if (o->n_users == CS_LEN(o->user))
                return bad_usage(c, "there are two phones: give two users");
            o->user[o->n_users++] = optarg;
            break;
        case PASSWORD_FILE:
            if (o->n_files == CS_LEN(o->password_file))
                return bad_usage(c, "there are two phones: give two password files");
            o->password_file[o->n_files++] = optarg;
            break;
        case ECHO_NUMBER:
            o->echo = optarg;
            break;
        case SCCP:
            err = take_sccp(c, o, optarg);
            break;
        case DEVICE:
            o->device = optarg;
            break;
        case SUITE:
            o->suite = true;
            break;
        case REPORT:
            o->report = optarg;
            break;
        case TIMEOUT:
            err = take_timeout(c, optarg, &o->timeout);
            break;
        default:
            return bad_usage(c, "it does not know this option");
        }
    }
    if (err)
        return err;
    if (optind < argc)
        return bad_usage(c, "it takes options only, not \"%s\"", argv[optind]);
    for (size_t i = 0; i < o->n_servers; i++) {
        if (sip_transport_is_tls(o->server[i].transport) && !o->cacert)
            return bad_usage(c, "a phone believes no server by itself; give --sip-cacert FILE");
    }
    if ((o->sccp.sa.sa_family != AF_UNSPEC) != (o->device != NULL))
        return bad_usage(c, "--sccp and --device belong together");
    if (!o->n_servers || !o->domain || o->n_users < 2 || o->n_files < 2)
        return bad_usage(c, "needs --sip, --domain, and --user and --password-file twice each");
    return EXIT_OK;
}

/* ---- running ---- */

/* What was tried so far. */
struct run {
    struct selftest *t;
    const char *section;
    struct result results[SELFTEST_STEPS];
    size_t n;
    bool json, live, all_passed;
};

static struct result *begin(struct run *run, const char *step, const char *rule)
{
    struct result *r = &run->results[run->n];
    *r = (struct result){ .section = run->section, .step = step, .rule = rule };
    if (run->live)
        report_begin(step);
    return r;
}

static void end(struct run *run, struct mono begun)
{
    struct result *r = &run->results[run->n++];
    r->ms = (double)(clock_mono().ns - begun.ns) / 1e6;
    span_copy(r->seen, sizeof(r->seen), span_str(run->t->seen));
    run->all_passed &= r->outcome == STEP_PASSED;
    if (!run->json)
        report_row(r);
}

static void run_steps(struct run *run, const char *section, const struct step *list)
{
    struct selftest *t = run->t;
    unsigned passed = 0;
    run->section = section;
    for (const struct step *s = list; s->name && !t->unreachable; s++) {
        if ((s->only == STEP_WITH_ECHO && !t->echo.p) ||
            (s->only == STEP_WITH_DESK && !t->device.p))
            continue;
        struct mono begun = clock_mono();
        struct result *r = begin(run, s->name, s->rule);
        r->outcome = selftest_step(t, list, s, passed);
        if (r->outcome == STEP_PASSED)
            passed |= 1U << (s - list);
        end(run, begun);
    }
}

static void run_torture(struct run *run)
{
    run->section = "Messages of RFC 4475 and RFC 5118";
    for (const struct torture *m = torture_messages; m->name && !run->t->unreachable; m++) {
        struct mono begun = clock_mono();
        begin(run, m->what, m->rule)->outcome = torture(run->t, m);
        end(run, begun);
    }
}

static int run(const struct ctl *c, const struct options *o, struct selftest *t)
{
    static struct run run;
    int err = EXIT_OK;
    run = (struct run){
        .t = t, .json = c->json, .live = !c->json && isatty(STDOUT_FILENO), .all_passed = true
    };
    if (!c->json)
        report_head();
    run_steps(&run, "Registration and calls", selftest_steps);
    if (o->suite) {
        run_torture(&run);
        run_steps(&run, "Authentication", suite_steps);
    }
    if (c->json)
        report_json(run.results, run.n, run.all_passed);
    if (o->report)
        err = report_write(o->report, t, run.results, run.n);
    return err ? err : t->unreachable ? EXIT_UNREACHABLE : run.all_passed ? EXIT_OK : EXIT_REFUSED;
}

static int run_phones(const struct ctl *c, const struct options *o, struct selftest *t)
{
    struct loop loop;
    int err = loop_init(&loop);
    if (err) {
        complain("no event loop: %s", cs_strerror(err));
        return EXIT_REFUSED;
    }
    t->loop = &loop;
    t->timeout = o->timeout;
    t->echo = span_str(o->echo);
    t->device = span_str(o->device);
    t->sccp = o->sccp;
    err = selftest_open(t);
    if (err)
        complain("the phones cannot be opened: %s", cs_strerror(err));
    int status = err ? EXIT_UNREACHABLE : run(c, o, t);
    selftest_close(t);
    loop_stop(&loop);
    loop_run(&loop);
    err = loop_fini(&loop);
    if (err)
        complain("a handle was left open: %s", cs_strerror(err));
    return status;
}

/* Over TLS the server is a domain's (RFC 5922), to a WebSocket a host (RFC 7118, 7). */
static int open_tls(const struct options *o, const struct server *s, struct tls_context **out)
{
    const struct tls_conf conf = { .role = TLS_CLIENT,
                                   .ca_file = o->cacert,
                                   .sip_names = s->transport == SIP_TLS };
    *out = NULL;
    return sip_transport_is_tls(s->transport) && tls_context_new(&conf, out)
               ? EXIT_USAGE /* why was logged */
               : EXIT_OK;
}

int selftest(struct ctl *c, int argc, char **argv)
{
    static struct selftest t;
    struct options o = { 0 };
    struct secret password[2] = { 0 };
    int status = read_options(c, argc, argv, &o);
    for (size_t i = 0; !status && i < CS_LEN(password); i++) {
        int err = secret_read_file(&password[i], o.password_file[i]);
        if (err) {
            complain("%s: %s", o.password_file[i], cs_strerror(err));
            status = EXIT_USAGE;
        }
        /* The second phone by the second address. */
        const struct server *s = &o.server[i && o.n_servers ? o.n_servers - 1 : 0];
        t.conf[i] = (struct phone_conf){ .user = span_str(o.user[i]),
                                         .domain = span_str(o.domain),
                                         .password = &password[i],
                                         .transport = s->transport,
                                         .server = s->addr,
                                         .host = s->host,
                                         .path = s->path };
        if (!status)
            status = open_tls(&o, s, &t.conf[i].tls);
    }
    if (!status && o.suite && !torture_server(&t))
        status = bad_usage(c, "--suite wants a connection: give --sip tcp:HOST or tls:HOST, too");
    if (!status)
        status = run_phones(c, &o, &t);
    for (size_t i = 0; i < CS_LEN(password); i++)
        secret_fini(&password[i]);
    for (size_t i = 0; i < CS_LEN(t.conf); i++)
        tls_context_unref(&t.conf[i].tls);
    return status;
}
