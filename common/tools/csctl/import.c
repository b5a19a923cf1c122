/* csctl user import: reads a file and sends it to authd in batches. What is there already and the
 * same is left alone, so that it can be repeated. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "csctl.h"

enum { BATCH = 500, BATCH_BYTES = 512 * 1024, RETRIES = 10 };

struct import {
    struct ctl *ctl;
    const char *name;
    bool keep, generate, allow_weak, progress;
    json_t *users;             /* of this batch */
    unsigned long line[BATCH]; /* where each stands */
    size_t bytes;
    unsigned long sent, created, updated, unchanged, kept, bad, reused;
    json_t *faults; /* with -o json */
    struct timespec begun;
};

static double seconds_since(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - t->tv_sec) + (double)(now.tv_nsec - t->tv_nsec) / 1e9;
}

static void show_progress(const struct import *im)
{
    if (im->progress)
        fprintf(stderr, "\r%lu users, %lu bad lines, %.0f a second ", im->sent, im->bad,
                (double)im->sent / CS_MAX(seconds_since(&im->begun), 0.001));
}

static void bad_line(struct import *im, unsigned long line, const char *user, const char *why)
{
    im->bad++;
    if (im->progress)
        fputs("\r\033[K", stderr);
    fprintf(stderr, "%s:%lu: %s%s%s\n", im->name, line, user ? user : "", user ? ": " : "", why);
    json_t *j = json_pack("{s:I, s:s}", "line", (json_int_t)line, "problem", why);
    if (user)
        json_object_set_new(j, "user", json_string(user));
    json_array_append_new(im->faults, j);
}

/* ---- a batch ---- */

static void print_password(const json_t *result)
{
    char user[512], realm[512];
    const char *password = json_string_value(json_object_get(result, "password"));
    text_of(result, "user", user, sizeof(user));
    const char *quote = strpbrk(user, ", ") ? "\"" : ""; /* names have no quotes of their own */
    if (password)
        printf("%s%s%s,%s,%s\n", quote, user, quote, text_of(result, "realm", realm, sizeof(realm)),
               password);
}

/* What came of user i; false if it should be tried again. */
static bool take_result(struct import *im, size_t i, const json_t *result)
{
    char why[1024];
    const json_t *wanted = json_array_get(im->users, i);
    const char *outcome = json_string_value(json_object_get(result, "outcome"));
    outcome = outcome ? outcome : "refused";
    if (strcmp(outcome, "failed") == 0)
        return false;
    im->sent++;
    if (strcmp(outcome, "created") == 0) {
        im->created++;
    } else if (strcmp(outcome, "updated") == 0) {
        im->updated++;
    } else if (strcmp(outcome, "unchanged") == 0) {
        im->unchanged++;
    } else if (strcmp(outcome, "kept") == 0) {
        im->kept++;
    } else {
        problem_text(json_object_get(result, "problem"), why, sizeof(why));
        bad_line(im, im->line[i], json_string_value(json_object_get(wanted, "user")), why);
    }
    im->reused += json_object_get(result, "warnings") != NULL;
    print_password(result);
    return true;
}

/* Takes the results and leaves in the batch what must be tried again. */
static void take_results(struct import *im, const json_t *results)
{
    json_t *again = json_array();
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(im->users); i++) {
        if (take_result(im, i, json_array_get(results, i)))
            continue;
        json_array_append(again, json_array_get(im->users, i));
        im->line[n++] = im->line[i];
    }
    json_decref(im->users);
    im->users = again;
}

static int send_batch(struct import *im)
{
    for (unsigned tries = 0; json_array_size(im->users) > 0; tries++) {
        unsigned status = 0;
        json_t *answer = NULL;
        char text[1024];
        if (tries > 0)
            sleep(1);
        json_t *body =
            json_pack("{s:O, s:s}", "users", im->users, "existing", im->keep ? "keep" : "update");
        int err = client_call(im->ctl->client, "POST", body, &status, &answer, "/v1/import");
        if (!err && status == 200)
            take_results(im, json_object_get(answer, "results"));
        else if (!err)
            complain("%s (%u)", problem_text(answer, text, sizeof(text)), status);
        json_decref(answer);
        if (!err && status != 200 && status != 503)
            return EXIT_REFUSED;
        if (tries == RETRIES && json_array_size(im->users) > 0) {
            complain("stopped before %s:%lu; run the import again to go on", im->name, im->line[0]);
            return EXIT_UNREACHABLE;
        }
    }
    im->bytes = 0;
    show_progress(im);
    return EXIT_OK;
}

static bool has_secret(const json_t *user)
{
    return json_object_get(user, "password") || json_object_get(user, "verifiers") ||
           json_object_get(user, "generate");
}

/* Steals user. */
static int add(struct import *im, json_t *user, unsigned long line)
{
    int err = EXIT_OK;
    size_t bytes = json_dumpb(user, NULL, 0, JSON_COMPACT);
    if (im->ctl->realm && !json_object_get(user, "realm"))
        json_object_set_new(user, "realm", json_string(im->ctl->realm));
    if (im->generate && !has_secret(user))
        json_object_set_new(user, "generate", json_true());
    if (im->allow_weak)
        json_object_set_new(user, "allow_weak", json_true());
    if (json_array_size(im->users) == BATCH || im->bytes + bytes > BATCH_BYTES)
        err = send_batch(im);
    if (err) {
        json_decref(user);
        return err;
    }
    im->line[json_array_size(im->users)] = line;
    json_array_append_new(im->users, user);
    im->bytes += bytes;
    return EXIT_OK;
}

static int read_all(struct import *im, struct rows *rows)
{
    json_t *user;
    unsigned long line = 0;
    const char *why;
    int got, err = EXIT_OK;
    while (!err && (got = rows_next(rows, &user, &line, &why)) != 0) {
        if (got > 0)
            err = add(im, user, line);
        else
            bad_line(im, line, NULL, why);
    }
    return err ? err : send_batch(im);
}

/* ---- at the end ---- */

static void tell_lacking(FILE *f, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *realm = json_array_get(list, i);
        const char *algorithm;
        json_t *n;
        json_object_foreach(json_object_get(realm, "lacking"), algorithm, n)
        {
            if (json_integer_value(n) > 0)
                fprintf(
                    f,
                    "realm %s: %lld enabled users lack a verifier for %s, so it is not offered\n",
                    json_string_value(json_object_get(realm, "realm")),
                    (long long)json_integer_value(n), algorithm);
        }
    }
}

static int finish(struct import *im)
{
    json_t *answer = NULL;
    int err = ctl_call(im->ctl, "GET", NULL, &answer, "/v1/realms", "");
    FILE *f = im->generate ? stderr : stdout; /* standard output has the passwords */
    double took = seconds_since(&im->begun);
    if (im->progress)
        fputs("\r\033[K", stderr);
    if (im->ctl->json && !im->generate) {
        json_t *j = json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:O}", "created",
                              (json_int_t)im->created, "updated", (json_int_t)im->updated,
                              "unchanged", (json_int_t)im->unchanged, "kept", (json_int_t)im->kept,
                              "bad", (json_int_t)im->bad, "seconds", took, "problems", im->faults);
        if (answer)
            json_object_set(j, "realms", json_object_get(answer, "realms"));
        print_json(j);
        json_decref(j);
    } else {
        fprintf(f, "%lu created, %lu updated, %lu unchanged, %lu kept, %lu bad lines in %.1f s\n",
                im->created, im->updated, im->unchanged, im->kept, im->bad, took);
        tell_lacking(f, json_object_get(answer, "realms"));
    }
    if (im->reused)
        complain("warning: %lu users have one password in several realms", im->reused);
    json_decref(answer);
    return err ? err : im->bad ? EXIT_REFUSED : EXIT_OK;
}

static int import(struct import *im, FILE *f, enum rows_format format)
{
    struct rows *rows = rows_open(f, im->name, format);
    if (!rows)
        return EXIT_REFUSED;
    im->users = json_array();
    im->faults = json_array();
    clock_gettime(CLOCK_MONOTONIC, &im->begun);
    if (im->generate)
        puts("user,realm,password");
    int err = read_all(im, rows);
    if (!err)
        err = finish(im);
    json_decref(im->users);
    json_decref(im->faults);
    rows_free(&rows);
    return err;
}

int user_import(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = {
        { "format", required_argument, NULL, 'f' }, { "keep", no_argument, NULL, 'k' },
        { "generate", no_argument, NULL, 'g' },     { "allow-weak", no_argument, NULL, 'w' },
        { "realm", required_argument, NULL, 'r' },  { NULL, 0, NULL, 0 },
    };
    struct import im = { .ctl = c, .progress = isatty(STDERR_FILENO) };
    enum rows_format format = ROWS_GUESS;
    int o;
    optind = 0;
    opterr = 0;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (o) {
        case 'f':
            if (strcmp(optarg, "csv") && strcmp(optarg, "jsonl"))
                return bad_usage(c, "--format is csv or jsonl");
            format = strcmp(optarg, "csv") ? ROWS_JSONL : ROWS_CSV;
            break;
        case 'k':
            im.keep = true;
            break;
        case 'g':
            im.generate = true;
            break;
        case 'w':
            im.allow_weak = true;
            break;
        case 'r':
            c->realm = optarg;
            break;
        default:
            return bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        }
    }
    if (argc - optind != 1)
        return bad_usage(c, "say one file");
    im.name = argv[optind];
    bool standard = strcmp(im.name, "-") == 0;
    FILE *f = standard ? stdin : fopen(im.name, "r");
    if (!f) {
        complain("%s: %s", im.name, strerror(errno));
        return EXIT_REFUSED;
    }
    int err = import(&im, f, format);
    if (!standard)
        fclose(f);
    return err;
}
