#include "base/rand.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { POOL = 1024 };

static _Thread_local struct {
    unsigned char bytes[POOL];
    size_t left;
} pool;

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Parent and child must not go on with the same bytes. */
static void forget(void)
{
    pool.left = 0;
}

static void watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, forget))
        abort();
}

static void fetch(void *out, size_t n)
{
    unsigned char *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
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
    if (pool.left < n) {
        pthread_once(&once, watch_forks);
        fetch(pool.bytes, POOL);
        pool.left = POOL;
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
