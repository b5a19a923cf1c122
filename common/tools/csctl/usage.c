/* What was typed, and what is said of it. */
#include <stdarg.h>

#include "csctl.h"

void complain(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("csctl: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

int bad_usage(struct ctl *c, const char *fmt, ...)
{
    va_list ap;
    const char *gap = *c->command ? " " : "";
    va_start(ap, fmt);
    fprintf(stderr, "csctl%s%s: ", gap, c->command);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nUsage: csctl%s%s %s\nMore: csctl%s%s --help\n", gap, c->command, c->usage,
            gap, c->command);
    va_end(ap);
    return EXIT_USAGE;
}

int take_timeout(struct ctl *c, const char *text, struct duration *out)
{
    struct span s = span_str(text);
    uint64_t n, unit = 0;
    if (span_ends(s, SPAN("ms")))
        unit = 1, s.n -= 2;
    else if (span_ends(s, SPAN("s")))
        unit = 1000, s.n -= 1;
    if (!unit || span_u64(s, 3600 * 1000, &n) || n == 0)
        return bad_usage(c, "\"%s\" is not a duration; write 10s", text);
    *out = DURATION_MS((int64_t)(n * unit));
    return EXIT_OK;
}
