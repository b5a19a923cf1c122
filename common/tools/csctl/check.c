/* The command check: is what Redis holds whole? */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "csctl.h"

struct checked {
    bool repair, progress;
    json_int_t seen;
    size_t open; /* found, and not repaired */
    json_t *findings;
    struct timespec begun;
};

static double seconds_since(const struct timespec *begun)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begun->tv_sec) + (double)(now.tv_nsec - begun->tv_nsec) / 1e9;
}

static void show_progress(const struct checked *k)
{
    if (!k->progress)
        return;
    fprintf(stderr, "\r%lld seen, %zu found\033[K", (long long)k->seen,
            json_array_size(k->findings));
    fflush(stderr);
}

static int walk(struct ctl *c, struct checked *k)
{
    char after[256] = "";
    for (bool more = true; more;) {
        json_t *page = NULL;
        int err = ctl_call(c, k->repair ? "POST" : "GET", NULL, &page,
                           after[0] ? "/v1/check?after=%s" : "/v1/check", after);
        if (err)
            return err;
        k->seen += json_integer_value(json_object_get(page, "seen"));
        json_array_extend(k->findings, json_object_get(page, "findings"));
        more = json_object_get(page, "next") != NULL;
        text_of(page, "next", after, sizeof(after));
        json_decref(page);
        show_progress(k);
    }
    return EXIT_OK;
}

/* ---- what was found ---- */

static void print_finding(const json_t *f)
{
    static const char *const members[] = { "key", "entry", "detail" };
    char text[1024];
    for (size_t i = 0; i < CS_LEN(members); i++) {
        if (json_object_get(f, members[i]))
            printf("  %s", text_of(f, members[i], text, sizeof(text)));
    }
    puts(json_is_true(json_object_get(f, "repaired")) ? "  (repaired)" : "");
}

/* Those of one kind together, in the order in which the first of each was met. */
static void print_findings(const json_t *findings)
{
    char text[1024], remedy[1024];
    json_t *told = json_object();
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *first = json_array_get(findings, i);
        const char *what = json_string_value(json_object_get(first, "what"));
        if (!what || json_object_get(told, what))
            continue;
        json_object_set_new(told, what, json_true());
        printf("%s: %s\n", what, text_of(first, "meaning", text, sizeof(text)));
        for (size_t n = i; n < json_array_size(findings); n++) {
            const json_t *f = json_array_get(findings, n);
            if (json_equal(json_object_get(f, "what"), json_object_get(first, "what")))
                print_finding(f);
        }
        printf("  -> %s\n\n", text_of(first, "remedy", remedy, sizeof(remedy)));
    }
    json_decref(told);
}

static void print_all(const struct ctl *c, const struct checked *k)
{
    const size_t n = json_array_size(k->findings), repaired = n - k->open;
    const double took = seconds_since(&k->begun);
    if (k->progress)
        fputs("\r\033[K", stderr);
    if (c->json) {
        json_t *j =
            json_pack("{s:I, s:I, s:I, s:f, s:O}", "seen", k->seen, "found", (json_int_t)n,
                      "repaired", (json_int_t)repaired, "seconds", took, "findings", k->findings);
        print_json(j);
        json_decref(j);
        return;
    }
    print_findings(k->findings);
    printf("%lld keys and entries seen in %.1f s: ", (long long)k->seen, took);
    if (!n)
        puts("nothing is wrong");
    else if (k->repair)
        printf("%zu found, %zu repaired\n", n, repaired);
    else
        printf("%zu found\n", n);
}

int check_data(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "repair", no_argument, NULL, 'r' },
                                             { NULL, 0, NULL, 0 } };
    struct checked k = { .progress = isatty(STDERR_FILENO) };
    int o;
    optind = 0;
    opterr = 0;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return bad_usage(c, "%s is not an option here", argv[optind - 1]);
        k.repair = true;
    }
    if (optind < argc)
        return bad_usage(c, "too many operands");
    k.findings = json_array();
    clock_gettime(CLOCK_MONOTONIC, &k.begun);
    int err = walk(c, &k);
    for (size_t i = 0; i < json_array_size(k.findings); i++)
        k.open += !json_is_true(json_object_get(json_array_get(k.findings, i), "repaired"));
    if (!err)
        print_all(c, &k);
    json_decref(k.findings);
    return err ? err : k.open ? EXIT_REFUSED : EXIT_OK;
}
