/* How calls begin: by an INVITE of a line, of a trunk or of another node, or by a phone of ours. */
#include <stdlib.h>

#include "b2bua/call/auto_answer.h"
#include "b2bua/call/call_impl.h"
#include "b2bua/desk/do_not_disturb.h"
#include "b2bua/desk/forward.h"
#include "b2bua/leg/leg_sccp.h"
#include "base/metric.h"
#include "sip/aor.h"
#include "sip/write.h"

static const struct log call_log = { .module = "call" };

struct party call_party(struct call *c, const struct dialplan_candidate *to, struct arena *a)
{
    const bool trunk = to->kind == DIALPLAN_TRUNK, line = to->kind == DIALPLAN_LINE;
    return (struct party){ .trunk = trunk ? conf_trunk(c->ua->conf, to->name) : NULL,
                           .who = line ? ua_line(c->ua, to->name, a) : SPAN_NULL,
                           .number = trunk ? to->called : to->name };
}

/* Without its escapes, in the arena. */
static struct span plain_user(struct arena *a, struct span user)
{
    char *out = arena_alloc(a, user.n + 1);
    return out ? sip_user_plain(user, out) : SPAN_NULL;
}

/* A registrar, or a trunk that is trusted, says who is calling; else it is who From says. */
static void find_caller(struct call *c, const struct sip_msg *m)
{
    struct party *p = &c->party[SIDE_A];
    struct sip_addr who = m->from;
    struct sip_addr asserted;
    struct sip_values it = sip_values(m, SIP_HDR_P_ASSERTED_IDENTITY);
    if (!p->trunk && sip_next(&it) && sip_addr_parse(it.value, &asserted) == 0)
        who.uri = asserted.uri;
    c->display = arena_dup(&c->arena, m->from.display);
    c->caller = who.uri.user.p ? plain_user(&c->arena, who.uri.user) : SPAN_NULL;
    p->who = p->trunk ? SPAN_NULL : sip_aor_in(&c->arena, &who.uri);
    if (span_caseeq(c->caller, SPAN("anonymous")))
        c->caller = c->display = SPAN_NULL;
    p->number = c->caller;
    p->display = c->display;
}

static int find_way(struct call *c, struct span context)
{
    const struct dialplan_context *at = dialplan_context(&c->ua->conf->dialplan, context);
    struct dialplan_call dialled = { .called = c->called, .caller = c->caller, .now = c->began };
    if (!at) {
        c->plan.status = 404;
        return 0;
    }
    int err = dialplan_lookup(at, &dialled, false, &c->arena, &c->plan);
    if (!err)
        dialplan_draw(&c->plan, hops_seed(c->call_id[SIDE_A]));
    return err;
}

/* To another node, which knows the call that is named. */
static int pass_to(struct call *c, const struct sip_msg *m, uint32_t node)
{
    struct dialplan_candidate *to = arena_zalloc(&c->arena, sizeof(*to));
    if (!to)
        return CS_ENOMEM;
    *to = (struct dialplan_candidate){
        .kind = DIALPLAN_LINE, .name = c->called, .called = c->called, .calling = c->caller
    };
    c->plan = (struct dialplan_answer){ .candidates = to, .n = 1 };
    c->elsewhere.node = node;
    c->elsewhere.replaces = arena_dup(&c->arena, sip_hdr_value(m, SIP_HDR_REPLACES));
    c->elsewhere.as = c->party[SIDE_A].who;
    return c->elsewhere.replaces.p ? 0 : CS_ENOMEM;
}

/* To a service of ours, whatever the dial plan says. */
static int lead_to(struct call *c, struct span extension)
{
    struct dialplan_candidate *to = arena_zalloc(&c->arena, sizeof(*to));
    if (!to)
        return CS_ENOMEM;
    *to = (struct dialplan_candidate){
        .kind = DIALPLAN_EXTENSION, .name = extension, .called = c->called, .calling = c->caller
    };
    c->plan = (struct dialplan_answer){ .candidates = to, .n = 1 };
    return 0;
}

/* To a phone that is connected here. */
static int pass_to_desk(struct call *c, struct span contact)
{
    const struct desk_line *line = desks_line(&c->ua->desks, contact);
    struct dialplan_candidate *to = arena_zalloc(&c->arena, sizeof(*to));
    struct span user = line ? line->aor : SPAN_NULL;
    span_cut(&user, ':');
    if (!to || !line)
        return CS_ENOMEM;
    c->called = arena_dup(&c->arena, line->number);
    *to = (struct dialplan_candidate){ .kind = DIALPLAN_LINE,
                                       .name = plain_user(&c->arena, span_cut(&user, '@')),
                                       .called = c->called,
                                       .calling = c->caller };
    c->plan = (struct dialplan_answer){ .candidates = to, .n = 1 };
    c->desk.to = to;
    c->desk.contact = arena_dup(&c->arena, contact);
    return to->name.p && c->desk.contact.p ? 0 : CS_ENOMEM;
}

/* A name as From says it. */
static struct span quoted_name(struct arena *a, struct span name)
{
    char text[512];
    struct buf b = BUF_INIT(text);
    buf_putc(&b, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"' || name.p[i] == '\\')
            buf_putc(&b, '\\');
        if ((unsigned char)name.p[i] >= ' ' && name.p[i] != 0x7f)
            buf_putc(&b, name.p[i]);
    }
    buf_putc(&b, '"');
    return name.n && buf_ok(&b) ? arena_dup(a, buf_span(&b)) : SPAN_NULL;
}

static struct call *call_new(struct ua *u, const struct trunk_conf *from, unsigned max_forwards)
{
    struct call *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->ua = u;
    c->party[SIDE_A].trunk = from;
    c->asker = c->withdrawn.from = -1;
    c->began = loop_wall(u->loop);
    c->max_forwards = max_forwards - 1;
    list_init(&c->branches);
    arena_init_small(&c->arena);
    call_watch_init(c);
    call_keys_init(c);
    call_transfer_init(c);
    admission_init(&c->admission);
    list_push_back(&u->calls, &c->link);
    u->n_calls++;
    metric_add(M_B2BUA_CALLS, 0, 1);
    return c;
}

static int open_session(struct call *c, const struct media_policy *p)
{
    struct session_side side;
    int err = session_new(c->ua->media, &c->session);
    c->policy = p;
    ua_media_side(c->ua, p, false, &side);
    if (!err)
        session_set_side(c->session, SIDE_A, &side);
    return err;
}

/* Where the INVITE goes: to a node, to a phone of ours, or where the dial plan says. */
struct destination {
    uint32_t node;
    struct span desk;
};

static struct call *call_of(struct ua *u, const struct sip_msg *m, const struct trunk_conf *from,
                            const struct destination *to)
{
    struct call *c = call_new(u, from, (unsigned)(m->max_forwards < 0 ? 70 : m->max_forwards));
    if (!c)
        return NULL;
    c->call_id[SIDE_A] = arena_dup(&c->arena, m->call_id);
    c->called = plain_user(&c->arena, m->uri.user);
    c->offered = m->body.n > 0;
    c->offer = strndup(m->body.n ? m->body.p : "", m->body.n);
    c->automatic = !from && u->conf->calls.auto_answer && auto_answer_wanted(m);
    call_note_headers(c, SIDE_A, from, m);
    find_caller(c, m);
    int err = CS_ENOMEM;
    if (c->call_id[SIDE_A].p && c->offer)
        err = to->node     ? pass_to(c, m, to->node)
              : to->desk.p ? pass_to_desk(c, to->desk)
                           : find_way(c, from ? from->context : u->conf->lines_context);
    if (!err)
        err = open_session(c, from ? &from->media : &u->conf->lines);
    if (!err)
        return c;
    call_drop(c);
    return NULL;
}

static void go(struct call *c)
{
    if (c->plan.n)
        hunt_next(c);
    else
        call_finish(c, &(struct leg_end){ .status = c->plan.status }, SIDE_A);
}

static void begin(struct ua *u, struct tx *invite, const struct trunk_conf *from,
                  const struct destination *to)
{
    struct sip_msg *m = tx_request(invite);
    char text[512];
    struct buf contact = BUF_INIT(text);
    struct call *c = call_of(u, m, from, to);
    tx_set_once(invite, false);
    metric_inc(M_B2BUA_INVITES, from != NULL);
    if (!c) {
        tx_reply(invite, 500, SPAN_NULL);
        return;
    }
    if (from) {
        ua_contact(&contact, u, from, c->called);
    } else {
        buf_lit(&contact, "sip:");
        buf_put(&contact, span_str(u->node));
    }
    c->leg[SIDE_A] = buf_ok(&contact) ? leg_sip_take(&u->legs_means, invite, buf_span(&contact),
                                                     from ? from->name : SPAN_NULL, &call_events, c)
                                      : NULL;
    log_info(&call_log, "asked", kv_s("called", c->called), kv_s("caller", c->caller),
             kv_s("from", from ? from->name : SPAN("line")), kv_s("call_id", m->call_id));
    if (c->leg[SIDE_A]) {
        go(c);
        return;
    }
    call_drop(c);
    if (!tx_is_answered(invite))
        tx_reply(invite, 500, SPAN_NULL);
}

struct call *call_of_leg(struct ua *u, const struct call_asker *a)
{
    struct call *c = call_new(u, NULL, a->max_forwards);
    if (!c)
        return NULL;
    c->call_id[SIDE_A] = arena_dup(&c->arena, a->call_id);
    c->called = arena_dup(&c->arena, a->called);
    c->caller = arena_dup(&c->arena, a->caller);
    c->display = quoted_name(&c->arena, a->display);
    c->party[SIDE_A] = (struct party){ .who = arena_dup(&c->arena, a->who),
                                       .number = c->caller,
                                       .display = c->display };
    c->offered = true;
    c->offer = strndup(a->offer.n ? a->offer.p : "", a->offer.n);
    if (c->call_id[SIDE_A].p && c->offer && !open_session(c, &u->desks.policy))
        return c;
    call_drop(c);
    return NULL;
}

unsigned call_begin_by(struct ua *u, const struct call_asker *a, struct leg *l)
{
    if (u->draining || u->n_calls >= u->conf->limits.calls)
        return 503;
    struct call *c = call_of_leg(u, a);
    if (!c)
        return 500;
    if (a->extension.p ? lead_to(c, a->extension) : find_way(c, u->conf->lines_context)) {
        call_drop(c);
        return 500;
    }
    log_info(&call_log, "asked", kv_s("called", c->called), kv_s("caller", c->caller),
             kv_s("from", SPAN("desk phone")), kv_s("call_id", c->call_id[SIDE_A]));
    c->leg[SIDE_A] = l;
    l->events = &call_events;
    l->arg = c;
    go(c);
    return 0;
}

/* 0: it may ring. */
static unsigned judge_desk(const struct ua *u, struct span contact, struct buf *lines)
{
    const struct desk_line *line = desks_line(&u->desks, contact);
    if (!line)
        return 480;
    const bool busy = desk_line_is_busy(line) || do_not_disturb_of(line->desk) == SCCP_DND_REJECT;
    struct span to = forward_to(line, FORWARD_ALL);
    if (!to.p && busy)
        to = forward_to(line, FORWARD_BUSY);
    if (to.p)
        forward_write(lines, line, to);
    return to.p && buf_ok(lines) ? 302 : busy ? 486 : 0;
}

void call_begin(struct ua *u, struct tx *invite, const struct trunk_conf *from)
{
    const struct sip_msg *m = tx_request(invite);
    struct destination to = { 0 };
    char text[512];
    struct buf lines = BUF_INIT(text);
    if (!from && m->uri.user.p && span_caseeq(m->uri.host, span_str(u->node)))
        to.desk = m->uri.user;
    unsigned status = to.desk.p ? judge_desk(u, to.desk, &lines) : 0;
    if (status)
        tx_reply(invite, status, buf_span(&lines));
    else
        begin(u, invite, from, &to);
}

void call_pass(struct ua *u, struct tx *invite, uint32_t node)
{
    begin(u, invite, NULL, &(struct destination){ .node = node });
}
