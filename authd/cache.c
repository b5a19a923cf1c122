#include "authd/cache.h"

#include <stdlib.h>

#include "authd/user.h"
#include "base/list.h"
#include "base/map.h"

enum { RECORD_MAX = 8192 }; /* larger ones are read each time */

static const struct duration lifetime = { 60000 };

struct entry {
    struct map_node node;
    struct list link; /* in order of use */
    struct mono until;
    size_t key_n, record_n;
    char bytes[]; /* key, then record */
};

struct cache {
    struct loop *loop;
    struct redis *watcher; /* NULL: nothing is kept */
    struct map entries;
    struct list used; /* the one used last is last */
    size_t max;
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

static bool is_key(const struct map_node *n, const void *key)
{
    const struct entry *e = container_of(n, struct entry, node);
    return span_eq(span_of(e->bytes, e->key_n), *(const struct span *)key);
}

static struct entry *find(const struct cache *c, struct span key)
{
    struct map_node *n = map_find(&c->entries, map_hash(key), is_key, &key);
    return n ? container_of(n, struct entry, node) : NULL;
}

static void remove_entry(struct cache *c, struct entry *e)
{
    map_remove(&c->entries, &e->node);
    list_remove(&e->link);
    free(e);
}

static void remove_all(struct cache *c)
{
    list_for_each (it, &c->used)
        remove_entry(c, container_of(it, struct entry, link));
}

static void drop_key(struct cache *c, struct span key)
{
    struct entry *e = find(c, key);
    c->generation++;
    if (e)
        remove_entry(c, e);
}

/* key: "cs:user:{name@realm}" */
static void on_change(void *arg, struct span key)
{
    static const struct span prefix = SPAN_INIT("cs:user:{");
    struct cache *c = arg;
    if (key.p && key.n > prefix.n && span_starts(key, prefix)) {
        key = span_skip(key, prefix.n);
        drop_key(c, span_head(key, key.n - 1));
    } else {
        c->generation++;
        remove_all(c);
    }
}

int cache_open(struct loop *l, const struct redis_conf *conf, size_t max, struct cache **out)
{
    struct cache *c = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    c->loop = l;
    c->max = max;
    map_init(&c->entries);
    list_init(&c->used);
    int err = max ? redis_watch(l, conf, "cs:user:", on_change, c, &c->watcher) : 0;
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
    remove_all(c);
    map_fini(&c->entries);
    free(c);
}

static bool is_usable(const struct cache *c)
{
    return c->watcher && redis_is_ready(c->watcher);
}

struct span cache_get(struct cache *c, struct span name, struct span realm)
{
    struct key k;
    if (!is_usable(c) || !key_make(&k, name, realm))
        return SPAN_NULL;
    struct entry *e = find(c, k.span);
    if (!e)
        return SPAN_NULL;
    if (mono_before(e->until, loop_now(c->loop))) {
        remove_entry(c, e);
        return SPAN_NULL;
    }
    list_remove(&e->link);
    list_push_back(&c->used, &e->link);
    return span_of(e->bytes + e->key_n, e->record_n);
}

uint64_t cache_generation(const struct cache *c)
{
    return c->generation;
}

void cache_put(struct cache *c, struct span name, struct span realm, struct span record,
               uint64_t generation)
{
    struct key k;
    if (!is_usable(c) || generation != c->generation || record.n > RECORD_MAX ||
        !key_make(&k, name, realm))
        return;
    struct entry *old = find(c, k.span);
    if (old)
        remove_entry(c, old);
    else if (c->entries.n >= c->max)
        remove_entry(c, container_of(c->used.next, struct entry, link));
    struct entry *e = malloc(sizeof(*e) + k.span.n + record.n);
    if (!e)
        return;
    e->key_n = k.span.n;
    e->record_n = record.n;
    e->until = mono_add(loop_now(c->loop), lifetime);
    memcpy(e->bytes, k.span.p, k.span.n);
    memcpy(e->bytes + k.span.n, record.p, record.n);
    list_push_back(&c->used, &e->link);
    if (map_insert(&c->entries, &e->node, map_hash(k.span))) {
        list_remove(&e->link);
        free(e);
    }
}
