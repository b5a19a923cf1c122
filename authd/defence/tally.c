#include "authd/defence/tally.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/lru.h"
#include "base/metric.h"

enum { OPEN_MAX = 4096, KEY_MAX = 128, TEXT_MAX = 257, NEWS_MS = 15 * 60 * 1000, DIGEST_LEN = 32 };

/* One count on its way: each part of it is a number that Redis answers with. */
enum { PAIR, USERS, ADDRESS, PORT, INSTALLATION, MARKS, PARTS };

struct tally_call {
    struct list link;
    struct tallies *owner;
    struct misdeed misdeed;
    struct tally tally;
    bool known, failed;
    struct part {
        struct tally_call *call;
        struct redis_call *redis;
    } parts[PARTS];
    size_t pending;
    char user[TEXT_MAX], realm[TEXT_MAX];
};

struct tallies {
    struct loop *loop;
    struct redis *redis;
    const struct defence_conf *conf;
    tally_fn *fn;
    void *arg;
    struct list open;
    size_t n_open;
    struct lru told;      /* successes that Redis knows of */
    struct duration news; /* how long they are none */
};

static const struct log lg = { .module = "tally" };

/* ---- keys ---- */

struct key {
    char space[KEY_MAX];
    struct buf b;
};

static struct span key_begin(struct key *k, const char *prefix, const struct addr *source)
{
    const struct cidr net = cidr_of_subscriber(source);
    k->b = buf_of(k->space, sizeof(k->space));
    buf_put(&k->b, span_str(prefix));
    buf_putc(&k->b, '{');
    cidr_write(&k->b, &net);
    buf_lit(&k->b, "}:");
    return buf_span(&k->b);
}

/* The same at every node, so it cannot be the map's. */
static void put_user(struct buf *b, struct span user, struct span realm)
{
    unsigned char digest[DIGEST_LEN] = { 0 };
    char space[2 * TEXT_MAX + 1];
    struct buf text = BUF_INIT(space);
    assert(user.p && realm.p);
    buf_put(&text, span_head(user, TEXT_MAX - 1)); /* as in a call */
    buf_putc(&text, '@');
    buf_put(&text, span_head(realm, TEXT_MAX - 1));
    EVP_Q_digest(NULL, "SHA256", NULL, text.p, text.n, digest, NULL);
    buf_hex(b, digest, 8);
}

static struct span key_of_user(struct key *k, const char *prefix, const char *kind,
                               const struct addr *source, struct span user, struct span realm)
{
    key_begin(k, prefix, source);
    buf_put(&k->b, span_str(kind));
    put_user(&k->b, user, realm);
    return buf_span(&k->b);
}

static struct span key_plain(struct key *k, const char *prefix, const struct addr *source,
                             const char *rest)
{
    key_begin(k, prefix, source);
    buf_put(&k->b, span_str(rest));
    return buf_span(&k->b);
}

/* Of the source's port or all of it. */
static struct span key_of_class(struct key *k, const struct misdeed *m, bool port)
{
    key_plain(k, "cs:fail:", &m->source, port ? "p:" : "a:");
    buf_put(&k->b, abuse_name(m->abuse));
    if (port) {
        buf_putc(&k->b, ':');
        buf_u64(&k->b, addr_port(&m->source));
    }
    return buf_span(&k->b);
}

static struct span digits(char space[24], int64_t n)
{
    struct buf b = buf_of(space, 24);
    buf_i64(&b, n);
    return buf_span(&b);
}

static int64_t whole_seconds(struct duration d)
{
    return CS_MAX(d.ms / 1000, 1);
}

/* ---- counting ---- */

static void call_free(struct tally_call *c)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (c->parts[i].redis)
            redis_cancel(c->parts[i].redis);
    }
    list_remove(&c->link);
    c->owner->n_open--;
    free(c);
}

/* Once it is known that nobody ever succeeded there. */
static void list_grey(struct tallies *t, const struct addr *source)
{
    const struct cidr net = cidr_of_subscriber(source);
    char text[ADDR_STRLEN], score[24], last[24];
    struct buf b = BUF_INIT(text);
    cidr_write(&b, &net);
    redis_do(t->redis, redis_ignore, NULL, SPAN("ZADD"), TALLY_GREY,
             digits(score, loop_wall(t->loop).ms), buf_span(&b));
    redis_do(t->redis, redis_ignore, NULL, SPAN("ZREMRANGEBYRANK"), TALLY_GREY, SPAN("0"),
             digits(last, -(int64_t)t->conf->greylist - 1));
}

static void settle(struct tally_call *c)
{
    struct tallies *t = c->owner;
    if (c->pending)
        return;
    if (!c->failed) {
        if (!c->known)
            list_grey(t, &c->misdeed.source);
        t->fn(t->arg, &c->misdeed, &c->tally);
    }
    call_free(c);
}

static unsigned number(const struct redis_reply *r)
{
    uint64_t n = 0;
    if (r->type == REDIS_INTEGER && r->integer > 0)
        n = (uint64_t)r->integer;
    else if (r->type == REDIS_STRING && span_u64(r->str, UINT32_MAX, &n))
        n = 0;
    return (unsigned)CS_MIN(n, (uint64_t)UINT32_MAX);
}

/* MGET: somebody succeeded, with live bindings, this user did, its strikes. */
static void take_marks(struct tally_call *c, const struct redis_reply *r)
{
    if (r->type != REDIS_ARRAY || r->n < 2) {
        c->failed = true;
        return;
    }
    c->known = r->element[0].type == REDIS_STRING;
    c->tally.live = r->element[1].type == REDIS_STRING;
    if (r->n < 4)
        return;
    c->tally.known = r->element[2].type == REDIS_STRING;
    c->tally.strikes = number(&r->element[3]);
}

static void on_part(void *arg, const struct redis_reply *r)
{
    struct part *p = arg;
    struct tally_call *c = p->call;
    unsigned *const into[PARTS] = { [PAIR] = &c->tally.pair,
                                    [USERS] = &c->tally.users,
                                    [ADDRESS] = &c->tally.address,
                                    [PORT] = &c->tally.port,
                                    [INSTALLATION] = &c->tally.installation };
    size_t i = (size_t)(p - c->parts);
    p->redis = NULL;
    c->pending--;
    if (!r || r->type == REDIS_ERROR) {
        if (r && !c->failed)
            log_warn(&lg, "redis refuses to count", kv_s("reply", r->str));
        c->failed = true;
    } else if (i == MARKS) {
        take_marks(c, r);
    } else {
        *into[i] = number(r);
    }
    settle(c);
}

static void ask(struct tally_call *c, size_t part, size_t argc, const struct span *argv)
{
    struct part *p = &c->parts[part];
    p->call = c;
    p->redis = redis_command(c->owner->redis, on_part, p, argc, argv);
    if (p->redis)
        c->pending++;
    else
        c->failed = true;
}

/* A counter's window begins with the first of what it counts (EXPIRE NX), so that it ends. */
static void bump(struct tally_call *c, size_t part, struct span key, struct duration window)
{
    char by[24], seconds[24];
    const struct span incr[] = { SPAN("INCRBY"), key, digits(by, c->misdeed.count) };
    ask(c, part, CS_LEN(incr), incr);
    redis_do(c->owner->redis, redis_ignore, NULL, SPAN("EXPIRE"), key,
             digits(seconds, whole_seconds(window)), SPAN("NX"));
}

static void count_users(struct tally_call *c, struct duration window)
{
    const struct misdeed *m = &c->misdeed;
    struct redis *redis = c->owner->redis;
    char name[24], seconds[24];
    struct buf user = BUF_INIT(name);
    struct key k;
    struct span key = key_plain(&k, "cs:fail:", &m->source, "n");
    put_user(&user, m->user, m->realm);
    redis_do(redis, redis_ignore, NULL, SPAN("SADD"), key, buf_span(&user));
    redis_do(redis, redis_ignore, NULL, SPAN("EXPIRE"), key, digits(seconds, whole_seconds(window)),
             SPAN("NX"));
    ask(c, USERS, 2, (const struct span[]){ SPAN("SCARD"), key });
}

static void ask_marks(struct tally_call *c)
{
    const struct misdeed *m = &c->misdeed;
    struct key any, live, user, strikes;
    struct span argv[5] = { SPAN("MGET"), key_plain(&any, "cs:good:", &m->source, "any"),
                            key_plain(&live, "cs:good:", &m->source, "live") };
    if (m->user.p) {
        argv[3] = key_of_user(&user, "cs:good:", "u:", &m->source, m->user, m->realm);
        argv[4] = key_of_user(&strikes, "cs:fail:", "s:", &m->source, m->user, m->realm);
    }
    ask(c, MARKS, m->user.p ? 5 : 3, argv);
}

static struct span copy(char *room, struct span s)
{
    if (!s.p)
        return s;
    span_copy(room, TEXT_MAX, s);
    return span_str(room);
}

bool tally_add(struct tallies *t, const struct misdeed *m)
{
    const struct defence_rule *r = ruling_rule(t->conf, m->rules, m->abuse);
    struct tally_call *c = t->n_open < OPEN_MAX ? calloc(1, sizeof(*c)) : NULL;
    if (!c)
        return false;
    c->owner = t;
    c->misdeed = *m;
    c->misdeed.user = m->realm.p ? copy(c->user, m->user) : SPAN_NULL;
    c->misdeed.realm = copy(c->realm, m->realm);
    c->tally.added = m->count;
    list_push_back(&t->open, &c->link);
    t->n_open++;
    c->pending = 1; /* of this function */
    struct key k;
    m = &c->misdeed;
    if (m->user.p) {
        bump(c, PAIR, key_of_user(&k, "cs:fail:", "u:", &m->source, m->user, m->realm),
             m->pair_window);
        count_users(c, r->window);
    }
    bump(c, ADDRESS, key_of_class(&k, m, false), r->window);
    if (r->port)
        bump(c, PORT, key_of_class(&k, m, true), r->window);
    if (r->installation) {
        k.b.n = 0;
        buf_lit(&k.b, "cs:fail:{all}:");
        buf_put(&k.b, abuse_name(m->abuse));
        bump(c, INSTALLATION, buf_span(&k.b), r->window);
    }
    ask_marks(c);
    c->pending--;
    settle(c);
    return true;
}

static void forget(struct tallies *t, struct span key)
{
    redis_do(t->redis, redis_ignore, NULL, SPAN("DEL"), key);
}

void tally_strike(struct tallies *t, const struct misdeed *m)
{
    struct key k;
    char seconds[24];
    struct span key = key_of_user(&k, "cs:fail:", "s:", &m->source, m->user, m->realm);
    redis_do(t->redis, redis_ignore, NULL, SPAN("INCR"), key);
    redis_do(t->redis, redis_ignore, NULL, SPAN("EXPIRE"), key,
             digits(seconds, whole_seconds(t->conf->repeated_within)));
    forget(t, key_of_user(&k, "cs:fail:", "u:", &m->source, m->user, m->realm));
}

void tally_reset(struct tallies *t, const struct misdeed *m, bool port)
{
    struct key k;
    forget(t, key_of_class(&k, m, port));
    if (!port && m->abuse == ABUSE_AUTHENTICATION)
        forget(t, key_plain(&k, "cs:fail:", &m->source, "n"));
}

/* ---- successes ---- */

static void mark(struct tallies *t, struct span key, struct duration d)
{
    char seconds[24];
    redis_do(t->redis, redis_ignore, NULL, SPAN("SET"), key, SPAN("1"), SPAN("EX"),
             digits(seconds, whole_seconds(d)));
}

/* Of a user whose REGISTER and INVITE are different news. */
static struct span news_of(struct buf *b, const struct addr *source, struct span user,
                           struct span realm, bool live)
{
    const uint64_t hash = map_hash2(span_head(user, TEXT_MAX), span_head(realm, TEXT_MAX));
    buf_putc(b, live ? 'l' : 'u');
    buf_put(b, span_of(&hash, sizeof(hash)));
    buf_put(b, addr_net_bytes(source));
    return buf_span(b);
}

void tally_success(struct tallies *t, const struct addr *source, struct span user,
                   struct span realm, struct duration live, bool failed)
{
    char space[32], text[ADDR_STRLEN];
    struct buf b = BUF_INIT(space), n = BUF_INIT(text);
    struct mono now = loop_now(t->loop);
    struct span news = news_of(&b, source, user, realm, live.ms > 0);
    if (!failed && lru_get(&t->told, news, now).p)
        return;
    lru_put(&t->told, news, SPAN("1"), now);
    struct key k;
    mark(t, key_of_user(&k, "cs:good:", "u:", source, user, realm), t->conf->remember);
    mark(t, key_plain(&k, "cs:good:", source, "any"), t->conf->remember);
    if (live.ms) /* until the next time that this is news */
        mark(t, key_plain(&k, "cs:good:", source, "live"), DURATION_MS(live.ms + t->news.ms));
    forget(t, key_of_user(&k, "cs:fail:", "u:", source, user, realm));
    forget(t, key_of_user(&k, "cs:fail:", "s:", source, user, realm));
    const struct cidr net = cidr_of_subscriber(source);
    cidr_write(&n, &net);
    redis_do(t->redis, redis_ignore, NULL, SPAN("ZREM"), TALLY_GREY, buf_span(&n));
}

/* ---- entry points ---- */

int tallies_new(struct loop *l, struct redis *redis, const struct defence_conf *conf,
                struct tallies **out)
{
    struct tallies *t = calloc(1, sizeof(*t));
    *out = t;
    if (!t)
        return CS_ENOMEM;
    t->loop = l;
    t->redis = redis;
    t->conf = conf;
    list_init(&t->open);
    t->news = DURATION_MS(CS_MIN(NEWS_MS, conf->remember.ms / 2));
    lru_init(&t->told, conf->sources, t->news);
    return 0;
}

void tallies_free(struct tallies **tp)
{
    struct tallies *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    list_for_each (it, &t->open)
        call_free(container_of(it, struct tally_call, link));
    lru_fini(&t->told);
    free(t);
}

void tallies_listen(struct tallies *t, tally_fn *fn, void *arg)
{
    t->fn = fn;
    t->arg = arg;
}
