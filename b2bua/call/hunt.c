/* Who is asked: the candidates of the dial plan one after the other, and of one all its branches at
 * once. A line has two where both browsers and phones are registered: none of these can take the
 * other's kind of offer. The registrar leaves out whom an offer is not for, and says so (RFC 6228),
 * so that nobody is asked twice, and a user of phones alone costs nothing more. Whoever takes it
 * first has it. */
#include <stdlib.h>

#include "b2bua/call/call_impl.h"
#include "b2bua/call/park.h"
#include "b2bua/call/pickup.h"
#include "b2bua/desk/forward.h"
#include "base/metric.h"
#include "sip/write.h"

enum { EARLY_MAX = 50 }; /* descriptions of a branch before its 2xx: each takes memory until then */

static const struct leg_end elsewhere = { .status = 200, .reason = SPAN_INIT(SIP_ELSEWHERE) };
/* Nobody, until somebody comes. */
static const struct dialplan_candidate silence = { .kind = DIALPLAN_EXTENSION,
                                                   .name = SPAN_INIT("park") };

static const struct log hunt_log = { .module = "hunt" };

struct branch {
    struct list link; /* call.branches */
    struct call *call;
    struct leg *leg;
    bool dtls;                  /* it is offered DTLS-SRTP */
    struct session_kept *media; /* while another one is in force */
    char *said;                 /* its last description before a 2xx; NULL: none */
    unsigned n_said;
    bool taken; /* while an offer after the first was open, which goes before */
};

static void branch_free(struct branch *b)
{
    if (b->call->in_force == b)
        b->call->in_force = NULL;
    list_remove(&b->link);
    session_let_go(&b->media);
    free(b->said);
    free(b);
}

void hunt_drop(struct call *c)
{
    while (!list_empty(&c->branches))
        branch_free(container_of(c->branches.next, struct branch, link));
}

void hunt_end(struct call *c, const struct leg_end *why)
{
    while (!list_empty(&c->branches)) {
        struct branch *b = container_of(c->branches.next, struct branch, link);
        leg_end(b->leg, why);
        branch_free(b);
    }
}

/* ---- media ---- */

static int set_side(struct call *c, const struct session_side *conf)
{
    if (!c->in_force) {
        session_set_side(c->session, SIDE_B, conf);
        return 0;
    }
    c->in_force->media = session_swap_side(c->session, SIDE_B, conf);
    if (!c->in_force->media)
        return CS_ENOMEM;
    c->in_force = NULL;
    return 0;
}

/* The media are those of this branch from its next answer on. */
static int put_in_force(struct branch *b)
{
    struct call *c = b->call;
    int err = c->in_force == b ? 0 : set_side(c, &(struct session_side){ 0 });
    if (err)
        return err;
    session_put_back(c->session, &b->media);
    c->in_force = b;
    return 0;
}

static int offer_to(struct call *c, bool dtls, struct buf *out, const char **why)
{
    struct session_side side;
    call_media_of(c, c->candidate, c->party[SIDE_B].trunk, dtls, &side);
    *why = "no memory";
    int err = set_side(c, &side);
    if (err || !c->offered)
        return err;
    return call_offer(c, SIDE_A, c->leg[SIDE_A], span_str(c->offer), out, why);
}

/* ---- branches ---- */

static const struct leg_events branch_events;

static bool has_another_offer(const struct call *c)
{
    const struct media_policy *p = call_policy(c, c->candidate, c->party[SIDE_B].trunk);
    return c->offered && !c->early && !c->again && p->webrtc >= WEBRTC_RETRY &&
           p->srtp != SRTP_FORBID;
}

/* An error and *why; no *why: it cannot be asked at all. */
static int ask_branch(struct call *c, bool dtls, const char **why)
{
    char text[SESSION_SDP_MAX];
    struct buf sdp = BUF_INIT(text);
    struct branch *b = calloc(1, sizeof(*b));
    *why = "no memory";
    int err = b ? offer_to(c, dtls, &sdp, why) : CS_ENOMEM;
    if (err) {
        free(b);
        return err;
    }
    *b = (struct branch){ .call = c, .dtls = dtls };
    list_init(&b->link);
    b->leg =
        call_ask(c, c->candidate, c->party[SIDE_B].trunk, c->offered ? buf_span(&sdp) : SPAN_NULL,
                 has_another_offer(c) ? SPAN("Supported: 199\r\n") : SPAN(""), &branch_events, b);
    if (!b->leg) {
        free(b);
        *why = NULL;
        return CS_ENOENT;
    }
    list_push_back(&c->branches, &b->link);
    call_occupies(c);
    c->in_force = b;
    if (c->candidate->kind != DIALPLAN_EXTENSION)
        c->call_id[SIDE_B] = arena_dup(&c->arena, leg_sip_call_id(b->leg));
    return 0;
}

static void ask(struct call *c, bool dtls)
{
    const char *why;
    int err = ask_branch(c, dtls, &why);
    if (err && why)
        call_refuse_media(c, err, why, SIDE_A);
    else if (err)
        call_finish(c, &(struct leg_end){ .status = 500 }, SIDE_B);
}

/* ---- answers ---- */

static bool is_better(const struct leg_end *why, const struct leg_end *than)
{
    return !than || sip_status_rank(why->status) < sip_status_rank(than->status);
}

/* It may be what the caller is told in the end. */
static void keep(struct call *c, const struct leg_end *why)
{
    if (!is_better(why, c->refusal))
        return;
    struct leg_target *moved = arena_zalloc(&c->arena, (why->n_moved + 1) * sizeof(*moved));
    struct leg_end *kept = arena_alloc(&c->arena, sizeof(*kept));
    if (!moved || !kept)
        return;
    c->refusal = kept;
    *kept = (struct leg_end){ .status = why->status,
                              .text = arena_dup(&c->arena, why->text),
                              .reason = arena_dup(&c->arena, why->reason),
                              .warning = arena_dup(&c->arena, why->warning),
                              .warning_code = why->warning_code,
                              .sdp = arena_dup(&c->arena, why->sdp),
                              .moved = moved,
                              .n_moved = why->n_moved };
    for (size_t i = 0; i < kept->n_moved; i++)
        moved[i] = (struct leg_target){ .user = arena_dup(&c->arena, why->moved[i].user),
                                        .host = arena_dup(&c->arena, why->moved[i].host),
                                        .port = why->moved[i].port };
}

/* As the caller is told; the media are this branch's now. */
static int take_answer(struct branch *b, struct span said, struct buf *out, const char **why)
{
    struct call *c = b->call;
    *why = "no memory";
    int err = put_in_force(b);
    if (err)
        return err;
    *why = "no description of media";
    return !said.p      ? CS_ENOTSUP
           : c->offered ? call_answer(c, SIDE_B, b->leg, said, out, why)
                        : call_offer(c, SIDE_B, b->leg, said, out, why);
}

/* It is out, and the others ring on. */
static void fail(struct branch *b, int err, const char *why)
{
    struct call *c = b->call;
    struct leg_end end = call_why_no_media(err, why);
    if (c->branches.next == c->branches.prev) {
        call_refuse_media(c, err, why, SIDE_B);
        return;
    }
    keep(c, &end);
    leg_end(b->leg, &end);
    branch_free(b);
}

static void on_ringing(void *arg, struct leg *l, unsigned status, struct span sdp)
{
    struct branch *b = arg;
    struct call *c = b->call;
    char text[SESSION_SDP_MAX];
    struct buf answer = BUF_INIT(text);
    const char *why;
    (void)l;
    if (!c->rang.ms)
        c->rang = loop_wall(c->ua->loop);
    if (sdp.p) {
        free(b->said);
        b->said = strndup(sdp.p, sdp.n);
        b->n_said++;
    }
    /* Whoever is heard first is heard until one takes it. */
    if (!sdp.p || !c->offered || (c->early && c->in_force != b) || c->renegotiated ||
        b->n_said > EARLY_MAX) {
        leg_ring(c->leg[SIDE_A], status, SPAN_NULL);
        return;
    }
    metric_inc(M_B2BUA_EARLY_MEDIA, 0);
    int err = take_answer(b, sdp, &answer, &why);
    if (err) {
        fail(b, err, why);
        return;
    }
    c->early = true;
    leg_ring(c->leg[SIDE_A], status, buf_span(&answer));
}

/* ---- it has come to an end ---- */

/* Whether the next candidate is worth a try: where a phone is busy it is not. Where nobody is there
 * it is if the same entry names it: less exact ones are other ways to the number, not others to
 * talk to, and an extension whose phone is off is nothing to dial at a carrier. */
static bool hunts_on(const struct call *c, unsigned status)
{
    if (c->next == c->plan.n)
        return false;
    if (status == 480)
        return c->plan.candidates[c->next].entry == c->candidate->entry;
    return status == 408 || status == 430 || (status >= 500 && status < 600);
}

static void refused(struct call *c, const struct leg_end *why)
{
    struct leg_end told = *why;
    c->status = why->status;
    admission_left(c);
    if (why->n_moved && c->desk.to) { /* who asked for this phone knows who else is to be asked */
        call_finish(c, why, SIDE_B);
        return;
    }
    if (why->n_moved && !c->early) {
        told = (struct leg_end){ .status = call_divert(c, why) };
        if (told.status)
            call_finish(c, &told, SIDE_B);
        else
            hunt_next(c);
        return;
    }
    if (hunts_on(c, why->status) && !c->early) {
        hunt_next(c);
        return;
    }
    if (why->status == 488 && c->offered && !why->warning.p) {
        told.warning = span_str(session_refusal(c->session, why->sdp));
        told.warning_code = 305;
    }
    told.status = call_told_status(why->status);
    if (told.status != why->status)
        told.text = SPAN_NULL;
    call_finish(c, &told, SIDE_B);
}

/* Nobody else is to be asked (RFC 3261, 16.7 step 5). */
static void end_for_all(struct call *c, unsigned status)
{
    char text[16];
    struct buf reason = BUF_INIT(text);
    buf_printf(&reason, "SIP;cause=%u", status);
    hunt_end(c, &(struct leg_end){ .status = status, .reason = buf_span(&reason) });
}

static void on_ended(void *arg, struct leg *l, const struct leg_end *why)
{
    struct branch *b = arg;
    struct call *c = b->call;
    bool dtls = b->dtls;
    (void)l;
    branch_free(b);
    if (why->status >= 600)
        end_for_all(c, why->status);
    if (why->status == 488 && has_another_offer(c)) {
        c->again = true;
        ask(c, !dtls);
    } else if (list_empty(&c->branches)) {
        refused(c, is_better(why, c->refusal) ? why : c->refusal);
    } else {
        keep(c, why);
    }
}

/* Of those behind it some cannot take its kind of offer, while others ring. */
static void on_one_refused(void *arg, struct leg *l, unsigned status)
{
    struct branch *b = arg;
    struct call *c = b->call;
    const char *why;
    (void)l;
    if (status != 488 || !has_another_offer(c))
        return;
    c->again = true;
    if (ask_branch(c, !b->dtls, &why))
        log_warn(&hunt_log, "a line is not asked twice", kv_str("why", why ? why : "no way to it"),
                 kv_s("call_id", c->call_id[SIDE_A]));
}

static void on_answered(void *arg, struct leg *l, struct span sdp)
{
    struct branch *b = arg;
    struct call *c = b->call;
    char text[SESSION_SDP_MAX];
    struct buf answer = BUF_INIT(text);
    const char *why;
    if (c->asker >= 0) {
        b->taken = true;
        return;
    }
    /* What was agreed on before stays (RFC 3261, 13.2.1). */
    int err = c->renegotiated ? 0 : take_answer(b, sdp.p ? sdp : span_str(b->said), &answer, &why);
    if (c->renegotiated)
        buf_put(&answer, session_told(c->session, SIDE_A));
    if (err) {
        fail(b, err, why);
        return;
    }
    branch_free(b);
    c->leg[SIDE_B] = l;
    l->events = &call_events;
    l->arg = c;
    if (c->candidate->kind != DIALPLAN_EXTENSION)
        c->call_id[SIDE_B] = arena_dup(&c->arena, leg_sip_call_id(l));
    hunt_end(c, &elsewhere);
    if (c->offered)
        session_settled(c->session);
    call_up(c, buf_span(&answer));
    if (c->picker)
        call_seize(c, SIDE_B, c->picker);
    else if (c->candidate == &silence) /* who wanted it has thought better of it */
        call_finish(c, &(struct leg_end){ .status = 480 }, SIDE_B);
}

static void on_offered(void *arg, struct leg *l, struct span sdp)
{
    call_offered_early(((struct branch *)arg)->call, l, sdp);
}

static void on_settled(void *arg, struct leg *l, unsigned status, struct span sdp)
{
    call_settled_early(((struct branch *)arg)->call, l, status, sdp);
}

static void on_heard(void *arg, struct leg *l, const struct sip_msg *resp)
{
    struct call *c = ((struct branch *)arg)->call;
    (void)l;
    call_note_headers(c, SIDE_B, c->party[SIDE_B].trunk, resp);
}

static const struct leg_events branch_events = { .ringing = on_ringing,
                                                 .heard = on_heard,
                                                 .one_refused = on_one_refused,
                                                 .answered = on_answered,
                                                 .offered = on_offered,
                                                 .settled = on_settled,
                                                 .ended = on_ended };

struct leg *hunt_heard(const struct call *c)
{
    const bool alone = !list_empty(&c->branches) && c->branches.next == c->branches.prev;
    return alone && c->early && c->in_force ? c->in_force->leg : NULL;
}

void hunt_go_on(struct call *c)
{
    struct branch *b = c->in_force;
    if (b && b->taken)
        on_answered(b, b->leg, SPAN_NULL);
}

/* ---- candidates ---- */

/* It need not ring anywhere to be sent on. */
static bool is_sent_on(struct call *c)
{
    char user[3 * NUMBER_MAX];
    struct buf b = BUF_INIT(user);
    const bool line = c->candidate->kind == DIALPLAN_LINE && !c->desk.to && !c->elsewhere.node;
    const struct span to = line ? forward_of_line(&c->ua->desks, c->party[SIDE_B].who) : SPAN_NULL;
    if (!to.p)
        return false;
    sip_user_write(&b, to);
    const struct leg_target moved = { .user = buf_span(&b), .host = c->ua->conf->domains[0] };
    refused(c, &(struct leg_end){ .status = 302, .moved = &moved, .n_moved = 1 });
    return true;
}

static void ask_candidate(struct call *c)
{
    if (is_sent_on(c))
        return;
    ask(c, call_policy(c, c->candidate, c->party[SIDE_B].trunk)->webrtc == WEBRTC_FIRST);
}

void hunt_take_silently(struct call *c)
{
    hunt_end(c, &elsewhere);
    c->candidate = &silence;
    c->party[SIDE_B] = (struct party){ 0 };
    c->next = c->plan.n;
    ask(c, false);
}

static void on_admitted(struct call *c, const struct leg_end *why, bool next)
{
    c->status = why ? why->status : c->status;
    if (!why)
        ask_candidate(c);
    else if (next && c->next < c->plan.n)
        hunt_next(c);
    else
        call_finish(c, why, SIDE_B);
}

void hunt_next(struct call *c)
{
    if (c->next == c->plan.n) {
        call_finish(c, &(struct leg_end){ .status = c->status ? call_told_status(c->status) : 480 },
                    SIDE_B);
        return;
    }
    const struct dialplan_candidate *to = c->candidate = &c->plan.candidates[c->next++];
    c->party[SIDE_B] = call_party(c, to, &c->arena);
    if (to->kind == DIALPLAN_REFUSE) {
        call_finish(c, &(struct leg_end){ .status = to->status }, SIDE_B);
        return;
    }
    c->again = false;
    c->refusal = NULL;
    if (to->kind == DIALPLAN_EXTENSION && (span_eq(to->name, PARK) || span_eq(to->name, PICKUP))) {
        const unsigned status =
            span_eq(to->name, PARK) ? park_take(c, to->called) : pickup_begin(c, to->called);
        if (status)
            call_finish(c, &(struct leg_end){ .status = status }, SIDE_B);
        return;
    }
    const struct party diverter = { .who = c->diverter }; /* where a line sends it on, it calls */
    /* A call that comes to a phone of ours was admitted where it was made. */
    if (c->desk.to == to || admission_ask(c, c->diverter.p ? &diverter : &c->party[SIDE_A], to,
                                          c->party[SIDE_B].trunk, on_admitted))
        ask_candidate(c);
}
