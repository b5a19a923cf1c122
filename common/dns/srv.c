#include "dns/srv.h"

#include <stdlib.h>

uint64_t srv_next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* In one order for everybody, those without weight in front (RFC 2782, "Weight"). */
static int by_priority(const void *a, const void *b)
{
    const struct dns_srv *x = &((const struct dns_record *)a)->srv;
    const struct dns_srv *y = &((const struct dns_record *)b)->srv;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->weight != y->weight)
        return x->weight < y->weight ? -1 : 1;
    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    return span_cmp(x->target, y->target);
}

/* Puts the one that was drawn in front, and leaves the others in their order. */
static void move_to_front(struct dns_record *r, size_t at)
{
    struct dns_record drawn = r[at];
    memmove(r + 1, r, at * sizeof(*r));
    r[0] = drawn;
}

static void draw(struct dns_record *r, size_t n, uint64_t *seed)
{
    for (; n > 1; r++, n--) {
        uint64_t sum = 0, running = 0;
        for (size_t i = 0; i < n; i++)
            sum += r[i].srv.weight;
        uint64_t number = srv_next(seed) % (sum + 1); /* between 0 and the sum, inclusive */
        size_t at = 0;
        while ((running += r[at].srv.weight) < number)
            at++;
        move_to_front(r, at);
    }
}

void srv_order(struct dns_record *records, size_t n, uint64_t seed)
{
    if (n > 1)
        qsort(records, n, sizeof(*records), by_priority);
    for (size_t first = 0, last; first < n; first = last) {
        last = first + 1;
        while (last < n && records[last].srv.priority == records[first].srv.priority)
            last++;
        draw(records + first, last - first, &seed);
    }
}

static int by_address(const void *a, const void *b)
{
    return span_cmp(addr_host_bytes(&((const struct dns_record *)a)->addr),
                    addr_host_bytes(&((const struct dns_record *)b)->addr));
}

void srv_shuffle_addrs(struct dns_record *records, size_t n, uint64_t seed)
{
    if (n > 1)
        qsort(records, n, sizeof(*records), by_address);
    for (; n > 1; records++, n--)
        move_to_front(records, (size_t)(srv_next(&seed) % n));
}
