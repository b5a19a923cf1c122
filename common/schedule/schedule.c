#include "schedule/schedule.h"

enum { DAY_MINUTES = 24 * 60 };

/* ---- reading ---- */

static int weekday_of(struct span s)
{
    static const struct span names[] = { SPAN_INIT("Sun"), SPAN_INIT("Mon"), SPAN_INIT("Tue"),
                                         SPAN_INIT("Wed"), SPAN_INIT("Thu"), SPAN_INIT("Fri"),
                                         SPAN_INIT("Sat") };
    for (int i = 0; i < 7; i++) {
        if (span_caseeq(s, names[i]))
            return i;
    }
    return -1;
}

/* Mon-Fri,Sun; Sat-Mon goes over the end of the week */
static int read_weekdays(struct span s, unsigned *out)
{
    while (s.p) {
        struct span last = span_cut(&s, ','), first = span_cut(&last, '-');
        const int from = weekday_of(first), to = last.p ? weekday_of(last) : from;
        if (from < 0 || to < 0)
            return CS_EPROTO;
        for (int day = from;; day = (day + 1) % 7) {
            *out |= 1u << day;
            if (day == to)
                break;
        }
    }
    return 0;
}

/* n digits, up to a separator or the end */
static bool read_number(struct span *s, char sep, size_t n, uint64_t max, int *out)
{
    uint64_t v;
    const struct span digits = span_cut(s, sep);
    if (digits.n != n || span_u64(digits, max, &v))
        return false;
    *out = (int)v;
    return true;
}

/* 2026-12-24, or each year's 12-24 */
static bool read_date(struct span s, bool yearly, int64_t *out)
{
    int year = 2000, month, day; /* a leap year: 02-29 is a day */
    if ((!yearly && !read_number(&s, '-', 4, 9999, &year)) ||
        !read_number(&s, '-', 2, 12, &month) || !read_number(&s, '-', 2, 31, &day) || s.p ||
        month == 0 || day == 0)
        return false;
    const int64_t days = zone_days(year, month, day);
    const int64_t next = month == 12 ? zone_days(year + 1, 1, 1) : zone_days(year, month + 1, 1);
    *out = yearly ? month * 100 + day : days;
    return days < next && year >= 1970;
}

static int read_dates(struct span s, struct period *out)
{
    struct span first = s, last = first;
    for (size_t i = 0; i + 1 < s.n; i++) {
        if (s.p[i] == '.' && s.p[i + 1] == '.') {
            first = span_head(s, i);
            last = span_skip(s, i + 2);
            break;
        }
    }
    const bool yearly = first.n == 5;
    out->kind = yearly ? PERIOD_DATES_YEARLY : PERIOD_DATES;
    if (!read_date(first, yearly, &out->first) || !read_date(last, yearly, &out->last) ||
        (!yearly && out->last < out->first))
        return CS_EPROTO;
    return 0;
}

static bool read_minute(struct span s, int *out)
{
    int hour, minute;
    if (!read_number(&s, ':', 2, 24, &hour) || !read_number(&s, ':', 2, 59, &minute) || s.p ||
        (hour == 24 && minute))
        return false;
    *out = hour * 60 + minute;
    return true;
}

static int read_hours(struct span s, struct period *out)
{
    struct span from = span_cut(&s, '-');
    if (!read_minute(from, &out->from) || !s.p || !read_minute(s, &out->to) ||
        out->from == DAY_MINUTES || out->from == out->to)
        return CS_EPROTO;
    return 0;
}

int period_parse(struct span text, struct period *out)
{
    struct span hours = span_trim(text), days = hours;
    struct period p = { .kind = PERIOD_DAYS, .weekdays = 0x7f, .to = DAY_MINUTES };
    int err = 0;
    *out = (struct period){ 0 };
    if (!text.n || text.n > PERIOD_MAX)
        return CS_EPROTO;
    if (span_find(days, ' ') >= 0 || span_find(days, ':') < 0)
        days = span_cut(&hours, ' ');
    else
        days = SPAN_NULL;
    if (days.n && ascii_digit(days.p[0])) {
        err = read_dates(days, &p);
    } else if (days.p) {
        p.weekdays = 0;
        err = read_weekdays(days, &p.weekdays);
    }
    if (!err && hours.p)
        err = read_hours(span_trim(hours), &p);
    if (!err)
        *out = p;
    return err;
}

/* ---- asking ---- */

static bool is_day(const struct period *p, const struct local_time *t)
{
    const int64_t day = zone_days(t->year, t->month, t->day), of_year = t->month * 100 + t->day;
    switch (p->kind) {
    case PERIOD_DAYS:
        return p->weekdays >> t->weekday & 1;
    case PERIOD_DATES:
        return day >= p->first && day <= p->last;
    case PERIOD_DATES_YEARLY:
        return p->first <= p->last ? of_year >= p->first && of_year <= p->last
                                   : of_year >= p->first || of_year <= p->last;
    }
    return false;
}

/* The day before, at noon: its date is all that counts. */
static struct local_time day_before(const struct local_time *t)
{
    static const struct zone utc;
    const int64_t day = zone_days(t->year, t->month, t->day) - 1;
    return zone_local(&utc, (struct wall){ (day * 24 + 12) * 3600 * 1000 });
}

static bool holds(const struct period *list, size_t n, const struct local_time *now)
{
    const struct local_time before = day_before(now);
    for (size_t i = 0; i < n; i++) {
        const struct period *p = &list[i];
        const bool over_night = p->to < p->from;
        if (is_day(p, now) && now->minute >= p->from && (over_night || now->minute < p->to))
            return true;
        if (over_night && is_day(p, &before) && now->minute < p->to)
            return true;
    }
    return false;
}

bool schedule_is_open(const struct schedule *s, struct wall t)
{
    const struct local_time now = zone_local(&s->zone, t);
    return (!s->n_open || holds(s->open_periods, s->n_open, &now)) &&
           !holds(s->closed_periods, s->n_closed, &now);
}
