#include "b2bua/desk/desk_calls.h"

#include "b2bua/ua/ua.h"

enum { FIRST_DIGIT_MS = 15000 };

#define CALL(it) container_of(it, struct sccp_leg, link)

/* ---- which there are ---- */

struct sccp_leg *desk_call(const struct desk *d, uint32_t ref)
{
    list_for_each (it, &d->calls) {
        if (CALL(it)->ref == ref && !CALL(it)->hidden)
            return CALL(it);
    }
    return NULL;
}

static bool is_active(const struct sccp_leg *l)
{
    return !l->hidden && !l->held && l->state != DESK_RINGING;
}

struct sccp_leg *desk_active(const struct desk *d)
{
    list_for_each (it, &d->calls) {
        if (is_active(CALL(it)))
            return CALL(it);
    }
    return NULL;
}

static bool is_on(const struct sccp_leg *l, uint32_t instance)
{
    return !l->hidden && (!instance || l->line->instance == instance);
}

struct sccp_leg *desk_ringing(const struct desk *d, uint32_t instance)
{
    list_for_each (it, &d->calls) {
        if (CALL(it)->state == DESK_RINGING && is_on(CALL(it), instance))
            return CALL(it);
    }
    return NULL;
}

struct sccp_leg *desk_held(const struct desk *d, uint32_t instance)
{
    list_for_each (it, &d->calls) {
        if (CALL(it)->held && is_on(CALL(it), instance))
            return CALL(it);
    }
    return NULL;
}

static size_t count(const struct desk *d, const struct desk_line *line)
{
    size_t n = 0;
    list_for_each (it, &d->calls)
        n += !line || CALL(it)->line == line;
    return n;
}

bool desk_line_is_busy(const struct desk_line *l)
{
    const struct desks_conf *c = &l->desk->ua->conf->sccp;
    return count(l->desk, l) >= c->busy_trigger || count(l->desk, NULL) >= c->calls;
}

bool desk_is_idle(const struct desk *d)
{
    list_for_each (it, &d->calls) {
        if (CALL(it)->state != DESK_FAILED)
            return false;
    }
    return true;
}

/* ---- one is heard at a time ---- */

unsigned desk_end_status(const struct sccp_leg *l)
{
    return l->state == DESK_UP ? 200 : l->placed ? 487 : 486;
}

static void leave_active(struct desk *d)
{
    struct sccp_leg *l = desk_active(d);
    d->switching = true;
    if (l && l->state == DESK_UP)
        leg_sccp_hold(l);
    else if (l)
        leg_sccp_hang_up(l, desk_end_status(l));
    d->switching = false;
}

const struct desk_line *desk_line_of(const struct desk *d, uint32_t instance)
{
    for (size_t i = 0; d->may_call && i < d->n_lines; i++) {
        if (d->lines[i].aor.p && d->lines[i].instance &&
            (!instance || d->lines[i].instance == instance))
            return &d->lines[i];
    }
    return NULL;
}

void desk_speak_up(struct sccp_leg *l)
{
    if (!l->line->desk->lifted)
        desk_show_speaker(l);
}

/* What rings by the bell is silent while this one is heard. */
static void others_wait(const struct sccp_leg *but)
{
    list_for_each (it, &but->line->desk->calls)
        CALL(it)->waits |=
            CALL(it) != but && (CALL(it)->state == DESK_RINGING || CALL(it)->recalled);
}

struct sccp_leg *desk_begin(struct desk *d, uint32_t instance, bool speaker)
{
    const struct desk_line *line = desk_line_of(d, instance);
    if (!line || count(d, NULL) >= d->ua->conf->sccp.calls)
        return NULL;
    leave_active(d);
    struct sccp_leg *l = leg_sccp_new(line);
    if (!l)
        return NULL;
    others_wait(l);
    if (speaker)
        desk_speak_up(l);
    desk_show_dialling(l);
    timer_start(d->session->sccp->loop, &l->timer, DURATION_MS(FIRST_DIGIT_MS));
    return l;
}

void desk_take(struct sccp_leg *l, bool speaker)
{
    l->waits = false;
    leave_active(l->line->desk);
    others_wait(l);
    if (speaker)
        desk_speak_up(l);
    leg_sccp_take(l);
}

void desk_resume(struct sccp_leg *l)
{
    leave_active(l->line->desk);
    others_wait(l);
    desk_speak_up(l);
    leg_sccp_resume(l);
}

void desk_ring_on(struct desk *d)
{
    if (d->switching || desk_active(d))
        return;
    list_for_each (it, &d->calls) {
        if (!CALL(it)->waits)
            continue;
        CALL(it)->waits = false;
        if (CALL(it)->recalled)
            desk_show_bell(CALL(it));
        else
            desk_show_ringing(CALL(it));
    }
}

/* ---- their end ---- */

void desk_hang_up(struct desk *d)
{
    while (!list_empty(&d->calls)) {
        struct sccp_leg *l = CALL(d->calls.next);
        leg_sccp_hang_up(l, l->state == DESK_UP ? 200 : l->placed ? 487 : 480);
    }
}

static const struct desk_line *same_line(const struct desk *d, const struct desk_line *as)
{
    for (size_t i = 0; i < d->n_lines; i++) {
        const struct desk_line *l = &d->lines[i];
        if (l->aor.p && span_eq(l->aor, as->aor) && span_eq(l->contact, as->contact))
            return l;
    }
    return NULL;
}

void desk_keep_calls(struct desk *d, struct desk *was)
{
    span_copy(d->last, sizeof(d->last), span_str(was->last));
    d->lifted = was->lifted;
    list_for_each (it, &was->calls) {
        const struct desk_line *line = same_line(d, CALL(it)->line);
        if (!line)
            continue;
        CALL(it)->line = line;
        list_remove(it);
        list_push_back(&d->calls, it);
    }
}
