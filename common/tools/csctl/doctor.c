#include "doctor.h"

#include <errno.h>
#include <getopt.h>
#include <resolv.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FINDING_TEXT = 1024 };

struct options {
    const char *registrar, *authd; /* files; NULL: the usual ones, where they are */
};

static const struct {
    const struct conf_section *root;
    const char *manual;
} files[FILE_COUNT] = {
    [FILE_REGISTRAR] = { &registrar_conf_section, "Repair that line; registrar --print-config "
                                                  "shows every key and its meaning." },
    [FILE_AUTHD] = { &authd_conf_section,
                     "Repair that line; authd --print-config shows every key and its meaning." },
    [FILE_B2BUA] = { &b2bua_conf_section,
                     "Repair that line; b2bua --print-config shows every key and its meaning." },
};

static const char *const levels[LEVEL_COUNT] = { "fine", "note", "warning", "fault" };

/* ---- telling ---- */

void finding_about(struct doctor *d, enum file file, const char *key, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, key);
    vsnprintf(text, sizeof(text), key, ap);
    va_end(ap);
    d->at_file = file;
    d->at_line = d->file[file] ? conf_line(d->file[file], text) : 0;
}

void finding(struct doctor *d, enum level level, const char *check, const char *remedy,
             const char *fmt, ...)
{
    char what[FINDING_TEXT];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    json_t *text = json_string(what);
    if (!text) /* cut in the middle of a character, or never was text */
        text = json_string("something that is no text");
    json_t *f = json_pack("{s:s, s:s, s:o}", "check", check, "level", levels[level], "what", text);
    if (remedy)
        json_object_set_new(f, "remedy", json_string(remedy));
    if (d->file[d->at_file])
        json_object_set_new(f, "file", json_string(d->file[d->at_file]));
    if (d->at_line)
        json_object_set_new(f, "line", json_integer(d->at_line));
    d->at_file = FILE_NONE;
    d->at_line = 0;
    json_array_append_new(d->findings, f);
    d->count[level]++;
}

static void print_findings(const struct doctor *d)
{
    char text[2 * FINDING_TEXT];
    size_t i;
    json_t *f;
    json_array_foreach(d->findings, i, f)
    {
        printf("%-8s %-20s ", json_string_value(json_object_get(f, "level")),
               json_string_value(json_object_get(f, "check")));
        if (json_object_get(f, "line"))
            printf("%s:%d: ", json_string_value(json_object_get(f, "file")),
                   (int)json_integer_value(json_object_get(f, "line")));
        puts(text_of(f, "what", text, sizeof(text)));
        if (json_object_get(f, "remedy"))
            printf("%-29s -> %s\n", "", text_of(f, "remedy", text, sizeof(text)));
    }
    printf("\n%u faults, %u warnings, %u notes, %u fine\n", d->count[LEVEL_FAULT],
           d->count[LEVEL_WARNING], d->count[LEVEL_NOTE], d->count[LEVEL_FINE]);
}

static void print_findings_json(const struct doctor *d)
{
    json_t *j =
        json_pack("{s:O, s:i, s:i, s:i}", "findings", d->findings, "faults", d->count[LEVEL_FAULT],
                  "warnings", d->count[LEVEL_WARNING], "notes", d->count[LEVEL_NOTE]);
    print_json(j);
    json_decref(j);
}

/* ---- waiting ---- */

struct deadline {
    struct timer timer;
    bool over;
};

static void on_deadline(struct timer *t)
{
    container_of(t, struct deadline, timer)->over = true;
}

bool doctor_wait(struct doctor *d, const bool *happened)
{
    struct deadline deadline = { .over = false };
    timer_init(&deadline.timer, on_deadline);
    timer_start(&d->loop, &deadline.timer, d->timeout);
    while (!*happened && !deadline.over)
        uv_run(&d->loop.uv, UV_RUN_ONCE);
    timer_stop(&d->loop, &deadline.timer);
    return *happened;
}

/* ---- configuration ---- */

struct report {
    struct doctor *doctor;
    enum file file;
};

/* "authd.yaml:14: peer_groups[0]: ...": where it is goes into members of its own, too. */
static void on_report(void *arg, const char *line)
{
    const struct report *r = arg;
    struct doctor *d = r->doctor;
    struct span rest = span_skip(span_str(line), strlen(d->file[r->file])), number;
    uint64_t n = 0;
    d->at_file = r->file;
    if (span_starts(rest, SPAN(":"))) {
        rest = span_skip(rest, 1);
        number = span_cut(&rest, ':');
        if (rest.p && span_u64(number, UINT32_MAX, &n) == 0)
            line = span_trim(rest).p;
    }
    d->at_line = (unsigned)n;
    finding(d, LEVEL_FAULT, "config", files[r->file].manual, "%s", line);
}

void *doctor_load(struct doctor *d, enum file file, const char *path)
{
    const struct conf_section *root = files[file].root;
    struct report r = { d, file };
    void *conf = arena_zalloc(&d->arena, root->size);
    d->file[file] = path;
    if (!conf || conf_load(path, root, &d->arena, conf, on_report, &r))
        return NULL;
    finding(d, LEVEL_FINE, "config", NULL, "%s is good", path);
    return conf;
}

/* NULL also where no file was named and there is none. */
static void *load(struct doctor *d, enum file file, const char *path, const char *usual)
{
    if (!path && access(usual, F_OK) && errno == ENOENT)
        return NULL;
    return doctor_load(d, file, path ? path : usual);
}

static int read_options(struct ctl *c, int argc, char **argv, struct doctor *d, struct options *o)
{
    enum { REGISTRAR = 256, AUTHD, LAN, REDIS_USER, REDIS_PASSWORD, TIMEOUT };
    static const struct option options[] = {
        { "registrar", required_argument, NULL, REGISTRAR },
        { "authd", required_argument, NULL, AUTHD },
        { "lan", no_argument, NULL, LAN },
        { "redis-user", required_argument, NULL, REDIS_USER },
        { "redis-password-file", required_argument, NULL, REDIS_PASSWORD },
        { "timeout", required_argument, NULL, TIMEOUT },
        { 0 },
    };
    optind = 0;
    opterr = 0;
    for (int opt; (opt = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (opt) {
        case REGISTRAR:
            o->registrar = optarg;
            break;
        case AUTHD:
            o->authd = optarg;
            break;
        case LAN:
            d->lan = true;
            break;
        case REDIS_USER:
            d->ask.user = span_str(optarg);
            break;
        case REDIS_PASSWORD:
            d->ask.password_file = optarg;
            break;
        case TIMEOUT:
            if (take_timeout(c, optarg, &d->timeout))
                return EXIT_USAGE;
            break;
        default:
            return bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return bad_usage(c, "it takes options only, not \"%s\"", argv[optind]);
    if (d->ask.user.p && !d->ask.password_file)
        return bad_usage(c, "--redis-user wants --redis-password-file beside it");
    return EXIT_OK;
}

/* ---- examining ---- */

static void examine(struct doctor *d)
{
    static void (*const examinations[])(struct doctor *) = {
        doctor_files, doctor_listeners, doctor_names, doctor_processes,
        doctor_bans,  doctor_redis,     doctor_authd,
    };
    for (size_t i = 0; i < CS_LEN(examinations); i++)
        examinations[i](d);
}

static int examine_all(struct doctor *d, const struct options *o)
{
    d->registrar = load(d, FILE_REGISTRAR, o->registrar, "/etc/countersign/registrar.yaml");
    d->authd = load(d, FILE_AUTHD, o->authd, "/etc/countersign/authd.yaml");
    if (!d->registrar && !d->authd && !d->count[LEVEL_FAULT])
        return bad_usage(d->ctl, "there is no configuration in /etc/countersign; say where it is "
                                 "with --registrar FILE and --authd FILE");
    int err = loop_init(&d->loop);
    if (err) {
        complain("no event loop: %s", cs_strerror(err));
        return EXIT_REFUSED;
    }
    examine(d);
    loop_stop(&d->loop);
    loop_run(&d->loop);
    err = loop_fini(&d->loop);
    if (err)
        complain("a handle was left open: %s", cs_strerror(err));
    return err ? EXIT_REFUSED : EXIT_OK;
}

void doctor_begin(struct doctor *d, struct ctl *ctl)
{
    *d = (struct doctor){ .ctl = ctl, .timeout = DURATION_S(2), .findings = json_array() };
    arena_init(&d->arena, NULL, 0, 0);
    log_setup(LOG_ERROR, LOG_TEXT); /* what the libraries see is told as findings */
}

int doctor_end(struct doctor *d)
{
    if (d->ctl->json)
        print_findings_json(d);
    else
        print_findings(d);
    arena_fini(&d->arena);
    json_decref(d->findings);
    return d->count[LEVEL_FAULT] || d->count[LEVEL_WARNING] ? EXIT_REFUSED : EXIT_OK;
}

int doctor(struct ctl *c, int argc, char **argv)
{
    struct doctor d;
    struct options o = { 0 };
    doctor_begin(&d, c);
    int status = read_options(c, argc, argv, &d, &o);
    if (!status) {
        res_init();
        _res.retrans = 1; /* seconds; a resolver that is away shall not hold up the rest */
        _res.retry = 1;
        status = examine_all(&d, &o);
    }
    if (status == EXIT_USAGE) {
        arena_fini(&d.arena);
        json_decref(d.findings);
        return status;
    }
    int found = doctor_end(&d);
    return status ? status : found;
}
