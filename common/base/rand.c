#include "base/rand.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { POOL = 1024 };

static _Thread_local struct {
    unsigned char bytes[POOL];
    size_t left;
    pid_t pid;
} pool;

static void fetch(void *out, size_t n)
{
    unsigned char *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got <= 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}

void rand_bytes(void *out, size_t n)
{
    if (n > POOL / 4) {
        fetch(out, n);
        return;
    }
    if (pool.left < n || pool.pid != getpid()) {
        fetch(pool.bytes, POOL);
        pool.left = POOL;
        pool.pid = getpid();
    }
    pool.left -= n;
    memcpy(out, pool.bytes + pool.left, n);
    memset(pool.bytes + pool.left, 0, n); /* what was handed out is not kept */
}

uint64_t rand_u64(void)
{
    uint64_t v;
    rand_bytes(&v, sizeof(v));
    return v;
}

uint64_t rand_below(uint64_t below)
{
    uint64_t v, limit = UINT64_MAX - UINT64_MAX % below;
    do {
        v = rand_u64();
    } while (v >= limit);
    return v % below;
}
