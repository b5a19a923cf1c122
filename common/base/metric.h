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
    METRIC_B2BUA = 1 << 6,
    METRIC_TLS = 1 << 7,
    METRIC_HOPS = 1 << 8,
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
/* Of a histogram how many were in bucket i, and its upper bound in microseconds: 0 for what is
 * beyond all of them. CS_ENOENT: there are not so many. */
CS_CHECK int metric_bucket(enum metric m, unsigned i, int64_t *n, uint32_t *bound_us);
/* Histograms are in seconds, with buckets from 50 microseconds to 5 seconds. */
void metric_observe(enum metric m, struct mono since, struct mono now);
static inline void metric_inc(enum metric m, unsigned i)
{
    metric_add(m, i, 1);
}

/* A table: a counter with labels, or a histogram with one, whose values are known only when the
 * process runs. Until it is made it counts nothing and shows none. */
struct metric_label { /* everything is borrowed until the table is dropped */
    const char *name;
    const struct span *values; /* an absent one is not counted */
    size_t n;
};
enum { METRIC_LABELS = 4 };
/* Made anew if it was made. CS_ENOMEM. */
CS_CHECK int metric_table(enum metric m, const struct metric_label *labels, size_t n);
void metric_table_drop(enum metric m);
/* at: for each label the index of its value; what is out of range is not counted. */
void metric_table_inc(enum metric m, const size_t *at);
void metric_table_observe(enum metric m, size_t at, struct mono since, struct mono now);

/* Writes all metrics of the parts, with TYPE and HELP lines and the closing "# EOF". Of a
 * table of counters those that are not 0. */
void metric_write(struct buf *b, unsigned parts);

#endif
