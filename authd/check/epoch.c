#include "authd/check/epoch.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"

enum { RETRY_MS = 100, ID_MAX = 64, KEY_MAX = 32 };

struct epoch {
    struct loop *loop;
    struct redis *redis;
    struct redis_call *call;
    struct timer retry;
    size_t master; /* of a cluster: the one that is looked at */
    bool known, complained;
    struct wall since, latest; /* ms == 0: since ever; latest: of those looked at so far */
};

static const struct log lg = { .module = "epoch" };

/* KEYS: cs:epoch. ARGV: run, promoted or "", "1" when a restart loses nothing, now. Whoever comes
 * first decides, the others learn. Each moment is behind the one before, so that no nonce dated
 * behind that one (EPOCH_SLACK_MS) is taken for younger. */
static struct redis_script look_script = {
    .lua = "local was = redis.call('HMGET', KEYS[1], 'run', 'promoted', 'since') "
           "local since = tonumber(was[3] or '0') "
           "local same = was[1] == ARGV[1] and (ARGV[2] == '' or was[2] == ARGV[2]) "
           "local kept = was[1] and ARGV[2] == '' and ARGV[3] == '1' "
           "if not same and not kept then since = math.max(since + 1, tonumber(ARGV[4])) end "
           "if not same or was[2] ~= ARGV[2] then "
           "redis.call('HSET', KEYS[1], 'run', ARGV[1], 'promoted', ARGV[2], "
           "'since', string.format('%.0f', since)) end "
           "return since",
};

/* ---- INFO ---- */

/* "name:value" on a line of its own. */
static struct span value_of(struct span text, struct span name)
{
    while (text.n) {
        struct span line = span_cut(&text, '\n');
        if (line.n && line.p[line.n - 1] == '\r')
            line = span_head(line, line.n - 1);
        if (line.n > name.n && line.p[name.n] == ':' && span_starts(line, name))
            return span_skip(line, name.n + 1);
    }
    return SPAN_NULL;
}

static bool is_id(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (ascii_hex(s.p[i]) < 0)
            return false;
    }
    return s.n > 0 && s.n <= ID_MAX;
}

static bool is_zero(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '0')
            return false;
    }
    return true;
}

int server_info_parse(struct span text, struct server_info *out)
{
    struct span run = value_of(text, SPAN("run_id"));
    struct span promoted = value_of(text, SPAN("master_replid2"));
    *out = (struct server_info){ 0 };
    if (!is_id(run) || !is_id(promoted))
        return CS_EPROTO;
    out->run = run;
    out->promoted = is_zero(promoted) ? SPAN_NULL : promoted;
    out->append_only = span_eq(value_of(text, SPAN("aof_enabled")), SPAN("1"));
    return 0;
}

/* ---- looking ---- */

static void retry_later(struct epoch *e)
{
    timer_start(e->loop, &e->retry, DURATION_MS(RETRY_MS));
}

static void complain(struct epoch *e, const char *message, const struct redis_reply *reply)
{
    if (reply && !e->complained) {
        log_error(&lg, message, kv_s("reply", reply->str));
        e->complained = true;
    }
    retry_later(e);
}

static void look_at(struct epoch *e);

static void on_since(void *arg, const struct redis_reply *reply)
{
    struct epoch *e = arg;
    e->call = NULL;
    if (!reply || reply->type != REDIS_INTEGER) {
        complain(e, "redis does not tell since when it has the nonce counts", reply);
        return;
    }
    e->latest.ms = CS_MAX(e->latest.ms, reply->integer);
    if (++e->master < redis_masters(e->redis)) {
        look_at(e);
        return;
    }
    if (e->since.ms && e->since.ms != e->latest.ms)
        log_warn(&lg, "redis may have lost nonce counts: older nonces are stale");
    e->since = e->latest;
    e->known = true;
    e->complained = false;
}

/* Each master of a cluster has one, by what outlasts its failovers. */
static struct span key_of(const struct epoch *e, struct buf *b)
{
    unsigned slot = redis_master_slot(e->redis, e->master);
    buf_lit(b, "cs:epoch");
    if (slot)
        buf_printf(b, ":%u", slot);
    return buf_span(b);
}

static void on_info(void *arg, const struct redis_reply *reply)
{
    struct epoch *e = arg;
    struct server_info info;
    char digits[24], text[KEY_MAX];
    struct buf now = BUF_INIT(digits), key = BUF_INIT(text);
    e->call = NULL;
    if (!reply || reply->type != REDIS_STRING || server_info_parse(reply->str, &info)) {
        complain(e, "redis does not tell which server it is: its user needs INFO", reply);
        return;
    }
    buf_i64(&now, loop_wall(e->loop).ms);
    const struct span argv[] = { key_of(e, &key), info.run,
                                 info.promoted.p ? info.promoted : SPAN(""),
                                 info.append_only ? SPAN("1") : SPAN("0"), buf_span(&now) };
    e->call = redis_script(e->redis, &look_script, on_since, e, 1, CS_LEN(argv), argv);
    if (!e->call)
        retry_later(e);
}

static void look_at(struct epoch *e)
{
    const struct span info = SPAN("INFO");
    e->call = redis_is_ready(e->redis) ? redis_ask_master(e->redis, e->master, on_info, e, 1, &info)
                                       : NULL;
    if (!e->call)
        retry_later(e);
}

static void look(struct epoch *e)
{
    e->master = 0;
    e->latest.ms = 0;
    look_at(e);
}

static void on_retry(struct timer *t)
{
    look(container_of(t, struct epoch, retry));
}

/* ---- entry points ---- */

int epoch_new(struct loop *l, struct redis *redis, struct epoch **out)
{
    struct epoch *e = calloc(1, sizeof(*e));
    *out = e;
    if (!e)
        return CS_ENOMEM;
    e->loop = l;
    e->redis = redis;
    timer_init(&e->retry, on_retry);
    return 0;
}

void epoch_free(struct epoch **ep)
{
    struct epoch *e = *ep;
    *ep = NULL;
    if (!e)
        return;
    timer_stop(e->loop, &e->retry);
    if (e->call)
        redis_cancel(e->call);
    free(e);
}

void epoch_refresh(struct epoch *e, bool redis_ready)
{
    e->known = false;
    timer_stop(e->loop, &e->retry);
    if (e->call)
        redis_cancel(e->call);
    e->call = NULL;
    if (redis_ready)
        look(e);
}

bool epoch_is_known(const struct epoch *e)
{
    return e->known;
}

bool epoch_is_past(const struct epoch *e, const struct nonce *n)
{
    return e->since.ms && n->issued.ms <= e->since.ms + EPOCH_SLACK_MS;
}

struct wall epoch_issued(const struct epoch *e, struct wall now)
{
    struct wall first = { e->since.ms + EPOCH_SLACK_MS + 1 };
    return now.ms < first.ms ? first : now;
}
