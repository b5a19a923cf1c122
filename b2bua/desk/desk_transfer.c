/* Transfers and conferences by a phone's keys: a first call is held, a second one begun for it, and
 * then both are joined, without the phone or with it. A second one that still rings can be given to
 * who is held, too: the phone has nothing more to do with either, unless nobody takes it. */
#include "b2bua/call/call.h"
#include "b2bua/desk/desk_calls.h"
#include "b2bua/ua/ua.h"

enum { AGAIN_MS = 200 };

static void pair(struct sccp_leg *first, struct sccp_leg *second)
{
    first->second = second;
    second->first = first;
}

static void part(struct sccp_leg *first, struct sccp_leg *second)
{
    first->second = NULL;
    second->first = NULL;
}

static void begin_second(struct sccp_leg *l, enum desk_commit what)
{
    struct desk *d = l->line->desk;
    struct sccp_leg *second = l->state == DESK_UP ? desk_begin(d, l->line->instance, true) : NULL;
    if (!second)
        return;
    second->confers = what == DESK_CONFERENCE;
    pair(l, second);
}

/* It cannot be done, and what stood stands. */
static void give_up(struct sccp_leg *second)
{
    second->committed = DESK_NOTHING;
    if (second->hidden)
        leg_sccp_hang_up(second, 500);
    else
        desk_show_not_done(second);
}

/* Both legs go with their transfer. */
static void join(struct sccp_leg *first, struct sccp_leg *second)
{
    struct desk *d = first->line->desk;
    const bool confers = second->committed == DESK_CONFERENCE;
    part(first, second);
    d->switching = true;
    unsigned status = confers ? call_confer(d->ua, &first->leg, &second->leg)
                              : call_join_legs(&first->leg, &second->leg);
    d->switching = false;
    if (!status && confers) {
        desk_speak_up(first);
        leg_sccp_confer(first);
    } else if (!status) {
        desk_ring_on(d);
    }
    if (!status)
        return;
    pair(first, second);
    if (status != 491)
        give_up(second);
    else if (!second->opening) /* an offer is under way in one of them */
        timer_start(second->session->sccp->loop, &second->timer, DURATION_MS(AGAIN_MS));
}

static void give_away(struct sccp_leg *first, struct sccp_leg *second)
{
    second->committed = DESK_TRANSFER;
    leg_sccp_hide(second);
    leg_sccp_hide(first);
    desk_ring_on(first->line->desk);
}

void desk_transfer(struct sccp_leg *l, enum desk_commit what)
{
    struct sccp_leg *second = l->first ? l : l->second;
    if (!second) {
        begin_second(l, what);
    } else if (second->state == DESK_UP) {
        second->committed = what;
        join(second->first, second);
    } else if (second->state == DESK_CALLING && what == DESK_TRANSFER) {
        give_away(second->first, second);
    }
}

void desk_transfer_go_on(struct sccp_leg *l)
{
    struct sccp_leg *second = l->first ? l : l->second;
    if (second && second->committed && second->state == DESK_UP)
        join(second->first, second);
}

void desk_transfer_left(struct sccp_leg *l, unsigned status)
{
    struct sccp_leg *first = l->first, *second = l->second;
    if (first)
        part(first, l);
    else if (second)
        part(l, second);
    if (first && first->hidden) {
        first->hidden = false;
        first->over = false;
        desk_show_recalled(first, status);
    } else if (!first && second && second->hidden) {
        leg_sccp_hang_up(second, 487);
    } else if (!first && second && second->state == DESK_UP && !second->held) {
        desk_show_keys(second);
    }
}
