#include "authd/store/cache.h"

#include <stdlib.h>

#include "base/lru.h"

/* The watcher asks once in a deadline whether its server is there. Whoever stood still, or was cut
 * off, hears of changes late, and perhaps behind the answers that other connections bring: until it
 * has heard of the watcher again nothing it keeps is known to be true. */
enum { WATCHED_WITHIN_MS = 1000, HEARD_WITHIN_MS = 1500 };

static const struct duration lifetime = { 60000 }, recalled = { 2 * 3600 * 1000 };

struct copies {
    struct lru records; /* by "name@realm" */
    struct lru owners;  /* "name@realm" by AOR */
};

struct cache {
    struct loop *loop;
    struct redis *watcher;    /* NULL: nothing is kept */
    struct copies used, kept; /* kept: to be recalled */
    struct duration grace;
    struct mono lost; /* when Redis was; ns == 0: it is there, or nothing is left of then */
    uint64_t generation;
};

static void copies_clear(struct copies *c)
{
    lru_clear(&c->records);
    lru_clear(&c->owners);
}

/* "name@realm", as it stands in Redis's keys. */
struct key {
    char text[2 * USER_MAX_NAME + 1];
    struct span span;
};

static bool key_make(struct key *k, struct span name, struct span realm)
{
    struct buf b = BUF_INIT(k->text);
    buf_put(&b, name);
    buf_putc(&b, '@');
    buf_put(&b, realm);
    k->span = buf_span(&b);
    return buf_ok(&b);
}

/* key: "cs:user:{name@realm}", "cs:aor:{sip:...}" */
static void on_change(void *arg, struct span key)
{
    static const struct span user = SPAN_INIT("cs:user:{"), aor = SPAN_INIT("cs:aor:{");
    struct cache *c = arg;
    c->generation++;
    if (span_starts(key, user) && key.n > user.n) {
        key = span_skip(key, user.n);
        lru_remove(&c->used.records, span_head(key, key.n - 1));
        lru_remove(&c->kept.records, span_head(key, key.n - 1));
    } else if (span_starts(key, aor) && key.n > aor.n) {
        key = span_skip(key, aor.n);
        lru_remove(&c->used.owners, span_head(key, key.n - 1));
        lru_remove(&c->kept.owners, span_head(key, key.n - 1));
    } else if (c->watcher && !redis_is_ready(c->watcher)) {
        cache_lose(c);
    } else {
        cache_forget_all(c);
    }
}

int cache_open(struct loop *l, const struct redis_conf *conf, size_t max, struct duration grace,
               struct cache **out)
{
    struct cache *c = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    c->loop = l;
    c->grace = grace;
    lru_init(&c->used.records, max, lifetime);
    lru_init(&c->used.owners, max, lifetime);
    lru_init(&c->kept.records, grace.ms ? max : 0, recalled);
    lru_init(&c->kept.owners, grace.ms ? max : 0, recalled);
    struct redis_conf watch = *conf;
    if (watch.deadline.ms == 0 || watch.deadline.ms > WATCHED_WITHIN_MS)
        watch.deadline = DURATION_MS(WATCHED_WITHIN_MS);
    int err = max ? redis_watch(l, &watch, "cs:user: cs:aor:", on_change, c, &c->watcher) : 0;
    if (err) {
        free(c);
        return err;
    }
    *out = c;
    return 0;
}

void cache_close(struct cache **cp)
{
    struct cache *c = *cp;
    if (!c)
        return;
    *cp = NULL;
    redis_close(&c->watcher);
    lru_fini(&c->used.records);
    lru_fini(&c->used.owners);
    lru_fini(&c->kept.records);
    lru_fini(&c->kept.owners);
    free(c);
}

static bool is_usable(const struct cache *c)
{
    return c->watcher && redis_is_ready(c->watcher) &&
           mono_since(redis_heard(c->watcher), loop_now(c->loop)).ms < HEARD_WITHIN_MS;
}

struct span cache_get(struct cache *c, struct span name, struct span realm)
{
    struct key k;
    if (!is_usable(c) || !key_make(&k, name, realm))
        return SPAN_NULL;
    return lru_get(&c->used.records, k.span, loop_now(c->loop));
}

uint64_t cache_generation(const struct cache *c)
{
    return c->generation;
}

void cache_put(struct cache *c, struct span name, struct span realm, struct span record,
               uint64_t generation)
{
    struct key k;
    if (!is_usable(c) || generation != c->generation || !key_make(&k, name, realm))
        return;
    lru_put(&c->used.records, k.span, record, loop_now(c->loop));
    lru_put(&c->kept.records, k.span, record, loop_now(c->loop));
}

static struct span owner(const struct cache *c, struct copies *from, struct span aor)
{
    struct span name = lru_get(&from->owners, aor, loop_now(c->loop));
    return name.p ? lru_get(&from->records, name, loop_now(c->loop)) : SPAN_NULL;
}

struct span cache_get_owner(struct cache *c, struct span aor)
{
    return is_usable(c) ? owner(c, &c->used, aor) : SPAN_NULL;
}

void cache_put_owner(struct cache *c, struct span aor, const struct user *u, uint64_t generation)
{
    struct key k;
    if (!is_usable(c) || generation != c->generation || !key_make(&k, u->name, u->realm))
        return;
    lru_put(&c->used.records, k.span, u->record, loop_now(c->loop));
    lru_put(&c->used.owners, aor, k.span, loop_now(c->loop));
    lru_put(&c->kept.records, k.span, u->record, loop_now(c->loop));
    lru_put(&c->kept.owners, aor, k.span, loop_now(c->loop));
}

void cache_forget(struct cache *c, struct span name, struct span realm)
{
    struct key k;
    c->generation++;
    if (!key_make(&k, name, realm))
        return;
    lru_remove(&c->used.records, k.span);
    lru_remove(&c->kept.records, k.span);
}

void cache_forget_all(struct cache *c)
{
    c->generation++;
    c->lost.ns = 0;
    copies_clear(&c->used);
    copies_clear(&c->kept);
}

/* ---- while Redis is away ---- */

void cache_lose(struct cache *c)
{
    c->generation++;
    copies_clear(&c->used);
    if (!c->lost.ns)
        c->lost = loop_now(c->loop);
}

struct mono cache_lost(const struct cache *c)
{
    const bool over = !c->lost.ns || mono_since(c->lost, loop_now(c->loop)).ms >= c->grace.ms;
    return over ? (struct mono){ 0 } : c->lost;
}

struct span cache_recall(struct cache *c, struct span name, struct span realm)
{
    struct key k;
    return cache_lost(c).ns && key_make(&k, name, realm)
               ? lru_get(&c->kept.records, k.span, loop_now(c->loop))
               : SPAN_NULL;
}

struct span cache_recall_owner(struct cache *c, struct span aor)
{
    return cache_lost(c).ns ? owner(c, &c->kept, aor) : SPAN_NULL;
}

void cache_keep_owner(struct cache *c, struct span aor, const struct user *u)
{
    struct key k;
    if (cache_lost(c).ns && aor.p && key_make(&k, u->name, u->realm))
        lru_put(&c->kept.owners, aor, k.span, loop_now(c->loop));
}
