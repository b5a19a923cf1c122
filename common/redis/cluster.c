#include "redis/cluster.h"

#include <stdlib.h>

#include "redis/guide.h"
#include "redis/slots.h"

enum {
    AGAIN_MS = 20,  /* a slot without a master, or on its way to another one, is tried again */
    HOPS_MAX = 8,   /* MOVED and ASK in a row that are followed at once */
    KEYLESS = SLOTS /* a command without a key: for any master */
};

struct master {
    struct list link;
    struct cluster *cluster;
    struct addr addr;
    struct redis *client;
    bool named;    /* in the map that was read last */
    unsigned slot; /* of the transactions it has collected in this turn */
};

/* A command, as it may have to be sent again. */
struct errand {
    struct list link; /* cluster.waiting, or .errands */
    struct cluster *cluster;
    struct redis_call *call; /* the owner's */
    struct redis_call *sent; /* to a master; NULL: waiting */
    struct master *at;
    struct mono until;
    struct redis_script *script;
    struct redis_argv *commands;
    ptrdiff_t n_keys;
    size_t n;
    unsigned slot, hops;
    bool confirm;
    struct arena memory;
};

struct cluster {
    struct redis *owner;
    struct guide *guide;
    struct slot_map map, said;
    struct turn turn; /* takes in what was said */
    struct master *by_index[SLOTS_MASTERS_MAX];
    struct list masters, errands, waiting;
    struct timer again;
    struct span question[2];
    bool changed; /* another master serves since the owner was ready last */
};

/* ---- masters ---- */

static void look(struct cluster *c)
{
    struct redis *r = c->owner;
    bool ready = c->map.n > 0;
    for (size_t i = 0; i < c->map.n; i++)
        ready &= c->by_index[i] && redis_is_ready(c->by_index[i]->client);
    if (ready && !r->ready && c->changed) {
        r->masters_changed = true;
        c->changed = false;
    }
    link_set_ready(r, ready);
}

static void on_master_ready(void *arg, bool ready)
{
    struct master *m = arg;
    if (!ready)
        guide_doubt(m->cluster->guide);
    look(m->cluster);
}

static struct master *find(struct cluster *c, const struct addr *addr)
{
    list_for_each (it, &c->masters) {
        struct master *m = container_of(it, struct master, link);
        if (addr_eq(&m->addr, addr))
            return m;
    }
    struct redis_conf conf = c->owner->conf;
    const struct redis_kind kind = { .role = "master",
                                     .helper = true,
                                     .watch_prefix = c->owner->watch_prefix,
                                     .watch = c->owner->watch,
                                     .watch_arg = c->owner->watch_arg };
    struct master *m = calloc(1, sizeof(*m));
    conf.addr = *addr;
    conf.cluster = NULL;
    conf.username = c->owner->username;
    if (!m || redis_new(c->owner->loop, &conf, &kind, &m->client)) {
        free(m);
        return NULL;
    }
    m->cluster = c;
    m->addr = *addr;
    m->slot = KEYLESS;
    redis_on_ready(m->client, on_master_ready, m);
    list_push_back(&c->masters, &m->link);
    return m;
}

static void master_free(struct master *m)
{
    list_remove(&m->link);
    redis_close(&m->client);
    free(m);
}

/* Those that serve nothing any more. Whose calls end with them may do anything, even close us. */
static void drop_unnamed(struct cluster *c)
{
    struct redis *r = c->owner;
    for (struct list *it = c->masters.next; it != &c->masters;) {
        struct master *m = container_of(it, struct master, link);
        it = it->next;
        if (m->named)
            continue;
        master_free(m);
        if (r->closing)
            return;
        it = c->masters.next;
    }
    look(c);
}

/* In a turn of its own, for then nobody above us holds on to anything. */
static void on_turn(struct turn *t)
{
    struct cluster *c = container_of(t, struct cluster, turn);
    struct redis *r = c->owner;
    c->map = c->said;
    list_for_each (it, &c->masters)
        container_of(it, struct master, link)->named = false;
    for (size_t i = 0; i < SLOTS_MASTERS_MAX; i++) {
        struct master *before = c->by_index[i];
        c->by_index[i] = i < c->map.n ? find(c, &c->map.master[i]) : NULL;
        c->changed |= c->by_index[i] != before;
        if (c->by_index[i])
            c->by_index[i]->named = true;
    }
    r->busy++;
    drop_unnamed(c);
    redis_leave(r);
}

static const char *on_map(void *arg, const struct addr *from, const struct redis_reply *reply)
{
    struct cluster *c = arg;
    struct slot_map map;
    const char *why = slots_read(reply, from, &map);
    if (!why) {
        c->said = map;
        turn_queue(c->owner->loop, &c->turn);
    }
    return why;
}

/* ---- errands ---- */

static void errand_free(struct errand *e)
{
    list_remove(&e->link);
    arena_fini(&e->memory);
    free(e);
}

static void finish(struct errand *e, const struct redis_reply *reply)
{
    struct redis_call *call = e->call;
    errand_free(e);
    redis_call_end(call, reply);
}

static void wait_a_little(struct errand *e)
{
    struct cluster *c = e->cluster;
    list_remove(&e->link);
    list_push_back(&c->waiting, &e->link);
    if (!timer_is_running(&c->again))
        timer_start(c->owner->loop, &c->again, DURATION_MS(AGAIN_MS));
}

static void send_again(struct errand *e, struct master *m, bool asking);

/* Whether the error only says that the slot is somewhere else, or will be; that is followed, for as
 * long as a command may take. */
static bool follow(struct errand *e, const struct redis_reply *reply)
{
    struct cluster *c = e->cluster;
    bool ask = reply_is(reply, SPAN("ASK ")), moved = reply_is(reply, SPAN("MOVED "));
    struct addr addr;
    unsigned slot;
    if (!ask && !moved && !reply_is(reply, SPAN("TRYAGAIN ")) &&
        !reply_is(reply, SPAN("CLUSTERDOWN ")) && !reply_is(reply, SPAN("EXECABORT ")))
        return false;
    if (!mono_before(loop_now(c->owner->loop), e->until)) {
        finish(e, reply_is(reply, SPAN("EXECABORT ")) ? reply : NULL);
        return true;
    }
    if ((!ask && !moved) || e->n_keys < 0 || ++e->hops > HOPS_MAX ||
        slots_read_redirect(reply->str, &e->at->addr, &slot, &addr)) {
        wait_a_little(e);
        return true;
    }
    struct master *m = find(c, &addr);
    if (moved)
        guide_doubt(c->guide);
    send_again(e, m, ask);
    return true;
}

static void on_reply(void *arg, const struct redis_reply *reply)
{
    struct errand *e = arg;
    e->sent = NULL;
    if (reply && e->call->fn && reply->type == REDIS_ERROR && follow(e, reply))
        return;
    finish(e, reply);
}

/* With its text, for ASKING counts for one command alone, and must not be spent on a NOSCRIPT. */
static struct redis_call *send_text(struct errand *e, struct redis *r)
{
    const struct redis_argv *given = e->commands;
    char digits[24];
    struct buf n = BUF_INIT(digits);
    struct span *argv = arena_alloc(&e->memory, (3 + given->argc) * sizeof(*argv));
    if (!argv)
        return NULL;
    buf_i64(&n, e->n_keys);
    argv[0] = SPAN("EVAL");
    argv[1] = span_str(e->script->lua);
    argv[2] = buf_span(&n);
    memcpy(argv + 3, given->argv, given->argc * sizeof(*argv));
    return redis_command(r, on_reply, e, 3 + given->argc, argv);
}

/* The transactions of a turn share one, whose keys must have one slot. */
static struct redis_call *send_atomic(struct errand *e, struct master *m)
{
    if (m->slot != e->slot)
        atomic_flush(m->client);
    m->slot = e->slot;
    return redis_atomic(m->client, on_reply, e, e->n, e->commands);
}

static void send_to(struct errand *e, struct master *m, bool asking)
{
    struct redis *r = m->client;
    const struct redis_argv *first = e->commands;
    e->at = m;
    list_remove(&e->link);
    list_push_back(&e->cluster->errands, &e->link);
    if (asking)
        redis_do(r, redis_ignore, NULL, SPAN("ASKING"));
    if (e->n_keys < 0)
        e->sent = send_atomic(e, m);
    else if (e->script && asking)
        e->sent = send_text(e, r);
    else if (e->script)
        e->sent =
            redis_script(r, e->script, on_reply, e, (size_t)e->n_keys, first->argc, first->argv);
    else
        e->sent = redis_command(r, on_reply, e, first->argc, first->argv);
    if (e->sent && e->confirm)
        redis_confirm(e->sent);
}

/* Once more; without memory for it now, later. */
static void send_again(struct errand *e, struct master *m, bool asking)
{
    if (m && redis_is_ready(m->client))
        send_to(e, m, asking);
    else
        guide_doubt(e->cluster->guide);
    if (!e->sent)
        wait_a_little(e);
}

static struct master *master_of(const struct cluster *c, unsigned slot)
{
    return c->map.n ? c->by_index[c->map.of[slot == KEYLESS ? 0 : slot]] : NULL;
}

static void try_again(struct errand *e)
{
    struct cluster *c = e->cluster;
    struct master *m = master_of(c, e->slot);
    e->hops = 0;
    if (!e->call->fn || !mono_before(loop_now(c->owner->loop), e->until))
        finish(e, NULL);
    else
        send_again(e, m, false);
}

static void on_again(struct timer *t)
{
    struct cluster *c = container_of(t, struct cluster, again);
    struct redis *r = c->owner;
    size_t n = 0;
    list_for_each (it, &c->waiting)
        n++;
    r->busy++;
    for (; n && !r->closing && !list_empty(&c->waiting); n--)
        try_again(container_of(c->waiting.next, struct errand, link));
    redis_leave(r);
}

/* ---- entry points ---- */

/* All keys of one command have one slot; ours begin with "cs:". */
static unsigned slot_of_command(const struct redis_argv *command, bool script)
{
    size_t at = script ? 0 : 1;
    return command->argc > at && span_starts(command->argv[at], SPAN("cs:"))
               ? slot_of(command->argv[at])
               : KEYLESS;
}

static bool copy(struct errand *e, size_t n, const struct redis_argv *commands)
{
    e->commands = arena_alloc(&e->memory, n * sizeof(*e->commands));
    e->n = n;
    for (size_t i = 0; e->commands && i < n; i++) {
        struct span *argv = arena_alloc(&e->memory, commands[i].argc * sizeof(*argv));
        if (!argv)
            return false;
        for (size_t j = 0; j < commands[i].argc; j++) {
            struct span given = commands[i].argv[j];
            argv[j] = arena_dup(&e->memory, given.p ? given : SPAN(""));
            if (!argv[j].p)
                return false;
        }
        e->commands[i] = (struct redis_argv){ commands[i].argc, argv };
    }
    return e->commands;
}

struct redis_call *cluster_send(struct cluster *c, redis_fn *fn, void *arg,
                                struct redis_script *script, ptrdiff_t n_keys, size_t n,
                                const struct redis_argv *commands)
{
    struct redis *r = c->owner;
    struct redis_call *call = r->closing ? NULL : redis_call_new(r, fn, arg);
    struct errand *e = call ? calloc(1, sizeof(*e)) : NULL;
    if (e)
        arena_init(&e->memory, NULL, 0, 0);
    if (!e || !copy(e, n, commands)) {
        if (e)
            arena_fini(&e->memory);
        free(e);
        if (call)
            redis_call_free(call);
        return NULL;
    }
    list_init(&e->link);
    e->cluster = c;
    e->call = call;
    e->script = script;
    e->n_keys = n_keys;
    e->slot = slot_of_command(&commands[0], script);
    e->until = mono_add(loop_now(r->loop), r->conf.deadline);
    struct master *m = master_of(c, e->slot);
    if (m && redis_can_send(r))
        send_to(e, m, false);
    if (!e->sent) {
        errand_free(e);
        redis_lose_later(r, call);
        return call;
    }
    call->errand = e;
    return call;
}

void cluster_confirm(struct errand *e)
{
    e->confirm = true;
    redis_confirm(e->sent);
}

struct mono cluster_heard(const struct cluster *c)
{
    struct mono oldest = { 0 };
    for (size_t i = 0; i < c->map.n; i++) {
        struct mono heard =
            c->by_index[i] ? redis_heard(c->by_index[i]->client) : (struct mono){ 0 };
        if (i == 0 || mono_before(heard, oldest))
            oldest = heard;
    }
    return oldest;
}

size_t cluster_masters(const struct cluster *c)
{
    return c->map.n;
}

unsigned cluster_first_slot(const struct cluster *c, size_t master)
{
    return c->map.first[master];
}

struct redis *cluster_master(const struct cluster *c, size_t master)
{
    return master < c->map.n && c->by_index[master] ? c->by_index[master]->client : NULL;
}

int cluster_open(struct redis *r, struct cluster **out)
{
    struct cluster *c = calloc(1, sizeof(*c));
    *out = c;
    if (!c)
        return CS_ENOMEM;
    c->owner = r;
    list_init(&c->masters);
    list_init(&c->errands);
    list_init(&c->waiting);
    timer_init(&c->again, on_again);
    turn_init(&c->turn, on_turn);
    c->question[0] = SPAN("CLUSTER");
    c->question[1] = SPAN("SLOTS");
    struct redis_conf conf = { .username = r->username,
                               .password = r->conf.password,
                               .tls = r->conf.tls,
                               .server_name = r->conf.server_name };
    const struct guide_kind kind = { .noun = "node",
                                     .silence = "no node tells of a whole cluster",
                                     .addrs = r->conf.cluster,
                                     .n = r->conf.n_cluster,
                                     .argc = 2,
                                     .argv = c->question };
    return guide_open(r->loop, &conf, &kind, on_map, c, &c->guide);
}

void cluster_close(struct cluster **cp, struct list *unanswered)
{
    struct cluster *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    timer_stop(c->owner->loop, &c->again);
    turn_cancel(&c->turn);
    guide_close(&c->guide);
    list_splice(&c->errands, &c->waiting);
    while (!list_empty(&c->errands)) {
        struct errand *e = container_of(c->errands.next, struct errand, link);
        if (e->sent)
            redis_cancel(e->sent);
        list_push_back(unanswered, &e->call->link);
        errand_free(e);
    }
    while (!list_empty(&c->masters))
        master_free(container_of(c->masters.next, struct master, link));
    free(c);
}
