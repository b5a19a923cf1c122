#include "base/metric.h"

#include <inttypes.h>
#include <stdlib.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };
enum { MAX_VALUES = 64, BUCKETS = 16, HISTOGRAM_CELLS = BUCKETS + 2 };

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

static struct table {
    struct metric_label label[METRIC_LABELS];
    size_t n;   /* labels */
    int64_t *v; /* a cell for each row of values, the last label running fastest; or a histogram */
    size_t rows;
} tables[METRIC_COUNT];

/* One writer: no locked instruction is needed. */
static void add(int64_t *cell, int64_t n)
{
    __atomic_store_n(cell, __atomic_load_n(cell, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static int64_t get(const int64_t *cell)
{
    return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

void metric_add(enum metric m, unsigned i, int64_t n)
{
    if (i < MAX_VALUES)
        add(&cells[m].v[i], n);
}

void metric_set(enum metric m, unsigned i, int64_t v)
{
    if (i < MAX_VALUES)
        __atomic_store_n(&cells[m].v[i], v, __ATOMIC_RELAXED);
}

int64_t metric_get(enum metric m, unsigned i)
{
    return i < MAX_VALUES ? get(&cells[m].v[i]) : 0;
}

static void observe(int64_t *v, struct mono since, struct mono now)
{
    int64_t ns = now.ns - since.ns;
    unsigned i = 0;
    while (i < BUCKETS && ns > (int64_t)bounds[i] * 1000)
        i++;
    add(&v[i], 1);
    add(&v[BUCKETS + 1], ns);
}

void metric_observe(enum metric m, struct mono since, struct mono now)
{
    observe(cells[m].v, since, now);
}

int metric_bucket(enum metric m, unsigned i, int64_t *n, uint32_t *bound_us)
{
    if (i > BUCKETS)
        return CS_ENOENT;
    *n = get(&cells[m].v[i]);
    *bound_us = i < BUCKETS ? bounds[i] : 0;
    return 0;
}

/* ---- tables ---- */

int metric_table(enum metric m, const struct metric_label *labels, size_t n)
{
    struct table t = { .n = n, .rows = 1 };
    metric_table_drop(m);
    for (size_t i = 0; i < n; i++) {
        t.label[i] = labels[i];
        t.rows *= labels[i].n;
    }
    t.v = calloc(t.rows, sizeof(*t.v) * (descs[m].kind == HISTOGRAM ? HISTOGRAM_CELLS : 1));
    if (!t.v)
        return CS_ENOMEM;
    tables[m] = t;
    return 0;
}

void metric_table_drop(enum metric m)
{
    free(tables[m].v);
    tables[m] = (struct table){ 0 };
}

void metric_table_inc(enum metric m, const size_t *at)
{
    const struct table *t = &tables[m];
    size_t row = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (at[i] >= t->label[i].n || !t->label[i].values[at[i]].p)
            return;
        row = row * t->label[i].n + at[i];
    }
    if (t->v)
        add(&t->v[row], 1);
}

void metric_table_observe(enum metric m, size_t at, struct mono since, struct mono now)
{
    if (at < tables[m].rows)
        observe(tables[m].v + at * HISTOGRAM_CELLS, since, now);
}

/* ---- showing ---- */

static void write_label(struct buf *b, const char *name, struct span value)
{
    buf_printf(b, "%s=\"", name);
    for (size_t i = 0; i < value.n; i++) {
        const char c = value.p[i];
        if (c == '"' || c == '\\' || c == '\n')
            buf_putc(b, '\\');
        buf_putc(b, c == '\n' ? 'n' : c);
    }
    buf_putc(b, '"');
}

/* label absent: the histogram has none. */
static void write_histogram(struct buf *b, const char *name, const int64_t *v, struct span label)
{
    const char *comma = label.p ? "," : "", *open = label.p ? "{" : "", *close = label.p ? "}" : "";
    int64_t count = 0;
    for (unsigned i = 0; i <= BUCKETS; i++) {
        count += get(&v[i]);
        buf_printf(b, "%s_bucket{" SPAN_FMT "%sle=\"", name, SPAN_ARG(label), comma);
        if (i < BUCKETS)
            buf_printf(b, "%g\"} %" PRId64 "\n", bounds[i] / 1e6, count);
        else
            buf_printf(b, "+Inf\"} %" PRId64 "\n", count);
    }
    buf_printf(b, "%s_sum%s" SPAN_FMT "%s %.9f\n", name, open, SPAN_ARG(label), close,
               (double)get(&v[BUCKETS + 1]) / 1e9);
    buf_printf(b, "%s_count%s" SPAN_FMT "%s %" PRId64 "\n", name, open, SPAN_ARG(label), close,
               count);
}

static void write_histograms(struct buf *b, const char *name, const struct table *t)
{
    for (size_t row = 0; row < t->rows; row++) {
        char text[256];
        struct buf label = BUF_INIT(text);
        write_label(&label, t->label[0].name, t->label[0].values[row]);
        if (buf_ok(&label))
            write_histogram(b, name, t->v + row * HISTOGRAM_CELLS, buf_span(&label));
    }
}

static void write_cell(struct buf *b, const char *name, const struct table *t, size_t row)
{
    size_t at[METRIC_LABELS] = { 0 };
    for (size_t i = t->n, left = row; i-- > 0; left /= t->label[i].n)
        at[i] = left % t->label[i].n;
    buf_printf(b, "%s_total{", name);
    for (size_t i = 0; i < t->n; i++) {
        if (i > 0)
            buf_putc(b, ',');
        write_label(b, t->label[i].name, t->label[i].values[at[i]]);
    }
    buf_printf(b, "} %" PRId64 "\n", get(&t->v[row]));
}

static void write_table(struct buf *b, const struct desc *d, const struct table *t)
{
    if (d->kind == HISTOGRAM) {
        write_histograms(b, d->name, t);
        return;
    }
    for (size_t row = 0; row < t->rows; row++) {
        if (get(&t->v[row]))
            write_cell(b, d->name, t, row);
    }
}

static void write_values(struct buf *b, const struct desc *d, enum metric m)
{
    const char *suffix = d->kind == COUNTER ? "_total" : "";
    struct span values = span_str(d->values);
    if (!*d->label) {
        buf_printf(b, "%s%s %" PRId64 "\n", d->name, suffix, metric_get(m, 0));
        return;
    }
    for (unsigned i = 0; values.p; i++) {
        struct span value = span_cut(&values, ',');
        buf_printf(b, "%s%s{%s=\"" SPAN_FMT "\"} %" PRId64 "\n", d->name, suffix, d->label,
                   SPAN_ARG(value), metric_get(m, i));
    }
}

void metric_write(struct buf *b, unsigned parts)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        const struct desc *d = &descs[m];
        if (!(d->part & parts))
            continue;
        buf_printf(b, "# TYPE %s %s\n# HELP %s %s\n", d->name, types[d->kind], d->name, d->help);
        if (*d->label && !*d->values)
            write_table(b, d, &tables[m]);
        else if (d->kind == HISTOGRAM)
            write_histogram(b, d->name, cells[m].v, SPAN_NULL);
        else
            write_values(b, d, m);
    }
    buf_lit(b, "# EOF\n");
}
