#include "authd/server.h"

#include <stdlib.h>

#include "authd/audit/summaries.h"
#include "authd/audit/traces.h"
#include "authd/calls/admission.h"
#include "authd/calls/signer.h"
#include "authd/keeper.h"
#include "authd/store/directory.h"
#include "authd/store/sets.h"
#include "base/log.h"
#include "base/metric.h"
#include "ipc/ipc.h"

struct front {
    struct list link;
    struct server *server;
    struct ipc_peer *peer;
    struct list checks, signs, admissions, keeps;
    uint64_t number; /* never 0, never used again */
    bool follows;
    char behind[EVENT_ID_MAX]; /* what it heard last, until it is told what came since; "": told */
    bool placed;               /* it knows how far we are */
};

struct server {
    struct checker *k;
    struct ipc_server *ipc;
    struct list fronts;
    struct map open; /* checks that wait, by front and id */
    uint64_t last_number;
};

static const struct log slog = { .module = "server" };

/* ---- open questions ---- */

struct question {
    const struct front *front;
    uint64_t id;
};

static uint64_t question_hash(const struct question *q)
{
    return map_hash2(span_of(&q->front, sizeof(q->front)), span_of(&q->id, sizeof(q->id)));
}

static bool is_question(const struct map_node *n, const void *key)
{
    const struct check *c = container_of(n, struct check, node);
    const struct question *q = key;
    return c->owner == q->front && c->id == q->id;
}

static void forget(struct server *s, struct check *c)
{
    if (c->listed)
        map_remove(&s->open, &c->node);
    c->listed = false;
    list_remove(&c->link);
}

static void on_waits(struct check *c)
{
    struct front *f = c->owner;
    const struct question q = { f, c->id };
    list_push_back(&f->checks, &c->link);
    c->listed = map_insert(&f->server->open, &c->node, question_hash(&q)) == 0;
}

static void on_answer(struct check *c, const Countersign__Auth__Verdict *v)
{
    struct front *f = c->owner;
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    Countersign__Auth__Attached attached;
    if (c->attach) {
        check_attached(c, v, &attached);
        msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_ATTACHED;
        msg.attached = &attached;
    } else {
        msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_VERDICT;
        msg.verdict = (Countersign__Auth__Verdict *)v;
    }
    forget(f->server, c);
    int err = ipc_peer_send(f->peer, &msg);
    if (err) /* the front makes LATER of silence */
        log_warn(&slog, "a verdict is lost", kv_str("front", ipc_peer_node(f->peer)), kv_err(err));
}

static const struct check_asker asker = { on_waits, on_answer };

static void on_cancel(struct front *f, uint64_t id)
{
    struct server *s = f->server;
    const struct question q = { f, id };
    struct map_node *n = map_find(&s->open, question_hash(&q), is_question, &q);
    if (!n)
        return; /* the answer is on its way */
    struct check *c = container_of(n, struct check, node);
    forget(s, c);
    check_cancel(c);
}

/* ---- bans ---- */

static void tell_ban(struct front *f, const struct ban *b, bool stands)
{
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    Countersign__Auth__Ban m;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_BAN;
    msg.ban = &m;
    if (defence_ban_message(f->server->k->defence, b, stands, &m) && ipc_peer_send(f->peer, &msg))
        ipc_peer_drop(f->peer); /* it hears of all that stand when it is back */
}

static void on_ban(void *arg, const struct ban *b, bool stands)
{
    struct server *s = arg;
    list_for_each (it, &s->fronts) {
        struct front *f = container_of(it, struct front, link);
        if (f->follows)
            tell_ban(f, b, stands);
    }
}

static void tell_standing(void *front, const struct ban *b)
{
    tell_ban(front, b, true);
}

static void tell_guard(struct front *f)
{
    const struct defence *d = f->server->k->defence;
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    Countersign__Auth__Guard guard;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_GUARD;
    msg.guard = &guard;
    if (defence_guard(d, &a, &guard) || ipc_peer_send(f->peer, &msg))
        ipc_peer_drop(f->peer);
    else
        bans_each(defence_bans(d), tell_standing, f);
    arena_fini(&a);
}

/* ---- revocations ---- */

static void tell(struct front *f, const Countersign__Auth__Revoked *r)
{
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_REVOKED;
    msg.revoked = (Countersign__Auth__Revoked *)r;
    int err = ipc_peer_send(f->peer, &msg);
    if (err) { /* it asks for what it missed when it is back */
        log_warn(&slog, "a front cannot be told of a revocation: its connection is given up",
                 kv_str("front", ipc_peer_node(f->peer)), kv_err(err));
        ipc_peer_drop(f->peer);
    }
}

/* What follows is told from where it is, or from here on. */
static void catch_up(struct front *f)
{
    struct revoker *r = f->server->k->revoker;
    Countersign__Auth__Revoked place = COUNTERSIGN__AUTH__REVOKED__INIT;
    if (!f->follows || !revoker_is_current(r))
        return;
    if (f->behind[0]) {
        if (revoker_replay(r, f->number, span_str(f->behind)))
            ipc_peer_drop(f->peer);
        f->behind[0] = '\0';
    } else if (!f->placed) {
        place.event = (char *)revoker_place(r);
        tell(f, &place);
    }
    f->placed = true;
}

/* ---- traces ---- */

/* What a front does not hear of it does not tell: no harm is done. */
static void tell_trace(void *arg, const Countersign__Auth__Trace *m)
{
    struct front *f = arg;
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_TRACE;
    msg.trace = (Countersign__Auth__Trace *)m;
    if (ipc_peer_send(f->peer, &msg))
        log_warn(&slog, "a front is not told what to trace",
                 kv_str("front", ipc_peer_node(f->peer)));
}

static void on_trace(void *arg, const Countersign__Auth__Trace *m)
{
    struct server *s = arg;
    list_for_each (it, &s->fronts) {
        struct front *f = container_of(it, struct front, link);
        if (f->follows)
            tell_trace(f, m);
    }
}

static void on_follow(struct front *f, const Countersign__Auth__Follow *m)
{
    if (f->follows)
        return; /* said twice */
    f->follows = true;
    span_copy(f->behind, sizeof(f->behind), m->event ? span_str(m->event) : SPAN(""));
    tell_guard(f);
    catch_up(f);
    if (f->server->k->traces)
        traces_each(f->server->k->traces, tell_trace, f);
}

static void on_changed(void *arg, struct span name, struct span realm)
{
    struct server *s = arg;
    list_for_each (it, &s->fronts) {
        struct front *f = container_of(it, struct front, link);
        list_for_each (c, &f->checks)
            check_changed(container_of(c, struct check, link), name, realm);
    }
}

static void on_fallen(void *arg, const struct fallen *what)
{
    struct server *s = arg;
    list_for_each (it, &s->fronts) {
        struct front *f = container_of(it, struct front, link);
        list_for_each (c, &f->checks)
            check_fallen(container_of(c, struct check, link), what);
    }
}

static void on_revoked(void *arg, uint64_t number, const Countersign__Auth__Revoked *r)
{
    struct server *s = arg;
    list_for_each (it, &s->fronts) {
        struct front *f = container_of(it, struct front, link);
        if (f->follows && (number == 0 || f->number == number))
            tell(f, r);
    }
}

static void on_current(void *arg)
{
    struct server *s = arg;
    list_for_each (it, &s->fronts)
        catch_up(container_of(it, struct front, link));
}

static const struct revoker_listener listener = { on_changed, on_fallen, on_revoked, on_current };

/* ---- desk phones ---- */

static bool says_b2bua(const struct front *f)
{
    return ipc_peer_role(f->peer) == COUNTERSIGN__AUTH__ROLE__ROLE_B2BUA;
}

/* name absent: any may be another. Who cannot be told asks for all of them when it is back. */
static void tell_changed(struct server *s, struct span name)
{
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    Countersign__Auth__Changed changed = COUNTERSIGN__AUTH__CHANGED__INIT;
    char text[DEVICE_MAX_NAME + 1];
    span_copy(text, sizeof(text), name);
    changed.device = name.p ? text : NULL;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_CHANGED;
    msg.changed = &changed;
    list_for_each (it, &s->fronts) {
        struct front *f = container_of(it, struct front, link);
        if (f->follows && says_b2bua(f) && ipc_peer_send(f->peer, &msg))
            ipc_peer_drop(f->peer);
    }
}

static void on_device(void *arg, struct span name)
{
    tell_changed(arg, name);
}

static void on_sets(void *arg)
{
    tell_changed(arg, SPAN_NULL);
}

/* ---- fronts ---- */

/* Who asks says that it is a b2bua, and its user is one that may be. */
static bool is_b2bua(const struct front *f)
{
    const struct authd_conf *conf = f->server->k->conf;
    bool listed = false;
    for (size_t i = 0; i < conf->listen.n_signer_uids; i++)
        listed |= conf->listen.signer_uids[i] == ipc_peer_uid(f->peer);
    return listed && says_b2bua(f);
}

static void on_joined(void *arg, struct ipc_peer *p)
{
    struct server *s = arg;
    struct front *f = calloc(1, sizeof(*f));
    ipc_peer_set_data(p, f);
    if (!f)
        return; /* its messages are dropped */
    f->server = s;
    f->peer = p;
    f->number = ++s->last_number;
    list_init(&f->checks);
    list_init(&f->signs);
    list_init(&f->admissions);
    list_init(&f->keeps);
    list_push_back(&s->fronts, &f->link);
    metric_add(M_AUTHD_CLIENTS, 0, 1);
    if (says_b2bua(f) && !is_b2bua(f))
        log_error(&slog,
                  "the user of a b2bua is not one of listen.signers: nothing is signed for it, and "
                  "its calls and desk phones are refused",
                  kv_str("front", ipc_peer_node(p)), kv_u("uid", ipc_peer_uid(p)));
}

static void on_left(void *arg, struct ipc_peer *p)
{
    struct server *s = arg;
    struct front *f = ipc_peer_data(p);
    if (!f)
        return;
    list_for_each (it, &f->checks) {
        struct check *c = container_of(it, struct check, link);
        forget(s, c);
        check_cancel(c);
    }
    signer_forget(&f->signs);
    admission_forget(&f->admissions);
    keeper_forget(&f->keeps);
    revoker_stop(s->k->revoker, f->number);
    metric_add(M_AUTHD_CLIENTS, 0, -1);
    list_remove(&f->link);
    free(f);
}

static void on_signed(void *arg, const Countersign__Auth__Signed *signed_)
{
    struct front *f = arg;
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_SIGNED;
    msg.signed_ = (Countersign__Auth__Signed *)signed_;
    if (ipc_peer_send(f->peer, &msg))
        log_warn(&slog, "an answer is lost", kv_str("front", ipc_peer_node(f->peer)));
}

static void on_sign(struct front *f, const Countersign__Auth__Sign *m)
{
    if (!signer_ask(f->server->k->signer, m, is_b2bua(f), ipc_peer_node(f->peer), &f->signs,
                    on_signed, f))
        log_error(&slog, "out of memory: a challenge is not answered");
}

static void on_admitted(void *arg, const Countersign__Auth__Admitted *admitted)
{
    struct front *f = arg;
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_ADMITTED;
    msg.admitted = (Countersign__Auth__Admitted *)admitted;
    if (ipc_peer_send(f->peer, &msg))
        log_warn(&slog, "an answer is lost", kv_str("front", ipc_peer_node(f->peer)));
}

static void on_kept(void *arg, const Countersign__Auth__Kept *m)
{
    struct front *f = arg;
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_KEPT;
    msg.kept = (Countersign__Auth__Kept *)m;
    if (ipc_peer_send(f->peer, &msg))
        log_warn(&slog, "an answer is lost", kv_str("front", ipc_peer_node(f->peer)));
}

static void on_admit(struct front *f, const Countersign__Auth__Admit *m)
{
    if (!admission_ask(f->server->k->admissions, m, is_b2bua(f), ipc_peer_node(f->peer),
                       &f->admissions, on_admitted, f))
        log_error(&slog, "out of memory: a call is not answered for");
}

static void on_keep(struct front *f, const Countersign__Auth__Keep *m)
{
    struct keeper *k = f->server->k->keeper;
    if (!k || !keeper_ask(k, m, is_b2bua(f), ipc_peer_node(f->peer), &f->keeps, on_kept, f))
        log_error(&slog, "what was set at a phone is not kept", kv_str("device", m->device));
}

/* What was refused is looked up by people, as what we refuse is. */
static void on_told(struct server *s, const Countersign__Auth__Told *t)
{
    struct facts facts;
    char id[DECISION_LEN + 1];
    facts_of(t->check, &facts);
    decision_id(id);
    struct decision d = { .time = { (int64_t)t->time_ms },
                          .kind = COUNTERSIGN__AUTH__VERDICT_KIND__ACCEPT,
                          .cause = t->has_cause ? t->cause : CAUSE(UNJUDGED),
                          .facts = &facts };
    if (t->has_status) {
        d.id = span_of(id, DECISION_LEN);
        d.kind = COUNTERSIGN__AUTH__VERDICT_KIND__REJECT;
        d.status = t->status;
        explain_add(s->k->explain, &d);
    }
    audit_write(s->k->audit, &d);
}

static void on_message(void *arg, struct ipc_peer *p, const Countersign__Auth__ToAuthd *msg)
{
    struct server *s = arg;
    struct front *f = ipc_peer_data(p);
    if (!f)
        return;
    switch (msg->body_case) {
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK:
        if (!check_start(s->k, msg->check, &asker, f))
            log_error(&slog, "out of memory: a question is not answered");
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_ATTACH:
        if (!attach_start(s->k, msg->attach, is_b2bua(f), &asker, f))
            log_error(&slog, "out of memory: a question is not answered");
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_CANCEL:
        on_cancel(f, msg->cancel->id);
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_SIGN:
        on_sign(f, msg->sign);
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_ADMIT:
        on_admit(f, msg->admit);
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_CALL_LEASES:
        if (is_b2bua(f))
            admission_leases(s->k->admissions, msg->call_leases);
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_KEEP:
        on_keep(f, msg->keep);
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_FOLLOW:
        on_follow(f, msg->follow);
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_TOLD:
        on_told(s, msg->told);
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_OBSERVED:
        defence_observed(s->k->defence, msg->observed);
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_SUMMARY:
        summaries_told(s->k->summaries, ipc_peer_role(p), ipc_peer_node(p), msg->summary);
        break;
    case COUNTERSIGN__AUTH__TO_AUTHD__BODY_TRACED:
        if (s->k->traces)
            traces_took(s->k->traces, ipc_peer_role(p), ipc_peer_node(p), msg->traced);
        break;
    default:
        break; /* of a later version */
    }
}

static const struct ipc_server_events events = { on_joined, on_message, on_left };

int server_open(struct checker *k, struct server **out)
{
    struct server *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    s->k = k;
    list_init(&s->fronts);
    map_init(&s->open);
    const struct ipc_server_conf conf = {
        .path = k->conf->listen.socket,
        .mode = k->conf->listen.bits,
        .uids = k->conf->listen.uids,
        .n_uids = k->conf->listen.n_uids,
        .node = "authd",
    };
    int err = ipc_server_open(k->loop, &conf, &events, s, &s->ipc);
    if (err)
        server_close(out);
    else
        revoker_listen(k->revoker, &listener, s);
    if (!err)
        defence_listen(k->defence, on_ban, s);
    if (!err && k->directory)
        directory_listen(k->directory, on_device, s);
    if (!err && k->sets)
        sets_listen(k->sets, on_sets, s);
    if (!err && k->traces)
        traces_listen(k->traces, on_trace, s);
    return err;
}

void server_close(struct server **sp)
{
    struct server *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    revoker_listen(s->k->revoker, NULL, NULL);
    defence_listen(s->k->defence, NULL, NULL);
    if (s->k->directory)
        directory_listen(s->k->directory, NULL, NULL);
    if (s->k->sets)
        sets_listen(s->k->sets, NULL, NULL);
    if (s->k->traces)
        traces_listen(s->k->traces, NULL, NULL);
    if (s->ipc)
        ipc_server_close(&s->ipc); /* each front leaves */
    map_fini(&s->open);
    free(s);
}
