#include "authd/store/uses.h"

#include <stdlib.h>

#include "authd/store/user.h"
#include "base/lru.h"
#include "base/metric.h"

#define KEEP_MS "7776000000" /* 90 days */

enum { REMEMBERED = 20000, KEY_MAX = 2 * USER_MAX_NAME + 32 };

static const struct duration seldom = { 600000 };

struct uses {
    struct loop *loop;
    struct redis *redis;
    struct lru noted; /* by key and algorithm: what was written lately */
};

int uses_new(struct loop *l, struct redis *r, struct uses **out)
{
    struct uses *u = calloc(1, sizeof(*u));
    *out = u;
    if (!u)
        return CS_ENOMEM;
    u->loop = l;
    u->redis = r;
    lru_init(&u->noted, REMEMBERED, seldom);
    return 0;
}

void uses_free(struct uses **up)
{
    struct uses *u = *up;
    *up = NULL;
    if (!u)
        return;
    lru_fini(&u->noted);
    free(u);
}

static struct span key_of(struct buf *b, struct span name, struct span realm)
{
    buf_lit(b, "cs:used:{");
    buf_put(b, name);
    buf_putc(b, '@');
    buf_put(b, realm);
    buf_putc(b, '}');
    return buf_span(b);
}

static bool was_noted(struct uses *u, struct span key, enum algorithm alg)
{
    char space[KEY_MAX + 1];
    struct buf b = BUF_INIT(space);
    const struct mono now = loop_now(u->loop);
    buf_put(&b, key);
    buf_putc(&b, (char)('0' + alg));
    if (lru_get(&u->noted, buf_span(&b), now).p)
        return true;
    lru_put(&u->noted, buf_span(&b), SPAN("+"), now);
    return false;
}

void uses_note(struct uses *u, struct span name, struct span realm, enum algorithm alg, bool old)
{
    char space[KEY_MAX], text[24];
    struct buf b = BUF_INIT(space), now = BUF_INIT(text);
    const struct span key = key_of(&b, name, realm);
    metric_add(M_AUTHD_OLD_VERIFIERS, 0, old);
    if (!buf_ok(&b) || !redis_is_ready(u->redis) || (was_noted(u, key, alg) && !old))
        return;
    buf_u64(&now, (uint64_t)loop_wall(u->loop).ms);
    if (old) {
        redis_do(u->redis, redis_ignore, NULL, SPAN("HINCRBY"), key, SPAN("old"), SPAN("1"));
        redis_do(u->redis, redis_ignore, NULL, SPAN("HSET"), key, algorithm_name(alg),
                 buf_span(&now), SPAN("old_last"), buf_span(&now));
    } else {
        redis_do(u->redis, redis_ignore, NULL, SPAN("HSET"), key, algorithm_name(alg),
                 buf_span(&now));
    }
    redis_do(u->redis, redis_ignore, NULL, SPAN("PEXPIRE"), key, SPAN(KEEP_MS));
}

struct redis_call *uses_ask(struct uses *u, struct span name, struct span realm, redis_fn *fn,
                            void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    return redis_do(u->redis, fn, arg, SPAN("HMGET"), key_of(&b, name, realm),
                    algorithm_name(ALG_MD5), algorithm_name(ALG_SHA256),
                    algorithm_name(ALG_SHA512_256), SPAN("old"), SPAN("old_last"));
}

static uint64_t number(const struct redis_reply *r)
{
    uint64_t n = 0;
    return r->type == REDIS_STRING && span_u64(r->str, INT64_MAX, &n) == 0 ? n : 0;
}

int uses_read(const struct redis_reply *r, struct use *out)
{
    *out = (struct use){ 0 };
    if (!r || r->type == REDIS_ERROR)
        return CS_ECLOSED;
    if (r->type != REDIS_ARRAY || r->n != ALG_COUNT + 2)
        return CS_EPROTO;
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++)
        out->last[alg].ms = (int64_t)number(&r->element[alg]);
    out->old = number(&r->element[ALG_COUNT]);
    out->old_last.ms = (int64_t)number(&r->element[ALG_COUNT + 1]);
    return 0;
}
