#include "b2bua/call/park.h"

#include <stdlib.h>

#include "b2bua/leg/leg_service.h"
#include "sip/write.h"

static const struct log park_log = { .module = "park" };

struct parked {
    struct list link; /* ua.parked */
    struct ua *ua;
    struct leg *leg;
    struct timer reminder;
    char slot[NUMBER_MAX + 1];
    char who[SIP_AOR_MAX + 1], number[NUMBER_MAX + 1]; /* of who has parked it */
};

static struct parked *find(const struct ua *u, struct span slot)
{
    list_for_each (it, &u->parked) {
        struct parked *p = container_of(it, struct parked, link);
        if (span_eq(span_str(p->slot), slot))
            return p;
    }
    return NULL;
}

struct span park_free_slot(const struct ua *u)
{
    for (size_t i = 0; i < u->conf->calls.park.n_slots; i++) {
        if (!find(u, u->conf->calls.park.slots[i]))
            return u->conf->calls.park.slots[i];
    }
    return SPAN_NULL;
}

/* Nobody has come: who has parked it is called, as if he had asked for that. */
static void on_reminder(struct timer *t)
{
    struct parked *p = container_of(t, struct parked, reminder);
    struct leg *l = p->leg;
    char user[3 * NUMBER_MAX];
    struct buf b = BUF_INIT(user);
    timer_start(p->ua->loop, &p->reminder, p->ua->conf->calls.park.reminder);
    if (l->events != &call_events || !call_may_refer(l->arg, l))
        return;
    struct call *c = l->arg;
    struct party *by = &c->party[call_side(c, l)];
    by->who = span_str(p->who);
    by->number = span_str(p->number);
    sip_user_write(&b, by->number);
    log_info(&park_log, "nobody has come", kv_str("slot", p->slot), kv_str("by", p->who));
    call_referred(c, l,
                  &(struct leg_refer){ .user = buf_span(&b), .host = p->ua->conf->domains[0] });
}

static void on_gone(void *arg)
{
    struct parked *p = arg;
    timer_stop(p->ua->loop, &p->reminder);
    list_remove(&p->link);
    free(p);
}

static struct leg *wait_leg(const struct ua *u, struct span sdp, const struct leg_events *events,
                            void *arg)
{
    return leg_service(u->loop, SERVICE_WAIT, &u->conf->media.addresses[0].address, sdp, events,
                       arg);
}

struct leg *park_leg(struct call *c, struct span slot, struct span sdp,
                     const struct leg_events *events, void *arg)
{
    const struct party *by = &c->party[c->replaced];
    if (!slot.p)
        return wait_leg(c->ua, sdp, events, arg);
    struct parked *p = find(c->ua, slot) ? NULL : calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->ua = c->ua;
    p->leg = wait_leg(c->ua, sdp, events, arg);
    if (!p->leg) {
        free(p);
        return NULL;
    }
    span_copy(p->slot, sizeof(p->slot), slot);
    span_copy(p->who, sizeof(p->who), by->who);
    span_copy(p->number, sizeof(p->number), by->number);
    timer_init(&p->reminder, on_reminder);
    if (p->who[0] && p->number[0])
        timer_start(c->ua->loop, &p->reminder, c->ua->conf->calls.park.reminder);
    list_push_back(&c->ua->parked, &p->link);
    leg_service_on_gone(p->leg, on_gone, p);
    log_info(&park_log, "parked", kv_s("slot", slot), kv_s("by", by->who),
             kv_s("call_id", c->call_id[SIDE_A]));
    return p->leg;
}

unsigned park_take(struct call *c, struct span slot)
{
    static const struct leg_end elsewhere = { .status = 487, .reason = SPAN_INIT(SIP_ELSEWHERE) };
    const struct parked *p = find(c->ua, slot);
    struct call *other = p && p->leg->events == &call_events ? p->leg->arg : NULL;
    if (!other)
        return 404;
    const unsigned side = call_side(other, p->leg);
    if (other->moving && other->waiting && other->replaced == side) { /* it has rung long enough */
        leg_end(other->waiting, &elsewhere);
        other->waiting = NULL;
        other->moving = false;
    }
    if (!call_may_refer(other, p->leg))
        return 480;
    log_info(&park_log, "taken", kv_s("slot", slot), kv_s("by", c->caller));
    call_seize(other, side, c);
    return 0;
}
