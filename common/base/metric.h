/* Counters, gauges and histograms, declared once in metrics.def and shown in the OpenMetrics text
 * format. One thread writes a metric; readers may be late. */
#ifndef CS_BASE_METRIC_H
#define CS_BASE_METRIC_H

#include "base/buf.h"
#include "base/clock.h"

/* Which part of the system feeds a metric; a daemon shows the parts that it has. */
enum metric_part {
    METRIC_PROCESS = 1 << 0,
    METRIC_SIP = 1 << 1,
    METRIC_GATE = 1 << 2,
    METRIC_REDIS = 1 << 3,
    METRIC_REGISTRAR = 1 << 4,
    METRIC_AUTHD = 1 << 5,
};

enum metric {
#define METRIC(id, part, kind, name, label, values, help) M_##id,
#include "base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

/* A counter or gauge without a label, or the value at index i of its label's list. */
void metric_add(enum metric m, unsigned i, int64_t n);
void metric_set(enum metric m, unsigned i, int64_t v);
int64_t metric_get(enum metric m, unsigned i);
/* Histograms are in seconds, with buckets from 50 microseconds to 5 seconds. */
void metric_observe(enum metric m, struct mono since, struct mono now);
static inline void metric_inc(enum metric m, unsigned i)
{
    metric_add(m, i, 1);
}

/* Writes all metrics of the parts, with TYPE and HELP lines and the closing "# EOF". */
void metric_write(struct buf *b, unsigned parts);

#endif
