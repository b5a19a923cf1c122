#include "authd/check/algorithm.h"

#include "base/util.h"

static const struct {
    struct span name;
    size_t len;
} algs[ALG_COUNT] = {
    [ALG_MD5] = { SPAN_INIT("MD5"), 16 },
    [ALG_SHA256] = { SPAN_INIT("SHA-256"), 32 },
    [ALG_SHA512_256] = { SPAN_INIT("SHA-512-256"), 32 },
};

struct span algorithm_name(enum algorithm alg)
{
    return alg < ALG_COUNT ? algs[alg].name : SPAN("?");
}

enum algorithm algorithm_of(struct span name, bool *sess)
{
    *sess = false;
    if (!name.p)
        return ALG_MD5; /* RFC 7616, 3.4 */
    for (enum algorithm i = 0; i < ALG_COUNT; i++) {
        if (!span_casestarts(name, algs[i].name))
            continue;
        struct span rest = span_skip(name, algs[i].name.n);
        *sess = span_caseeq(rest, SPAN("-sess"));
        if (rest.n == 0 || *sess)
            return i;
    }
    return ALG_UNKNOWN;
}

size_t algorithm_len(enum algorithm alg)
{
    return alg < ALG_COUNT ? algs[alg].len : 0;
}
