#include "selftest.h"

#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "host.h"

enum { SCCP_PORT = 2000 };

struct result {
    const char *step;
    enum outcome outcome;
    double ms;
    char seen[SELFTEST_SEEN];
};

struct options {
    struct server {
        enum sip_transport transport;
        struct addr addr;
        struct span host, path; /* of a WebSocket's URL */
    } server[2];
    size_t n_servers;
    const char *domain, *cacert, *echo, *device;
    struct addr sccp;
    const char *user[2], *password_file[2];
    size_t n_users, n_files;
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
    int err = host_parse(host, sip_transport_port(s.transport), &s.addr);
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
    return host_parse(span_str(text), SCCP_PORT, &o->sccp)
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

/* ---- telling ---- */

static const char *const outcomes[] = {
    [STEP_SKIPPED] = "skipped",
    [STEP_PASSED] = "passed",
    [STEP_FAILED] = "FAILED",
};

static int name_width(void)
{
    size_t widest = 0;
    for (const struct step *s = selftest_steps; s->name; s++)
        widest = CS_MAX(widest, strlen(s->name));
    return (int)widest;
}

static void print_row(const struct result *r)
{
    printf("%-*s  %-7s  %8.1f  %s\n", name_width(), r->step, outcomes[r->outcome], r->ms, r->seen);
}

static json_t *json_of(const struct result *results, size_t n, bool passed)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct result *r = &results[i];
        json_array_append_new(steps,
                              json_pack("{s:s, s:s, s:f, s:s}", "step", r->step, "result",
                                        r->outcome == STEP_FAILED ? "failed" : outcomes[r->outcome],
                                        "ms", r->ms, "seen", r->seen));
    }
    return json_pack("{s:b, s:o}", "passed", passed, "steps", steps);
}

/* ---- running ---- */

static void run_step(struct selftest *t, const struct step *s, unsigned passed, struct result *r)
{
    struct mono begun = clock_mono();
    r->step = s->name;
    r->outcome = selftest_step(t, s, passed);
    r->ms = (double)(clock_mono().ns - begun.ns) / 1e6;
    span_copy(r->seen, sizeof(r->seen), span_str(t->seen));
}

static int run(const struct ctl *c, struct selftest *t)
{
    static struct result results[SELFTEST_STEPS];
    unsigned passed = 0;
    size_t n = 0;
    bool all = true, live = !c->json && isatty(STDOUT_FILENO);
    if (!c->json)
        printf("%-*s  %-7s  %8s  %s\n", name_width(), "step", "result", "ms", "seen");
    for (const struct step *s = selftest_steps; s->name && !t->unreachable; s++) {
        if ((s->only == STEP_WITH_ECHO && !t->echo.p) ||
            (s->only == STEP_WITH_DESK && !t->device.p))
            continue;
        if (live) {
            printf("%-*s  ...", name_width(), s->name);
            fflush(stdout);
        }
        run_step(t, s, passed, &results[n]);
        if (live)
            fputs("\r\033[K", stdout);
        if (!c->json)
            print_row(&results[n]);
        if (results[n].outcome == STEP_PASSED)
            passed |= 1U << (s - selftest_steps);
        else
            all = false;
        n++;
    }
    if (c->json) {
        json_t *j = json_of(results, n, all);
        json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6) | JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(j);
    }
    return t->unreachable ? EXIT_UNREACHABLE : all ? EXIT_OK : EXIT_REFUSED;
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
    int status = err ? EXIT_UNREACHABLE : run(c, t);
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
    if (!status)
        status = run_phones(c, &o, &t);
    for (size_t i = 0; i < CS_LEN(password); i++)
        secret_fini(&password[i]);
    for (size_t i = 0; i < CS_LEN(t.conf); i++)
        tls_context_unref(&t.conf[i].tls);
    return status;
}
