/* A time zone: what a clock on its walls shows at an instant. Read from the bytes of a TZif file
 * (RFC 8536, versions 2 and up), as the system keeps them, or from a rule as POSIX writes it in TZ,
 * which is also what such a file ends with: CET-1CEST,M3.5.0,M10.5.0/3. */
#ifndef CS_SCHEDULE_ZONE_H
#define CS_SCHEDULE_ZONE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/util.h"

/* When a year's summer time begins or ends. */
struct zone_date {
    enum { ZONE_WEEKDAY, ZONE_JULIAN, ZONE_DAY } kind; /* M3.5.0, J60, 59 */
    int month, week, day;
    int32_t second; /* of that day, on the clock that is about to be changed */
};

struct zone_rule {
    bool known, summer;            /* summer: the clock is changed */
    int32_t offset, summer_offset; /* seconds east of UTC */
    struct zone_date begins, ends;
};

/* All zero is UTC. */
struct zone {
    size_t n;
    const int64_t *at;     /* seconds since 1970, ascending: from then on */
    const int32_t *offset; /* this many seconds east of UTC */
    int32_t first;         /* before at[0] */
    struct zone_rule rule; /* from the last of at on */
};

/* CS_EPROTO for what is no such file, or says no more than what was before 1970; CS_ENOMEM. */
CS_CHECK int zone_parse(struct span file, struct arena *a, struct zone *out);
/* CS_EPROTO. */
CS_CHECK int zone_rule_parse(struct span text, struct zone_rule *out);

/* Of the Gregorian calendar. */
struct local_time {
    int year, month, day; /* month and day from 1 */
    int weekday;          /* 0 is Sunday */
    int minute;           /* of the day */
};
struct local_time zone_local(const struct zone *z, struct wall t);

/* Days from 1970-01-01 to that day. */
int64_t zone_days(int year, int month, int day);

#endif
