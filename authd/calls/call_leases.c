#include "authd/calls/call_leases.h"

#include "base/log.h"

enum { KEY_MAX = CALL_LEASE_NAME_MAX + 32 };

/* A rate is a bucket that holds as many calls as its window may have and fills as fast: kept as the
 * time when it will be full again, which each call moves on by its share of the window. */
static struct redis_script take_script = {
    .lua =
        "local now = tonumber(ARGV[1]) "
        "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1]) "
        "local most = tonumber(ARGV[4]) "
        "if most > 0 and redis.call('ZCARD', KEYS[1]) >= most and "
        "not redis.call('ZSCORE', KEYS[1], ARGV[2]) then return {1, 0} end "
        "local full = {} "
        "for i = 2, 3 do "
        "  local rate, window = tonumber(ARGV[3 + i]), i == 2 and 1000 or 60000 "
        "  if rate > 0 then "
        "    local at = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now) + window / rate "
        "    if at - now > window + 0.001 then return {i, math.ceil(at - now - window)} end "
        "    full[i] = at "
        "  end "
        "end "
        "for i, at in pairs(full) do "
        "  redis.call('SET', KEYS[i], string.format('%.3f', at), 'PX', "
        "             string.format('%d', math.ceil(at - now))) "
        "end "
        "redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2]) "
        "redis.call('PEXPIRE', KEYS[1], string.format('%d', ARGV[3] - now)) "
        "return {0, 0}",
};

static struct redis_script undo_script = {
    .lua = "local now = tonumber(ARGV[1]) "
           "redis.call('ZREM', KEYS[1], ARGV[2]) "
           "for i = 2, 3 do "
           "  local rate, window = tonumber(ARGV[1 + i]), i == 2 and 1000 or 60000 "
           "  local at = rate > 0 and tonumber(redis.call('GET', KEYS[i]) or 0) - window / rate "
           "  if at and at > now then "
           "    redis.call('SET', KEYS[i], string.format('%.3f', at), 'PX', "
           "               string.format('%d', math.ceil(at - now))) "
           "  elseif at then redis.call('DEL', KEYS[i]) end "
           "end "
           "return 0",
};

static struct span key_of(struct buf *b, const char *prefix, struct span name, const char *more)
{
    buf_put(b, span_str(prefix));
    buf_putc(b, '{');
    buf_put(b, name);
    buf_putc(b, '}');
    buf_put(b, span_str(more));
    return buf_span(b);
}

struct number {
    char text[24];
    struct buf b;
};

static struct span number(struct number *n, int64_t v)
{
    n->b = buf_of(n->text, sizeof(n->text));
    buf_i64(&n->b, v);
    return buf_span(&n->b);
}

bool call_lease_is_name(struct span name)
{
    return name.n <= CALL_LEASE_NAME_MAX &&
           (span_starts(name, SPAN("user:")) || span_starts(name, SPAN("tenant:")) ||
            span_starts(name, SPAN("trunk:")));
}

struct redis_call *call_lease_take(struct redis *r, const struct call_lease *l,
                                   const struct calls_limit *limit, redis_fn *fn, void *arg)
{
    char space[3][KEY_MAX];
    struct buf all = BUF_INIT(space[0]), second = BUF_INIT(space[1]), minute = BUF_INIT(space[2]);
    struct number now, until, n[3];
    const struct span argv[] = {
        key_of(&all, "cs:calls:", l->name, ""),
        key_of(&second, "cs:calls:", l->name, ":s"),
        key_of(&minute, "cs:calls:", l->name, ":m"),
        number(&now, l->now.ms),
        l->id,
        number(&until, l->now.ms + l->length.ms),
        number(&n[0], limit->at_once),
        number(&n[1], limit->per_second),
        number(&n[2], limit->per_minute),
    };
    return redis_script(r, &take_script, fn, arg, 3, CS_LEN(argv), argv);
}

int call_lease_read(const struct redis_reply *r, enum call_counted *out, struct duration *wait)
{
    *out = COUNTED;
    *wait = DURATION_MS(0);
    if (!r || r->type != REDIS_ARRAY || r->n != 2 || r->element[0].type != REDIS_INTEGER ||
        r->element[0].integer < COUNTED || r->element[0].integer > COUNTED_MINUTE ||
        r->element[1].type != REDIS_INTEGER)
        return CS_ECLOSED;
    *out = (enum call_counted)r->element[0].integer;
    wait->ms = r->element[1].integer;
    return 0;
}

void call_lease_undo(struct redis *r, const struct call_lease *l, const struct calls_limit *limit)
{
    char space[3][KEY_MAX];
    struct buf all = BUF_INIT(space[0]), second = BUF_INIT(space[1]), minute = BUF_INIT(space[2]);
    struct number now, n[2];
    const struct span argv[] = {
        key_of(&all, "cs:calls:", l->name, ""),
        key_of(&second, "cs:calls:", l->name, ":s"),
        key_of(&minute, "cs:calls:", l->name, ":m"),
        number(&now, l->now.ms),
        l->id,
        number(&n[0], limit->per_second),
        number(&n[1], limit->per_minute),
    };
    redis_script(r, &undo_script, redis_ignore, NULL, 3, CS_LEN(argv), argv);
}

void call_lease_keep(struct redis *r, const struct call_lease *l)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct number until, left;
    const struct span key = key_of(&b, "cs:calls:", l->name, "");
    redis_do(r, redis_ignore, NULL, SPAN("ZADD"), key, number(&until, l->now.ms + l->length.ms),
             l->id);
    redis_do(r, redis_ignore, NULL, SPAN("PEXPIRE"), key, number(&left, l->length.ms));
}

void call_lease_end(struct redis *r, const struct call_lease *l)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    redis_do(r, redis_ignore, NULL, SPAN("ZREM"), key_of(&b, "cs:calls:", l->name, ""), l->id);
}

struct redis_call *call_lease_list(struct redis *r, struct span name, struct wall now, unsigned max,
                                   redis_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct number from, n;
    return redis_do(r, fn, arg, SPAN("ZRANGEBYSCORE"), key_of(&b, "cs:calls:", name, ""),
                    number(&from, now.ms), SPAN("+inf"), SPAN("WITHSCORES"), SPAN("LIMIT"),
                    SPAN("0"), number(&n, max));
}

/* ---- countries ---- */

struct redis_call *call_went_ask(struct redis *r, struct span name, struct span country,
                                 redis_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    return redis_do(r, fn, arg, SPAN("ZSCORE"), key_of(&b, "cs:went:", name, ""), country);
}

void call_went_add(struct redis *r, struct span name, struct span country, struct wall now,
                   struct duration known)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct number at, past, left;
    const struct span key = key_of(&b, "cs:went:", name, "");
    redis_do(r, redis_ignore, NULL, SPAN("ZADD"), key, number(&at, now.ms), country);
    redis_do(r, redis_ignore, NULL, SPAN("ZREMRANGEBYSCORE"), key, SPAN("-inf"),
             number(&past, now.ms - known.ms));
    redis_do(r, redis_ignore, NULL, SPAN("PEXPIRE"), key, number(&left, known.ms));
}
