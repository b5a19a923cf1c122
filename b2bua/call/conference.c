/* Conferences: each who speaks in one is in a call of his own, whose other side is a seat. Two
 * calls of one owner become three: his legs in them make room for seats, and with one of these legs
 * he is in a third. Whoever leaves, the others go on while there are two. */
#include "b2bua/call/call_impl.h"
#include "b2bua/leg/leg_conference.h"

static const struct log conference_log = { .module = "conference" };

static const struct dialplan_candidate seat_candidate = { .kind = DIALPLAN_EXTENSION,
                                                          .name = SPAN_INIT("conference") };

static struct leg *seat_beside(const struct ua *u, struct leg *beside)
{
    const struct conference_means m = { .loop = u->loop, .media = u->media };
    return leg_conference(&m, beside, &call_events, NULL);
}

/* The place in the call is the seat's; who had it is not ended. What it offers is offered on. */
static void sit_down(struct call *c, unsigned side, struct leg *seat)
{
    struct session_side conf;
    call_media_of(c, &seat_candidate, NULL, false, &conf);
    session_set_side(c->session, side, &conf);
    c->leg[side] = seat;
    c->moved = seat_candidate.name;
    seat->arg = c;
    c->joining = true;
    leg_modify(seat, SPAN_NULL);
}

/* A call of the owner's leg; nobody is there yet. */
static struct call *owners_call(const struct call *c, unsigned side)
{
    const struct party *p = &c->party[side];
    char text[300];
    struct buf id = BUF_INIT(text);
    buf_put(&id, c->call_id[SIDE_A]);
    buf_lit(&id, "-conference");
    return call_of_leg(c->ua, &(struct call_asker){ .call_id = buf_span(&id),
                                                    .called = seat_candidate.name,
                                                    .caller = p->number,
                                                    .who = p->who,
                                                    .max_forwards = 70 });
}

static unsigned begin(struct call *c, unsigned side, struct leg *seats[3])
{
    struct leg *l = c->leg[side];
    struct call *own = owners_call(c, side);
    if (!own)
        return 500;
    own->leg[SIDE_A] = l;
    l->arg = own;
    call_now_up(own);
    sit_down(c, side, seats[0]);
    sit_down(own, SIDE_B, seats[1]);
    return 0;
}

static void give_back(struct leg *seats[3])
{
    for (size_t i = 0; i < 3; i++) {
        if (seats[i])
            leg_end(seats[i], &(struct leg_end){ .status = 500 });
    }
}

unsigned call_confer(struct ua *u, struct leg *first, struct leg *second)
{
    if (first->events != &call_events || second->events != &call_events ||
        first->arg == second->arg)
        return 481;
    struct call *c = first->arg, *other = second->arg;
    if (!call_may_refer(c, first) || !call_may_refer(other, second))
        return 491;
    const unsigned side = call_side(c, first), theirs = call_side(other, second);
    struct leg *there = leg_is_conference(c->leg[!side]) ? c->leg[!side] : NULL;
    if (u->n_calls >= u->conf->limits.calls && !there)
        return 503;
    struct leg *seats[3] = { NULL };
    for (size_t i = there ? 2 : 0; i < CS_LEN(seats); i++) {
        seats[i] = seat_beside(u, there);
        if (!seats[i]) {
            give_back(seats);
            return 503;
        }
        there = seats[i];
    }
    unsigned status = seats[0] ? begin(c, side, seats) : 0;
    if (status) {
        give_back(seats);
        return status;
    }
    log_info(&conference_log, "one more", kv_s("by", c->party[side].who),
             kv_s("call_id", other->call_id[SIDE_A]));
    sit_down(other, theirs, seats[2]);
    leg_end(second, &(struct leg_end){ .status = 200 });
    return 0;
}

void call_remove_last(const struct leg *l)
{
    const struct call *c = l->events == &call_events ? l->arg : NULL;
    struct leg *seat = c ? c->leg[!call_side(c, l)] : NULL;
    if (leg_is_conference(seat))
        leg_conference_remove_last(seat);
}
