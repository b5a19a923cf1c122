/* Time has a type. Monotonic for deadlines, wall for what is stored or shown. */
#ifndef CS_BASE_CLOCK_H
#define CS_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct duration {
    int64_t ms;
};
struct mono {
    int64_t ns; /* CLOCK_MONOTONIC; 0 means never */
};
struct wall {
    int64_t ms; /* since 1970-01-01 UTC */
};

#define DURATION_MS(n) ((struct duration){ (n) })
#define DURATION_S(n)  ((struct duration){ (n)*INT64_C(1000) })

struct mono clock_mono(void);
struct wall clock_wall(void);
/* The same in microseconds, for what is ordered by it. */
uint64_t clock_wall_us(void);

static inline struct mono mono_add(struct mono t, struct duration d)
{
    return (struct mono){ t.ns + d.ms * INT64_C(1000000) };
}
static inline bool mono_before(struct mono a, struct mono b)
{
    return a.ns < b.ns;
}
/* Whole milliseconds from a to b, rounded down; negative if b is earlier. */
static inline struct duration mono_since(struct mono a, struct mono b)
{
    return (struct duration){ (b.ns - a.ns) / 1000000 };
}
static inline struct wall wall_add(struct wall t, struct duration d)
{
    return (struct wall){ t.ms + d.ms };
}

/* 2026-11-21T06:32:21.123Z (RFC 3339); out holds 25 bytes. */
enum { WALL_STRLEN = 25 };
void wall_format(struct wall t, char out[WALL_STRLEN]);
/* Sat, 21 Nov 2026 06:32:21 GMT (RFC 3261, section 20.17); out holds 30 bytes. */
enum { WALL_HTTP_STRLEN = 30 };
void wall_format_http(struct wall t, char out[WALL_HTTP_STRLEN]);
/* 2026-11-21, when that day begins in UTC, or 2026-11-21T06:32:21Z (RFC 3339, without fractions and
 * in UTC alone); of the years 1970 to 9999. CS_EPROTO for anything else, and *out is 0. */
CS_CHECK int wall_parse(struct span text, struct wall *out);

#endif
