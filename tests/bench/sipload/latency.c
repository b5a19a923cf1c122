#include "latency.h"

/* Below 64 each value has its bucket; above, every power of two is cut into 64. */
static unsigned bucket_of(uint64_t us)
{
    unsigned shift = us < LATENCY_FINE ? 0 : 57 - (unsigned)__builtin_clzll(us);
    uint64_t i = shift * LATENCY_FINE + (us >> shift);
    return i < LATENCY_BUCKETS ? (unsigned)i : LATENCY_BUCKETS - 1;
}

/* The largest value of a bucket. */
static uint64_t bucket_end(unsigned i)
{
    unsigned shift = i < 2 * LATENCY_FINE ? 0 : i / LATENCY_FINE - 1;
    return ((uint64_t)(i - shift * LATENCY_FINE + 1) << shift) - 1;
}

void latency_add(struct latency *l, int64_t ns)
{
    uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;
    l->count[bucket_of(us)]++;
    l->n++;
    if (us > l->max_us)
        l->max_us = us;
}

uint64_t latency_at(const struct latency *l, double share)
{
    uint64_t seen = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += l->count[i];
        if (seen > 0 && (double)seen >= share * (double)l->n)
            return bucket_end(i) < l->max_us ? bucket_end(i) : l->max_us;
    }
    return l->max_us;
}
