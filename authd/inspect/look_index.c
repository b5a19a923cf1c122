/* What keys there may be, and the entries of the indexes: each names a record. */
#include "authd/inspect/look.h"

#define KEPT(key, stay)                         \
    {                                           \
        SPAN_INIT(key), { NULL, 0 }, stay, NULL \
    }
#define READ(key, get, stay, judge)                 \
    {                                               \
        SPAN_INIT(key), SPAN_INIT(get), stay, judge \
    }

const struct kind inspect_kinds[] = {
    READ("cs:user:{", "GET", STAYS, look_user),
    READ("cs:temp:{", "GET", EXPIRES, look_temporary),
    READ("cs:aor:{", "SMEMBERS", STAYS, look_aor),
    READ("cs:dev:{", "GET", STAYS, look_device),
    READ("cs:trunk:{", "GET", STAYS, look_trunk),
    READ("cs:set:{", "GET", STAYS, look_set),
    READ("cs:loc:{", "HGETALL", EXPIRES, look_location),
    READ("cs:cert:{all}:", "GET", EXPIRES, look_certificate),
    READ("cs:ban:{all}:", "GET", EXPIRES, look_ban),
    READ("cs:{nodes}:", "GET", EXPIRES, look_node),
    KEPT("cs:users", STAYS),
    KEPT("cs:devs", STAYS),
    KEPT("cs:trunks", STAYS),
    KEPT("cs:sets", STAYS),
    KEPT("cs:cert:{all}", STAYS),
    KEPT("cs:ban:{all}", STAYS),
    KEPT("cs:{nodes}", STAYS),
    KEPT("cs:lacks:{", STAYS),
    KEPT("cs:events", STAYS),
    KEPT("cs:revoking", STAYS),
    KEPT("cs:revoked", STAYS),
    KEPT("cs:grey:{all}", STAYS),
    KEPT("cs:epoch", STAYS),
    KEPT("cs:epoch:", STAYS),
    KEPT("cs:used:{", EXPIRES),
    KEPT("cs:drift:{", EXPIRES),
    KEPT("cs:nc:{", EXPIRES),
    KEPT("cs:fail:{", EXPIRES),
    KEPT("cs:good:{", EXPIRES),
    KEPT("cs:calls:{", EXPIRES),
    KEPT("cs:went:{", EXPIRES),
    KEPT("cs:ticket:{", EXPIRES),
    KEPT("cs:trace:{", EXPIRES),
    KEPT("cs:history:{", EXPIRES),
    KEPT("cs:{once}:", EXPIRES),
    KEPT("cs:{once}", EXPIRES),
    KEPT("cs:{traces}", EXPIRES),
    KEPT("cs:{refusals}", EXPIRES),
    KEPT("cs:{summaries}", EXPIRES),
};
const size_t inspect_n_kinds = CS_LEN(inspect_kinds);

/* ---- taking an entry out ---- */

/* Who makes the record anew writes the index first: then the entry belongs there after all. */
static void on_still_there(struct look *l, const struct redis_reply *r, void *arg)
{
    struct finding *f = arg;
    const bool there = r->type == REDIS_INTEGER && r->integer != 0;
    if (there)
        look_do(l, NULL, NULL, SPAN("ZADD"), l->key, SPAN("NX"), SPAN("0"), f->entry);
    f->repaired = !there;
}

static void repair_listed(struct look *l, struct finding *f)
{
    look_do(l, NULL, NULL, SPAN("ZREM"), l->key, f->entry);
    look_do(l, on_still_there, f, SPAN("EXISTS"), look_key(l, l->prefix, f->entry, ""));
}

static void on_removed(struct look *l, const struct redis_reply *r, void *arg)
{
    struct finding *f = arg;
    (void)l;
    f->repaired = r->type == REDIS_INTEGER;
}

/* Index and records are of one slot, and written as one. */
static void repair_member(struct look *l, struct finding *f)
{
    look_do(l, on_removed, f, SPAN("ZREM"), l->key, f->entry);
}

/* ---- entries ---- */

static void on_listed(struct look *l, const struct redis_reply *r, void *arg)
{
    (void)arg;
    if (r->type == REDIS_INTEGER && r->integer == 0)
        look_found(l, FLAW_DANGLING, l->entry, SPAN_NULL, repair_listed);
}

void look_listed(struct look *l)
{
    look_do(l, on_listed, NULL, SPAN("EXISTS"), look_key(l, l->prefix, l->entry, ""));
}

static void on_member(struct look *l, const struct redis_reply *r, void *arg)
{
    (void)arg;
    if (r->type == REDIS_INTEGER && r->integer == 0)
        look_found(l, FLAW_DANGLING, l->entry, SPAN_NULL, repair_member);
}

/* Those whose time is over stay in the index until something is added to it. */
void look_member(struct look *l)
{
    if (l->until.ms <= loop_wall(l->env->loop).ms)
        return;
    const size_t n = l->key.n + 1 + l->entry.n;
    char *key = arena_alloc(l->arena, n);
    struct buf b = buf_of(key, key ? n : 0);
    buf_put(&b, l->key);
    buf_putc(&b, ':');
    buf_put(&b, l->entry);
    look_do(l, on_member, NULL, SPAN("EXISTS"), key ? buf_span(&b) : SPAN_NULL);
}
