/* sipload: registers many phones, sends messages between them, or only shakes hands, and prints
 * what it cost as JSON. It knows the passwords of the phones it plays, sends to the servers it is
 * told, and reads /proc of the processes it is told to watch. */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "flood.h"
#include "handshakes.h"
#include "load.h"
#include "print.h"
#include "wire.h"

enum { SOCKETS_MAX = WIRE_SOCKETS / 2, STREAMS_MAX = 100000 };

static const char help[] =
    "Usage: sipload [OPTION]... HOST:PORT\n"
    "Registers many phones, or sends messages between them, checks every answer and prints JSON.\n"
    "\n"
    "  -m, --mode MODE        fresh   a new challenge each time (default)\n"
    "                         cached  the nonce known, with its next nc\n"
    "                         fill    each phone once\n"
    "                         message a MESSAGE from a phone to another, challenged with 407,\n"
    "                                 which that one answers: the first half to the second\n"
    "                         handshake TLS alone: connect, take the ticket, close\n"
    "                         flood   INVITEs over UDP, answers unread\n"
    "  -T, --transport NAME   udp (default), tls or wss\n"
    "      --tls VERSION      1.2 or 1.3 (default)\n"
    "      --resume           handshakes with the ticket of the one before\n"
    "  -S, --sources NETWORK  phones have its addresses in turn (default: what the kernel "
    "chooses)\n"
    "  -c, --callees HOST:PORT where phones register that are called (default: where all do)\n"
    "  -n, --users N          how many phones (default 10000)\n"
    "  -u, --users-file FILE  \"name,password\" a line, instead of made-up ones\n"
    "  -d, --domain NAME      domain of the phones (default bench.example)\n"
    "  -R, --realm NAME       realm of the challenge (default: the domain)\n"
    "  -a, --algorithm NAME   MD5 (default) or SHA-256\n"
    "  -i, --inflight N       exchanges under way in the closed loop (default 64)\n"
    "  -r, --rate N           open loop: so many exchanges a second\n"
    "  -s, --sockets N        UDP sockets (default 16), as many again for phones that are called;\n"
    "                         or connections, one for each phone where it is not said\n"
    "  -w, --warmup SECONDS   not measured (default 1)\n"
    "  -t, --duration SECONDS measured (default 5)\n"
    "  -e, --expires SECONDS  asked for each binding (default 3600)\n"
    "  -p, --pids PID,...     also print what these processes used: CPU time, context switches\n"
    "      --repeat-nc        send nc=00000001 again and again, which must not pass\n"
    "      --hold             when done, keep the connections until standard input ends\n"
    "      --print-users      print the phones as a users file and end\n"
    "      --help             this text\n"
    "\n"
    "Exit status: 0 if every answer was right, 1 if not, 2 if it could not run.\n";

enum mode { HANDSHAKE = LOAD_MESSAGE + 1, FLOOD }; /* besides those of load_mode */

struct settings {
    const char *users_file, *domain, *realm, *algorithm;
    size_t users;
    uint32_t expires;
    unsigned mode;
    enum sip_over { UDP, TLS, WSS } transport;
    enum tls_version version;
    struct sources from;
    bool print_users, repeat_nc, resume, hold;
    struct addr server, callees;
    struct load_options load;
    struct usage usage;
};

static const char *const mode_names[] = {
    [LOAD_FRESH] = "fresh",     [LOAD_CACHED] = "cached",  [LOAD_FILL] = "fill",
    [LOAD_MESSAGE] = "message", [HANDSHAKE] = "handshake", [FLOOD] = "flood",
};

static const char *const transport_names[] = { [UDP] = "udp", [TLS] = "tls", [WSS] = "wss" };
static const char *const via_names[] = { [UDP] = "UDP", [TLS] = "TLS", [WSS] = "WSS" };
static const char *const version_names[] = { [TLS_1_2] = "1.2", [TLS_1_3] = "1.3" };

static void usage_error(const char *what, const char *value)
{
    fprintf(stderr, "sipload: %s: %s (see --help)\n", what, value);
    exit(2);
}

static double number(const char *what, const char *text, double min, double max)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end != '\0' || !(v >= min && v <= max))
        usage_error(what, text);
    return v;
}

static unsigned index_of(const char *what, const char *text, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, names[i]) == 0)
            return (unsigned)i;
    usage_error(what, text);
    return 0;
}
#define INDEX_OF(what, text, names) index_of((what), (text), (names), CS_LEN(names))

/* As many sockets as are meant, of those that are possible. */
static void settle_sockets(struct settings *s, bool said)
{
    if (s->transport == UDP && s->load.sockets > SOCKETS_MAX)
        usage_error("not 1 to 64 sockets", "more");
    if (s->transport != UDP && s->load.mode == LOAD_MESSAGE)
        usage_error("messages go over UDP", transport_names[s->transport]);
    if (s->transport == UDP && s->hold)
        usage_error("only connections can be held", transport_names[s->transport]);
    if (s->transport != UDP && !said)
        s->load.sockets = s->users > 0 ? (unsigned)s->users : 10000;
}

static struct settings read_options(int argc, char **argv)
{
    enum { HELP = 256, PRINT_USERS, REPEAT_NC, TLS_VERSION, RESUME, HOLD };
    static const struct option options[] = {
        { "mode", required_argument, NULL, 'm' },
        { "users", required_argument, NULL, 'n' },
        { "users-file", required_argument, NULL, 'u' },
        { "domain", required_argument, NULL, 'd' },
        { "realm", required_argument, NULL, 'R' },
        { "algorithm", required_argument, NULL, 'a' },
        { "inflight", required_argument, NULL, 'i' },
        { "rate", required_argument, NULL, 'r' },
        { "callees", required_argument, NULL, 'c' },
        { "sockets", required_argument, NULL, 's' },
        { "transport", required_argument, NULL, 'T' },
        { "tls", required_argument, NULL, TLS_VERSION },
        { "resume", no_argument, NULL, RESUME },
        { "sources", required_argument, NULL, 'S' },
        { "hold", no_argument, NULL, HOLD },
        { "warmup", required_argument, NULL, 'w' },
        { "duration", required_argument, NULL, 't' },
        { "expires", required_argument, NULL, 'e' },
        { "pids", required_argument, NULL, 'p' },
        { "repeat-nc", no_argument, NULL, REPEAT_NC },
        { "print-users", no_argument, NULL, PRINT_USERS },
        { "help", no_argument, NULL, HELP },
        { 0 },
    };
    struct settings s = {
        .domain = "bench.example",
        .algorithm = "MD5",
        .expires = 3600,
        .version = TLS_1_3,
        .load = { .inflight = 64, .sockets = 16, .warmup_s = 1, .duration_s = 5 },
    };
    bool sockets_said = false;
    for (int c;
         (c = getopt_long(argc, argv, "m:n:u:d:R:a:i:r:c:s:w:t:e:p:T:S:", options, NULL)) >= 0;) {
        switch (c) {
        case 'm':
            s.mode = INDEX_OF("no such mode", optarg, mode_names);
            s.load.mode = s.mode <= LOAD_MESSAGE ? (enum load_mode)s.mode : LOAD_FRESH;
            break;
        case 'n':
            s.users = (size_t)number("not a number of users", optarg, 1, 1e7);
            break;
        case 'u':
            s.users_file = optarg;
            break;
        case 'd':
            s.domain = optarg;
            break;
        case 'R':
            s.realm = optarg;
            break;
        case 'a':
            s.algorithm = optarg;
            break;
        case 'i':
            s.load.inflight = (unsigned)number("not a number of exchanges", optarg, 1, 8192);
            break;
        case 'r':
            s.load.rate = number("not a rate", optarg, 0.1, 1e6);
            break;
        case 'c':
            if (addr_parse(span_str(optarg), 5060, &s.callees) != 0)
                usage_error("not an address", optarg);
            break;
        case 's':
            s.load.sockets = (unsigned)number("not a number of sockets", optarg, 1, STREAMS_MAX);
            sockets_said = true;
            break;
        case 'T':
            s.transport = INDEX_OF("no such transport", optarg, transport_names);
            break;
        case TLS_VERSION:
            s.version = INDEX_OF("no such version of TLS", optarg, version_names);
            break;
        case 'S':
            if (cidr_parse(span_str(optarg), &s.from.net) != 0 ||
                s.from.net.net.sa.sa_family != AF_INET)
                usage_error("not a network of IPv4", optarg);
            break;
        case RESUME:
            s.resume = true;
            break;
        case HOLD:
            s.hold = true;
            break;
        case 'w':
            s.load.warmup_s = number("not a time", optarg, 0, 3600);
            break;
        case 't':
            s.load.duration_s = number("not a time", optarg, 0.01, 86400);
            break;
        case 'e':
            s.expires = (uint32_t)number("not a time", optarg, 1, 1e6);
            break;
        case 'p':
            if (usage_of(&s.usage, optarg))
                usage_error("not a list of at most 64 process ids", optarg);
            break;
        case REPEAT_NC:
            s.repeat_nc = true;
            break;
        case PRINT_USERS:
            s.print_users = true;
            break;
        case HELP:
            fputs(help, stdout);
            exit(0);
        default:
            exit(2);
        }
    }
    if (!s.realm)
        s.realm = s.domain;
    if (!s.print_users &&
        (optind != argc - 1 || addr_parse(span_str(argv[optind]), 5060, &s.server) != 0))
        usage_error("one server address is needed", optind < argc ? argv[optind] : "none given");
    if (s.callees.sa.sa_family == 0)
        s.callees = s.server;
    settle_sockets(&s, sockets_said);
    return s;
}

static void print_errors(const struct load_result *r)
{
    const char *comma = "";
    printf("  \"errors\": {");
    for (size_t i = 0; i < LOAD_ERRORS; i++) {
        if (r->errors[i] > 0) {
            printf("%s\"%s\": %" PRIu64, comma, load_error_names[i], r->errors[i]);
            comma = ", ";
        }
    }
    printf("},\n  \"error_sum\": %" PRIu64 ",\n", r->error_sum);
}

static void print_result(const struct settings *s, const struct load_result *r, unsigned lost)
{
    printf("{\n  \"mode\": \"%s\",\n  \"transport\": \"%s\",\n", mode_names[s->mode],
           transport_names[s->transport]);
    if (s->load.rate > 0)
        printf("  \"rate\": %.1f,\n", s->load.rate);
    else
        printf("  \"inflight\": %u,\n", s->load.inflight);
    print_measured(r->ops, r->seconds, &r->latency, &s->usage);
    print_errors(r);
    printf("  \"retransmits\": %" PRIu64 ",\n  \"stale\": %" PRIu64 ",\n  \"late\": %" PRIu64
           ",\n  \"overrun\": %" PRIu64 ",\n  \"lost\": %u,\n  \"own_cpu_us\": %.0f\n}\n",
           r->retransmits, r->stale, r->late, r->overrun, lost, (double)s->usage.own_ns / 1e3);
}

/* ---- what each mode does: 0, or 1 when an answer was wrong, or a negative code ---- */

static int shake_hands(struct settings *s)
{
    struct handshakes_result r;
    const struct handshakes_conf conf = {
        .inflight = s->load.inflight,
        .version = s->version,
        .resume = s->resume,
        .from = s->from,
        .warmup_s = s->load.warmup_s,
        .duration_s = s->load.duration_s,
    };
    int err = handshakes_run(&s->server, &conf, &s->usage, &r);
    if (err)
        return err;
    printf("{\n  \"mode\": \"handshake\",\n  \"tls\": \"%s\",\n  \"inflight\": %u,\n",
           version_names[s->version], conf.inflight);
    print_measured(r.ops, r.seconds, &r.latency, &s->usage);
    printf("  \"resumed\": %" PRIu64 ",\n  \"errors\": {\"failed\": %" PRIu64
           ", \"timeout\": %" PRIu64 "},\n  \"own_cpu_us\": %.0f\n}\n",
           r.resumed, r.failed, r.timed_out, (double)s->usage.own_ns / 1e3);
    return r.failed + r.timed_out > 0;
}

static int flood(struct settings *s, struct wire *wire, const struct site *site)
{
    struct flood_result r;
    struct latency none = { 0 };
    if (s->load.rate <= 0 || s->transport != UDP)
        usage_error("a flood has a rate, and is over UDP", "none given");
    int err = wire_connect(wire, &s->server, 1, &s->from);
    if (err)
        return err;
    usage_begin(&s->usage);
    flood_run(wire, site, s->load.rate, s->load.duration_s, &r);
    usage_end(&s->usage);
    printf("{\n  \"mode\": \"flood\",\n");
    print_measured(r.sent, r.seconds, &none, &s->usage);
    printf("  \"answers\": %" PRIu64 ",\n  \"errors\": {},\n  \"own_cpu_us\": %.0f\n}\n", r.answers,
           (double)s->usage.own_ns / 1e3);
    return 0;
}

/* Phones that are silent, but for what keeps their connections alive. */
static void hold(struct wire *wire)
{
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    char byte;
    fflush(stdout);
    while (poll(&in, 1, 0) == 0 || read(STDIN_FILENO, &byte, 1) > 0) {
        wire_wait(wire, 100000000);
        wire_receive(wire, NULL, NULL);
    }
}

static int connect_all(const struct settings *s, struct wire *wire)
{
    const struct streams_conf conf = { s->transport == WSS, s->version, s->from };
    if (s->transport != UDP)
        return wire_connect_streams(wire, &s->server, s->load.sockets, &conf);
    int err = wire_connect(wire, &s->server, s->load.sockets, &s->from);
    if (!err && s->load.mode == LOAD_MESSAGE)
        err = wire_connect(wire, &s->callees, s->load.sockets, &s->from);
    return err;
}

static int load(struct settings *s, struct phones *phones, struct wire *wire, struct site *site)
{
    struct load_result result;
    int err = connect_all(s, wire);
    if (!err)
        err = load_run(&s->load, site, phones, wire, &s->usage, &result);
    if (err)
        return err;
    print_result(s, &result, wire_lost(wire));
    if (result.error_sum > 0)
        fprintf(stderr, "sipload: first wrong answer:\n%s\n", result.first_error);
    if (s->hold)
        hold(wire);
    return result.error_sum + wire_lost(wire) > 0;
}

static void allow_sockets(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    struct settings s = read_options(argc, argv);
    struct phones phones = { 0 };
    struct wire *wire = NULL;
    struct site site;
    int wrong = 0;
    struct hash *hash = hash_new(span_str(s.algorithm));
    if (!hash)
        usage_error("unknown algorithm", s.algorithm);

    allow_sockets();
    int err = s.users_file ? phones_read(&phones, s.users_file, s.users)
                           : phones_make(&phones, s.users > 0 ? s.users : 10000);
    if (!err && s.print_users) {
        phones_write(&phones, stdout);
        goto out;
    }
    if (!err && s.load.mode == LOAD_MESSAGE && phones.n < 2)
        usage_error("a message takes two phones", "one given");
    if (!err)
        err = wire_open(&wire);
    if (!err) {
        phones_hash(&phones, hash, span_str(s.realm));
        site_init(&site, span_str(s.domain), span_str(s.realm), hash, s.expires);
        site.transport = span_str(via_names[s.transport]);
        site.repeat_nc = s.repeat_nc;
        prctl(PR_SET_TIMERSLACK, 1); /* an open loop is only as even as its timer */
        wrong = s.mode == HANDSHAKE ? shake_hands(&s)
                : s.mode == FLOOD   ? flood(&s, wire, &site)
                                    : load(&s, &phones, wire, &site);
        err = CS_MIN(wrong, 0);
    }
out:
    if (err)
        fprintf(stderr, "sipload: %s\n", cs_strerror(err));
    wire_close(&wire);
    phones_fini(&phones);
    hash_free(&hash);
    return err ? 2 : wrong;
}
