/* csctl watch: decisions, changes, bans and alarms as they happen, a line for each. */
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "csctl.h"
#include "sse.h"

enum { PATIENCE_S = 30 };

struct watcher {
    struct ctl *ctl;
    struct sse sse;
    unsigned long limit, seen; /* limit 0: none */
    bool heard;                /* since the connection was made */
};

static bool has(const json_t *j, const char *name)
{
    return json_is_string(json_object_get(j, name));
}

/* A word of its own, if it is there. */
static void put(const json_t *j, const char *name, const char *before)
{
    char text[1024];
    if (has(j, name) && *text_of(j, name, text, sizeof(text)))
        printf(" %s%s", before, text);
}

static void print_name(const json_t *j)
{
    put(j, "user", "");
    if (has(j, "user") && has(j, "realm"))
        printf("@%s", json_string_value(json_object_get(j, "realm")));
}

static void print_change(const json_t *j)
{
    put(j, "change", "change: ");
    print_name(j);
    put(j, "target", "");
    put(j, "by", "by ");
    put(j, "note", "(");
    if (has(j, "note"))
        putchar(')');
}

static void print_ban(const json_t *j)
{
    put(j, "event", "ban: ");
    put(j, "source", "");
    put(j, "user", "");
    put(j, "class", "");
    put(j, "until", "until ");
    put(j, "reason", "(");
    if (has(j, "reason"))
        putchar(')');
}

static void print_alarm(const json_t *j)
{
    put(j, "alarm", "alarm: ");
    print_name(j);
    put(j, "group", "group ");
    put(j, "source", "from ");
    put(j, "target", "");
    put(j, "note", "(");
    if (has(j, "note"))
        putchar(')');
}

static void print_decision(const json_t *j)
{
    json_int_t status = json_integer_value(json_object_get(j, "status"));
    put(j, "verdict", "");
    if (status)
        printf(" %" JSON_INTEGER_FORMAT, status);
    put(j, "cause", "");
    put(j, "method", "");
    print_name(j);
    put(j, "aor", "");
    put(j, "source", "from ");
    put(j, "transport", "");
    put(j, "decision", "");
}

static bool on_event(void *arg, struct span event, struct span data)
{
    struct watcher *w = arg;
    char time[64];
    json_t *j = json_loadb(data.p, data.n, JSON_REJECT_DUPLICATES, NULL);
    w->heard = true;
    if (span_eq(event, SPAN("lost")))
        complain("authd has forgotten what happened meanwhile; it stands in the audit log");
    if (!j || span_eq(event, SPAN("lost"))) {
        json_decref(j);
        return true;
    }
    if (w->ctl->json) {
        json_dumpf(j, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    } else {
        fputs(text_of(j, "time", time, sizeof(time)), stdout);
        if (has(j, "change"))
            print_change(j);
        else if (has(j, "event"))
            print_ban(j);
        else if (has(j, "alarm"))
            print_alarm(j);
        else
            print_decision(j);
    }
    putchar('\n');
    json_decref(j);
    w->seen++;
    return fflush(stdout) == 0 && (!w->limit || w->seen < w->limit);
}

static bool on_piece(void *arg, struct span piece)
{
    struct watcher *w = arg;
    w->heard = true; /* its greeting, at least */
    return sse_feed(&w->sse, piece, on_event, w);
}

static int follow(struct watcher *w, const char *path)
{
    const char *why;
    bool ever = false;
    unsigned wait_s = 1;
    for (;;) {
        w->heard = false;
        int err = client_follow(w->ctl->client, path, w->sse.id, on_piece, w, &why);
        if (err != EXIT_UNREACHABLE)
            return err;
        if (!ever && !w->heard) {
            complain("%s", why);
            return err;
        }
        ever = true;
        if (w->heard)
            wait_s = 1;
        complain("%s; trying again in %u s", why, wait_s);
        sleep(wait_s);
        wait_s = CS_MIN(2 * wait_s, (unsigned)PATIENCE_S);
        sse_restart(&w->sse);
    }
}

int watch(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "user", required_argument, NULL, 'u' },
                                             { "address", required_argument, NULL, 'a' },
                                             { "cause", required_argument, NULL, 'c' },
                                             { "decisions", no_argument, NULL, 'd' },
                                             { "changes", no_argument, NULL, 'k' },
                                             { "bans", no_argument, NULL, 'b' },
                                             { "alarms", no_argument, NULL, 'A' },
                                             { "limit", required_argument, NULL, 'l' },
                                             { NULL, 0, NULL, 0 } };
    static const char *const names[128] = { ['u'] = "user", ['a'] = "address", ['c'] = "cause" };
    static const char *const kinds[128] = {
        ['d'] = "decision", ['k'] = "change", ['b'] = "ban", ['A'] = "alarm"
    };
    char path[2048], *end;
    struct buf b = BUF_INIT(path);
    struct watcher *w = calloc(1, sizeof(*w));
    int o, err = EXIT_OK;
    if (!w)
        return EXIT_REFUSED;
    w->ctl = c;
    buf_lit(&b, "/v1/stream?");
    optind = 0;
    opterr = 0;
    while (!err && (o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?') {
            err = bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        } else if (o == 'l') {
            w->limit = strtoul(optarg, &end, 10);
            if (*end || !w->limit)
                err = bad_usage(c, "\"%s\" is not a number", optarg);
        } else if (names[o]) {
            buf_printf(&b, "%s=", names[o]);
            client_escape(c->client, &b, optarg);
            buf_putc(&b, '&');
        } else {
            buf_printf(&b, "kind=%s&", kinds[o]);
        }
    }
    buf_putc(&b, '\0');
    if (!err && (optind < argc || !buf_ok(&b)))
        err = bad_usage(c, "it takes options only");
    if (!err)
        err = follow(w, path);
    free(w);
    return err;
}
