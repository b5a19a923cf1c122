#include "authd/store/mirror.h"

#include <stdlib.h>

#include "authd/store/records.h"
#include "base/log.h"
#include "base/map.h"

enum { PAGE = 500, FETCHES_MAX = 256, SOON_MS = 20, FULL_MS = 1000, WATCHED_WITHIN_MS = 1000 };

struct entry {
    struct map_node node;
    unsigned look; /* the last one that saw it */
    size_t n;
    char name[];
};

struct fetch {
    struct list link;
    struct mirror *mirror;
    struct record_call *call;
    size_t n;
    char name[];
};

struct mirror {
    struct mirror_conf conf;
    struct span prefix;
    struct redis *watcher;
    struct records records;
    struct map entries;
    struct list fetches;
    size_t n_fetches;
    struct record_call *reading; /* all of them */
    unsigned look;
    bool known, again; /* all were read; they are to be read once more */
    bool full;         /* there are more than may be */
    struct timer timer;
};

static const struct log lg = { .module = "mirror" };

/* It is to be read once more, by the timer. */
static void lose(struct mirror *m)
{
    m->known = false;
    m->again = true;
    if (!timer_is_running(&m->timer))
        timer_start(m->conf.loop, &m->timer, DURATION_MS(m->full ? FULL_MS : SOON_MS));
}

/* ---- what is there ---- */

static struct span name_of(const struct entry *e)
{
    return span_of(e->name, e->n);
}

static bool has_name(const struct map_node *n, const void *key)
{
    return span_eq(name_of(container_of(n, struct entry, node)), *(const struct span *)key);
}

static struct entry *find(const struct mirror *m, struct span name)
{
    struct map_node *n = map_find(&m->entries, map_hash(name), has_name, &name);
    return n ? container_of(n, struct entry, node) : NULL;
}

static void drop(struct mirror *m, struct entry *e)
{
    m->conf.fn(m->conf.arg, name_of(e), SPAN_NULL);
    map_remove(&m->entries, &e->node);
    free(e);
}

static int add(struct mirror *m, struct span name, struct entry **out)
{
    struct entry *e = m->entries.n < m->conf.max ? malloc(sizeof(*e) + name.n) : NULL;
    *out = e;
    if (!e)
        return m->entries.n < m->conf.max ? CS_ENOMEM : CS_ELIMIT;
    e->n = name.n;
    memcpy(e->name, name.p, name.n);
    int err = map_insert(&m->entries, &e->node, map_hash(name));
    if (err)
        free(e);
    return err;
}

static void take(struct mirror *m, struct span name, struct span bytes)
{
    struct entry *e = find(m, name);
    int err = e ? 0 : add(m, name, &e);
    if (!err) {
        e->look = m->look;
        m->conf.fn(m->conf.arg, name, bytes);
        return;
    }
    if (!m->full)
        log_error(&lg,
                  "there are more records than may be: nothing is judged by them until the "
                  "limit is raised",
                  kv_str("records", m->conf.index), kv_str("limit", m->conf.limit), kv_err(err));
    m->full = true;
    lose(m);
}

/* ---- reading all ---- */

static void read_page(struct mirror *m, struct span after);

/* What was not seen is gone. */
static void all_read(struct mirror *m)
{
    if (m->again)
        return;
    map_for_each (it, &m->entries) {
        struct entry *e = container_of(it, struct entry, node);
        if (e->look != m->look)
            drop(m, e);
    }
    m->known = true;
    m->full = false;
}

static void on_page(void *arg, int err, const struct record *list, size_t n, struct span next)
{
    struct mirror *m = arg;
    m->reading = NULL;
    if (err) {
        lose(m);
        return;
    }
    for (size_t i = 0; i < n; i++)
        take(m, list[i].name, list[i].bytes);
    if (next.p)
        read_page(m, next);
    else
        all_read(m);
}

static void read_page(struct mirror *m, struct span after)
{
    m->reading = record_list(&m->records, after, PAGE, on_page, m);
    if (!m->reading)
        lose(m);
}

/* While they are read, records that change come by themselves, behind what is under way. */
static void read_all(struct mirror *m)
{
    m->known = m->again = false;
    m->look++;
    read_page(m, SPAN_NULL);
}

/* ---- hearing of one ---- */

static void fetch_free(struct fetch *f)
{
    list_remove(&f->link);
    f->mirror->n_fetches--;
    free(f);
}

static void on_record(void *arg, int err, struct span bytes)
{
    struct fetch *f = arg;
    struct mirror *m = f->mirror;
    const struct span name = span_of(f->name, f->n);
    struct entry *e = err == CS_ENOENT ? find(m, name) : NULL;
    if (!err)
        take(m, name, bytes);
    else if (err != CS_ENOENT)
        lose(m);
    else if (e)
        drop(m, e);
    fetch_free(f);
}

static void fetch(struct mirror *m, struct span name)
{
    struct fetch *f = m->n_fetches < FETCHES_MAX ? calloc(1, sizeof(*f) + name.n) : NULL;
    if (!f) {
        lose(m);
        return;
    }
    f->mirror = m;
    f->n = name.n;
    memcpy(f->name, name.p, name.n);
    list_push_back(&m->fetches, &f->link);
    m->n_fetches++;
    f->call = record_get(&m->records, name, on_record, f);
    if (!f->call) {
        fetch_free(f);
        lose(m);
    }
}

/* key: "cs:dev:{name}", or absent: the watcher was connected or lost. */
static void on_written(void *arg, struct span key)
{
    struct mirror *m = arg;
    struct span name = span_skip(key, m->prefix.n + 1);
    if (!key.p)
        lose(m);
    else if (span_starts(key, m->prefix) && name.n > 1 && name.n <= RECORD_NAME_MAX)
        fetch(m, span_head(name, name.n - 1));
}

static void on_timer(struct timer *t)
{
    struct mirror *m = container_of(t, struct mirror, timer);
    if (!m->reading && redis_is_ready(m->conf.redis) && redis_is_ready(m->watcher))
        read_all(m);
    else
        timer_start(m->conf.loop, t, DURATION_MS(SOON_MS));
}

/* ---- entry points ---- */

int mirror_new(const struct mirror_conf *conf, struct mirror **out)
{
    struct redis_conf watch = *conf->watch;
    struct mirror *m = calloc(1, sizeof(*m));
    *out = NULL;
    if (!m)
        return CS_ENOMEM;
    if (watch.deadline.ms == 0 || watch.deadline.ms > WATCHED_WITHIN_MS)
        watch.deadline = DURATION_MS(WATCHED_WITHIN_MS);
    m->conf = *conf;
    m->prefix = span_str(conf->prefix);
    map_init(&m->entries);
    list_init(&m->fetches);
    timer_init(&m->timer, on_timer);
    records_init(&m->records, conf->redis, m->prefix, span_str(conf->index));
    int err = redis_watch(conf->loop, &watch, conf->prefix, on_written, m, &m->watcher);
    if (err) {
        free(m);
        return err;
    }
    lose(m);
    *out = m;
    return 0;
}

void mirror_free(struct mirror **mp)
{
    struct mirror *m = *mp;
    *mp = NULL;
    if (!m)
        return;
    redis_close(&m->watcher);
    timer_stop(m->conf.loop, &m->timer);
    records_fini(&m->records); /* what is under way is forgotten */
    list_for_each (it, &m->fetches)
        free(container_of(it, struct fetch, link));
    map_for_each (it, &m->entries)
        free(container_of(it, struct entry, node));
    map_fini(&m->entries);
    free(m);
}

bool mirror_is_known(const struct mirror *m)
{
    return m->known && redis_is_ready(m->watcher);
}

bool mirror_is_full(const struct mirror *m)
{
    return m->entries.n >= m->conf.max;
}
