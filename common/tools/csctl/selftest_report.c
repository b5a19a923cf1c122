#include "selftest_report.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

enum { NAME_WIDTH = 48, DATE = 32 };

static const char *const outcomes[] = {
    [STEP_SKIPPED] = "skipped",
    [STEP_PASSED] = "passed",
    [STEP_FAILED] = "FAILED",
};

void report_head(void)
{
    printf("%-*s  %-7s  %8s  %s\n", NAME_WIDTH, "step", "result", "ms", "seen");
}

void report_begin(const char *step)
{
    printf("%-*s  ...", NAME_WIDTH, step);
    fflush(stdout);
}

void report_row(const struct result *r)
{
    if (isatty(STDOUT_FILENO))
        fputs("\r\033[K", stdout);
    printf("%-*s  %-7s  %8.1f  %s\n", NAME_WIDTH, r->step, outcomes[r->outcome], r->ms, r->seen);
}

void report_json(const struct result *results, size_t n, bool passed)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct result *r = &results[i];
        json_array_append_new(steps,
                              json_pack("{s:s, s:s, s:s, s:s, s:f, s:s}", "section", r->section,
                                        "step", r->step, "rule", r->rule, "result",
                                        r->outcome == STEP_FAILED ? "failed" : outcomes[r->outcome],
                                        "ms", r->ms, "seen", r->seen));
    }
    json_t *j = json_pack("{s:b, s:o}", "passed", passed, "steps", steps);
    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6) | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(j);
}

/* ---- the report ---- */

/* What a server says is told as it is, but for what Markdown would make of it. */
static void put_cell(FILE *f, const char *text)
{
    for (; *text; text++) {
        if (*text == '|' || *text == '<' || *text == '`' || *text == '*')
            putc('\\', f);
        putc((unsigned char)*text < ' ' ? ' ' : *text, f);
    }
    fputs(" | ", f);
}

static void put_row(FILE *f, const struct result *r)
{
    fputs("| ", f);
    put_cell(f, r->step);
    put_cell(f, r->rule);
    put_cell(f, outcomes[r->outcome]);
    put_cell(f, r->seen);
    putc('\n', f);
}

static size_t count(const struct result *results, size_t n, const char *section, enum outcome what)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += (!section || results[i].section == section) && results[i].outcome == what;
    return found;
}

static void put_sums(FILE *f, const struct result *results, size_t n)
{
    const char *section = NULL;
    fputs("\n| part | passed | failed | skipped |\n|---|---|---|---|\n", f);
    for (size_t i = 0; i < n; i++) {
        if (results[i].section == section)
            continue;
        section = results[i].section;
        fprintf(f, "| %s | %zu | %zu | %zu |\n", section, count(results, n, section, STEP_PASSED),
                count(results, n, section, STEP_FAILED), count(results, n, section, STEP_SKIPPED));
    }
    fprintf(f, "| all | %zu | %zu | %zu |\n", count(results, n, NULL, STEP_PASSED),
            count(results, n, NULL, STEP_FAILED), count(results, n, NULL, STEP_SKIPPED));
}

static void put_failures(FILE *f, const struct result *results, size_t n)
{
    if (!count(results, n, NULL, STEP_FAILED)) {
        fputs("\nNothing failed.\n", f);
        return;
    }
    fputs("\n## What failed\n\n| test | by | result | seen |\n|---|---|---|---|\n", f);
    for (size_t i = 0; i < n; i++) {
        if (results[i].outcome == STEP_FAILED)
            put_row(f, &results[i]);
    }
}

static void put_head(FILE *f, const struct selftest *t)
{
    char date[DATE], address[ADDR_STRLEN];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
    fputs("# SIP conformance report\n\n| | |\n|---|---|\n", f);
    fprintf(f, "| domain | " SPAN_FMT " |\n", SPAN_ARG(t->conf[0].domain));
    for (size_t i = 0; i < CS_LEN(t->conf); i++)
        fprintf(f, "| phone %zu | over " SPAN_FMT " to %s |\n", i + 1,
                SPAN_ARG(sip_transport_via(t->conf[i].transport)),
                addr_format(&t->conf[i].server, address));
    fprintf(f, "| when | %s |\n| by | csctl selftest, Countersign " CS_VERSION " |\n", date);
    fputs("\nEach row is a test: what has to be so, the rule that says so, whether it was, and "
          "what was seen on the\n"
          "wire: methods with the status of each answer. A challenge (401, 407) that phones answer "
          "is part of it.\n"
          "Messages of RFC 4475 and RFC 5118 are sent as they are printed there, each over a "
          "connection of its\n"
          "own. A valid one has to be understood: any final answer but 400 and 5xx (501 is one); "
          "of a\n"
          "method that nobody knows 405 or 501, or none, for servers answer scanners seldom. An\n"
          "invalid one has to be refused by 4xx, 5xx or 6xx that is no challenge, or by no answer; "
          "a\n"
          "response that nobody asked for has none. Where the RFC leaves a choice, anything passes "
          "but\n"
          "success and failure of the server.\n",
          f);
}

int report_write(const char *file, const struct selftest *t, const struct result *results, size_t n)
{
    FILE *f = fopen(file, "w");
    const char *section = NULL;
    if (f) {
        put_head(f, t);
        put_sums(f, results, n);
        put_failures(f, results, n);
        for (size_t i = 0; i < n; i++) {
            if (results[i].section != section) {
                section = results[i].section;
                fprintf(f, "\n## %s\n\n| test | by | result | seen |\n|---|---|---|---|\n",
                        section);
            }
            put_row(f, &results[i]);
        }
        if (!ferror(f) && !fclose(f))
            return EXIT_OK;
    }
    complain("%s: %s", file, strerror(errno));
    return EXIT_USAGE;
}
