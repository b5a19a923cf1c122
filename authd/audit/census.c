#include "authd/audit/census.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"

struct entry {
    struct map_node node;
    struct list link; /* in order of use */
    struct census_row row;
};

struct table {
    struct map rows;
    struct list used; /* the one seen last is last */
};

struct census {
    size_t max;
    struct table tables[CENSUS_KINDS];
};

static struct span product_of(struct span user_agent)
{
    size_t n = 0;
    while (n < user_agent.n && user_agent.p[n] != '/' && user_agent.p[n] != ' ')
        n++;
    return span_head(user_agent, n);
}

/* What of a name is kept is what it is found by. */
static struct span kept(struct span name)
{
    return span_head(name, sizeof(((struct census_row *)NULL)->name) - 1);
}

static bool is_name(const struct map_node *n, const void *key)
{
    const struct entry *e = container_of(n, struct entry, node);
    return span_eq(span_str(e->row.name), *(const struct span *)key);
}

static struct entry *find(const struct table *t, struct span name)
{
    name = kept(name);
    struct map_node *n = map_find(&t->rows, map_hash(name), is_name, &name);
    return n ? container_of(n, struct entry, node) : NULL;
}

/* NULL when memory is exhausted: a count less. */
static struct entry *find_or_make(struct census *c, enum census_kind kind, struct span name)
{
    struct table *t = &c->tables[kind];
    struct entry *e = find(t, name);
    if (e)
        return e;
    if (t->rows.n < c->max) {
        e = malloc(sizeof(*e));
        if (!e)
            return NULL;
        list_init(&e->link);
    } else {
        e = container_of(list_pop(&t->used), struct entry, link);
        map_remove(&t->rows, &e->node);
    }
    e->row = (struct census_row){ .kind = kind };
    span_copy(e->row.name, sizeof(e->row.name), name);
    if (map_insert(&t->rows, &e->node, map_hash(kept(name)))) {
        free(e);
        return NULL;
    }
    list_push_back(&t->used, &e->link);
    return e;
}

static void touch(struct census *c, struct entry *e, struct wall now)
{
    struct table *t = &c->tables[e->row.kind];
    list_remove(&e->link);
    list_push_back(&t->used, &e->link);
    e->row.seen = now;
}

int census_new(size_t max, struct census **out)
{
    struct census *c = calloc(1, sizeof(*c));
    *out = c;
    if (!c)
        return CS_ENOMEM;
    c->max = CS_MAX(max, 1);
    for (size_t i = 0; i < CENSUS_KINDS; i++) {
        map_init(&c->tables[i].rows);
        list_init(&c->tables[i].used);
    }
    return 0;
}

void census_free(struct census **cp)
{
    struct census *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    for (size_t i = 0; i < CENSUS_KINDS; i++) {
        list_for_each (it, &c->tables[i].used)
            free(container_of(it, struct entry, link));
        map_fini(&c->tables[i].rows);
    }
    free(c);
}

void census_narrowed(struct census *c, struct span pattern, struct span user_agent, uint32_t n,
                     struct wall now)
{
    struct entry *both[] = { find_or_make(c, CENSUS_PATTERN, pattern),
                             find(&c->tables[CENSUS_PRODUCT], product_of(user_agent)) };
    for (size_t i = 0; i < CS_LEN(both); i++) {
        if (!both[i])
            continue;
        both[i]->row.narrowed += n;
        touch(c, both[i], now);
    }
}

static void accepted(struct census *c, struct entry *e, enum algorithm alg, struct span user,
                     struct span realm, struct wall now)
{
    if (!e)
        return;
    struct buf b = buf_of(e->row.user, sizeof(e->row.user) - 1);
    buf_put(&b, span_head(user, b.cap));
    buf_putc(&b, '@');
    buf_put(&b, span_head(realm, b.cap - b.n));
    e->row.user[b.n] = '\0';
    e->row.accepted[alg]++;
    touch(c, e, now);
}

void census_accepted(struct census *c, struct span pattern, struct span user_agent,
                     enum algorithm alg, struct span user, struct span realm, struct wall now)
{
    if (pattern.p)
        accepted(c, find_or_make(c, CENSUS_PATTERN, pattern), alg, user, realm, now);
    accepted(c, find_or_make(c, CENSUS_PRODUCT, product_of(user_agent)), alg, user, realm, now);
}

void census_each(const struct census *c, void (*fn)(void *arg, const struct census_row *row),
                 void *arg)
{
    for (size_t i = 0; i < CENSUS_KINDS; i++) {
        const struct list *used = &c->tables[i].used;
        for (const struct list *it = used->prev; it != used; it = it->prev)
            fn(arg, &container_of(it, const struct entry, link)->row);
    }
}
