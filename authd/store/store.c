#include "authd/store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "authd/revocation/events.h"
#include "base/log.h"
#include "base/lru.h"

/* One question to Redis of an operation that may have several. */
struct part {
    struct store_call *call;
    struct redis_call *redis; /* NULL: answered */
};

enum { PARTS = ALG_COUNT, SPARE_MAX = 1024, KEY_MAX = 1024, WINDOWS_MAX = 16384 };

#define WINDOW_MORE   DURATION_S(30) /* others of its batch are younger */
#define WINDOW_MARGIN DURATION_S(15) /* of that: for them, and for clocks that differ */
#define WINDOW_KNOWN  DURATION_S(600 + 30)

struct store_call {
    struct list link; /* in open or spare */
    struct store *store;
    struct arena arena;
    struct part few[PARTS], *parts;
    size_t n_parts, pending;
    int err; /* the first one of its parts */
    union {
        store_user_fn *user;
        store_done_fn *done;
        store_list_fn *list;
        store_count_fn *count;
    } fn;
    void *arg;
    struct span key; /* put, remove */
    union {
        struct {
            struct user old, now;     /* name absent: none */
            struct span event, token; /* absent: nobody has to be told */
        } put;
        struct {
            struct span realm, next;
            struct user *users;
            size_t limit, n;
        } list;
        struct {
            uint64_t n[ALG_COUNT];
        } count;
        struct {
            struct span name, namesake; /* "name@realm" */
            struct user user;
        } owner;
    };
    char
        first[2048]; /* serves the arena, so that a check's operations take nothing from the heap */
};

struct store {
    struct loop *loop;
    struct redis *redis;
    struct list open, spare;
    size_t n_spare;
    struct lru windows; /* by nonces' batch: until when their window surely stands */
    void (*changed)(void *arg, struct span realm);
    void *changed_arg;
};

static const struct log slog = { .module = "store" };

static struct redis_script replace_script = {
    .lua = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
           "redis.call('SET', KEYS[1], ARGV[2]) return 1",
};
static struct redis_script remove_script = {
    .lua = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
           "return redis.call('DEL', KEYS[1])",
};

/* ---- operations ---- */

static struct store_call *call_new(struct store *s, void *arg)
{
    struct list *l = list_pop(&s->spare);
    struct store_call *c;
    if (l) {
        s->n_spare--;
        c = container_of(l, struct store_call, link);
    } else {
        c = malloc(sizeof(*c));
        if (!c)
            return NULL;
    }
    memset(c, 0, offsetof(struct store_call, first));
    c->store = s;
    c->arg = arg;
    c->parts = c->few;
    arena_init(&c->arena, c->first, sizeof(c->first), 0);
    list_push_back(&s->open, &c->link);
    return c;
}

static void call_free(struct store_call *c)
{
    struct store *s = c->store;
    for (size_t i = 0; i < c->n_parts; i++) {
        if (c->parts[i].redis)
            redis_cancel(c->parts[i].redis);
    }
    arena_fini(&c->arena);
    list_remove(&c->link);
    if (s->n_spare < SPARE_MAX) {
        list_push_front(&s->spare, &c->link);
        s->n_spare++;
    } else {
        free(c);
    }
}

static int asked(struct store_call *c, struct redis_call *sent)
{
    struct part *p = &c->parts[c->n_parts];
    p->call = c;
    p->redis = sent;
    if (!sent)
        return CS_ENOMEM;
    c->n_parts++;
    c->pending++;
    return 0;
}

/* Sends one command of the operation; its reply comes to fn with a struct part. */
static int ask(struct store_call *c, redis_fn *fn, size_t argc, const struct span *argv)
{
    return asked(c, redis_command(c->store->redis, fn, &c->parts[c->n_parts], argc, argv));
}
#define ask_of(c, fn, ...)                                         \
    ask((c), (fn), CS_LEN(((const struct span[]){ __VA_ARGS__ })), \
        (const struct span[]){ __VA_ARGS__ })

/* Of a call that is being made: NULL for its caller when err is set. */
static struct store_call *begun(struct store_call *c, int err)
{
    if (!err)
        return c;
    call_free(c);
    return NULL;
}

/* Takes a reply: its operation, with err of the reply in *err. */
static struct store_call *answered(void *arg, const struct redis_reply *r, int *err)
{
    struct part *p = arg;
    p->redis = NULL;
    p->call->pending--;
    *err = 0;
    if (!r) {
        *err = CS_ECLOSED;
    } else if (r->type == REDIS_ERROR) {
        log_warn(&slog, "redis refuses a command", kv_s("reply", r->str));
        *err = CS_ECLOSED;
    }
    return p->call;
}

static void done(struct store_call *c, int err)
{
    c->fn.done(c->arg, err);
    call_free(c);
}

/* ---- keys ---- */

static struct span key_in(struct buf *b, struct span prefix, struct span tag)
{
    b->n = 0;
    buf_put(b, prefix);
    buf_putc(b, '{');
    buf_put(b, tag);
    buf_putc(b, '}');
    assert(buf_ok(b)); /* names, AORs and tags are bounded */
    return buf_span(b);
}

static struct span full_name(struct buf *b, struct span name, struct span realm)
{
    b->n = 0;
    buf_put(b, name);
    buf_putc(b, '@');
    buf_put(b, realm);
    assert(buf_ok(b));
    return buf_span(b);
}

static struct span named_key(struct buf *b, struct span prefix, struct span name, struct span realm)
{
    char space[KEY_MAX];
    struct buf full = BUF_INIT(space);
    return key_in(b, prefix, full_name(&full, name, realm));
}
#define user_key(b, name, realm)      named_key((b), SPAN("cs:user:"), (name), (realm))
#define temporary_key(b, name, realm) named_key((b), SPAN("cs:temp:"), (name), (realm))

static struct span lacks_key(struct buf *b, struct span realm, enum algorithm alg)
{
    key_in(b, SPAN("cs:lacks:"), realm);
    buf_putc(b, ':');
    buf_put(b, algorithm_name(alg));
    assert(buf_ok(b));
    return buf_span(b);
}

/* Longer than a key can be is no name we stored. */
static bool names_fit(struct span name, struct span realm)
{
    return name.n <= USER_MAX_NAME && realm.n <= USER_MAX_NAME;
}

/* ---- indexes ---- */

/* Entries that make a difference only where they are missing (an AOR that is not found) or only
 * where they are (an algorithm that is not offered) are both added before the record and removed
 * behind it; so a crash between the two leaves something too much, never something too little. */
static void index_done(void *arg, const struct redis_reply *r)
{
    (void)arg;
    if (r && r->type == REDIS_ERROR)
        log_error(&slog, "redis refuses a change of an index", kv_s("reply", r->str));
}

static void index_add(struct store *s, const struct user *u)
{
    char key[KEY_MAX], space[KEY_MAX];
    struct buf b = BUF_INIT(key), full = BUF_INIT(space);
    struct span name = full_name(&full, u->name, u->realm);

    for (size_t i = 0; u->enabled && i < u->n_aors; i++)
        redis_do(s->redis, index_done, NULL, SPAN("SADD"), key_in(&b, SPAN("cs:aor:"), u->aors[i]),
                 name);
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++) {
        if (user_lacks(u, alg))
            redis_do(s->redis, index_done, NULL, SPAN("SADD"), lacks_key(&b, u->realm, alg), name);
    }
    redis_do(s->redis, index_done, NULL, SPAN("ZADD"), SPAN("cs:users"), SPAN("0"), name);
}

/* Removes the entries of gone that stays does not have. */
static void index_drop(struct store *s, const struct user *gone, const struct user *stays)
{
    char key[KEY_MAX], space[KEY_MAX];
    struct buf b = BUF_INIT(key), full = BUF_INIT(space);
    struct span name = full_name(&full, gone->name, gone->realm);

    for (size_t i = 0; gone->enabled && i < gone->n_aors; i++) {
        if (!user_has_aor(stays, gone->aors[i]))
            redis_do(s->redis, index_done, NULL, SPAN("SREM"),
                     key_in(&b, SPAN("cs:aor:"), gone->aors[i]), name);
    }
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++) {
        if (user_lacks(gone, alg) && !user_lacks(stays, alg))
            redis_do(s->redis, index_done, NULL, SPAN("SREM"), lacks_key(&b, gone->realm, alg),
                     name);
    }
    if (!stays->name.p)
        redis_do(s->redis, index_done, NULL, SPAN("ZREM"), SPAN("cs:users"), name);
}

/* ---- users ---- */

static void got_user(void *arg, const struct redis_reply *r)
{
    int err;
    struct store_call *c = answered(arg, r, &err);
    struct user u = { 0 };
    if (!err && r->type == REDIS_NIL)
        err = CS_ENOENT;
    else if (!err)
        err = r->type == REDIS_STRING ? user_decode(r->str, &c->arena, &u) : CS_EPROTO;
    c->fn.user(c->arg, err, err ? NULL : &u);
    call_free(c);
}

struct store_call *store_get_user(struct store *s, struct span name, struct span realm,
                                  store_user_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.user = fn;
    if (!names_fit(name, realm)) /* the same work as for a name that might be one */
        name = span_head(name, USER_MAX_NAME), realm = span_head(realm, USER_MAX_NAME);
    return begun(c, ask_of(c, got_user, SPAN("GET"), user_key(&b, name, realm)));
}

struct store_call *store_get_temporary(struct store *s, struct span name, struct span realm,
                                       store_user_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.user = fn;
    name = span_head(name, USER_MAX_NAME);
    realm = span_head(realm, USER_MAX_NAME);
    return begun(c, ask_of(c, got_user, SPAN("GET"), temporary_key(&b, name, realm)));
}

static void temporary_put(void *arg, const struct redis_reply *r)
{
    int err;
    struct store_call *c = answered(arg, r, &err);
    done(c, err);
}

struct store_call *store_put_temporary(struct store *s, const struct user *u, struct wall until,
                                       store_done_fn *fn, void *arg)
{
    char space[KEY_MAX], digits[24], record[8192];
    struct buf b = BUF_INIT(space), when = BUF_INIT(digits), r = BUF_INIT(record);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.done = fn;
    buf_i64(&when, until.ms);
    int err = user_encode(u, &r);
    if (!err)
        err = ask_of(c, temporary_put, SPAN("SET"), temporary_key(&b, u->name, u->realm),
                     buf_span(&r), SPAN("PXAT"), buf_span(&when));
    return begun(c, err);
}

/* What takes something from somebody is announced before it is done, and told behind it. */
static int announce(struct store_call *c)
{
    Countersign__Store__Event e;
    int err = c->put.old.name.p ? event_of_change(&c->put.old, &c->put.now,
                                                  loop_wall(c->store->loop), &c->arena, &e)
                                : CS_ENOENT;
    if (err)
        return err == CS_ENOENT ? 0 : err;
    c->put.event = event_encode(&e, &c->arena);
    c->put.token = span_str(e.token);
    if (!c->put.event.p)
        return CS_ENOMEM;
    redis_do(c->store->redis, index_done, NULL, SPAN("HSET"), SPAN("cs:revoking"), c->put.token,
             c->put.event);
    return 0;
}

static void told(void *arg, const struct redis_reply *r)
{
    int err;
    struct store_call *c = answered(arg, r, &err);
    done(c, err);
}

/* Behind the change: true while it is on its way. */
static bool tell(struct store_call *c)
{
    struct part *p = &c->parts[0];
    if (!c->put.event.p)
        return false;
    p->call = c;
    p->redis = events_append(c->store->redis, c->put.event, told, p);
    redis_confirm(p->redis);
    c->n_parts = c->pending = p->redis ? 1 : 0;
    return p->redis != NULL; /* else it is found in cs:revoking */
}

/* Somebody was faster: what is in the indexes must fit what he wrote. */
static void settled(void *arg, const struct redis_reply *r)
{
    int err;
    struct store_call *c = answered(arg, r, &err);
    struct user current = { 0 };
    if (!err && r->type == REDIS_STRING)
        err = user_decode(r->str, &c->arena, &current);
    if (!err)
        index_drop(c->store, &c->put.now, &current);
    done(c, CS_ECONFLICT);
}

static void committed(void *arg, const struct redis_reply *r)
{
    int err;
    struct store_call *c = answered(arg, r, &err);
    struct store *s = c->store;
    bool won = !err && (r->type == REDIS_STATUS || (r->type == REDIS_INTEGER && r->integer == 1));

    if (won) {
        struct span realm = c->put.now.name.p ? c->put.now.realm : c->put.old.realm;
        if (c->put.old.name.p)
            index_drop(s, &c->put.old, &c->put.now);
        if (s->changed)
            s->changed(s->changed_arg, realm);
        if (!tell(c))
            done(c, 0);
        return;
    }
    if (!err && c->put.event.p)
        redis_do(s->redis, index_done, NULL, SPAN("HDEL"), SPAN("cs:revoking"), c->put.token);
    if (!err && c->put.now.name.p) {
        c->n_parts = 0;
        if (ask_of(c, settled, SPAN("GET"), c->key) == 0)
            return;
    }
    done(c, err ? err : CS_ECONFLICT);
}

static int write_script(struct store_call *c, struct redis_script *script, size_t argc,
                        const struct span *argv)
{
    struct redis_call *sent =
        redis_script(c->store->redis, script, committed, &c->parts[c->n_parts], 1, argc, argv);
    redis_confirm(sent);
    return asked(c, sent);
}

/* Of a user who must not be there yet. */
static int write_new(struct store_call *c, struct span record)
{
    const struct span argv[] = { SPAN("SET"), c->key, record, SPAN("NX") };
    struct redis_call *sent =
        redis_command(c->store->redis, committed, &c->parts[c->n_parts], CS_LEN(argv), argv);
    redis_confirm(sent);
    return asked(c, sent);
}

static int put_record(struct store_call *c)
{
    char *space = malloc(USER_MAX_RECORD);
    if (!space)
        return CS_ENOMEM;
    struct buf b = buf_of(space, USER_MAX_RECORD);
    int err = user_encode(&c->put.now, &b);
    if (!err)
        err = announce(c);
    if (!err) {
        index_add(c->store, &c->put.now);
        const struct span argv[] = { c->key, c->put.old.record, buf_span(&b) };
        if (c->put.old.name.p)
            err = write_script(c, &replace_script, CS_LEN(argv), argv);
        else
            err = write_new(c, buf_span(&b));
    }
    free(space);
    return err;
}

struct store_call *store_put_user(struct store *s, const struct user *old, const struct user *u,
                                  store_done_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.done = fn;
    int err = names_fit(u->name, u->realm) ? 0 : CS_ELIMIT;
    if (!err && old)
        err = user_copy(old, &c->arena, &c->put.old);
    if (!err)
        err = user_copy(u, &c->arena, &c->put.now);
    if (!err)
        c->key = arena_dup(&c->arena, user_key(&b, u->name, u->realm));
    if (!err && !c->key.p)
        err = CS_ENOMEM;
    return begun(c, err ? err : put_record(c));
}

struct store_call *store_remove_user(struct store *s, const struct user *u, store_done_fn *fn,
                                     void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.done = fn;
    int err = user_copy(u, &c->arena, &c->put.old);
    if (!err)
        err = announce(c);
    if (!err) {
        const struct span argv[] = { user_key(&b, u->name, u->realm), c->put.old.record };
        err = write_script(c, &remove_script, CS_LEN(argv), argv);
    }
    return begun(c, err);
}

/* ---- lists ---- */

static void list_done(struct store_call *c, int err)
{
    c->fn.list(c->arg, err, c->list.users, err ? 0 : c->list.n, c->list.next);
    call_free(c);
}

static void list_user(void *arg, const struct redis_reply *r)
{
    int err;
    struct store_call *c = answered(arg, r, &err);
    if (!err && r->type == REDIS_STRING) { /* else it was removed meanwhile */
        err = user_decode(r->str, &c->arena, &c->list.users[c->list.n]);
        if (!err)
            c->list.n++;
        else if (err == CS_EPROTO)
            log_error(&slog, "a user's record cannot be read");
        err = err == CS_EPROTO ? 0 : err;
    }
    c->err = c->err ? c->err : err;
    if (c->pending == 0)
        list_done(c, c->err);
}

static bool is_of_realm(struct span full, struct span realm)
{
    return !realm.p ||
           (full.n > realm.n && full.p[full.n - realm.n - 1] == '@' && span_ends(full, realm));
}

static void list_names(void *arg, const struct redis_reply *r)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    int err;
    struct store_call *c = answered(arg, r, &err);
    if (!err && r->type != REDIS_ARRAY)
        err = CS_EPROTO;
    if (err) {
        list_done(c, err);
        return;
    }
    c->parts = arena_zalloc(&c->arena, r->n * sizeof(*c->parts));
    c->list.users = arena_zalloc(&c->arena, r->n * sizeof(*c->list.users));
    c->n_parts = 0;
    if (!c->parts || !c->list.users) {
        c->parts = c->few;
        list_done(c, CS_ENOMEM);
        return;
    }
    if (r->n == c->list.limit)
        c->list.next = arena_dup(&c->arena, r->element[r->n - 1].str);
    for (size_t i = 0; i < r->n && !c->err; i++) {
        struct span full = r->element[i].str;
        if (is_of_realm(full, c->list.realm) && full.n <= 2 * USER_MAX_NAME + 1)
            c->err = ask_of(c, list_user, SPAN("GET"), key_in(&b, SPAN("cs:user:"), full));
    }
    if (c->pending == 0)
        list_done(c, c->err);
}

struct store_call *store_list_users(struct store *s, struct span realm, struct span after,
                                    size_t limit, store_list_fn *fn, void *arg)
{
    char from[KEY_MAX], count[24];
    struct buf min = BUF_INIT(from), n = BUF_INIT(count);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.list = fn;
    c->list.limit = CS_MAX(1, CS_MIN(limit, (size_t)STORE_PAGE_MAX));
    c->list.realm = arena_dup(&c->arena, realm);
    buf_putc(&min, after.p ? '(' : '-');
    buf_put(&min, span_head(after, sizeof(from) - 1));
    buf_u64(&n, c->list.limit);
    return begun(c, ask_of(c, list_names, SPAN("ZRANGEBYLEX"), SPAN("cs:users"), buf_span(&min),
                           SPAN("+"), SPAN("LIMIT"), SPAN("0"), buf_span(&n)));
}

static void got_count(void *arg, const struct redis_reply *r)
{
    size_t i = (size_t)((struct part *)arg - ((struct part *)arg)->call->parts);
    int err;
    struct store_call *c = answered(arg, r, &err);
    if (!err && r->type != REDIS_INTEGER)
        err = CS_EPROTO;
    if (!err)
        c->count.n[i] = (uint64_t)r->integer;
    c->err = c->err ? c->err : err;
    if (c->pending > 0)
        return;
    c->fn.count(c->arg, c->err, c->count.n);
    call_free(c);
}

struct store_call *store_count_lacking(struct store *s, struct span realm, store_count_fn *fn,
                                       void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.count = fn;
    realm = span_head(realm, USER_MAX_NAME);
    int err = 0;
    for (enum algorithm alg = 0; !err && alg < ALG_COUNT; alg++)
        err = ask_of(c, got_count, SPAN("SCARD"), lacks_key(&b, realm, alg));
    return begun(c, err);
}

struct store_call *store_count_users(struct store *s, store_count_fn *fn, void *arg)
{
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.count = fn;
    return begun(c, ask_of(c, got_count, SPAN("ZCARD"), SPAN("cs:users")));
}

/* ---- checks ---- */

static void bit_set(void *arg, const struct redis_reply *r)
{
    int err;
    struct store_call *c = answered(arg, r, &err);
    if (!err && r->type != REDIS_INTEGER)
        err = CS_EPROTO;
    done(c, err ? err : r->integer ? CS_ECONFLICT : 0);
}

/* A window is given its end anew only when we do not know of one that is far enough: each command
 * costs. */
static void window_ends(struct store *s, struct span tag, struct duration in)
{
    struct mono now = loop_now(s->loop), end = mono_add(now, in);
    lru_put(&s->windows, tag, span_of((const char *)&end, sizeof(end)), now);
}

static bool window_ends_later(struct store *s, struct span tag)
{
    struct mono now = loop_now(s->loop), end;
    struct span known = lru_get(&s->windows, tag, now);
    if (!known.p)
        return false;
    memcpy(&end, known.p, sizeof(end));
    return mono_before(mono_add(now, WINDOW_MARGIN), end);
}

struct store_call *store_commit_nc(struct store *s, const struct nonce *n, unsigned nc,
                                   struct duration lifetime, store_done_fn *fn, void *arg)
{
    char space[KEY_MAX], digits[2][24];
    struct buf b = BUF_INIT(space), bit = BUF_INIT(digits[0]), ms = BUF_INIT(digits[1]);
    const struct span batch = span_head(n->tag, NONCE_BATCH_LEN);
    assert(n->tag.n == NONCE_TAG_LEN && n->slot < NONCE_SLOTS && nc <= STORE_NC_MAX);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.done = fn;
    struct span key = key_in(&b, SPAN("cs:nc:"), batch);
    buf_u64(&bit, (uint64_t)nc * NONCE_SLOTS + n->slot);
    int err = ask_of(c, bit_set, SPAN("SETBIT"), key, buf_span(&bit), SPAN("1"));
    if (!err && !window_ends_later(s, batch)) { /* whoever made it, or if it is made now */
        lifetime.ms += WINDOW_MORE.ms;
        buf_i64(&ms, lifetime.ms);
        redis_do(s->redis, index_done, NULL, SPAN("PEXPIRE"), key, buf_span(&ms));
        window_ends(s, batch, lifetime);
    }
    return begun(c, err);
}

static void aor_found(void *arg, const struct redis_reply *r)
{
    int err;
    struct store_call *c = answered(arg, r, &err);
    if (!err && r->type != REDIS_INTEGER)
        err = CS_EPROTO;
    done(c, err ? err : r->integer ? 0 : CS_ENOENT);
}

struct store_call *store_find_aor(struct store *s, struct span aor, store_done_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    c->fn.done = fn;
    struct span key = key_in(&b, SPAN("cs:aor:"), span_head(aor, KEY_MAX / 2));
    return begun(c, ask_of(c, aor_found, SPAN("EXISTS"), key));
}

/* Two parts: the names that have the AOR, and the record of who is named like it, as nearly all
 * are; where that cannot be taken it is asked for by its name. */
static void owner_found(void *arg, const struct redis_reply *r)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    int err;
    struct store_call *c = answered(arg, r, &err);
    if (arg == &c->parts[1]) {
        if (err || r->type != REDIS_STRING || user_decode(r->str, &c->arena, &c->owner.user))
            c->owner.namesake = SPAN_NULL;
    } else if (err || r->type != REDIS_ARRAY) {
        c->err = err ? err : CS_EPROTO;
    } else if (r->n != 1 || r->element[0].type != REDIS_STRING) {
        c->err = CS_ENOENT;
    } else {
        c->owner.name = arena_dup(&c->arena, span_head(r->element[0].str, KEY_MAX / 2));
        c->err = c->owner.name.p ? 0 : CS_ENOMEM;
    }
    if (!c->pending && !c->err && !span_eq(c->owner.name, c->owner.namesake))
        c->err = ask_of(c, got_user, SPAN("GET"), key_in(&b, SPAN("cs:user:"), c->owner.name));
    if (c->pending)
        return;
    c->fn.user(c->arg, c->err, c->err ? NULL : &c->owner.user);
    call_free(c);
}

struct store_call *store_get_owner(struct store *s, struct span aor, store_user_fn *fn, void *arg)
{
    char space[KEY_MAX];
    struct buf b = BUF_INIT(space);
    struct store_call *c = call_new(s, arg);
    if (!c)
        return NULL;
    aor = span_head(aor, KEY_MAX / 2);
    c->fn.user = fn;
    int err = ask_of(c, owner_found, SPAN("SMEMBERS"), key_in(&b, SPAN("cs:aor:"), aor));
    if (!err && span_starts(aor, SPAN("sip:"))) {
        c->owner.namesake = arena_dup(&c->arena, span_skip(aor, 4));
        err = ask_of(c, owner_found, SPAN("GET"), key_in(&b, SPAN("cs:user:"), c->owner.namesake));
    }
    return begun(c, err);
}

/* ---- the store ---- */

int store_new(struct loop *l, struct redis *r, struct store **out)
{
    struct store *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    s->loop = l;
    s->redis = r;
    list_init(&s->open);
    list_init(&s->spare);
    lru_init(&s->windows, WINDOWS_MAX, WINDOW_KNOWN);
    return 0;
}

void store_free(struct store **sp)
{
    struct store *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    list_for_each (it, &s->open)
        call_free(container_of(it, struct store_call, link));
    list_for_each (it, &s->spare)
        free(container_of(it, struct store_call, link));
    lru_fini(&s->windows);
    free(s);
}

void store_forget(struct store *s)
{
    lru_clear(&s->windows);
}

bool store_is_ready(const struct store *s)
{
    return redis_is_ready(s->redis);
}

void store_on_change(struct store *s, void (*fn)(void *arg, struct span realm), void *arg)
{
    s->changed = fn;
    s->changed_arg = arg;
}

void store_cancel(struct store_call *c)
{
    call_free(c);
}
