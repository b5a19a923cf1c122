/* sipload: registers many phones over UDP, or sends messages between them, and prints what it cost
 * as JSON. It knows the passwords of the phones it plays, sends to the servers it is told, and
 * reads /proc of the processes it is told to watch. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "load.h"
#include "print.h"
#include "wire.h"

enum { SOCKETS_MAX = WIRE_SOCKETS / 2 };

static const char help[] =
    "Usage: sipload [OPTION]... HOST:PORT\n"
    "Registers many phones over UDP, or sends messages between them, checks every answer and\n"
    "prints JSON.\n"
    "\n"
    "  -m, --mode MODE        fresh   a new challenge each time (default)\n"
    "                         cached  the nonce known, with its next nc\n"
    "                         fill    each phone once\n"
    "                         message a MESSAGE from a phone to another, challenged with 407,\n"
    "                                 which that one answers: the first half to the second\n"
    "  -c, --callees HOST:PORT where phones register that are called (default: where all do)\n"
    "  -n, --users N          how many phones (default 10000)\n"
    "  -u, --users-file FILE  \"name,password\" a line, instead of made-up ones\n"
    "  -d, --domain NAME      domain of the phones (default bench.example)\n"
    "  -R, --realm NAME       realm of the challenge (default: the domain)\n"
    "  -a, --algorithm NAME   MD5 (default) or SHA-256\n"
    "  -i, --inflight N       exchanges under way in the closed loop (default 64)\n"
    "  -r, --rate N           open loop: so many exchanges a second\n"
    "  -s, --sockets N        UDP sockets (default 16); as many again for phones that are called\n"
    "  -w, --warmup SECONDS   not measured (default 1)\n"
    "  -t, --duration SECONDS measured (default 5)\n"
    "  -e, --expires SECONDS  asked for each binding (default 3600)\n"
    "  -p, --pids PID,...     also print what these processes used: CPU time, context switches\n"
    "      --repeat-nc        send nc=00000001 again and again, which must not pass\n"
    "      --print-users      print the phones as a users file and end\n"
    "      --help             this text\n"
    "\n"
    "Exit status: 0 if every answer was right, 1 if not, 2 if it could not run.\n";

struct settings {
    const char *users_file, *domain, *realm, *algorithm;
    size_t users;
    uint32_t expires;
    bool print_users, repeat_nc;
    struct addr server, callees;
    struct load_options load;
    struct usage usage;
};

static const char *const mode_names[] = {
    [LOAD_FRESH] = "fresh",
    [LOAD_CACHED] = "cached",
    [LOAD_FILL] = "fill",
    [LOAD_MESSAGE] = "message",
};

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

static enum load_mode mode_of(const char *text)
{
    for (size_t i = 0; i < CS_LEN(mode_names); i++)
        if (strcmp(text, mode_names[i]) == 0)
            return (enum load_mode)i;
    usage_error("no such mode", text);
    return LOAD_FRESH;
}

static struct settings read_options(int argc, char **argv)
{
    enum { HELP = 256, PRINT_USERS, REPEAT_NC };
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
        .load = { .inflight = 64, .sockets = 16, .warmup_s = 1, .duration_s = 5 },
    };
    for (int c;
         (c = getopt_long(argc, argv, "m:n:u:d:R:a:i:r:c:s:w:t:e:p:", options, NULL)) >= 0;) {
        switch (c) {
        case 'm':
            s.load.mode = mode_of(optarg);
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
            s.load.sockets = (unsigned)number("not 1 to 64 sockets", optarg, 1, SOCKETS_MAX);
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

static void print_result(const struct settings *s, const struct load_result *r)
{
    printf("{\n  \"mode\": \"%s\",\n", mode_names[s->load.mode]);
    if (s->load.rate > 0)
        printf("  \"rate\": %.1f,\n", s->load.rate);
    else
        printf("  \"inflight\": %u,\n", s->load.inflight);
    print_measured(r->ops, r->seconds, &r->latency, &s->usage);
    print_errors(r);
    printf("  \"retransmits\": %" PRIu64 ",\n  \"stale\": %" PRIu64 ",\n  \"late\": %" PRIu64
           ",\n  \"overrun\": %" PRIu64 ",\n  \"own_cpu_us\": %.0f\n}\n",
           r->retransmits, r->stale, r->late, r->overrun, (double)s->usage.own_ns / 1e3);
}

int main(int argc, char **argv)
{
    struct settings s = read_options(argc, argv);
    struct phones phones = { 0 };
    struct wire *wire = NULL;
    struct site site;
    struct load_result result;
    struct hash *hash = hash_new(span_str(s.algorithm));
    if (!hash)
        usage_error("unknown algorithm", s.algorithm);

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
    if (!err)
        err = wire_connect(wire, &s.server, s.load.sockets);
    if (!err && s.load.mode == LOAD_MESSAGE)
        err = wire_connect(wire, &s.callees, s.load.sockets);
    if (!err) {
        phones_hash(&phones, hash, span_str(s.realm));
        site_init(&site, span_str(s.domain), span_str(s.realm), hash, s.expires);
        site.repeat_nc = s.repeat_nc;
        prctl(PR_SET_TIMERSLACK, 1); /* an open loop is only as even as its timer */
        err = load_run(&s.load, &site, &phones, wire, &s.usage, &result);
        if (!err) {
            print_result(&s, &result);
            if (result.error_sum > 0)
                fprintf(stderr, "sipload: first wrong answer:\n%s\n", result.first_error);
        }
    }
out:
    if (err)
        fprintf(stderr, "sipload: %s\n", cs_strerror(err));
    wire_close(&wire);
    phones_fini(&phones);
    hash_free(&hash);
    return err ? 2 : !s.print_users && result.error_sum > 0;
}
