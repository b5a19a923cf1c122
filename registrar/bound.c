#include "registrar/bound.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"

static const struct log blog = { .module = "bound" };

/* One AOR of a flow. */
struct carried {
    struct list link;
    size_t aor_n, user_n;
    struct rests rests; /* its tags are in text */
    char text[];        /* AOR, user, tags */
};

struct bound_flow {
    struct map_node node;
    struct flow *flow; /* borrowed: it tells us when it closes */
    struct list aors;
};

struct removal {
    struct list link;
    struct location_removal *call;
    size_t aor_n;
    char token[FLOW_TOKEN_MAX + 1];
    char aor[];
};

/* Lately registered over a flow that does not close. */
struct lately {
    struct list link;
    struct mono when;
    struct carried *carried;
    char token[FLOW_TOKEN_UDP + 1];
};

enum { LATELY_MS = 10000, LATELY_MAX = 65536 };

void bound_init(struct bound *b)
{
    *b = (struct bound){ .loop = NULL };
    map_init(&b->flows);
    list_init(&b->removals);
    list_init(&b->lately);
}

static struct span aor_of(const struct carried *c)
{
    return span_of(c->text, c->aor_n);
}

static struct span user_of(const struct carried *c)
{
    return span_of(c->text + c->aor_n, c->user_n);
}

static void flow_free(struct bound *b, struct bound_flow *f)
{
    struct list *it;
    map_remove(&b->flows, &f->node);
    while ((it = list_pop(&f->aors)))
        free(container_of(it, struct carried, link));
    free(f);
}

static void lately_free(struct bound *b, struct lately *l)
{
    list_remove(&l->link);
    free(l->carried);
    free(l);
    b->n_lately--;
}

void bound_fini(struct bound *b)
{
    list_for_each (it, &b->lately)
        lately_free(b, container_of(it, struct lately, link));
    map_for_each (it, &b->flows)
        flow_free(b, container_of(it, struct bound_flow, node));
    map_fini(&b->flows);
    list_for_each (it, &b->removals) {
        struct removal *r = container_of(it, struct removal, link);
        location_remove_cancel(r->call);
        list_remove(&r->link);
        free(r);
    }
}

/* ---- bindings go ---- */

static bool carries_token(void *arg, const Countersign__Store__Binding *binding)
{
    const struct removal *r = arg;
    return binding->flow && strcmp(binding->flow, r->token) == 0;
}

static void on_removed(void *arg, int err, size_t n)
{
    struct removal *r = arg;
    if (err) /* it is found dead when somebody calls */
        log_info(&blog, "the binding of a flow that is gone could not be removed",
                 kv_s("aor", span_of(r->aor, r->aor_n)), kv_err(err));
    metric_add(M_REG_GHOSTS, 0, (int64_t)n);
    list_remove(&r->link);
    free(r);
}

void bound_remove(struct bound *b, struct span aor, struct span token)
{
    struct removal *r = malloc(sizeof(*r) + aor.n);
    if (!r)
        return;
    r->aor_n = aor.n;
    memcpy(r->aor, aor.p, aor.n);
    span_copy(r->token, sizeof(r->token), token);
    r->call = location_remove(b->locations, aor, carries_token, on_removed, r);
    if (!r->call) {
        free(r);
        return;
    }
    list_push_back(&b->removals, &r->link);
}

static void remove_all_of(struct bound *b, const struct flow *flow, struct span aor)
{
    char token[FLOW_TOKEN_MAX];
    struct buf tb = BUF_INIT(token);
    flow_token(flow, &tb);
    if (buf_ok(&tb))
        bound_remove(b, aor, buf_span(&tb));
}

/* ---- what a flow carries ---- */

static uint64_t hash_of(const struct flow *f)
{
    return map_hash(span_of(&f->id, sizeof(f->id)));
}

static bool is_flow(const struct map_node *n, const void *key)
{
    return container_of(n, struct bound_flow, node)->flow == key;
}

static struct bound_flow *find(const struct bound *b, const struct flow *flow)
{
    struct map_node *n = map_find(&b->flows, hash_of(flow), is_flow, flow);
    return n ? container_of(n, struct bound_flow, node) : NULL;
}

static struct bound_flow *find_or_add(struct bound *b, struct flow *flow)
{
    struct bound_flow *f = find(b, flow);
    if (f)
        return f;
    f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->flow = flow;
    list_init(&f->aors);
    if (map_insert(&b->flows, &f->node, hash_of(flow))) {
        free(f);
        return NULL;
    }
    return f;
}

static struct carried *carried_new(struct span aor, struct span user, struct rests rests)
{
    struct carried *c = malloc(sizeof(*c) + aor.n + user.n + rests.tags.n);
    if (!c)
        return NULL;
    struct buf b = buf_of(c->text, aor.n + user.n + rests.tags.n);
    c->aor_n = aor.n;
    c->user_n = user.n;
    c->rests = rests;
    c->rests.tags = span_of(c->text + aor.n + user.n, rests.tags.n);
    buf_put(&b, aor);
    buf_put(&b, user);
    buf_put(&b, rests.tags);
    return c;
}

static void drop(struct carried *c)
{
    list_remove(&c->link);
    free(c);
}

/* Without memory it is not noted, and may outlive a revocation that comes this moment. */
static void add_lately(struct bound *b, const struct flow *flow, struct span aor, struct span user,
                       struct rests rests)
{
    const struct mono now = loop_now(b->loop);
    list_for_each (it, &b->lately) {
        struct lately *l = container_of(it, struct lately, link);
        if (b->n_lately < LATELY_MAX && mono_since(l->when, now).ms < LATELY_MS)
            break;
        lately_free(b, l);
    }
    struct lately *l = rests.tags.n ? malloc(sizeof(*l)) : NULL;
    if (!l)
        return;
    struct buf tb = buf_of(l->token, FLOW_TOKEN_UDP);
    flow_token(flow, &tb);
    l->token[tb.n] = '\0';
    l->when = now;
    l->carried = carried_new(aor, user, rests);
    list_init(&l->link);
    list_push_back(&b->lately, &l->link);
    b->n_lately++;
    if (!l->carried || !buf_ok(&tb))
        lately_free(b, l);
}

void bound_add(struct bound *b, struct flow *flow, struct span aor, struct span user,
               struct rests rests)
{
    if (!flow_is_reliable(flow)) {
        add_lately(b, flow, aor, user, rests);
        return;
    }
    if (!flow->open) { /* while its REGISTER was judged */
        remove_all_of(b, flow, aor);
        return;
    }
    struct bound_flow *f = find_or_add(b, flow);
    struct carried *new = f ? carried_new(aor, user, rests) : NULL;
    if (!new)
        return;
    list_for_each (it, &f->aors) {
        struct carried *c = container_of(it, struct carried, link);
        if (span_eq(aor_of(c), aor) && span_eq(user_of(c), user))
            drop(c); /* it rested on something else, perhaps */
    }
    list_push_back(&f->aors, &new->link);
}

bool bound_has(const struct bound *b, const struct flow *flow, struct span aor)
{
    const struct bound_flow *f = flow_is_reliable(flow) ? find(b, flow) : NULL;
    if (!f)
        return false;
    list_for_each (it, &f->aors) {
        if (span_eq(aor_of(container_of(it, struct carried, link)), aor))
            return true;
    }
    return false;
}

void bound_flow_closed(struct bound *b, const struct flow *flow)
{
    struct bound_flow *f = find(b, flow);
    if (!f)
        return;
    list_for_each (it, &f->aors)
        remove_all_of(b, flow, aor_of(container_of(it, struct carried, link)));
    flow_free(b, f);
}

/* ---- flows go ---- */

struct taken {
    struct span aor, user;     /* user absent: anybody's */
    const struct fallen *what; /* NULL: of that AOR; else whatever rests on it */
};

static bool is_taken(const struct carried *c, const struct taken *t)
{
    return t->what ? rests_fall(&c->rests, t->what)
                   : span_eq(aor_of(c), t->aor) && (!t->user.p || span_eq(user_of(c), t->user));
}

static void take(struct bound *b, struct bound_flow *f, const struct taken *t)
{
    size_t taken = 0, others = 0;
    if (f->flow->transport == SIP_LINK) /* it is not the phone's: others of a b2bua share it, and
                                         * authd removes the bindings themselves */
        return;
    list_for_each (it, &f->aors)
        *(is_taken(container_of(it, struct carried, link), t) ? &taken : &others) += 1;
    if (taken && !others)
        flow_close(f->flow); /* closed() comes later, and with it bound_flow_closed() */
    if (!taken || !others)
        return;
    list_for_each (it, &f->aors) {
        struct carried *c = container_of(it, struct carried, link);
        if (!is_taken(c, t))
            continue;
        remove_all_of(b, f->flow, aor_of(c));
        drop(c);
    }
}

static void take_all(struct bound *b, const struct taken *t)
{
    map_for_each (it, &b->flows)
        take(b, container_of(it, struct bound_flow, node), t);
}

void bound_revoke(struct bound *b, struct span aor, struct span user)
{
    take_all(b, &(struct taken){ .aor = aor, .user = user });
}

void bound_fall(struct bound *b, const struct fallen *what)
{
    const struct taken t = { .what = what };
    take_all(b, &t);
    list_for_each (it, &b->lately) {
        struct lately *l = container_of(it, struct lately, link);
        if (!is_taken(l->carried, &t))
            continue;
        bound_remove(b, aor_of(l->carried), span_str(l->token));
        lately_free(b, l);
    }
}
