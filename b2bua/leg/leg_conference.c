#include "b2bua/leg/leg_conference.h"

#include <stdlib.h>

#include "b2bua/leg/service_sdp.h"
#include "base/log.h"

enum { SDP_TEXT_MAX = 8192 };

struct room {
    struct conference *conference;
    struct list legs; /* in the order in which they came */
};

struct conference_leg {
    struct leg leg;
    struct list link; /* of its room */
    struct room *room;
    struct loop *loop;
    struct seat *seat;
    char *offer;  /* that is to be answered; NULL: ours is wanted, or none is open */
    bool offers;  /* ours is open */
    bool is_last; /* nobody else is left */
    struct turn turn;
};

#define LEG_OF(l) container_of((l), struct conference_leg, leg)

static void release(struct conference_leg *l)
{
    struct room *r = l->room;
    list_remove(&l->link);
    turn_cancel(&l->turn);
    seat_leave(&l->seat);
    free(l->offer);
    free(l);
    if (list_empty(&r->legs)) {
        conference_free(&r->conference);
        free(r);
    } else if (r->legs.next == r->legs.prev) {
        struct conference_leg *last = container_of(r->legs.next, struct conference_leg, link);
        last->is_last = true;
        turn_queue(last->loop, &last->turn);
    }
}

static struct service_at at_of(const struct conference_leg *l)
{
    return (struct service_at){ seat_local(l->seat), loop_wall(l->loop), false };
}

/* Takes what was offered, or answered. */
static int take(struct conference_leg *l, struct span sdp, struct buf *answer)
{
    const struct service_at at = at_of(l);
    struct service_peer peer;
    int err = service_answer(sdp, &at, &peer, answer);
    if (err)
        return err;
    const struct seat_peer p = { .at = peer.to,
                                 .law = (enum g711_law)peer.payload,
                                 .says = peer.direction & SDP_SENDONLY,
                                 .listens = peer.direction & SDP_RECVONLY };
    return seat_set(l->seat, &p);
}

static void end_last(struct conference_leg *l)
{
    l->leg.events->ended(l->leg.arg, &l->leg, &(struct leg_end){ .status = 200 });
    release(l);
}

static void on_turn(struct turn *t)
{
    struct conference_leg *l = container_of(t, struct conference_leg, turn);
    char text[SDP_TEXT_MAX];
    struct buf b = BUF_INIT(text);
    const struct service_at at = at_of(l);
    int err = 0;
    if (l->is_last) {
        end_last(l);
        return;
    }
    l->offers = !l->offer;
    if (l->offers)
        service_offer(&at, &b);
    else
        err = take(l, span_str(l->offer), &b);
    l->leg.events->settled(l->leg.arg, &l->leg, err ? 488 : 200, err ? SPAN_NULL : buf_span(&b));
}

static void modify(struct leg *leg, struct span sdp)
{
    struct conference_leg *l = LEG_OF(leg);
    free(l->offer);
    l->offer = sdp.p ? strndup(sdp.p, sdp.n) : NULL;
    turn_queue(l->loop, &l->turn);
}

static void ack(struct leg *leg, struct span sdp)
{
    struct conference_leg *l = LEG_OF(leg);
    char text[SDP_TEXT_MAX];
    struct buf b = BUF_INIT(text);
    if (l->offers && take(l, sdp, &b))
        log_warn(&(struct log){ .module = "conference" }, "an answer is not understood");
    l->offers = false;
}

static void nothing(struct leg *leg, unsigned status, struct span sdp)
{
    (void)leg;
    (void)status;
    (void)sdp;
}

static void no_answer(struct leg *leg, struct span sdp)
{
    nothing(leg, 0, sdp);
}

static void no_refusal(struct leg *leg, const struct leg_end *why)
{
    nothing(leg, why->status, SPAN_NULL);
}

static void no_info(struct leg *leg, struct span type, struct span body)
{
    (void)type;
    nothing(leg, 0, body);
}

static void no_notify(struct leg *leg, unsigned status)
{
    nothing(leg, status, SPAN_NULL);
}

static void end(struct leg *leg, const struct leg_end *why)
{
    (void)why;
    release(LEG_OF(leg));
}

static const struct leg_ops ops = { .ring = nothing,
                                    .answer = no_answer,
                                    .ack = ack,
                                    .modify = modify,
                                    .settle = nothing,
                                    .refuse = no_refusal,
                                    .info = no_info,
                                    .notify = no_notify,
                                    .end = end };

bool leg_is_conference(const struct leg *l)
{
    return l && l->ops == &ops;
}

static struct room *room_new(struct media *m)
{
    struct room *r = calloc(1, sizeof(*r));
    if (r && conference_new(m, &r->conference)) {
        free(r);
        return NULL;
    }
    if (r)
        list_init(&r->legs);
    return r;
}

struct leg *leg_conference(const struct conference_means *m, struct leg *beside,
                           const struct leg_events *events, void *arg)
{
    struct conference_leg *l = calloc(1, sizeof(*l));
    struct room *r = !l ? NULL : beside ? LEG_OF(beside)->room : room_new(m->media);
    if (!r || seat_take(r->conference, m->address, &l->seat)) {
        if (r && !beside) {
            conference_free(&r->conference);
            free(r);
        }
        free(l);
        return NULL;
    }
    l->leg = (struct leg){ &ops, events, arg };
    l->loop = m->loop;
    l->room = r;
    turn_init(&l->turn, on_turn);
    list_push_back(&r->legs, &l->link);
    return &l->leg;
}

void leg_conference_remove_last(struct leg *but)
{
    const struct room *r = LEG_OF(but)->room;
    struct conference_leg *last = container_of(r->legs.prev, struct conference_leg, link);
    if (&last->leg == but)
        last = container_of(last->link.prev, struct conference_leg, link);
    if (&last->link == &r->legs || &last->leg == but)
        return;
    end_last(last);
}
