/* What the user of a desk phone does: handset, keys and softkeys. */
#include "b2bua/call/call.h"
#include "b2bua/call/pickup.h"
#include "b2bua/desk/desk_calls.h"
#include "b2bua/desk/do_not_disturb.h"
#include "b2bua/desk/forward.h"
#include "b2bua/desk/statistics.h"
#include "b2bua/sccp/configure.h"
#include "b2bua/ua/ua.h"

/* ---- dialling ---- */

static const struct dialplan_context *context_of(const struct desk *d)
{
    return dialplan_context(&d->ua->conf->dialplan, d->ua->conf->lines_context);
}

bool desk_can_dial(const struct desk_line *l, struct span number)
{
    const struct dialplan_context *at = context_of(l->desk);
    const struct dialplan_call call = { .called = number,
                                        .caller = l->number,
                                        .now = loop_wall(l->desk->session->sccp->loop) };
    return at && dialplan_dialled(at, &call) >= DIALLED_COMPLETE;
}

static void press(struct sccp_leg *l, char key)
{
    const struct b2bua_conf *conf = l->line->desk->ua->conf;
    const struct dialplan_context *at = context_of(l->line->desk);
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
    struct sccp_leg *l = desk_active(d);
    if (!l || l->state != DESK_DIALLING)
        l = desk_begin(d, instance, true);
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

/* ---- forwards ---- */

/* What is dialled next is no call. */
static void forward_all(struct desk *d, uint32_t instance)
{
    const struct desk_line *line = desk_line_of(d, instance);
    struct sccp_leg *l = desk_active(d);
    if (line && forward_to(line, FORWARD_ALL).p) {
        forward_set(line, SPAN(""));
        return;
    }
    if (!l || l->state != DESK_DIALLING)
        l = desk_begin(d, instance, true);
    if (!l)
        return;
    l->forwards = true;
    desk_show_forwarding(l);
}

/* ---- calls of others ---- */

/* One that rings: of one's group or, with a number that is still to be dialled, of that line. */
static void pick_up(struct desk *d, uint32_t instance, bool number)
{
    struct sccp_leg *l = desk_active(d);
    if (!l || l->state != DESK_DIALLING)
        l = desk_begin(d, instance, true);
    if (!l)
        return;
    l->extension = PICKUP;
    if (!number)
        leg_sccp_place(l);
}

static void park(struct desk *d)
{
    struct sccp_leg *l = desk_active(d);
    if (l && l->state == DESK_UP)
        leg_sccp_park(l);
}

/* ---- hook and keys ---- */

/* The call that is meant: the phone says which, or it is the active one. */
static struct sccp_leg *meant(const struct desk *d, uint32_t ref)
{
    return ref ? desk_call(d, ref) : desk_active(d);
}

static struct sccp_leg *recalled(const struct desk *d)
{
    list_for_each (it, &d->calls) {
        struct sccp_leg *l = container_of(it, struct sccp_leg, link);
        if (l->recalled)
            return l;
    }
    return NULL;
}

static void lift(struct desk *d, uint32_t instance, uint32_t ref, bool speaker)
{
    struct sccp_leg *l = ref ? desk_call(d, ref) : desk_ringing(d, instance);
    if (!l && !ref)
        l = recalled(d);
    if (l && l->state == DESK_RINGING)
        desk_take(l, speaker);
    else if (l && l->held)
        desk_resume(l);
    else if (!desk_active(d))
        desk_begin(d, instance, speaker);
}

/* What is held stays when the handset is put down, and what rings rings on. */
static void put_down(struct desk *d, uint32_t ref)
{
    struct sccp_leg *l = meant(d, ref);
    if (l && !l->held && l->state != DESK_RINGING)
        leg_sccp_hang_up(l, desk_end_status(l));
}

static void end_call(struct desk *d, uint32_t ref)
{
    struct sccp_leg *l = meant(d, ref);
    if (!l && !ref)
        l = desk_ringing(d, 0);
    if (l)
        leg_sccp_hang_up(l, desk_end_status(l));
}

static void hold(struct desk *d, struct sccp_leg *l)
{
    if (l)
        leg_sccp_hold(l);
    desk_ring_on(d);
}

static void resume(struct sccp_leg *l)
{
    if (l && l->held)
        desk_resume(l);
}

static void on_soft_key(struct desk *d, const struct sccp_soft_key_event *m)
{
    struct sccp_leg *l = meant(d, m->call);
    switch (m->event) {
    case SCCP_KEY_NEW_CALL:
        desk_begin(d, m->line, true);
        break;
    case SCCP_KEY_HOLD:
        hold(d, l);
        break;
    case SCCP_KEY_RESUME:
        resume(m->call ? l : desk_held(d, m->line));
        break;
    case SCCP_KEY_ANSWER:
        lift(d, m->line, m->call, true);
        break;
    case SCCP_KEY_END_CALL:
        end_call(d, m->call);
        break;
    case SCCP_KEY_BACKSPACE:
        if (l)
            backspace(l);
        break;
    case SCCP_KEY_PICKUP:
        pick_up(d, m->line, false);
        break;
    case SCCP_KEY_GROUP_PICKUP:
        pick_up(d, m->line, true);
        break;
    case SCCP_KEY_PARK:
        park(d);
        break;
    case SCCP_KEY_DND:
        do_not_disturb_toggle(d);
        break;
    case SCCP_KEY_FORWARD_ALL:
        forward_all(d, m->line);
        break;
    case SCCP_KEY_REDIAL:
        dial(d, m->line, span_str(d->last));
        break;
    case SCCP_KEY_TRANSFER:
        if (l)
            desk_transfer(l, DESK_TRANSFER);
        break;
    case SCCP_KEY_CONFERENCE:
        if (l)
            desk_transfer(l, DESK_CONFERENCE);
        break;
    case SCCP_KEY_REMOVE_LAST:
        if (l && l->conference)
            call_remove_last(&l->leg);
        break;
    default:
        break;
    }
}

static void on_key(struct desk *d, const struct sccp_keypad_button *m)
{
    static const char keys[] = "0123456789ABCD*#+";
    struct sccp_leg *l = meant(d, m->call);
    if (!l || m->key >= sizeof(keys) - 1)
        return;
    if (l->state == DESK_DIALLING)
        press(l, keys[m->key]);
    else
        leg_sccp_key(l, keys[m->key]);
}

/* What rings there is taken, what is held goes on; else a number is dialled, where nobody is spoken
 * to on this line. */
static void on_line_key(struct desk *d, uint32_t instance)
{
    struct sccp_leg *ringing = desk_ringing(d, instance), *held = desk_held(d, instance);
    const struct sccp_leg *active = desk_active(d);
    if (ringing)
        desk_take(ringing, true);
    else if (active && active->line->instance == instance)
        return;
    else if (held)
        desk_resume(held);
    else
        desk_begin(d, instance, true);
}

static void on_stimulus(struct desk *d, const struct sccp_stimulus *m)
{
    const struct sccp_session *s = d->session;
    const struct sccp_key *key =
        sccp_key_of(s->device, s->dialect.version, (uint8_t)m->button, m->instance);
    switch (m->button) {
    case SCCP_BUTTON_LINE:
        on_line_key(d, m->instance);
        break;
    case SCCP_BUTTON_HOLD:
        hold(d, desk_active(d));
        break;
    case SCCP_BUTTON_REDIAL:
        dial(d, 0, span_str(d->last));
        break;
    case SCCP_BUTTON_FORWARD_ALL:
        forward_all(d, 0);
        break;
    case SCCP_BUTTON_PICKUP:
    case SCCP_BUTTON_GROUP_PICKUP:
        pick_up(d, 0, m->button == SCCP_BUTTON_GROUP_PICKUP);
        break;
    case SCCP_BUTTON_PARK:
        park(d);
        break;
    case SCCP_BUTTON_TRANSFER:
    case SCCP_BUTTON_CONFERENCE:
        if (desk_active(d))
            desk_transfer(desk_active(d),
                          m->button == SCCP_BUTTON_TRANSFER ? DESK_TRANSFER : DESK_CONFERENCE);
        break;
    default:
        if (key && key->number.n)
            dial(d, 0, key->number);
        break;
    }
}

static void on_opened(struct desk *d, const struct sccp_open_receive_channel_ack *m)
{
    struct sccp_leg *l = desk_call(d, m->party);
    if (l)
        leg_sccp_opened(l, m);
}

void desk_heard(struct desk *d, const struct sccp_message *m)
{
    switch (m->kind) {
    case SCCP_OffHook:
        d->lifted = true;
        if (m->off_hook.call || !desk_active(d)) /* it may be lifted in a call, too */
            lift(d, m->off_hook.line, m->off_hook.call, false);
        break;
    case SCCP_OnHook:
        d->lifted = false;
        put_down(d, m->on_hook.call);
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
    case SCCP_ConnectionStatisticsRes:
        statistics_heard(d, &m->connection_statistics_res);
        break;
    default:
        break;
    }
}
