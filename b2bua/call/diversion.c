/* Diversions: who is asked answers 302, and somebody else is asked in its place. A line sends its
 * calls no farther than it may dial itself: what its Contacts name goes through the dial plan as if
 * the line had dialled it, and is charged to it. A trunk may name other targets of its own. */
#include "b2bua/call/call_impl.h"
#include "sip/write.h"

static const struct log diversion_log = { .module = "diversion" };

static bool has_diverted(const struct call *c, struct span line)
{
    for (size_t i = 0; i < c->n_diverters; i++) {
        if (span_eq(c->diverters[i], line))
            return true;
    }
    return false;
}

static bool leads_back(const struct call *c, const struct dialplan_answer *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct dialplan_candidate *to = &plan->candidates[i];
        if (to->kind == DIALPLAN_LINE && has_diverted(c, to->name))
            return true;
    }
    return false;
}

/* Whoever calls is who a line is told of; a trunk is told of the line that pays for it. */
static void tell_caller(const struct call *c, struct dialplan_answer *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->candidates[i].kind != DIALPLAN_TRUNK)
            plan->candidates[i].calling = c->caller;
    }
}

static int append(struct call *c, struct dialplan_answer *all, const struct dialplan_answer *more)
{
    struct dialplan_candidate *joined =
        arena_alloc(&c->arena, (all->n + more->n) * sizeof(*joined));
    if (!joined)
        return CS_ENOMEM;
    if (all->n)
        memcpy(joined, all->candidates, all->n * sizeof(*joined));
    memcpy(joined + all->n, more->candidates, more->n * sizeof(*joined));
    all->candidates = joined;
    all->n += more->n;
    return 0;
}

/* Where the line itself may call. What leads back to who has sent the call on before is left out.
 */
static unsigned divert_by_line(struct call *c, const struct leg_end *why,
                               struct dialplan_answer *all)
{
    const struct b2bua_conf *conf = c->ua->conf;
    const struct dialplan_context *at = dialplan_context(&conf->dialplan, conf->lines_context);
    unsigned status = 480;
    for (size_t i = 0; i < why->n_moved && at; i++) {
        const struct span user = why->moved[i].user;
        struct dialplan_answer plan = { 0 };
        char *plain = arena_alloc(&c->arena, user.n + 1);
        if (!plain)
            return 500;
        struct dialplan_call dialled = { .called = sip_user_plain(user, plain),
                                         .caller = c->candidate->name,
                                         .now = loop_wall(c->ua->loop) };
        if (dialplan_lookup(at, &dialled, false, &c->arena, &plan))
            return 500;
        if (leads_back(c, &plan)) {
            status = 482;
        } else if (!plan.n || plan.candidates[0].kind == DIALPLAN_REFUSE) {
            status = plan.n ? plan.candidates[0].status : plan.status;
        } else {
            dialplan_draw(&plan, hops_seed(c->call_id[SIDE_A]));
            tell_caller(c, &plan);
            if (append(c, all, &plan))
                return 500;
        }
    }
    return all->n ? 0 : status;
}

static struct hop *own_target(const struct trunk_conf *t, const struct leg_target *to)
{
    for (size_t i = 0; i < t->n_targets; i++) {
        const struct sip_uri *u = &t->hops[i].uri;
        const uint16_t port = u->port ? u->port : sip_uri_default_port(u);
        if (span_caseeq(u->host, to->host) && (!to->port || to->port == port))
            return &t->hops[i];
    }
    return NULL;
}

static unsigned divert_by_trunk(struct call *c, const struct leg_end *why,
                                struct dialplan_answer *all)
{
    for (size_t i = 0; i < why->n_moved; i++) {
        const struct span user = why->moved[i].user;
        struct hop *hop = own_target(c->party[SIDE_B].trunk, &why->moved[i]);
        char *plain = hop ? arena_alloc(&c->arena, user.n + 1) : NULL;
        if (!plain)
            continue;
        struct dialplan_candidate to = *c->candidate;
        to.called = sip_user_plain(user, plain);
        c->wanted = hop;
        return append(c, all, &(struct dialplan_answer){ .candidates = &to, .n = 1 }) ? 500 : 0;
    }
    return 480;
}

static enum redirects policy_of(const struct call *c)
{
    const struct trunk_conf *trunk = c->party[SIDE_B].trunk;
    return trunk                                 ? trunk->redirects
           : c->candidate->kind == DIALPLAN_LINE ? c->ua->conf->calls.redirects
                                                 : REDIRECTS_REFUSED;
}

unsigned call_divert(struct call *c, const struct leg_end *why)
{
    const struct span by = c->candidate->name;
    struct dialplan_answer plan = { 0 };
    c->wanted = NULL;
    if (policy_of(c) == REDIRECTS_REFUSED) {
        log_info(&diversion_log, "refused", kv_s("by", by), kv_s("call_id", c->call_id[SIDE_A]));
        return 480;
    }
    if (c->n_diverters == c->ua->conf->calls.diversions || !c->max_forwards)
        return 483;
    if (!c->diverters)
        c->diverters = arena_alloc(&c->arena, DIVERSIONS_MAX * sizeof(*c->diverters));
    if (!c->diverters)
        return 500;
    c->diverters[c->n_diverters++] = by;
    const bool trunk = c->party[SIDE_B].trunk;
    unsigned status = trunk ? divert_by_trunk(c, why, &plan) : divert_by_line(c, why, &plan);
    log_info(&diversion_log, status ? "it leads nowhere" : "sent elsewhere", kv_s("by", by),
             kv_s("to", why->moved[0].user), kv_u("status", status),
             kv_s("call_id", c->call_id[SIDE_A]));
    if (status)
        return status;
    if (!trunk)
        c->diverter = ua_line(c->ua, by, &c->arena);
    c->max_forwards--;
    c->plan = plan;
    c->next = 0;
    leg_ring(c->leg[SIDE_A], 181, SPAN_NULL);
    return 0;
}

void call_write_diversions(struct buf *b, const struct call *c)
{
    for (size_t i = c->n_diverters; i-- > 0;) {
        buf_lit(b, "Diversion: <sip:");
        sip_user_write(b, c->diverters[i]);
        buf_putc(b, '@');
        buf_put(b, c->ua->conf->domains[0]);
        buf_lit(b, ">;reason=deflection\r\n");
    }
}
