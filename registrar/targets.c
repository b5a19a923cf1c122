#include "registrar/targets.h"

#include <stdlib.h>

#include "gate/resting.h"
#include "registrar/binding.h"

static const struct log targets_log = { .module = "targets" };

/* Whether another registrar has the flow of a binding. */
static bool is_elsewhere(const struct front *f, const Countersign__Store__Binding *b)
{
    return b->flow && b->owner && strcmp(b->owner, f->node) != 0;
}

/* The flow by which a binding came, through whoever has it. */
static struct flow *flow_of(struct front *f, struct span aor, const Countersign__Store__Binding *b)
{
    struct flow *flow = NULL;
    int err = is_elsewhere(f, b) ? nodes_link(f->nodes, siptp_node_id(span_str(b->owner)), &flow)
                                 : siptp_flow_by_token(f->tp, span_str(b->flow), &flow);
    if (err == CS_ENOENT && !is_elsewhere(f, b)) /* a connection that closed unseen */
        bound_remove(&f->bound, aor, span_str(b->flow));
    if (err)
        log_debug(&targets_log, "binding without a live flow skipped", kv_s("aor", aor),
                  kv_str("contact", b->contact), kv_err(err));
    return flow;
}

/* Where its group says that a binding is reached at its Contact, or by its Path (RFC 3261, 16.6
 * step 6; RFC 3327, 5.3): by RFC 3263. */
static int hop_of(struct arena *a, const Countersign__Store__Binding *b, struct fork_target *out)
{
    struct hop **hops = arena_alloc(a, sizeof(struct hop *));
    struct hop *hop = arena_zalloc(a, sizeof(*hop));
    struct sip_addr path;
    if (!hops || !hop)
        return CS_ENOMEM;
    hops[0] = hop;
    hop->is_contact = true;
    hop->text = span_str(b->n_path ? b->path[0] : b->contact);
    int err = b->n_path ? sip_addr_parse(hop->text, &path) : sip_uri_parse(hop->text, &hop->uri);
    if (!err && b->n_path)
        hop->uri = path.uri;
    out->hops = hops;
    out->n_hops = 1;
    return err;
}

bool targets_came_too_open(const struct sip_msg *m, bool secure)
{
    return m->uri.scheme == SIP_SCHEME_SIPS && !secure;
}

bool targets_are_too_open(const struct sip_msg *m, bool secure, const struct flow *to)
{
    return m->uri.scheme == SIP_SCHEME_SIPS && (!secure || !flow_is_secure(to));
}

static void write_rests(const Countersign__Store__Binding *b, struct arena *a,
                        struct fork_target *out)
{
    const struct rests rests = rests_of_binding(b);
    char line[200];
    struct buf lb = BUF_INIT(line);
    resting_write(&lb, rests.tags, rests.issued, rests.issued_s);
    if (lb.n && buf_ok(&lb))
        out->rests = arena_dup(a, buf_span(&lb));
}

static int target_of(struct front *f, bool secure, struct sip_msg *m, struct span aor,
                     const Countersign__Store__Binding *b, struct fork_target *out, bool *too_open)
{
    struct span *routes = arena_alloc(&m->arena, (b->n_path + 1) * sizeof(*routes));
    const enum sip_scheme asked = m->uri.scheme;
    struct span uri = binding_request_uri(b, asked, &m->arena);
    char tag[ROUTE_TAG_LEN];
    struct buf tb = BUF_INIT(tag);
    size_t n = 0;
    *too_open |= asked == SIP_SCHEME_SIPS && !uri.p;
    if (!routes || !uri.p)
        return CS_ENOMEM;
    route_tag_write(&tb, &f->route_key, span_str(b->instance));
    if (is_elsewhere(f, b)) {
        char path[BINDING_PATH_MAX];
        struct buf pb = BUF_INIT(path);
        binding_write_path(&pb, b, buf_span(&tb));
        routes[n] = arena_dup(&m->arena, buf_span(&pb));
        if (!buf_ok(&pb) || !routes[n++].p)
            return CS_ENOMEM;
    }
    for (size_t i = 0; i < b->n_path; i++)
        routes[n++] = span_str(b->path[i]);
    *out = (struct fork_target){ .uri = uri,
                                 .routes = routes,
                                 .n_routes = n,
                                 .q = b->has_q ? b->q : 1000,
                                 .instance = span_str(b->instance),
                                 .tag = arena_dup(&m->arena, buf_span(&tb)),
                                 .until_ms = b->expires_ms };
    write_rests(b, &m->arena, out);
    if (is_elsewhere(f, b)) {
        out->aor = aor;
        out->token = span_str(b->flow);
    }
    if (targets_came_too_open(m, secure)) {
        *too_open = true;
        return CS_EDENIED;
    }
    if (!b->flow)
        return hop_of(&m->arena, b, out);
    out->flow = flow_of(f, aor, b);
    if (!out->flow)
        return CS_ENOENT;
    if (!targets_are_too_open(m, secure, out->flow))
        return 0;
    *too_open = true;
    flow_unref(&out->flow);
    return CS_EDENIED;
}

/* By falling q, and then those that were refreshed last. */
static int by_rank(const void *a, const void *b)
{
    const struct fork_target *x = a, *y = b;
    int q = (x->q < y->q) - (x->q > y->q);
    return q ? q : (x->until_ms < y->until_ms) - (x->until_ms > y->until_ms);
}

static size_t same_phone(const struct fork_target *list, size_t n, const struct fork_target *t)
{
    size_t i = 0;
    while (i < n && (!t->instance.n || !span_caseeq(list[i].instance, t->instance)))
        i++;
    return i;
}

/* Moves the second and further flows of each phone behind the first ones, and chains them; of
 * phones the most first stay. */
static int set_spares_apart(struct targets *t, size_t most, struct arena *a)
{
    size_t all = t->n, n = 0, n_spare = 0;
    struct fork_target *spare = arena_alloc(a, all * sizeof(*spare));
    size_t *of = arena_alloc(a, 2 * all * sizeof(*of)), *last = of + all;
    if (!spare || !of)
        return CS_ENOMEM;
    for (size_t i = 0; i < all; i++) {
        size_t first = same_phone(t->list, n, &t->list[i]);
        if (first < n) {
            of[n_spare] = first;
            spare[n_spare++] = t->list[i];
        } else if (n == most) {
            flow_unref(&t->list[i].flow);
        } else {
            last[n] = n;
            t->list[n++] = t->list[i];
        }
    }
    for (size_t i = 0; i < n_spare; i++) {
        size_t *tail = &last[of[i]];
        t->list[n + i] = spare[i];
        t->list[*tail].spare = n + i;
        *tail = n + i;
    }
    t->n = n;
    t->n_spare = n_spare;
    return 0;
}

int targets_of(struct front *f, bool secure, struct sip_msg *m, struct span aor,
               const Countersign__Store__Location *record, size_t most, targets_pick_fn *pick,
               const void *arg, struct targets *out)
{
    size_t all = record ? record->n_binding : 0;
    struct wall now = loop_wall(f->loop);
    *out = (struct targets){ .list = arena_alloc(&m->arena, all * sizeof(*out->list)) };
    if (!out->list)
        return CS_ENOMEM;
    for (size_t i = 0; i < all; i++) {
        const Countersign__Store__Binding *b = record->binding[i];
        if (binding_is_live(b, now) && (!pick || pick(f, m, arg, b)) &&
            target_of(f, secure, m, aor, b, &out->list[out->n], &out->too_open) == 0)
            out->n++;
    }
    if (out->n < 2)
        return 0;
    qsort(out->list, out->n, sizeof(*out->list), by_rank);
    int err = set_spares_apart(out, most, &m->arena);
    if (err)
        targets_release(out);
    return err;
}

void targets_release(struct targets *t)
{
    for (size_t i = 0; i < t->n + t->n_spare; i++)
        flow_unref(&t->list[i].flow);
    t->n = t->n_spare = 0;
}
