#include "b2bua/call/pickup.h"

static const struct log pickup_log = { .module = "pickup" };

static struct span user_of(struct span aor)
{
    span_cut(&aor, ':');
    return span_cut(&aor, '@');
}

static bool has(const struct pickup_group *g, struct span user)
{
    for (size_t i = 0; i < g->n_lines; i++) {
        if (span_eq(g->lines[i], user))
            return true;
    }
    return false;
}

static bool share_a_group(const struct ua *u, struct span aor, struct span other)
{
    const struct call_conf *conf = &u->conf->calls;
    for (size_t i = 0; i < conf->n_pickup_groups; i++) {
        if (has(&conf->pickup_groups[i], user_of(aor)) &&
            has(&conf->pickup_groups[i], user_of(other)))
            return true;
    }
    return false;
}

/* Only that line's; absent: anybody's. A call that has come to a phone here may be one that was
 * made here: then it is taken where it was made. */
static struct call *find(const struct call *by, struct span line)
{
    struct call *found = NULL;
    list_for_each (it, &by->ua->calls) {
        struct call *c = container_of(it, struct call, link);
        const struct span who = c->party[SIDE_B].who;
        if (c == by || c->up || c->picker || list_empty(&c->branches) || !who.p ||
            (line.p && !span_eq(who, line)) || !share_a_group(by->ua, by->party[SIDE_A].who, who))
            continue;
        if (!c->desk.to)
            return c;
        found = found ? found : c;
    }
    return found;
}

static struct span line_of(struct call *c, struct span number)
{
    const struct b2bua_conf *conf = c->ua->conf;
    const struct dialplan_context *at = dialplan_context(&conf->dialplan, conf->lines_context);
    const struct dialplan_call dialled = { .called = number, .caller = c->caller, .now = c->began };
    struct dialplan_answer plan;
    if (!number.n || !at || dialplan_lookup(at, &dialled, false, &c->arena, &plan) || !plan.n ||
        plan.candidates[0].kind != DIALPLAN_LINE)
        return SPAN_NULL;
    return ua_line(c->ua, plan.candidates[0].name, &c->arena);
}

unsigned pickup_begin(struct call *by, struct span called)
{
    const struct span line = line_of(by, called);
    struct call *c = by->party[SIDE_A].who.p ? find(by, line) : NULL;
    log_info(&pickup_log, c ? "a call is taken" : "no call to take",
             kv_s("by", by->party[SIDE_A].who), kv_s("of", c ? c->party[SIDE_B].who : line));
    if (!c)
        return 480;
    c->picker = by;
    by->picked = c;
    hunt_take_silently(c);
    return 0;
}

void pickup_drop(struct call *c)
{
    struct call *by = c->picker;
    if (c->picked)
        c->picked->picker = NULL;
    c->picked = c->picker = NULL;
    if (!by)
        return;
    by->picked = NULL;
    call_finish(by, &(struct leg_end){ .status = 480 }, SIDE_B);
}
