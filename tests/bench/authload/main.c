/* authload: asks authd, as a front does over its socket or as another server does over REST,
 * whether REGISTERs may pass, and prints as JSON what that cost. It knows the passwords of the
 * users it plays, and reads /proc of the processes it is told to watch. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "load.h"
#include "print.h"

static const char help[] =
    "Usage: authload [OPTION]... SOCKET\n"
    "Asks authd whether REGISTERs may pass, checks every verdict and prints JSON.\n"
    "\n"
    "  -m, --mode MODE        digest (default), token, or challenge: nothing is shown\n"
    "  -l, --listener NAME    where requests are said to have come to (default udp); tokens: tls\n"
    "  -u, --users-file FILE  \"name,password\" a line\n"
    "  -k, --tokens FILE      a token a line, of one user after the other, shown again and again\n"
    "  -d, --domain NAME      domain and realm of the users (default bench.example)\n"
    "  -a, --algorithm NAME   MD5 (default) or SHA-256\n"
    "  -R, --rest HOST:PORT   ask /v1/verify there instead of the socket\n"
    "  -K, --token-file FILE  the operator's token for that\n"
    "  -i, --inflight N       questions under way in the closed loop (default 64)\n"
    "  -r, --rate N           open loop: so many questions a second\n"
    "  -b, --beside N         show so many tokens a second besides, at listener tls; only over "
    "the\n"
    "                         socket\n"
    "  -w, --warmup SECONDS   not measured (default 1)\n"
    "  -t, --duration SECONDS measured (default 5)\n"
    "  -p, --pids PID,...     also print what these processes used: CPU time, context switches\n"
    "      --help             this text\n"
    "\n"
    "Exit status: 0 if every verdict was right, 1 if not, 2 if it could not run.\n";

struct settings {
    const char *listener, *users_file, *tokens_file, *domain, *algorithm, *token_file, *socket;
    struct addr rest;
    char token[256];
    struct load_options load;
    struct asker asker;
    struct usage usage;
};

static const char *const mode_names[] = {
    [KIND_CHALLENGE] = "challenge",
    [KIND_DIGEST] = "digest",
    [KIND_TOKEN] = "token",
};

static void usage_error(const char *what, const char *value)
{
    fprintf(stderr, "authload: %s: %s (see --help)\n", what, value);
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

static enum kind mode_of(const char *text)
{
    for (size_t i = 0; i < CS_LEN(mode_names); i++)
        if (strcmp(text, mode_names[i]) == 0)
            return (enum kind)i;
    usage_error("no such mode", text);
    return KIND_DIGEST;
}

/* One "token" a line; kept until the process ends. */
static void read_tokens(struct asker *a, const char *path)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t cap = 0;
    if (!f)
        usage_error("cannot be read", path);
    for (ssize_t n; (n = getline(&line, &cap, f)) > 1; line = NULL, cap = 0) {
        char **more = reallocarray(a->tokens, a->n_tokens + 1, sizeof(*more));
        if (!more)
            usage_error("too long", path);
        line[n - 1] = '\0';
        a->tokens = more;
        a->tokens[a->n_tokens++] = line;
    }
    free(line);
    fclose(f);
}

static void free_tokens(struct asker *a)
{
    for (size_t i = 0; i < a->n_tokens; i++)
        free(a->tokens[i]);
    free(a->tokens);
}

static void read_secret(struct settings *s)
{
    FILE *f = s->token_file ? fopen(s->token_file, "re") : NULL;
    if (!f || fscanf(f, "%255s", s->token) != 1)
        usage_error("--rest needs a readable --token-file", s->token_file ? s->token_file : "none");
    fclose(f);
}

static struct settings read_options(int argc, char **argv)
{
    enum { HELP = 256 };
    static const struct option options[] = {
        { "mode", required_argument, NULL, 'm' },
        { "listener", required_argument, NULL, 'l' },
        { "users-file", required_argument, NULL, 'u' },
        { "tokens", required_argument, NULL, 'k' },
        { "domain", required_argument, NULL, 'd' },
        { "algorithm", required_argument, NULL, 'a' },
        { "rest", required_argument, NULL, 'R' },
        { "token-file", required_argument, NULL, 'K' },
        { "inflight", required_argument, NULL, 'i' },
        { "rate", required_argument, NULL, 'r' },
        { "beside", required_argument, NULL, 'b' },
        { "warmup", required_argument, NULL, 'w' },
        { "duration", required_argument, NULL, 't' },
        { "pids", required_argument, NULL, 'p' },
        { "help", no_argument, NULL, HELP },
        { 0 },
    };
    struct settings s = {
        .listener = "udp",
        .domain = "bench.example",
        .algorithm = "MD5",
        .load = { .kind = KIND_DIGEST, .inflight = 64, .warmup_s = 1, .duration_s = 5 },
    };
    for (int c;
         (c = getopt_long(argc, argv, "m:l:u:k:d:a:R:K:i:r:b:w:t:p:", options, NULL)) >= 0;) {
        switch (c) {
        case 'm':
            s.load.kind = mode_of(optarg);
            break;
        case 'l':
            s.listener = optarg;
            break;
        case 'u':
            s.users_file = optarg;
            break;
        case 'k':
            s.tokens_file = optarg;
            break;
        case 'd':
            s.domain = optarg;
            break;
        case 'a':
            s.algorithm = optarg;
            break;
        case 'R':
            if (addr_parse(span_str(optarg), 0, &s.rest) != 0)
                usage_error("not an address", optarg);
            break;
        case 'K':
            s.token_file = optarg;
            break;
        case 'i':
            s.load.inflight = (unsigned)number("not a number of questions", optarg, 1, SLOTS_MAX);
            break;
        case 'r':
            s.load.rate = number("not a rate", optarg, 0.1, 1e6);
            break;
        case 'b':
            s.load.beside = number("not a rate", optarg, 0.1, 1e6);
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
    if (optind + 1 < argc || (optind == argc && s.rest.sa.sa_family == 0))
        usage_error("one socket is needed", optind < argc ? argv[optind + 1] : "none given");
    s.socket = argv[optind];
    if (!s.users_file)
        usage_error("is needed", "--users-file");
    if ((s.load.kind == KIND_TOKEN || s.load.beside > 0) && !s.tokens_file)
        usage_error("is needed", "--tokens");
    if (s.rest.sa.sa_family && (s.load.rate > 0 || s.load.beside > 0))
        usage_error("is for the socket", "an open loop");
    if (s.rest.sa.sa_family)
        read_secret(&s);
    return s;
}

static struct way *open_way(void *arg, struct loop *l, const struct way_events *events,
                            void *way_arg)
{
    struct settings *s = arg;
    return s->rest.sa.sa_family
               ? way_rest(l, &s->rest, s->token, s->load.inflight, &s->asker, events, way_arg)
               : way_socket(l, s->socket, &s->asker, events, way_arg);
}

static void print_result(const struct settings *s, const struct load_result *r)
{
    printf("{\n  \"mode\": \"%s\",\n", mode_names[s->load.kind]);
    print_measured(r->ops, r->seconds, &r->latency, &s->usage);
    printf("  \"errors\": {\"wrong\": %" PRIu64 "},\n  \"beside\": %" PRIu64
           ",\n  \"overrun\": %" PRIu64 ",\n  \"own_cpu_us\": %.0f\n}\n",
           r->wrong, r->beside, r->overrun, (double)s->usage.own_ns / 1e3);
}

int main(int argc, char **argv)
{
    struct settings s = read_options(argc, argv);
    struct phones phones = { 0 };
    struct load_result result;
    struct hash *hash = hash_new(span_str(s.algorithm));
    if (!hash)
        usage_error("unknown algorithm", s.algorithm);
    log_setup(LOG_WARN, LOG_TEXT);
    if (s.tokens_file)
        read_tokens(&s.asker, s.tokens_file);
    if (s.tokens_file && s.asker.n_tokens == 0)
        usage_error("holds no token", s.tokens_file);
    int err = phones_read(&phones, s.users_file, 0);
    if (!err) {
        phones_hash(&phones, hash, span_str(s.domain));
        s.asker.listener = s.listener;
        s.asker.phones = &phones;
        s.asker.hash = hash;
        s.asker.domain = span_str(s.domain);
        prctl(PR_SET_TIMERSLACK, 1); /* an open loop is only as even as its timer */
        err = load_run(&s.load, &s.asker, open_way, &s, &s.usage, &result);
    }
    if (!err) {
        print_result(&s, &result);
        if (result.wrong > 0)
            fprintf(stderr, "authload: first wrong verdict:\n%s\n", result.first_wrong);
    } else {
        fprintf(stderr, "authload: %s\n", cs_strerror(err));
    }
    phones_fini(&phones);
    free_tokens(&s.asker);
    hash_free(&hash);
    return err ? 2 : result.wrong > 0;
}
