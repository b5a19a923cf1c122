#include "schedule/zone.h"

enum { DAY = 86400, HEADER = 44, TYPE = 6 };

/* ---- the calendar ---- */

/* Counted from March, so that a leap day is the last of its year. */
int64_t zone_days(int year, int month, int day)
{
    const int64_t y = (int64_t)year - (month <= 2);
    const int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static struct local_time calendar(int64_t second)
{
    const int64_t days = floor_div(second, DAY), z = days + 719468, era = floor_div(z, 146097);
    const int64_t of_era = z - era * 146097;
    const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * of_year + 2) / 153; /* 0 is March */
    return (struct local_time){
        .year = (int)(year + era * 400 + (month >= 10)),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
        .minute = (int)((second - days * DAY) / 60),
    };
}

/* ---- a rule of POSIX (XBD, 8.3; RFC 8536, 3.3.1) ---- */

struct reader {
    struct span s;
    bool bad;
};

static bool accept(struct reader *r, char c)
{
    if (!r->s.n || r->s.p[0] != c)
        return false;
    r->s = span_skip(r->s, 1);
    return true;
}

static int number(struct reader *r, int low, int high)
{
    int n = 0;
    size_t i = 0;
    for (; i < r->s.n && i < 3 && ascii_digit(r->s.p[i]); i++)
        n = n * 10 + (r->s.p[i] - '0');
    r->bad = r->bad || i == 0 || n < low || n > high;
    r->s = span_skip(r->s, i);
    return n;
}

/* At least three letters, or anything between < and >. */
static void name(struct reader *r)
{
    size_t n = 0;
    if (accept(r, '<')) {
        span_cut(&r->s, '>');
        r->bad = r->bad || !r->s.p;
        return;
    }
    while (n < r->s.n && ascii_alpha(r->s.p[n]))
        n++;
    r->bad = r->bad || n < 3;
    r->s = span_skip(r->s, n);
}

/* [+-]hh[:mm[:ss]], in seconds */
static int32_t clock_time(struct reader *r, int hours)
{
    const bool minus = accept(r, '-');
    if (!minus)
        (void)accept(r, '+');
    int32_t t = number(r, 0, hours) * 3600;
    if (accept(r, ':'))
        t += number(r, 0, 59) * 60;
    if (accept(r, ':'))
        t += number(r, 0, 59);
    return minus ? -t : t;
}

static struct zone_date date(struct reader *r)
{
    struct zone_date d = { .second = 2 * 3600 };
    r->bad = r->bad || !accept(r, ',');
    if (accept(r, 'M')) {
        d.kind = ZONE_WEEKDAY;
        d.month = number(r, 1, 12);
        r->bad = r->bad || !accept(r, '.');
        d.week = number(r, 1, 5);
        r->bad = r->bad || !accept(r, '.');
        d.day = number(r, 0, 6);
    } else {
        d.kind = accept(r, 'J') ? ZONE_JULIAN : ZONE_DAY;
        d.day = number(r, d.kind == ZONE_JULIAN, 365);
    }
    if (accept(r, '/'))
        d.second = clock_time(r, 167);
    return d;
}

int zone_rule_parse(struct span text, struct zone_rule *out)
{
    struct reader r = { .s = text };
    struct zone_rule rule = { .known = true };
    *out = (struct zone_rule){ 0 };
    name(&r);
    rule.offset = -clock_time(&r, 24); /* POSIX counts to the west */
    rule.summer = r.s.n > 0;
    if (rule.summer) {
        name(&r);
        rule.summer_offset = rule.offset + 3600;
        if (r.s.n && r.s.p[0] != ',')
            rule.summer_offset = -clock_time(&r, 24);
        rule.begins = date(&r);
        rule.ends = date(&r);
    }
    if (r.bad || r.s.n)
        return CS_EPROTO;
    *out = rule;
    return 0;
}

/* That date's second since 1970, on its clock. */
static int64_t second_of(const struct zone_date *d, int year)
{
    int64_t day;
    if (d->kind == ZONE_WEEKDAY) {
        const int64_t first = zone_days(year, d->month, 1);
        const int64_t next =
            d->month == 12 ? zone_days(year + 1, 1, 1) : zone_days(year, d->month + 1, 1);
        const int64_t weekday = ((first + 4) % 7 + 7) % 7;
        day = first + (d->day - weekday + 7) % 7 + 7 * (d->week - 1);
        if (day >= next) /* 5 is the last, be it the fourth */
            day -= 7;
    } else {
        day = zone_days(year, 1, 1) + d->day;
        if (d->kind == ZONE_JULIAN) { /* J60 is March 1st, leap year or not */
            const bool leap = zone_days(year, 3, 1) - zone_days(year, 2, 1) == 29;
            day += leap && d->day >= 60 ? 0 : -1;
        }
    }
    return day * DAY + d->second;
}

static int32_t rule_offset(const struct zone_rule *r, int64_t t)
{
    if (!r->summer)
        return r->offset;
    const int year = calendar(t + r->offset).year;
    const int64_t begins = second_of(&r->begins, year) - r->offset;
    const int64_t ends = second_of(&r->ends, year) - r->summer_offset;
    const bool summer = begins < ends ? t >= begins && t < ends : t >= begins || t < ends;
    return summer ? r->summer_offset : r->offset;
}

/* ---- a file ---- */

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t v = 0;
    while (n--)
        v = v << 8 | (unsigned char)*p++;
    return v;
}

struct block {
    size_t times, types, chars, leaps, standards, utcs;
};

static bool take_header(struct span *file, struct block *b)
{
    const struct span h = span_head(*file, HEADER);
    if (h.n < HEADER || !span_starts(h, SPAN("TZif")) || h.p[4] < '2')
        return false;
    size_t *const counts[] = {
        &b->utcs, &b->standards, &b->leaps, &b->times, &b->types, &b->chars
    };
    for (size_t i = 0; i < CS_LEN(counts); i++)
        *counts[i] = (size_t)big_endian(h.p + 20 + 4 * i, 4);
    *file = span_skip(*file, HEADER);
    return true;
}

static size_t block_size(const struct block *b, size_t width)
{
    return b->times * (width + 1) + b->types * TYPE + b->chars + b->leaps * (width + 4) +
           b->standards + b->utcs;
}

static bool read_times(struct span file, const struct block *b, int64_t *at, int32_t *offset)
{
    const char *index = file.p + 8 * b->times, *types = index + b->times;
    for (size_t i = 0; i < b->times; i++) {
        const unsigned char type = (unsigned char)index[i];
        at[i] = (int64_t)big_endian(file.p + 8 * i, 8);
        if (type >= b->types || (i && at[i] <= at[i - 1]))
            return false;
        offset[i] = (int32_t)big_endian(types + (size_t)type * TYPE, 4);
        if (offset[i] < -DAY || offset[i] > DAY)
            return false;
    }
    return true;
}

int zone_parse(struct span file, struct arena *a, struct zone *out)
{
    struct block b;
    struct zone z = { 0 };
    *out = z;
    if (!take_header(&file, &b) || block_size(&b, 4) > file.n)
        return CS_EPROTO;
    file = span_skip(file, block_size(&b, 4)); /* what version 1 can say */
    if (!take_header(&file, &b) || b.types == 0 || b.types > 256 || block_size(&b, 8) > file.n)
        return CS_EPROTO;
    int64_t *at = arena_alloc(a, b.times * sizeof(*at));
    int32_t *offset = arena_alloc(a, b.times * sizeof(*offset));
    if (!at || !offset)
        return CS_ENOMEM;
    z = (struct zone){ .n = b.times, .at = at, .offset = offset };
    z.first = (int32_t)big_endian(file.p + 9 * b.times, 4);
    if (z.first < -DAY || z.first > DAY || !read_times(file, &b, at, offset))
        return CS_EPROTO;
    file = span_skip(file, block_size(&b, 8));
    if (!span_starts(file, SPAN("\n")) || !span_ends(file, SPAN("\n")) || file.n < 2)
        return CS_EPROTO;
    file = span_head(span_skip(file, 1), file.n - 2);
    if (file.n && zone_rule_parse(file, &z.rule))
        return CS_EPROTO;
    *out = z;
    return 0;
}

static int32_t offset_at(const struct zone *z, int64_t t)
{
    if (z->rule.known && (z->n == 0 || t >= z->at[z->n - 1]))
        return rule_offset(&z->rule, t);
    size_t low = 0, high = z->n; /* how many of at are past */
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (z->at[middle] <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? z->offset[low - 1] : z->first;
}

struct local_time zone_local(const struct zone *z, struct wall t)
{
    const int64_t second = floor_div(t.ms, 1000);
    return calendar(second + offset_at(z, second));
}
