#include "dns/dns.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/metric.h"
#include "dns/channel.h"

enum {
    WIRE_MAX = 16 * 1024, /* a longer response is none */
    SCRATCH = 8 * 1024,
    ARENA_MAX = 256 * 1024,
    FAILED_MS = 2000, /* so long a failure is told without asking again */
    STALE_MS = 30000, /* and so long what is stale */
};

static const struct log dns_log = { .module = "dns" };

/* Values of M_DNS_QUESTIONS, in the order of metrics.def. */
enum { ASKED_CACHE, ASKED_SERVER, ASKED_FAILED, ASKED_STALE };

/* What is known of one name and type. The map has one reference, a question that is out another,
 * and each call. */
struct entry {
    struct map_node node;
    struct list used; /* dns.used, the latest last */
    struct dns *dns;
    unsigned refs;
    bool asking;
    int err;             /* of the last question; 0: wire is right */
    struct mono until;   /* nobody asks again before */
    struct mono stale;   /* wire may be told until then */
    struct list waiting; /* calls */
    struct span wire;    /* absent: never answered */
    enum dns_type type;
    char name[DNS_NAME_MAX + 1];
};

struct dns_call {
    struct list link; /* entry.waiting, or to itself */
    struct list all;  /* dns.calls */
    struct entry *entry;
    struct timer deadline;
    struct turn turn;
    dns_fn *fn;
    void *arg;
    int err; /* when there is no entry to be read */
};

struct dns {
    struct loop *loop;
    struct dns_conf conf;
    struct channel *channel;
    struct map entries;
    struct list used, calls;
    size_t n_entries, n_open;
};

/* ---- entries ---- */

static void entry_unref(struct entry *e)
{
    if (--e->refs)
        return;
    free((char *)e->wire.p);
    free(e);
}

static void evict(struct dns *d, struct entry *e)
{
    map_remove(&d->entries, &e->node);
    list_remove(&e->used);
    d->n_entries--;
    entry_unref(e);
}

struct key {
    struct span name;
    enum dns_type type;
};

static bool is_key(const struct map_node *n, const void *key)
{
    const struct entry *e = container_of(n, struct entry, node);
    const struct key *k = key;
    return e->type == k->type && span_eq(span_str(e->name), k->name);
}

static struct entry *find(struct dns *d, struct key key)
{
    uint64_t hash = map_hash2(key.name, span_of(&key.type, sizeof(key.type)));
    struct map_node *n = map_find(&d->entries, hash, is_key, &key);
    struct entry *e = n ? container_of(n, struct entry, node) : calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    if (n) {
        list_remove(&e->used);
        list_push_back(&d->used, &e->used);
        return e;
    }
    if (map_insert(&d->entries, &e->node, hash)) {
        free(e);
        return NULL;
    }
    e->dns = d;
    e->refs = 1;
    e->type = key.type;
    span_copy(e->name, sizeof(e->name), key.name);
    list_init(&e->waiting);
    list_push_back(&d->used, &e->used);
    if (++d->n_entries > d->conf.max_names)
        evict(d, container_of(d->used.next, struct entry, used));
    return e;
}

/* ---- calls ---- */

static void call_free(struct dns_call *c)
{
    list_remove(&c->link);
    list_remove(&c->all);
    timer_stop(c->entry->dns->loop, &c->deadline);
    turn_cancel(&c->turn);
    entry_unref(c->entry);
    free(c);
}

void dns_cancel(struct dns_call *c)
{
    call_free(c);
}

static void on_turn(struct turn *t)
{
    struct dns_call *c = container_of(t, struct dns_call, turn);
    struct entry *e = c->entry;
    dns_fn *fn = c->fn;
    void *arg = c->arg;
    char scratch[SCRATCH];
    struct dns_answer answer = { 0 };
    struct arena a;
    int err = c->err;
    arena_init(&a, scratch, sizeof(scratch), ARENA_MAX);
    if (!err && e->wire.p) /* else: a name that cannot be one */
        err = dns_answer_read(e->wire, span_str(e->name), e->type, &a, &answer);
    call_free(c);
    fn(arg, err, err ? NULL : &answer);
    arena_fini(&a);
}

static void tell(struct dns_call *c, int err)
{
    list_remove(&c->link);
    timer_stop(c->entry->dns->loop, &c->deadline);
    c->err = err;
    turn_queue(c->entry->dns->loop, &c->turn);
}

static void on_deadline(struct timer *t)
{
    struct dns_call *c = container_of(t, struct dns_call, deadline);
    bool stale = c->entry->wire.p && mono_before(loop_now(c->entry->dns->loop), c->entry->stale);
    tell(c, stale ? 0 : CS_ETIMEOUT);
}

/* ---- questions ---- */

/* Takes in what was answered, if it is an answer. */
static int keep(struct entry *e, struct span wire)
{
    struct dns *d = e->dns;
    char scratch[SCRATCH];
    struct dns_answer answer;
    struct arena a;
    arena_init(&a, scratch, sizeof(scratch), ARENA_MAX);
    int err = wire.n > WIRE_MAX ? CS_EPROTO
                                : dns_answer_read(wire, span_str(e->name), e->type, &a, &answer);
    arena_fini(&a);
    char *copy = err ? NULL : malloc(wire.n);
    if (!copy)
        return err ? err : CS_ENOMEM;
    memcpy(copy, wire.p, wire.n);
    free((char *)e->wire.p);
    e->wire = span_of(copy, wire.n);
    struct duration ttl = { CS_MIN(answer.ttl * INT64_C(1000), d->conf.max_ttl.ms) };
    e->until = mono_add(loop_now(d->loop), ttl);
    e->stale = mono_add(e->until, d->conf.stale);
    return 0;
}

/* No server answered, or none that makes sense. */
static void take_failure(struct entry *e, int err)
{
    struct mono now = loop_now(e->dns->loop);
    bool stale = e->wire.p && mono_before(now, e->stale);
    metric_inc(M_DNS_QUESTIONS, stale ? ASKED_STALE : ASKED_FAILED);
    log_info(&dns_log, stale ? "no answer; what was known is taken" : "no answer",
             kv_str("name", e->name), kv_u("type", e->type), kv_err(err));
    e->err = stale ? 0 : err;
    e->until = mono_add(now, DURATION_MS(stale ? STALE_MS : FAILED_MS));
}

static void on_response(void *arg, int err, struct span wire)
{
    struct entry *e = arg;
    e->asking = false;
    e->dns->n_open--;
    if (!err)
        err = keep(e, wire);
    e->err = 0;
    if (err && err != CS_ECLOSED)
        take_failure(e, err);
    while (!list_empty(&e->waiting))
        tell(container_of(e->waiting.next, struct dns_call, link), e->err);
    entry_unref(e);
}

static void ask_servers(struct entry *e)
{
    struct dns *d = e->dns;
    e->asking = true;
    e->refs++;
    d->n_open++;
    metric_inc(M_DNS_QUESTIONS, ASKED_SERVER);
    channel_ask(d->channel, e->name, e->type, on_response, e);
}

struct dns_call *dns_ask(struct dns *d, struct span name, enum dns_type type, dns_fn *fn, void *arg)
{
    char lower[DNS_NAME_MAX + 1];
    struct dns_call *c = calloc(1, sizeof(*c));
    bool good = dns_name_is_good(name);
    if (span_ends(name, SPAN(".")))
        name.n--;
    span_copy(lower, sizeof(lower), good ? name : SPAN_NULL);
    for (char *p = lower; *p; p++)
        *p = ascii_lower(*p);
    struct entry *e = c ? find(d, (struct key){ span_str(lower), type }) : NULL;
    if (!e) {
        free(c);
        return NULL;
    }
    e->refs++;
    *c = (struct dns_call){ .entry = e, .fn = fn, .arg = arg };
    list_init(&c->link);
    list_push_back(&d->calls, &c->all);
    timer_init(&c->deadline, on_deadline);
    turn_init(&c->turn, on_turn);
    if (!good) {
        tell(c, 0);
    } else if (!e->asking && mono_before(loop_now(d->loop), e->until)) {
        metric_inc(M_DNS_QUESTIONS, ASKED_CACHE);
        tell(c, e->err);
    } else if (!e->asking && d->n_open >= d->conf.max_open) {
        tell(c, CS_ELIMIT);
    } else {
        list_push_back(&e->waiting, &c->link);
        timer_start(d->loop, &c->deadline, d->conf.deadline);
        if (!e->asking)
            ask_servers(e);
    }
    return c;
}

struct loop *dns_loop(const struct dns *d)
{
    return d->loop;
}

/* ---- life ---- */

static void fill(struct dns_conf *c)
{
    if (!c->timeout.ms)
        c->timeout = DURATION_S(1);
    if (!c->tries)
        c->tries = 2;
    if (!c->deadline.ms)
        c->deadline = DURATION_S(4);
    if (!c->max_names)
        c->max_names = 4096;
    if (!c->max_open)
        c->max_open = 256;
    if (!c->max_ttl.ms)
        c->max_ttl = DURATION_S(3600);
    if (!c->stale.ms)
        c->stale = DURATION_S(3600);
}

int dns_open(struct loop *l, const struct dns_conf *conf, struct dns **out)
{
    struct dns *d = calloc(1, sizeof(*d));
    *out = NULL;
    if (!d)
        return CS_ENOMEM;
    d->loop = l;
    d->conf = *conf;
    fill(&d->conf);
    map_init(&d->entries);
    list_init(&d->used);
    list_init(&d->calls);
    int err = channel_open(l, &d->conf, &d->channel);
    if (err) {
        free(d);
        return err;
    }
    *out = d;
    return 0;
}

void dns_close(struct dns **dp)
{
    struct dns *d = *dp;
    *dp = NULL;
    if (!d)
        return;
    while (!list_empty(&d->calls))
        call_free(container_of(d->calls.next, struct dns_call, all));
    channel_close(&d->channel);
    while (!list_empty(&d->used))
        evict(d, container_of(d->used.next, struct entry, used));
    map_fini(&d->entries);
    free(d);
}
