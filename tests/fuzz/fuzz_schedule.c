/* Any bytes as a file of a time zone, any text as a rule of one, and as a period. */
#include <assert.h>

#include "schedule/schedule.h"

static void ask(const struct zone *z)
{
    for (int64_t day = -40000; day < 60000; day += 1013) {
        const struct wall t = { day * 86400000 + day };
        const struct local_time l = zone_local(z, t);
        assert(l.month >= 1 && l.month <= 12 && l.day >= 1 && l.day <= 31);
        assert(l.weekday >= 0 && l.weekday < 7 && l.minute >= 0 && l.minute < 24 * 60);
        const int64_t days = zone_days(l.year, l.month, l.day);
        assert(days >= day - 3 && days <= day + 3);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = span_of(data, size);
    struct zone z = { 0 };
    struct period p;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    if (zone_parse(text, &a, &z) == 0)
        ask(&z);
    z = (struct zone){ 0 };
    if (zone_rule_parse(text, &z.rule) == 0)
        ask(&z);
    if (period_parse(text, &p) == 0) {
        const struct schedule s = { .n_open = 1, .open_periods = &p };
        assert(p.from >= 0 && p.from < 24 * 60 && p.to >= 0 && p.to <= 24 * 60);
        for (int64_t hour = 0; hour < 24 * 400; hour += 7)
            (void)schedule_is_open(&s, (struct wall){ hour * 3600000 });
    }
    arena_fini(&a);
    return 0;
}
