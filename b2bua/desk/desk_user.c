/* What the user of a desk phone does: handset, keys and softkeys. */
#include "b2bua/call/call.h"
#include "b2bua/leg/leg_sccp.h"
#include "b2bua/ua/ua.h"

enum { FIRST_DIGIT_MS = 15000 };

/* The call that is meant: by its reference or, where the phone does not say, the one that rings,
 * or the only other one that is not held. NULL: none. */
static struct sccp_leg *find(const struct desk *d, uint32_t ref, bool ringing)
{
    list_for_each (it, &d->calls) {
        struct sccp_leg *l = container_of(it, struct sccp_leg, link);
        if (ref ? l->ref == ref : !l->held && (l->state == DESK_RINGING) == ringing)
            return l;
    }
    return NULL;
}

bool desk_is_busy(const struct desk *d)
{
    list_for_each (it, &d->calls) {
        if (!container_of(it, struct sccp_leg, link)->held)
            return true;
    }
    return false;
}

void desk_hang_up(struct desk *d)
{
    while (!list_empty(&d->calls)) {
        struct sccp_leg *l = container_of(d->calls.next, struct sccp_leg, link);
        leg_sccp_hang_up(l, l->state == DESK_UP ? 200 : l->placed ? 487 : 480);
    }
}

static const struct desk_line *line_of(const struct desk *d, uint32_t instance)
{
    for (size_t i = 0; d->may_call && i < d->n_lines; i++) {
        if (d->lines[i].aor.p && d->lines[i].instance &&
            (!instance || d->lines[i].instance == instance))
            return &d->lines[i];
    }
    return NULL;
}

/* ---- dialling ---- */

static struct sccp_leg *begin(struct desk *d, uint32_t instance, bool speaker)
{
    const struct desk_line *line = line_of(d, instance);
    struct sccp_leg *l = line && !desk_is_busy(d) ? leg_sccp_new(line) : NULL;
    if (!l)
        return NULL;
    if (speaker)
        desk_show_speaker(l);
    desk_show_dialling(l);
    timer_start(d->session->sccp->loop, &l->timer, DURATION_MS(FIRST_DIGIT_MS));
    return l;
}

static void press(struct sccp_leg *l, char key)
{
    const struct b2bua_conf *conf = l->line->desk->ua->conf;
    const struct dialplan_context *at = dialplan_context(&conf->dialplan, conf->lines_context);
    struct loop *loop = l->session->sccp->loop;
    timer_stop(loop, &l->timer);
    desk_show_digit(l);
    enum dialplan_dialled dialled =
        at ? dial_press(&l->dial, key, at, l->line->number, loop_wall(loop)) : DIALLED_NOWHERE;
    if (dialled == DIALLED_COMPLETE)
        leg_sccp_place(l);
    else if (dialled == DIALLED_NOWHERE)
        leg_sccp_fail(l, 404);
    else
        timer_start(loop, &l->timer, conf->dialplan.inter_digit);
}

/* A whole number. */
static void dial(struct desk *d, uint32_t instance, struct span number)
{
    struct sccp_leg *l = find(d, 0, false);
    if (!l || l->state != DESK_DIALLING)
        l = begin(d, instance, true);
    if (!l || !number.n)
        return;
    l->dial.n = CS_MIN(number.n, sizeof(l->dial.digits));
    memcpy(l->dial.digits, number.p, l->dial.n);
    leg_sccp_place(l);
}

static void backspace(struct sccp_leg *l)
{
    if (l->state != DESK_DIALLING || !l->dial.n)
        return;
    l->dial.n--;
    SCCP_SEND(l->session, back_space_res, .line = l->line->instance, .call = l->ref);
}

static const struct sccp_key *speed_dial(const struct desk *d, uint32_t index)
{
    const struct sccp_device *device = d->session->device;
    for (size_t i = 0; i < device->n_keys; i++) {
        if (device->keys[i].type == SCCP_BUTTON_SPEED_DIAL && --index == 0)
            return &device->keys[i];
    }
    return NULL;
}

/* ---- hook and keys ---- */

/* One call at a time is heard. */
static void hold_active(struct desk *d)
{
    struct sccp_leg *l = find(d, 0, false);
    if (l)
        leg_sccp_hold(l);
}

static void resume(struct desk *d, struct sccp_leg *l)
{
    hold_active(d);
    if (!desk_is_busy(d))
        leg_sccp_resume(l);
}

static struct sccp_leg *held_by(const struct desk *d, uint32_t instance)
{
    list_for_each (it, &d->calls) {
        struct sccp_leg *l = container_of(it, struct sccp_leg, link);
        if (l->held && l->line->instance == instance)
            return l;
    }
    return NULL;
}

static void lift(struct desk *d, uint32_t instance, uint32_t ref, bool speaker)
{
    struct sccp_leg *l = find(d, ref, true);
    if (!l || l->state != DESK_RINGING) {
        begin(d, instance, speaker);
        return;
    }
    if (speaker)
        desk_show_speaker(l);
    leg_sccp_take(l);
}

static void put_down(struct desk *d, uint32_t ref, bool refuses)
{
    struct sccp_leg *l = find(d, ref, false);
    if (!l && refuses)
        l = find(d, ref, true);
    if (l && (refuses || !l->held)) /* what is held stays when the handset is put down */
        leg_sccp_hang_up(l, l->state == DESK_UP ? 200 : l->placed ? 487 : 486);
}

static void on_soft_key(struct desk *d, const struct sccp_soft_key_event *m)
{
    struct sccp_leg *l = find(d, m->call, false);
    switch (m->event) {
    case SCCP_KEY_NEW_CALL:
        hold_active(d);
        begin(d, m->line, true);
        break;
    case SCCP_KEY_HOLD:
        hold_active(d);
        break;
    case SCCP_KEY_RESUME:
        if (l)
            resume(d, l);
        break;
    case SCCP_KEY_ANSWER:
        lift(d, m->line, m->call, true);
        break;
    case SCCP_KEY_END_CALL:
        put_down(d, m->call, true);
        break;
    case SCCP_KEY_BACKSPACE:
        if (l)
            backspace(l);
        break;
    case SCCP_KEY_REDIAL:
        dial(d, m->line, span_str(d->last));
        break;
    default:
        break;
    }
}

static void on_key(struct desk *d, const struct sccp_keypad_button *m)
{
    static const char keys[] = "0123456789ABCD*#+";
    struct sccp_leg *l = find(d, m->call, false);
    if (!l || m->key >= sizeof(keys) - 1)
        return;
    if (l->state == DESK_DIALLING)
        press(l, keys[m->key]);
    else
        leg_sccp_key(l, keys[m->key]);
}

static void on_stimulus(struct desk *d, const struct sccp_stimulus *m)
{
    const struct sccp_key *key = speed_dial(d, m->instance);
    struct sccp_leg *held = held_by(d, m->instance);
    if (m->button == SCCP_BUTTON_LINE && held && !find(d, 0, true))
        resume(d, held);
    else if (m->button == SCCP_BUTTON_LINE)
        lift(d, m->instance, 0, true);
    else if (m->button == SCCP_BUTTON_HOLD)
        hold_active(d);
    else if (m->button == SCCP_BUTTON_REDIAL)
        dial(d, 0, span_str(d->last));
    else if (m->button == SCCP_BUTTON_SPEED_DIAL && key)
        dial(d, 0, key->number);
}

static void on_opened(struct desk *d, const struct sccp_open_receive_channel_ack *m)
{
    struct sccp_leg *l = find(d, m->party, false);
    if (l)
        leg_sccp_opened(l, m);
}

void desk_heard(struct desk *d, const struct sccp_message *m)
{
    switch (m->kind) {
    case SCCP_OffHook:
        lift(d, m->off_hook.line, m->off_hook.call, false);
        break;
    case SCCP_OnHook:
        put_down(d, m->on_hook.call, false);
        break;
    case SCCP_SoftKeyEvent:
        on_soft_key(d, &m->soft_key_event);
        break;
    case SCCP_KeypadButton:
        on_key(d, &m->keypad_button);
        break;
    case SCCP_EnblocCall:
        dial(d, m->enbloc_call.line, m->enbloc_call.number);
        break;
    case SCCP_Stimulus:
        on_stimulus(d, &m->stimulus);
        break;
    case SCCP_OpenReceiveChannelAck:
        on_opened(d, &m->open_receive_channel_ack);
        break;
    default:
        break;
    }
}
