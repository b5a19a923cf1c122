/* When something holds: days, dates and hours on the clock of a time zone. */
#ifndef CS_SCHEDULE_SCHEDULE_H
#define CS_SCHEDULE_SCHEDULE_H

#include "schedule/zone.h"

/* Days, then hours; one of them may be left away.
 *
 *     Mon-Fri 08:00-18:00    Sat,Sun    22:00-06:00    Fri 22:00-06:00 (until Saturday's six)
 *     2026-12-24 14:00-24:00    12-25    2026-12-24..2027-01-02    12-24..01-02 */
struct period {
    enum { PERIOD_DAYS, PERIOD_DATES, PERIOD_DATES_YEARLY } kind;
    unsigned weekdays;   /* bits 1 << weekday, 0 is Sunday */
    int64_t first, last; /* days since 1970, both belong to it; yearly: month * 100 + day */
    int from, to;        /* minutes of the day; to <= from: it ends on the next day */
};
enum { PERIOD_MAX = 64 }; /* characters */

/* CS_EPROTO. */
CS_CHECK int period_parse(struct span text, struct period *out);

struct schedule {
    struct span name, time_zone;
    struct zone zone;
    struct span *open, *closed; /* as they were written */
    size_t n_open, n_closed;
    struct period *open_periods, *closed_periods; /* as many */
};

/* What is closed is not open. Without open all the time is, but for what is closed. */
bool schedule_is_open(const struct schedule *s, struct wall t);

#endif
