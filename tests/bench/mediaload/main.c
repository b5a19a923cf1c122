/* mediaload: plays the telephones of many calls, of which it is told addresses and SRTP keys, sends
 * their G.711 through a server, checks each packet at the other end, and prints what it cost as
 * JSON. It reads /proc of the processes it is told to watch. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "load.h"
#include "print.h"

static const char help[] =
    "Usage: mediaload [OPTION]... FILE\n"
    "Sends G.711 through a server both ways, 50 packets a second each, checks every packet that\n"
    "comes and prints JSON. FILE has a stream a line: for each of its two ends the server's\n"
    "HOST:PORT, suite, the end's key and the server's in hexadecimal, or - for all three.\n"
    "\n"
    "  -a, --at HOST:PORT     where first ends are (default 127.0.0.8:40000)\n"
    "  -b, --other HOST:PORT  where second ends are (default 127.0.0.9:40000)\n"
    "  -s, --sockets N        of each side, at every other port (default 16); 16 streams in a row\n"
    "                         share one, the next 16 the next\n"
    "  -n, --streams N        the first so many of FILE (default all)\n"
    "  -f, --first N          sequence number of the first packets (default 1)\n"
    "  -k, --tick MS          what is due within it is sent together (default 0.5)\n"
    "  -w, --warmup SECONDS   not measured (default 1)\n"
    "  -t, --duration SECONDS measured (default 5)\n"
    "  -p, --pids PID,...     also print what these processes used: CPU time, context switches\n"
    "      --help             this text\n"
    "\n"
    "Exit status: 0 if what came was what was sent, 1 if not, 2 if it could not run. What did not\n"
    "come is counted, and no fault.\n";

struct settings {
    struct addr at[ENDS];
    unsigned sockets;
    size_t streams;
    uint32_t first;
    const char *file;
    struct load_options load;
    struct usage usage;
};

static void usage_error(const char *what, const char *value)
{
    fprintf(stderr, "mediaload: %s: %s (see --help)\n", what, value);
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

static struct addr address(const char *text)
{
    struct addr a;
    if (addr_parse(span_str(text), 40000, &a))
        usage_error("not an address", text);
    return a;
}

static struct settings read_options(int argc, char **argv)
{
    enum { HELP = 256 };
    static const struct option options[] = {
        { "at", required_argument, NULL, 'a' },
        { "other", required_argument, NULL, 'b' },
        { "sockets", required_argument, NULL, 's' },
        { "streams", required_argument, NULL, 'n' },
        { "first", required_argument, NULL, 'f' },
        { "tick", required_argument, NULL, 'k' },
        { "warmup", required_argument, NULL, 'w' },
        { "duration", required_argument, NULL, 't' },
        { "pids", required_argument, NULL, 'p' },
        { "help", no_argument, NULL, HELP },
        { 0 },
    };
    struct settings s = {
        .at = { address("127.0.0.8"), address("127.0.0.9") },
        .sockets = 16,
        .streams = SIZE_MAX,
        .first = 1,
        .load = { .warmup_s = 1, .duration_s = 5, .tick_ns = 500000 },
    };
    for (int c; (c = getopt_long(argc, argv, "a:b:s:n:f:k:w:t:p:", options, NULL)) >= 0;) {
        switch (c) {
        case 'a':
        case 'b':
            s.at[c - 'a'] = address(optarg);
            break;
        case 's':
            s.sockets = (unsigned)number("not 1 to 256 sockets", optarg, 1, ENDS_SOCKETS);
            break;
        case 'n':
            s.streams = (size_t)number("not a number of streams", optarg, 1, 1e5);
            break;
        case 'f':
            s.first = (uint32_t)number("not a sequence number", optarg, 1, 65535);
            break;
        case 'k':
            s.load.tick_ns = (int64_t)(1e6 * number("not a time", optarg, 0.01, 100));
            break;
        case 'w':
            s.load.warmup_s = number("not a time", optarg, 0, 3600);
            break;
        case 't':
            s.load.duration_s = number("not a time", optarg, 0.01, 86400);
            break;
        case 'p':
            if (usage_of(&s.usage, optarg))
                usage_error("not a list of at most 64 process ids", optarg);
            break;
        case HELP:
            fputs(help, stdout);
            exit(0);
        default:
            exit(2);
        }
    }
    if (optind != argc - 1)
        usage_error("one file of streams is needed", optind < argc ? argv[optind] : "none given");
    s.file = argv[optind];
    return s;
}

static uint64_t print_wrong(const struct load_result *r)
{
    const char *comma = "";
    uint64_t sum = 0;
    printf("  \"errors\": {");
    for (size_t i = STREAM_GOOD + 1; i < STREAM_VERDICTS; i++) {
        if (r->wrong[i] > 0) {
            printf("%s\"%s\": %" PRIu64, comma, stream_verdict_names[i], r->wrong[i]);
            comma = ", ";
        }
        sum += r->wrong[i];
    }
    printf("},\n");
    return sum;
}

int main(int argc, char **argv)
{
    struct settings s = read_options(argc, argv);
    static struct load_result r;
    struct streams streams = { 0 };
    struct ends *ends = NULL;
    uint64_t wrong = 0;
    int err = crypt_setup();
    if (!err)
        err = streams_read(&streams, s.file, s.streams, s.first);
    if (!err)
        err = ends_open(s.at, s.sockets, &ends);
    if (!err) {
        prctl(PR_SET_TIMERSLACK, 1); /* the pace is only as even as its timer */
        load_run(&s.load, &streams, ends, &s.usage, &r);
        printf("{\n  \"streams\": %zu,\n", streams.n);
        print_measured(r.good, r.seconds, &r.latency, &s.usage);
        wrong = print_wrong(&r);
        printf("  \"sent\": %" PRIu64 ",\n  \"lost\": %" PRIu64 ",\n  \"unsent\": %" PRIu64
               ",\n  \"unread\": %" PRIu64 ",\n  \"late_us\": %" PRId64 ",\n  \"next\": %" PRIu32
               ",\n  \"own_cpu_us\": %.0f\n}\n",
               r.sent, r.sent - r.good, ends_unsent(ends), ends_dropped(ends), r.late_ns / 1000,
               r.next, (double)s.usage.own_ns / 1e3);
    }
    if (err)
        fprintf(stderr, "mediaload: %s\n", cs_strerror(err));
    ends_close(&ends);
    streams_fini(&streams);
    return err ? 2 : wrong > 0 || r.good == 0;
}
