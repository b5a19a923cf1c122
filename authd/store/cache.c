#include "authd/store/cache.h"

#include <stdlib.h>

#include "base/lru.h"

/* The watcher asks once in a deadline whether its server is there. Whoever stood still, or was cut
 * off, hears of changes late, and perhaps behind the answers that other connections bring: until it
 * has heard of the watcher again nothing it keeps is known to be true. */
enum { WATCHED_WITHIN_MS = 1000, HEARD_WITHIN_MS = 1500 };

static const struct duration lifetime = { 60000 };

struct cache {
    struct loop *loop;
    struct redis *watcher; /* NULL: nothing is kept */
    struct lru records;    /* by "name@realm" */
    struct lru owners;     /* "name@realm" by AOR */
    uint64_t generation;
};

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
        lru_remove(&c->records, span_head(key, key.n - 1));
    } else if (span_starts(key, aor) && key.n > aor.n) {
        key = span_skip(key, aor.n);
        lru_remove(&c->owners, span_head(key, key.n - 1));
    } else {
        lru_clear(&c->records);
        lru_clear(&c->owners);
    }
}

int cache_open(struct loop *l, const struct redis_conf *conf, size_t max, struct cache **out)
{
    struct cache *c = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    c->loop = l;
    lru_init(&c->records, max, lifetime);
    lru_init(&c->owners, max, lifetime);
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
    lru_fini(&c->records);
    lru_fini(&c->owners);
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
    return lru_get(&c->records, k.span, loop_now(c->loop));
}

uint64_t cache_generation(const struct cache *c)
{
    return c->generation;
}

void cache_put(struct cache *c, struct span name, struct span realm, struct span record,
               uint64_t generation)
{
    struct key k;
    if (is_usable(c) && generation == c->generation && key_make(&k, name, realm))
        lru_put(&c->records, k.span, record, loop_now(c->loop));
}

struct span cache_get_owner(struct cache *c, struct span aor)
{
    if (!is_usable(c))
        return SPAN_NULL;
    struct span name = lru_get(&c->owners, aor, loop_now(c->loop));
    return name.p ? lru_get(&c->records, name, loop_now(c->loop)) : SPAN_NULL;
}

void cache_put_owner(struct cache *c, struct span aor, const struct user *u, uint64_t generation)
{
    struct key k;
    if (!is_usable(c) || generation != c->generation || !key_make(&k, u->name, u->realm))
        return;
    lru_put(&c->records, k.span, u->record, loop_now(c->loop));
    lru_put(&c->owners, aor, k.span, loop_now(c->loop));
}

void cache_forget(struct cache *c, struct span name, struct span realm)
{
    struct key k;
    c->generation++;
    if (key_make(&k, name, realm))
        lru_remove(&c->records, k.span);
}

void cache_forget_all(struct cache *c)
{
    c->generation++;
    lru_clear(&c->records);
    lru_clear(&c->owners);
}
