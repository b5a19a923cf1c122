/* csctl trace: SIP messages of a user, a call or a source as they come and go. */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "csctl.h"
#include "ladder.h"
#include "sip/msg.h"
#include "sse.h"

enum { COPIES = 512, OUT_MAX = 256 * 1024 };

struct tracer {
    struct ctl *ctl;
    struct sse sse;
    struct ladder ladder;
    bool messages, ended;
    double first;            /* seconds of its day; negative: none yet */
    uint64_t copies[COPIES]; /* hashes of what links carried: each end tells of it */
    size_t n_copies;
    unsigned long told, dropped;
    char out[OUT_MAX];
};

/* What is said on Ctrl-C: kept ready, for a signal handler can do little. */
static char farewell[96];

static void on_interrupt(int signum)
{
    (void)signum;
    ssize_t n = write(STDERR_FILENO, farewell, strlen(farewell));
    _exit(n < 0 ? EXIT_REFUSED : EXIT_OK);
}

static void prepare_farewell(const struct tracer *t)
{
    snprintf(farewell, sizeof(farewell), "%lu messages, %lu more were dropped\n", t->told,
             t->dropped);
}

static struct span member(const json_t *j, const char *name)
{
    return span_str(json_string_value(json_object_get(j, name)));
}

/* Of "2026-11-22T01:02:03.456789Z", since the first message. */
static double since_first(struct tracer *t, const json_t *j)
{
    const struct span time = span_skip(member(j, "time"), 11);
    char *at = (char *)(time.n ? time.p : "");
    const unsigned long hour = strtoul(at, &at, 10);
    const unsigned long minute = *at == ':' ? strtoul(at + 1, &at, 10) : 0;
    if (*at != ':')
        return 0;
    const double now = (double)hour * 3600 + (double)minute * 60 + strtod(at + 1, NULL);
    if (t->first < 0)
        t->first = now;
    return now < t->first - 43200 ? now + 86400 - t->first : now - t->first; /* past midnight */
}

/* Both ends of a link tell of what it carried. */
static bool is_copy(struct tracer *t, const json_t *j)
{
    const uint64_t hash = map_hash(member(j, "message"));
    if (!span_eq(member(j, "transport"), SPAN("link")) ||
        json_is_string(json_object_get(j, "remote")))
        return false;
    for (size_t i = 0; i < CS_MIN(t->n_copies, (size_t)COPIES); i++) {
        if (t->copies[i] == hash) {
            t->copies[i] = 0;
            return true;
        }
    }
    t->copies[t->n_copies++ % COPIES] = hash;
    return false;
}

static void write_label(struct buf *b, struct span text)
{
    const struct sip_limits wide = { .message = OUT_MAX, .headers = 512 };
    struct sip_msg *m;
    if (sip_msg_parse(text, true, &wide, &m)) { /* cut */
        buf_put(b, span_head(span_cut(&text, '\r'), 60));
        return;
    }
    if (m->is_request) {
        buf_put(b, m->method_name);
        buf_putc(b, ' ');
        buf_put(b, m->uri.user.n ? m->uri.user : m->uri.host);
    } else {
        struct span cseq = sip_hdr_value(m, SIP_HDR_CSEQ);
        span_cut(&cseq, ' ');
        buf_u64(b, m->status);
        buf_putc(b, ' ');
        buf_put(b, span_head(m->reason, 40));
        buf_lit(b, " (");
        buf_put(b, span_trim(cseq));
        buf_putc(b, ')');
    }
    if (m->body.n)
        buf_lit(b, " +body");
    sip_msg_unref(&m);
}

static void write_text(struct buf *b, struct span text)
{
    while (text.p) {
        struct span line = span_cut(&text, '\n');
        if (!text.p && !line.n)
            break;
        buf_lit(b, "            ");
        for (size_t i = 0; i < line.n && line.p[i] != '\r'; i++)
            buf_putc(b, (unsigned char)line.p[i] < 0x20 && line.p[i] != '\t' ? '?' : line.p[i]);
        buf_putc(b, '\n');
    }
}

static void write_party(struct buf *b, const json_t *j)
{
    const struct span peer = member(j, "peer"), remote = member(j, "remote");
    if (peer.p) {
        buf_put(b, peer);
    } else if (remote.p) {
        buf_put(b, member(j, "transport"));
        buf_putc(b, ' ');
        buf_put(b, remote);
    } else {
        buf_lit(b, "link");
    }
}

static void show(struct tracer *t, const json_t *j)
{
    char name[80], label[300], note[120], at[32];
    struct buf out = BUF_INIT(t->out), other = BUF_INIT(name), text = BUF_INIT(label),
               beside = BUF_INIT(note), time = BUF_INIT(at);
    const bool sent = span_eq(member(j, "direction"), SPAN("sent"));
    bool news, more;
    if (is_copy(t, j))
        return;
    buf_printf(&time, "%10.6f", since_first(t, j));
    write_party(&other, j);
    write_label(&text, member(j, "message"));
    buf_put(&beside, member(j, "cause"));
    if (json_object_get(j, "decision")) {
        buf_putc(&beside, ' ');
        buf_put(&beside, member(j, "decision"));
    }
    /* Who speaks first stands on the left. */
    const struct span node = member(j, "node");
    const size_t from = ladder_lane(&t->ladder, sent ? node : buf_span(&other), &news);
    const size_t to = ladder_lane(&t->ladder, sent ? buf_span(&other) : node, &more);
    if (from == to)
        return; /* more parties than there is room for */
    if (news || more)
        ladder_head(&t->ladder, &out);
    const struct ladder_step step = { buf_span(&time), from, to, buf_span(&text),
                                      buf_span(&beside) };
    ladder_write(&t->ladder, &step, &out);
    if (t->messages)
        write_text(&out, member(j, "message"));
    fwrite(out.p, 1, out.n, stdout);
}

static bool on_event(void *arg, struct span event, struct span data)
{
    struct tracer *t = arg;
    json_t *j = json_loadb(data.p, data.n, JSON_REJECT_DUPLICATES, NULL);
    t->ended = span_eq(event, SPAN("end"));
    if (t->ctl->json && j) {
        json_object_set_new(j, "event", json_stringn(event.p, event.n));
        json_dumpf(j, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
        putchar('\n');
    } else if (j && span_eq(event, SPAN("message"))) {
        show(t, j);
    } else if (j && span_eq(event, SPAN("dropped"))) {
        char node[100];
        complain("%s: %lld messages were dropped", text_of(j, "node", node, sizeof(node)),
                 (long long)json_integer_value(json_object_get(j, "messages")));
    }
    if (span_eq(event, SPAN("message")))
        t->told++;
    else if (span_eq(event, SPAN("dropped")))
        t->dropped += (unsigned long)json_integer_value(json_object_get(j, "messages"));
    json_decref(j);
    prepare_farewell(t);
    return fflush(stdout) == 0 && !t->ended;
}

static bool on_piece(void *arg, struct span piece)
{
    struct tracer *t = arg;
    return sse_feed(&t->sse, piece, on_event, t);
}

static int follow(struct tracer *t, const char *path)
{
    const char *why;
    prepare_farewell(t);
    signal(SIGINT, on_interrupt);
    int err = client_follow(t->ctl->client, path, "", on_piece, t, &why);
    if (err == EXIT_UNREACHABLE)
        complain("%s", why);
    if (!err && !t->ctl->json)
        fputs(farewell, stderr);
    return err;
}

int trace(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = {
        { "user", required_argument, NULL, 'u' },    { "call-id", required_argument, NULL, 'c' },
        { "source", required_argument, NULL, 's' },  { "all", no_argument, NULL, 'a' },
        { "seconds", required_argument, NULL, 'n' }, { "rate", required_argument, NULL, 'r' },
        { "messages", no_argument, NULL, 'm' },      { NULL, 0, NULL, 0 }
    };
    static const char *const names[128] = { ['u'] = "user", ['c'] = "call_id", ['s'] = "source",
                                            ['a'] = "all",  ['n'] = "seconds", ['r'] = "rate" };
    char path[2048];
    struct buf b = BUF_INIT(path);
    struct tracer *t = calloc(1, sizeof(*t));
    int o, err = EXIT_OK;
    unsigned filters = 0;
    if (!t)
        return EXIT_REFUSED;
    t->ctl = c;
    t->first = -1;
    buf_lit(&b, "/v1/trace?");
    optind = 0;
    opterr = 0;
    while (!err && (o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?') {
            err = bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        } else if (o == 'm') {
            t->messages = true;
        } else {
            filters += o != 'n' && o != 'r';
            buf_printf(&b, "%s=", names[o]);
            client_escape(c->client, &b, optarg && o != 'a' ? optarg : "true");
            buf_putc(&b, '&');
        }
    }
    buf_putc(&b, '\0');
    if (!err && (optind < argc || !buf_ok(&b) || filters != 1))
        err = bad_usage(c, "give one of --user, --call-id, --source and --all");
    if (!err)
        err = follow(t, path);
    free(t);
    return err;
}
