#include "print.h"

#include <inttypes.h>
#include <stdio.h>

static void print_usage(const struct usage *u, uint64_t ops)
{
    double sum = 0;
    printf("  \"cpu\": [");
    for (size_t i = 0; i < u->n; i++) {
        printf("%s{\"pid\": %d, \"us\": %.0f, \"waits\": %" PRId64 ", \"preempted\": %" PRId64 "}",
               i > 0 ? ", " : "", u->pid[i], (double)u->ns[i] / 1e3, u->waits[i], u->preempted[i]);
        sum += (double)u->ns[i] / 1e3;
    }
    printf("],\n  \"cpu_us\": %.0f,\n", sum);
    if (ops > 0)
        printf("  \"cpu_us_per_op\": %.3f,\n", sum / (double)ops);
}

void print_measured(uint64_t ops, double seconds, const struct latency *latency,
                    const struct usage *usage)
{
    printf("  \"ops\": %" PRIu64 ",\n  \"seconds\": %.4f,\n  \"ops_per_s\": %.1f,\n", ops, seconds,
           seconds > 0 ? (double)ops / seconds : 0);
    printf("  \"latency_us\": {\"p50\": %" PRIu64 ", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64
           ", \"max\": %" PRIu64 "},\n",
           latency_at(latency, 0.5), latency_at(latency, 0.9), latency_at(latency, 0.99),
           latency->max_us);
    print_usage(usage, ops);
}
