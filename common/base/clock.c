#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/util.h"

struct mono clock_mono(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (struct mono){ (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec };
}

struct wall clock_wall(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (struct wall){ (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 };
}

uint64_t clock_wall_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void two(char *p, int v)
{
    p[0] = (char)('0' + v / 10 % 10);
    p[1] = (char)('0' + v % 10);
}

/* The calendar of a second, kept until the second changes: these run for every answer. */
static const struct tm *calendar(int64_t second)
{
    static _Thread_local struct tm tm;
    static _Thread_local int64_t of = INT64_MIN;
    if (of != second) {
        time_t t = (time_t)second;
        gmtime_r(&t, &tm);
        of = second;
    }
    return &tm;
}

void wall_format(struct wall t, char out[WALL_STRLEN])
{
    int64_t second = t.ms / 1000;
    int ms = (int)(t.ms % 1000);
    const struct tm *tm = calendar(second);
    int year = tm->tm_year + 1900;
    memcpy(out, "0000-00-00T00:00:00.000Z", WALL_STRLEN);
    two(out, year / 100);
    two(out + 2, year);
    two(out + 5, tm->tm_mon + 1);
    two(out + 8, tm->tm_mday);
    two(out + 11, tm->tm_hour);
    two(out + 14, tm->tm_min);
    two(out + 17, tm->tm_sec);
    out[20] = (char)('0' + ms / 100);
    two(out + 21, ms);
}

void wall_format_http(struct wall t, char out[WALL_HTTP_STRLEN])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const struct tm *tm = calendar(t.ms / 1000);
    int year = tm->tm_year + 1900;
    memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", WALL_HTTP_STRLEN);
    memcpy(out, days + 3 * tm->tm_wday, 3);
    two(out + 5, tm->tm_mday);
    memcpy(out + 8, months + 3 * tm->tm_mon, 3);
    two(out + 12, year / 100);
    two(out + 14, year);
    two(out + 17, tm->tm_hour);
    two(out + 20, tm->tm_min);
    two(out + 23, tm->tm_sec);
}

/* What stands in text where pattern has a 0; every other character must be the pattern's. */
static bool read_digits(struct span text, const char *pattern, int *out)
{
    bool inside = false;
    if (text.n != strlen(pattern))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (pattern[i] != '0') {
            inside = false;
            if (text.p[i] != pattern[i])
                return false;
            continue;
        }
        if (!ascii_digit(text.p[i]))
            return false;
        out += !inside && i > 0;
        inside = true;
        *out = *out * 10 + (text.p[i] - '0');
    }
    return true;
}

int wall_parse(struct span text, struct wall *out)
{
    int at[6] = { 0 }; /* year, month, day, hour, minute, second */
    out->ms = 0;
    if (!read_digits(text, text.n == 10 ? "0000-00-00" : "0000-00-00T00:00:00Z", at))
        return CS_EPROTO;
    struct tm tm = { .tm_year = at[0] - 1900, .tm_mon = at[1] - 1, .tm_mday = at[2] }, same = tm;
    const int64_t day = timegm(&same); /* a 30th of February becomes another day */
    if (at[0] < 1970 || same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday || at[3] > 23 ||
        at[4] > 59 || at[5] > 59)
        return CS_EPROTO;
    out->ms = (day + at[3] * 3600 + at[4] * 60 + at[5]) * 1000;
    return 0;
}
