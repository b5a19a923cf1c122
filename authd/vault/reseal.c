#include "authd/vault/reseal.h"

#include <stdlib.h>

#include "authd/store/records.h"
#include "authd/store/trunk.h"
#include "authd/store/user.h"
#include "base/log.h"

/* A page is a turn's work: about 300 verifiers to open and seal. */
enum { PAGE = 100, TRIES = 8, NAME_MAX_LEN = RECORD_NAME_MAX };

static const struct log rlog = { .module = "reseal" };

/* ---- what there is ---- */

/* Puts the record into out as it should be, *changed: it is not so. */
typedef int renew_fn(struct span record, struct vault *v, struct arena *a, struct buf *out,
                     bool *changed);

static int renew_user(struct span record, struct vault *v, struct arena *a, struct buf *out,
                      bool *changed)
{
    struct user u;
    int err = user_decode(record, a, &u);
    if (!err)
        err = user_reseal(&u, v, a, changed);
    return !err && *changed ? user_encode(&u, out) : err;
}

static int renew_trunk(struct span record, struct vault *v, struct arena *a, struct buf *out,
                       bool *changed)
{
    struct trunk t;
    int err = trunk_decode(record, a, &t);
    if (!err)
        err = trunk_reseal(&t, v, a, changed);
    return !err && *changed ? trunk_encode(&t, out) : err;
}

enum { KIND_USER, KIND_TRUNK };

static const struct kind {
    struct span prefix, index;
    renew_fn *renew;
} kinds[] = {
    [KIND_USER] = { SPAN_INIT("cs:user:"), SPAN_INIT("cs:users"), renew_user },
    [KIND_TRUNK] = { SPAN_INIT(TRUNK_PREFIX), SPAN_INIT(TRUNK_INDEX), renew_trunk },
};

/* ---- where we are ---- */

struct put {
    struct reseal *r;
    struct record_call *call; /* NULL: answered */
};

struct reseal {
    struct loop *loop;
    struct vault *vaults[CS_LEN(kinds)];
    struct records records[CS_LEN(kinds)];
    size_t kind;
    char after[NAME_MAX_LEN + 1]; /* where its page begins; "": at the first */
    char next[NAME_MAX_LEN + 1];  /* where the page behind it begins; "": there is none */
    struct record_call *list;     /* under way, or NULL */
    struct put puts[PAGE];
    size_t n_puts, pending;
    unsigned tries; /* of this page */
    bool again;     /* somebody else wrote one of it meanwhile */
    int err;
    uint64_t seen, unreadable; /* of this try of this page */
    struct reseal_progress progress;
    char space[CS_MAX((int)USER_MAX_RECORD, (int)TRUNK_MAX_RECORD)];
};

static void end(struct reseal *r, enum reseal_state state)
{
    struct reseal_progress *p = &r->progress;
    p->state = state;
    p->ended = loop_wall(r->loop);
    if (state == RESEAL_BROKEN)
        log_error(&rlog, "resealing broke off; ask for it again", kv_err(r->err),
                  kv_u("records", p->seen));
    else if (p->unreadable > 0)
        log_error(&rlog, "not everything could be resealed: keep the keys there are",
                  kv_u("records", p->seen), kv_u("unreadable", p->unreadable));
    else
        log_info(&rlog, "everything is sealed by one key", kv_u("key", vault_key_id(r->vaults[0])),
                 kv_u("records", p->seen), kv_u("resealed", p->resealed));
}

static void list_page(struct reseal *r);

static void page_done(struct reseal *r)
{
    if (r->again && !r->err && ++r->tries == TRIES)
        r->err = CS_ECONFLICT;
    if (r->err) {
        end(r, RESEAL_BROKEN);
        return;
    }
    if (r->again) {
        list_page(r);
        return;
    }
    r->tries = 0;
    r->progress.seen += r->seen;
    r->progress.unreadable += r->unreadable;
    memcpy(r->after, r->next, sizeof(r->after));
    if (!r->after[0] && ++r->kind == CS_LEN(kinds))
        end(r, RESEAL_DONE);
    else
        list_page(r);
}

static void on_put(void *arg, int err)
{
    struct put *p = arg;
    struct reseal *r = p->r;
    p->call = NULL;
    if (err == CS_ECONFLICT)
        r->again = true;
    else if (err)
        r->err = err;
    else
        r->progress.resealed++;
    if (--r->pending == 0)
        page_done(r);
}

static int renew(struct reseal *r, const struct record *record)
{
    struct arena a;
    struct buf b = BUF_INIT(r->space);
    bool changed = false;
    arena_init(&a, NULL, 0, 0);
    int err = kinds[r->kind].renew(record->bytes, r->vaults[r->kind], &a, &b, &changed);
    arena_fini(&a);
    if (err == CS_ENOMEM)
        return err;
    if (err) {
        r->unreadable++;
        log_error(&rlog,
                  "a record cannot be resealed: is its key in seal_key_file, or trunk_key_file?",
                  kv_s("kind", kinds[r->kind].prefix), kv_s("name", record->name), kv_err(err));
        return 0;
    }
    if (!changed)
        return 0;
    struct put *p = &r->puts[r->n_puts];
    p->r = r;
    p->call =
        record_put(&r->records[r->kind], record->name, record->bytes, buf_span(&b), on_put, p);
    if (!p->call)
        return CS_ENOMEM;
    r->n_puts++;
    r->pending++;
    return 0;
}

static void on_page(void *arg, int err, const struct record *list, size_t n, struct span next)
{
    struct reseal *r = arg;
    r->list = NULL;
    r->n_puts = r->pending = 0;
    r->seen = n;
    r->unreadable = 0;
    r->again = false;
    r->err = err;
    span_copy(r->next, sizeof(r->next), next);
    for (size_t i = 0; i < n && !r->err; i++)
        r->err = renew(r, &list[i]);
    if (r->pending == 0)
        page_done(r);
}

static void list_page(struct reseal *r)
{
    r->list = record_list(&r->records[r->kind], r->after[0] ? span_str(r->after) : SPAN_NULL, PAGE,
                          on_page, r);
    if (r->list)
        return;
    r->err = CS_ENOMEM;
    end(r, RESEAL_BROKEN);
}

/* ---- entry points ---- */

int reseal_new(struct loop *l, struct redis *redis, struct vault *users, struct vault *trunks,
               struct reseal **out)
{
    struct reseal *r = calloc(1, sizeof(*r));
    *out = r;
    if (!r)
        return CS_ENOMEM;
    r->loop = l;
    r->vaults[KIND_USER] = users;
    r->vaults[KIND_TRUNK] = trunks;
    for (size_t i = 0; i < CS_LEN(kinds); i++)
        records_init(&r->records[i], redis, kinds[i].prefix, kinds[i].index);
    return 0;
}

void reseal_free(struct reseal **rp)
{
    struct reseal *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    for (size_t i = 0; i < CS_LEN(kinds); i++)
        records_fini(&r->records[i]);
    free(r);
}

void reseal_start(struct reseal *r)
{
    struct reseal_progress *p = &r->progress;
    if (p->state == RESEAL_RUNNING)
        return;
    if (p->state != RESEAL_BROKEN) {
        r->kind = 0;
        r->after[0] = '\0';
        *p = (struct reseal_progress){ .began = loop_wall(r->loop) };
    }
    r->tries = 0;
    p->state = RESEAL_RUNNING;
    list_page(r);
}

const struct reseal_progress *reseal_progress(const struct reseal *r)
{
    return &r->progress;
}
