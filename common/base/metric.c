#include "base/metric.h"

#include <inttypes.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };
enum { MAX_VALUES = 64, BUCKETS = 16 };

static const struct desc {
    enum metric_part part;
    enum kind kind;
    const char *name, *label, *values, *help;
} descs[METRIC_COUNT] = {
#define METRIC(id, part, kind, name, label, values, help) \
    { METRIC_##part, kind, name, label, values, help },
#include "base/metrics.def"
#undef METRIC
};

/* Upper bounds in microseconds. */
static const uint32_t bounds[BUCKETS] = { 50,     100,    200,     400,    800,   1500,
                                          3000,   6000,   12000,   25000,  50000, 100000,
                                          250000, 500000, 1000000, 5000000 };

static struct {
    int64_t v[MAX_VALUES];
} cells[METRIC_COUNT]; /* a histogram: buckets, then beyond, then the sum in nanoseconds */

void metric_add(enum metric m, unsigned i, int64_t n)
{
    if (i < MAX_VALUES) /* one writer: no locked instruction is needed */
        __atomic_store_n(&cells[m].v[i], __atomic_load_n(&cells[m].v[i], __ATOMIC_RELAXED) + n,
                         __ATOMIC_RELAXED);
}

void metric_set(enum metric m, unsigned i, int64_t v)
{
    if (i < MAX_VALUES)
        __atomic_store_n(&cells[m].v[i], v, __ATOMIC_RELAXED);
}

int64_t metric_get(enum metric m, unsigned i)
{
    return i < MAX_VALUES ? __atomic_load_n(&cells[m].v[i], __ATOMIC_RELAXED) : 0;
}

void metric_observe(enum metric m, struct mono since, struct mono now)
{
    int64_t ns = now.ns - since.ns;
    unsigned i = 0;
    while (i < BUCKETS && ns > (int64_t)bounds[i] * 1000)
        i++;
    metric_add(m, i, 1);
    metric_add(m, BUCKETS + 1, ns);
}

static void write_histogram(struct buf *b, enum metric m)
{
    const struct desc *d = &descs[m];
    int64_t count = 0;
    for (unsigned i = 0; i <= BUCKETS; i++) {
        count += metric_get(m, i);
        if (i < BUCKETS)
            buf_printf(b, "%s_bucket{le=\"%g\"} %" PRId64 "\n", d->name, bounds[i] / 1e6, count);
        else
            buf_printf(b, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n", d->name, count);
    }
    buf_printf(b, "%s_sum %.9f\n", d->name, (double)metric_get(m, BUCKETS + 1) / 1e9);
    buf_printf(b, "%s_count %" PRId64 "\n", d->name, count);
}

void metric_write(struct buf *b, unsigned parts)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        const struct desc *d = &descs[m];
        if (!(d->part & parts))
            continue;
        buf_printf(b, "# TYPE %s %s\n# HELP %s %s\n", d->name, types[d->kind], d->name, d->help);
        const char *suffix = d->kind == COUNTER ? "_total" : "";
        if (d->kind == HISTOGRAM) {
            write_histogram(b, m);
        } else if (!*d->label) {
            buf_printf(b, "%s%s %" PRId64 "\n", d->name, suffix, metric_get(m, 0));
        } else {
            struct span values = span_str(d->values);
            for (unsigned i = 0; values.p; i++) {
                struct span value = span_cut(&values, ',');
                buf_printf(b, "%s%s{%s=\"" SPAN_FMT "\"} %" PRId64 "\n", d->name, suffix, d->label,
                           SPAN_ARG(value), metric_get(m, i));
            }
        }
    }
    buf_lit(b, "# EOF\n");
}
